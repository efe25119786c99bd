"""A corpus that was prepared elsewhere: its folder is all that is needed, the release may be on another machine."""

from __future__ import annotations

from pathlib import Path

from sonar_slt.data.film import Film, filmed
from sonar_slt.data.manifest import Row
from sonar_slt.data.prepared_folder import is_prepared, prepared_in
from sonar_slt.data.served import OneFolder
from sonar_slt.errors import UserError


class Prepared(OneFolder):
    """Manifest and clip store of a prepared folder, as they lie there."""

    name = "prepared"

    def __init__(self, *, root: str | Path) -> None:
        self.root = Path(root)

    @property
    def prepared(self) -> Path:
        """The folder itself."""
        return self.root

    def prepare(self) -> None:
        """Nothing to prepare, but the folder must be one."""
        if not is_prepared(self.root):
            raise UserError(
                f"'{self.root}' is no prepared corpus: a folder with manifest.jsonl and clips/ was expected, as "
                "`sonar-slt prepare` writes it."
            )

    def film(self, row: Row, *, step: int = 1) -> Film:
        """The pictures of a clip, from where the release lay when it was prepared."""
        there = prepared_in(self.root)
        release = there.summary["root"] if there else None
        return filmed(row, Path(release) if release else None, step=step)
