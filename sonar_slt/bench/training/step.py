"""A sign training's step at the space's own sizes, in time and in memory, against that of the reference tools.

Both have the same clips and texts, an adapter of the same sizes, the same LoRA and the same losses. The plain way makes
every clip as long as the longest of the corpus, so that both see the same frames: at 128, the tools' own length, it
would see three quarters of them. In time both share one model, whose encoder has no adapters and takes as long as that
of a second copy; in memory each way has what it holds to itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from sonar_slt.adapter.reference import ReferenceAdapter
from sonar_slt.bench.memory import available, peak
from sonar_slt.bench.space.likelihood import weights_met
from sonar_slt.bench.space.space import Opened
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Work, compared, in_turn
from sonar_slt.bench.training.loop import stepping
from sonar_slt.bench.training.reference import WEIGHTS, PlainAdapter, PlainTraining, repeated
from sonar_slt.bench.training.utterances import FRAMES, SIZE, TOKENS, recorded, served
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.clips import Clips
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.errors import UserError
from sonar_slt.objective import AeTerm, CeTerm, CosineTerm, Landing, MseTerm, Objective
from sonar_slt.processes import release_memory
from sonar_slt.space import LoraStudent, SentenceSpace
from sonar_slt.task.schedule import Constant
from sonar_slt.task.sign import SignTranslation

TERMS = {"mse": MseTerm, "cosine": CosineTerm, "ce": CeTerm, "ae": AeTerm}
TWICE = 2
"""Steps under which memory is looked at: from the second on, the optimiser's averages are there, too."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What both ways train on: a corpus on disk, the cache of its teacher's vectors, and the sizes of the adapter."""

    prepared: Prepared
    cache: Path
    batches: Sequence[ClipBatch]  # on the device
    sizes: Mapping[str, Any]

    def data(self, space: SentenceSpace) -> Clips:
        """The data of a training in a space whose vectors are in the cache."""
        return served(self.prepared, space, self.cache)

    def task(self, space: SentenceSpace) -> SignTranslation:
        """Our training, as the command builds it."""
        task = SignTranslation(
            data=self.data(space),
            adapter=partial(ReferenceAdapter, **self.sizes, dropout=0.0),
            student=LoraStudent,
            objective=Objective({name: TERMS[name](weight=weight) for name, weight in WEIGHTS.items()}),
            schedule=Constant(),
        )
        return task.to(space.device)

    def plain(self, teacher: SentenceSpace, student: LoraStudent) -> PlainTraining:
        """That of the reference tools."""
        points = int(self.batches[0].tracks["points"].values.shape[2])
        adapter = PlainAdapter(points=points, space_dim=teacher.dim, **self.sizes).to(teacher.device)
        return PlainTraining(teacher=teacher, student=student.to(teacher.device), adapter=adapter)


def bench_step(
    opened: Opened, folder: Path, *, batches: int, rounds: int, device: torch.device, sizes: Mapping[str, Any]
) -> Iterator[Comparison | Footprint]:
    """Peaks first, then so many batches of eight clips in each round; `sizes` are the adapter's, where not its own."""
    corpus = _corpus(opened, folder, batches, device, sizes)
    yield _footprint(opened, corpus, device)
    release_memory()
    space = opened()
    yield _timed(corpus, space, Machine.measured(space.model.dtype, device), rounds)


def _corpus(opened: Opened, folder: Path, batches: int, device: torch.device, sizes: Mapping[str, Any]) -> Corpus:
    """The clips on disk, and their teacher's vectors in the cache as `sonar-slt embed` would leave them."""
    space, cache = opened(only="encoder"), folder / "vectors"
    prepared = recorded(folder / "corpus", space, batches * SIZE)
    data = served(prepared, space, cache)
    return Corpus(prepared, cache, [data.batch(number).to(device) for number in range(batches)], sizes)


# --- memory -----------------------------------------------------------------------------------------------------


def _footprint(opened: Opened, corpus: Corpus, device: torch.device) -> Footprint:
    """The peaks of opening what each way needs and of taking two steps on the longest clips."""
    longest = max(corpus.batches, key=lambda batch: batch.tracks["points"].values.shape[1])

    def plainly() -> None:
        teacher = opened()
        _require_room(teacher, device)
        training = corpus.plain(teacher, LoraStudent(space=opened()))
        for _ in range(TWICE):
            training.step(repeated(longest.tracks["points"], FRAMES[1]), longest.target.tokens)

    def ours() -> None:
        step = stepping(corpus.task(opened(only="decoder")))
        for _ in range(TWICE):
            step(longest)

    sizes = peak(plainly, device), peak(ours, device)
    return Footprint(f"training step of {SIZE} clips of up to {FRAMES[1]} frames, weights included", *sizes)


def _require_room(first: SentenceSpace, device: torch.device) -> None:
    """Refuse what would end this process: beside the first copy there is a second, and what a step takes."""
    size, left = sum(weight.nbytes for weight in first.model.parameters()), available(device)
    if left is not None and left < 2 * size:
        raise UserError(
            f"The plain way needs two copies of {size / 2**30:.1f} GiB and as much again, and {left / 2**30:.1f} GiB "
            "are left: take smaller sizes, such as large.layers=6."
        )


# --- time -------------------------------------------------------------------------------------------------------


def _timed(corpus: Corpus, space: SentenceSpace, machine: Machine, rounds: int) -> Comparison:
    """Both ways in turn over the same batches; their losses of the same vectors are compared before."""
    task = corpus.task(space)
    assert isinstance(task.student, LoraStudent)
    training, step = corpus.plain(space, task.student), stepping(task)
    apart = apart_at_most(task, training, corpus.batches[0])
    stood = [(repeated(batch.tracks["points"], FRAMES[1]), batch.target.tokens) for batch in corpus.batches]

    def plainly() -> None:
        for points, tokens in stood:
            training.step(points, tokens)

    def ours() -> None:
        for batch in corpus.batches:
            step(batch)

    slow, fast = in_turn([plainly, ours], rounds)
    name = (
        f"{len(stood)} training steps of {SIZE} clips of {FRAMES[0]} to {FRAMES[1]} frames, texts of {TOKENS[0]} to "
        f"{TOKENS[1]} tokens, {str(space.model.dtype).removeprefix('torch.')} weights"
    )
    each = [SIZE * len(stood) / median(times) for times in (slow, fast)]
    note = f"{each[0]:.3g} and {each[1]:.3g} clips/s; losses of the same vectors differ by {apart:.0e} at most"
    limit = machine.limit(unavoidable(corpus.batches, space, training.adapter))
    return compared(name, slow, fast, limit=limit, note=note)


@torch.no_grad()
def apart_at_most(task: SignTranslation, training: PlainTraining, batch: ClipBatch) -> float:
    """The largest relative difference between the losses that both ways see in the same vectors."""
    s = batch.target.vectors
    generator = torch.Generator().manual_seed(0)
    z = s + s.std() * torch.randn(s.shape, generator=generator).to(s)
    ours = task.objective(Landing(z, s, task.nll(batch, z))).values
    plain: Mapping[str, Tensor] = training.terms(z, batch.target.tokens)
    return max(float((ours[name] - value).abs() / value.abs()) for name, value in plain.items())


def unavoidable(batches: Sequence[ClipBatch], space: SentenceSpace, adapter: PlainAdapter) -> Work:
    """The products of all real tokens and frames with the weights that they meet.

    Tokens go forward, and backward to their input, from two vectors; frames go backward to the weights, too.
    """
    tokens = sum(int(batch.target.tokens.mask.sum()) for batch in batches)
    frames = sum(int(batch.tracks["points"].mask.sum()) for batch in batches)
    weights = sum(weight.numel() for weight in adapter.frames.parameters() if weight.ndim > 1)
    return Work(8.0 * tokens * weights_met(space) + 6.0 * frames * weights)
