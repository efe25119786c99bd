"""Several corpora as one: their clips drawn by weight, their ids told apart by the name of each."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.layout import Layout
from sonar_slt.data.manifest import Manifest, Row, Rows, ordered
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.prepared_folder import has_points
from sonar_slt.data.served import OneFolder, Served
from sonar_slt.data.store import ClipStore
from sonar_slt.errors import UserError


class Mixed(Served):
    """Corpora that train together: `weights` say how many of the draws each gets, null that each clip counts alike."""

    name = "mixed"

    def __init__(
        self,
        *,
        preparation: Preparation,
        parts: Mapping[str, Callable[..., Corpus] | Prepared],
        weights: Mapping[str, float] | None = None,
    ) -> None:
        if not parts:
            raise UserError("data=mixed mixes nothing: name its corpora under data.parts.")
        if bad := [name for name in parts if not name or "/" in name]:
            raise UserError(f"data.parts.{bad[0]}: a part's name stands before its clips' ids and has no slash.")
        if weights is not None and (
            weights.keys() != parts.keys() or not all(0 < weight < math.inf for weight in weights.values())
        ):
            raise UserError(f"data.weights: one number above 0 for each of {', '.join(parts)}, or null for none.")
        self._parts: dict[str, OneFolder] = {
            name: part if isinstance(part, Prepared) else part(preparation=preparation) for name, part in parts.items()
        }
        self.shares = weights

    def prepare(self) -> None:
        """Prepare each part that is not prepared yet."""
        for corpus in self.parts.values():
            corpus.prepare()
        posed = {name: corpus for name, corpus in self.parts.items() if has_points(corpus.prepared)}
        found = {name: corpus.layout.name for name, corpus in posed.items()}
        if len(set(found.values())) > 1:
            told = ", ".join(f"{name} has {layout}" for name, layout in found.items())
            raise UserError(
                f"These corpora have different points, {told}: preparation.layout=signing makes them alike."
            )

    @property
    def parts(self) -> Mapping[str, OneFolder]:
        """The corpora by their names."""
        return self._parts

    @property
    def layout(self) -> Layout:
        """That of every part."""
        return next(iter(self.parts.values())).layout

    @property
    def weights(self) -> Sequence[float] | None:
        """How many of the draws each part gets."""
        return None if self.shares is None else [self.shares[name] for name in self.parts]

    @cached_property
    def rows(self) -> JoinedRows:
        """The manifests one after another."""
        return JoinedRows({name: corpus.rows for name, corpus in self.parts.items()})

    @cached_property
    def clips(self) -> JoinedClips:
        """The stores one after another."""
        return JoinedClips({name: corpus.clips for name, corpus in self.parts.items()}, self.rows.borders)


class JoinedRows(Rows):
    """Manifests one after another; a clip's id begins with the name of its part."""

    def __init__(self, parts: Mapping[str, Manifest]) -> None:
        self.parts = dict(parts)
        self.borders = np.cumsum([0, *map(len, self.parts.values())])
        self.frames = np.concatenate([rows.frames for rows in self.parts.values()])
        self.splits = ordered(name for rows in self.parts.values() for name in rows.splits)
        told = "\n".join(f"{name} {rows.digest}" for name, rows in self.parts.items())
        self.digest = hashlib.sha256(told.encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return int(self.borders[-1])

    def _row(self, number: int) -> Row:
        name, place = located(self.borders, self.parts, number)
        row = self.parts[name][place]
        return replace(row, id=f"{name}/{row.id}", signer=f"{name}/{row.signer}" if row.signer else "")

    def id(self, number: int) -> str:
        """The name of a clip, that of its part before it."""
        name, place = located(self.borders, self.parts, number)
        return f"{name}/{self.parts[name].id(place)}"

    def split(self, name: str) -> NDArray[np.int64]:
        """The numbers (rows,) of a split's rows in all parts."""
        found = [rows.split(name) + start for rows, start in zip(self.parts.values(), self.borders, strict=False)]
        return np.concatenate(found)


class JoinedClips:
    """Clip stores one after another."""

    def __init__(self, parts: Mapping[str, ClipStore], borders: NDArray[np.int64]) -> None:
        self.parts, self.borders = dict(parts), borders

    def __len__(self) -> int:
        return int(self.borders[-1])

    def __getitem__(self, clip: int | str) -> NDArray[Any]:
        """A clip by its number, or by its id with the name of its part before it."""
        if isinstance(clip, str):
            name, _, rest = clip.partition("/")
            return self.parts[name][rest]
        name, place = located(self.borders, self.parts, clip)
        return self.parts[name][place]


def located(borders: NDArray[np.int64], parts: Mapping[str, Any], number: int) -> tuple[str, int]:
    """The part in which a number of the whole lies, and its number there."""
    if not 0 <= number < borders[-1]:
        raise IndexError(f"{number} of {int(borders[-1])}")
    part = int(np.searchsorted(borders, number, side="right")) - 1
    return list(parts)[part], number - int(borders[part])
