"""A corpus that was prepared elsewhere: its folder is all that is needed, the release may be on another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sonar_slt.data.corpus import clips_of
from sonar_slt.data.film import Film, filmed
from sonar_slt.data.layout import Layout
from sonar_slt.data.layouts import named
from sonar_slt.data.manifest import Manifest, Row
from sonar_slt.data.preparation.outcome import outcome_in
from sonar_slt.data.store import ClipStore
from sonar_slt.errors import UserError


class Prepared:
    """Manifest and clip store of a prepared folder, as they lie there."""

    name = "prepared"
    weights: Sequence[float] | None = None

    def __init__(self, *, root: str | Path) -> None:
        self.prepared = Path(root)

    def prepare(self) -> None:
        """Nothing to prepare, but the folder must be one."""
        if not (self.prepared / "manifest.jsonl").is_file():
            raise UserError(
                f"'{self.prepared}' is no prepared corpus: a folder with manifest.jsonl and clips/ was expected, as "
                "`sonar-slt prepare` writes it."
            )

    @property
    def homes(self) -> Mapping[str, Path]:
        """The folder itself."""
        return {"": self.prepared}

    @property
    def media(self) -> Mapping[str, str]:
        """A digest of its clips."""
        return {"": self.rows.media_digest}

    @property
    def pools(self) -> Sequence[range]:
        """All rows."""
        return [range(len(self.rows))]

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip, from where the release lay when it was prepared."""
        outcome = outcome_in(self.prepared)
        root = outcome.summary["root"] if outcome else None
        return filmed(row, Path(root) if root else None, step=step)

    def camera(self) -> Mapping[str, Any]:
        """The files alone decide."""
        return {}

    @cached_property
    def rows(self) -> Manifest:
        """The manifest."""
        return Manifest(self.prepared / "manifest.jsonl")

    @cached_property
    def clips(self) -> ClipStore:
        """The points."""
        return clips_of(self.prepared, self.rows)

    @cached_property
    def layout(self) -> Layout:
        """How the points of a frame are ordered."""
        return named(self.clips.layout)
