"""A package of a user, lying in a folder of theirs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from sonar_slt.config import permission, source

FILES = {
    "__init__.py": "from visitors.shapes import Square as Box, Pooling\nfrom .shapes import Circle\nimport os\n",
    "shapes.py": """
        from __future__ import annotations

        import functools
        import os
        import subprocess
        from dataclasses import dataclass, field
        from typing import ClassVar, Literal

        from visitors.base import Shape

        Pooling = Literal["mean", "max"]

        class Square(Shape):
            \"\"\"Its own signature.\"\"\"

            def __init__(self, *, side: float, pooling: Pooling = "mean", children: list[int] | None = None) -> None:
                super().__init__(colour="red")
                self.side, self.pooling, self.children = side, pooling, children

            @classmethod
            def unit(cls, *, pooling: Pooling = "max") -> Square:
                return cls(side=1.0, pooling=pooling)

            def grow(self, by: float) -> None:
                self.side += by

            class Corner:
                def __init__(self, *, angle: int = 90) -> None:
                    self.angle = angle

        class Circle(Shape):
            \"\"\"The signature of its base.\"\"\"

        @dataclass(kw_only=True)
        class Point:
            x: int
            y: int = 0
            kind: ClassVar[str] = "point"
            cached: float = field(init=False, default=0.0)

        @dataclass(kw_only=True)
        class Pixel(Point):
            grey: float = 0.0

        class Open:
            def __init__(self, first: int, **more: int) -> None:
                self.first, self.more = first, more

        class _Hidden:
            pass

        def area(side: float) -> float:
            return side * side

        Alias = subprocess.Popen
    """,
    "base.py": """
        class Shape:
            def __init__(self, *, colour: str = "blue") -> None:
                self.colour = colour
    """,
}


@pytest.fixture
def visitors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package ``visitors``, importable and allowed."""
    folder = tmp_path / "visitors"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(dedent(text), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(permission, "_named", {"visitors"})
    source.parse.cache_clear()
    yield folder
    source.parse.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "visitors"]:
        del sys.modules[name]
