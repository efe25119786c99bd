"""Batches of clips from worker processes, against the steps of the toy sign task that would consume them.

The clips are larger than the toy world's: 120 frames of 543 points, in the store's half precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from sonar_slt.bench.data.recordings import FRAMES, POINTS, movements, written
from sonar_slt.bench.timing import Comparison, compared, seconds
from sonar_slt.bench.training.loop import stepping
from sonar_slt.data.clips import Clips
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.sampling import All
from sonar_slt.space import SentenceSpace
from sonar_slt.task.sign import SignTranslation

SIZE, WORKERS = 16, 2
CLIPS = 400
STEPS = 5
"""Steps in a round: enough to be timed, few beside the batches."""
AHEAD = 4 * WORKERS
"""Batches that are let pass before the clock starts: some of them were made while nobody asked."""


def bench_batches(task: SignTranslation, folder: Path, *, batches: int, rounds: int) -> Comparison:
    """A step of 16 toy clips and a batch of 16 of ours, in turn; the step's own batches are made before."""
    language = task.data.targets[0]
    toy = [task.data.batch(number).to("cpu") for number in range(STEPS)]
    step = stepping(task)
    corpus = written(folder / "corpus", movements(), CLIPS, dtype="float16", language=language)
    data = serving(corpus, task.data.space, language, folder / "vectors", workers=WORKERS)
    passing = iter(data.train_dataloader())
    first = next(passing)
    step(toy[0])
    slow, fast = [], []
    for _ in range(rounds):
        slow.append(seconds(lambda: [step(batch) for batch in toy]) / STEPS)
        passed(passing, AHEAD)
        fast.append(seconds(lambda: passed(passing, batches)) / batches)
    copied = min(seconds(first.tracks["points"].values.clone) for _ in range(rounds))
    floats = median(seconds(lambda: first.to("cpu")) for _ in range(rounds))
    name = f"{SIZE} clips of {FRAMES} × {POINTS} × 3 ready, {WORKERS} workers; a step of {len(toy[0].ids)} toy clips"
    return compared(name, slow, fast, limit=copied, note=f"float32 on this processor takes {floats * 1e3:.1f} ms more")


def serving(corpus: Prepared, space: SentenceSpace, language: str, cache: Path, *, workers: int) -> Clips:
    """The data module over a corpus, every frame of its clips."""
    made = Clips(
        corpus=corpus, space=space, targets=[language], sampling=All(), cache=cache, size=SIZE, workers=workers
    )
    made.make_ready()
    return made


def passed(batches: Iterator[object], number: int) -> None:
    """Let so many batches pass."""
    if (came := sum(1 for _ in islice(batches, number))) < number:
        raise RuntimeError(f"{came} of {number} batches came from the workers.")
