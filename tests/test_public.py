"""The public surface: offered without torch, typed, documented with shapes, and as docs/python.md shows it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import sonar_slt

PACKAGE = Path(sonar_slt.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "python.md"
ROOMS = {name: getattr(sonar_slt, name) for name in sonar_slt.__all__ if inspect.ismodule(getattr(sonar_slt, name))}
PUBLIC = {
    **{f"sonar_slt.{name}": getattr(sonar_slt, name) for name in sonar_slt.__all__ if name not in ROOMS},
    **{f"sonar_slt.{room}.{name}": getattr(module, name) for room, module in ROOMS.items() for name in module.__all__},
}


def methods(thing: Any) -> Iterator[tuple[str, Any]]:
    """A function itself; of a class what it adds to its bases from elsewhere, with the constructor."""
    if not inspect.isclass(thing):
        yield thing.__name__, thing
        return
    for parent in thing.__mro__:
        for name, part in vars(parent).items() if parent.__module__.startswith("sonar_slt") else ():
            part = getattr(part, "__func__", getattr(part, "fget", getattr(part, "func", part)))
            shown = name == "__init__" or not name.startswith("_")
            if shown and inspect.isfunction(part) and part.__module__ == parent.__module__:
                yield f"{parent.__name__}.{name}", part


def test_the_surface_is_offered_without_torch() -> None:
    program = (
        "import sys, sonar_slt\n"
        "assert set(sonar_slt.__all__) <= set(dir(sonar_slt))\n"
        "assert sonar_slt.runs.find and sonar_slt.metrics.rouge_l and sonar_slt.main and sonar_slt.Manifest\n"
        "assert set(sonar_slt.metrics.__all__) <= set(dir(sonar_slt.metrics))\n"
        "assert not {'torch', 'hydra', 'transformers'} & set(sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("module", [sonar_slt, *ROOMS.values()], ids=lambda module: module.__name__)
def test_names_are_offered_in_order_and_others_are_not(module: Any) -> None:
    assert module.__all__ == sorted(set(module.__all__))
    with pytest.raises(AttributeError, match=f"'{module.__name__}' has no attribute 'Nobody'"):
        module.Nobody  # noqa: B018


def test_the_package_says_what_it_offers() -> None:
    told = set(re.findall(r"\w+", sonar_slt.__doc__ or ""))
    assert set(sonar_slt.__all__) <= told


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented_and_typed(name: str) -> None:
    thing = PUBLIC[name]
    assert inspect.getdoc(thing) and thing.__doc__, name
    for place, function in methods(thing):
        parameters = list(inspect.signature(function).parameters.values())
        bare = [one.name for one in parameters if one.annotation is one.empty and one.name not in ("self", "cls")]
        assert not bare and inspect.signature(function).return_annotation is not inspect.Signature.empty, place
        if not place.endswith("__init__"):
            assert function.__doc__, place
        bases = getattr(thing, "__mro__", ())  # what they say of a method holds where it is written anew
        told = " ".join(str(getattr(base, function.__name__, thing).__doc__) for base in (thing, *bases))
        told = f"{thing.__doc__} {told}"
        if place.endswith("__init__"):
            told = inspect.getsource(thing)  # shapes of fields stand beside them
        if re.search(r"\b(Tensor|NDArray)\b", str(inspect.signature(function))):
            assert re.search(r"\(\w+,[^()]*\)|Tensor\[\w+\]", told), f"{place} says no shape"


def test_every_public_name_stands_on_the_page() -> None:
    told = set(re.findall(r"\w+", PAGE.read_text(encoding="utf-8")))
    assert not {name.rpartition(".")[2] for name in PUBLIC} - told


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_a_room_says_what_it_is_for_and_offers_what_it_lists(path: Path) -> None:
    room = import_module(".".join(path.parent.relative_to(PACKAGE.parent).parts))
    sentences = re.findall(r"[.!?](?=\s|$)", room.__doc__ or "")
    assert len(sentences) >= (2 if path.parent.parent == PACKAGE else 1)
    assert not [name for name in getattr(room, "__all__", ()) if not hasattr(room, name)]


IMPORTS = {
    (page.name, module, name.strip())
    for page in sorted(PAGE.parents[1].glob("docs/**/*.md"))
    for module, names in re.findall(r"^from (sonar_slt[\w.]*) import ([\w, ]+)$", page.read_text("utf-8"), re.MULTILINE)
    for name in names.split(",")
}


@pytest.mark.parametrize(("page", "module", "name"), sorted(IMPORTS))
def test_what_a_page_imports_is_there(page: str, module: str, name: str) -> None:
    assert hasattr(import_module(module), name)


def carried_out(block: str, names: dict[str, Any]) -> int:
    """Run a block of the page; how many of its expressions gave what the comment behind them says."""
    lines, checked = block.splitlines(), 0
    for node in ast.parse(block).body:
        said = lines[(node.end_lineno or 1) - 1].partition("  # ")[2]
        if isinstance(node, ast.Expr) and said:
            given = eval(compile(ast.Expression(node.value), PAGE.name, "eval"), names)
            assert repr(given) == said, lines[node.lineno - 1]
            checked += 1
        else:
            exec(compile(ast.Module([node], []), PAGE.name, "exec"), names)
    return checked


def test_the_page_says_what_happens(space_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    (tmp_path / "outputs" / "spaces").mkdir(parents=True)
    (tmp_path / "outputs" / "spaces" / "toy").symlink_to(space_folder)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    printed = StringIO()
    with redirect_stdout(printed):
        text = "\n".join(blocks).replace("trainer.max_steps=20", "trainer.max_steps=1")
        assert carried_out(text, names) >= 20
    assert all(f"# {line}\n" in text for line in printed.getvalue().splitlines()), printed.getvalue()
