"""Some rows of a manifest, in an order of their own: a split, the first so many, everything but one signer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.manifest import SPLITS, Row, Rows
from sonar_slt.errors import UserError


class Selection(Sequence[Row]):
    """Rows by their numbers; each is read from the manifest when it is asked for."""

    def __init__(self, rows: Sequence[Row], numbers: NDArray[np.int64]) -> None:
        self.rows, self.numbers = rows, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Selection: ...
    def __getitem__(self, place: int | slice) -> Row | Selection:
        if isinstance(place, slice):
            return Selection(self.rows, self.numbers[place])
        return self.rows[int(self.numbers[place])]


def selections(rows: Rows, *, limit: int | None = None, signer: str | None = None) -> dict[str, Selection]:
    """The three splits; with `limit` only so many training clips.

    With `signer` the test split is everything that this person signs, in whatever split it is released, and nobody else
    is tested: what remains of train and dev is trained on and chosen by.
    """
    chosen = {split: np.asarray(rows.split(split), np.int64) for split in SPLITS}
    if signer is not None:
        signers = [row.signer for row in rows]
        if signer not in signers:
            known = ", ".join(sorted(set(signers) - {""}))
            raise UserError(
                f"batches.signer={signer} signs no clip of this corpus; its signers: {known or 'not told'}."
            )
        theirs = np.array([name == signer for name in signers])
        chosen = {split: numbers[~theirs[numbers]] for split, numbers in chosen.items()}
        chosen["test"] = np.flatnonzero(theirs)
    chosen["train"] = chosen["train"][:limit]
    return {split: Selection(rows, numbers) for split, numbers in chosen.items()}


def digest(rows: Rows, chosen: Mapping[str, Selection]) -> str:
    """A hash of every row and of the splits: two runs with the same digest saw the same clips and texts."""
    found = hashlib.sha256(rows.digest.encode())
    for split, selection in chosen.items():
        found.update(split.encode() + selection.numbers.astype("<i8").tobytes())
    return found.hexdigest()[:16]
