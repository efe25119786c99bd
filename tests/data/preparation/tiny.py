"""A corpus of a dozen clips whose labels and recordings are made up here, so that every fault can be planted alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sonar_slt.data.corpora.toy.meaning import draw_split
from sonar_slt.data.corpora.toy.signing import perform, signers
from sonar_slt.data.corpus import Corpus
from sonar_slt.data.faults import Fault
from sonar_slt.data.labels.known import Variant
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.recording import Recording
from sonar_slt.data.release import Entry, Media, Reading
from sonar_slt.data.unreadable import Unreadable

SIZES = {"train": 6, "dev": 3, "test": 3}
POSES = Path("/nowhere/poses")


def entries() -> list[Entry]:
    """Twelve clips without a fault."""
    return [
        Entry(
            id=f"{split}-{number}",
            split=split,
            texts={"deu_Latn": (f"Satz {number} aus {split}.",), "eng_Latn": (f"Sentence {number} of {split}.",)},
            where=f"line {number + 2} of '{split}.csv'",
            signer=f"signer{number % 2}",
            pose=Media("pose", POSES / f"{split}-{number}.npz"),
        )
        for split, size in SIZES.items()
        for number in range(size)
    ]


@cache
def recorded(seed: int) -> Recording:
    """Someone signs something at 25 frames a second, in pixels."""
    [meaning] = draw_split("train", 1, seed % 3)
    performance = perform(meaning, signer=signers(1, 0)[0], seed=seed % 3, fps=25.0)
    return Recording(points=performance.points[:60], layout=OPENPOSE_137, fps=25.0)


class TinyCorpus(Corpus):
    """`given` are its entries; `broken` are the clips whose file is cut short, `changed` those recorded otherwise.

    Every clip that is opened is noted in the file `log`, if there is one; at the clip `deadly` the process dies.
    """

    name = "tiny"
    sign_language = "gsg"
    frame_rate = 25.0

    def __init__(
        self,
        *,
        folder: Path,
        given: Sequence[Entry] | None = None,
        faults: Sequence[Fault] = (),
        broken: Sequence[str] = (),
        changed: Mapping[str, Callable[[Recording], Recording]] | None = None,
        log: Path | None = None,
        deadly: str | None = None,
        known: Sequence[Variant] = (),
        **preparation: Any,
    ) -> None:
        super().__init__(folder=folder, preparation=Preparation(**{"normalise": BySigner(), **preparation}))
        self.given, self.faults = list(entries() if given is None else given), tuple(faults)
        self.broken, self.changed, self.log, self.deadly = broken, changed or {}, log, deadly
        self.known = known  # type: ignore[misc]

    def label_files(self) -> Sequence[Path]:
        return ()

    def settings(self) -> Mapping[str, Any]:
        return {}

    def read(self) -> Reading:
        return Reading(entries=self.given, faults=self.faults, notes=["made up for a test"])

    def record(self, entry: Entry, *, size: tuple[int, int] | None = None) -> Recording | None:
        if self.log:
            with self.log.open("a") as stream:
                stream.write(f"{entry.id}\n")
        if entry.id == self.deadly:
            os._exit(9)
        if entry.pose is None:
            return None
        if entry.id in self.broken:
            raise Unreadable(f"'{entry.pose.path.name}' is cut short")
        made = recorded(sum(entry.id.encode()))
        return self.changed[entry.id](made) if entry.id in self.changed else made


def still(recording: Recording) -> Recording:
    """The first frame, over and over."""
    return replace(recording, points=np.repeat(recording.points[:1], len(recording), axis=0))


def unseen(recording: Recording) -> Recording:
    """Nobody in any frame."""
    return replace(recording, points=np.zeros_like(recording.points))


def faint(recording: Recording) -> Recording:
    """Everything there, and hardly seen."""
    return replace(recording, points=recording.points * np.array([1, 1, 0.05], np.float32))


def slower(recording: Recording) -> Recording:
    """The same frames, said to be at another rate."""
    return replace(recording, fps=20.0)


def short(recording: Recording) -> Recording:
    """Only the first frames."""
    return replace(recording, points=recording.points[:40])


def none(recording: Recording) -> Recording:
    """No frame at all."""
    return replace(recording, points=recording.points[:0])
