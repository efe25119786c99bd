"""The sentence space at its own sizes: encode, decode and train, each against the plain way, in time and in memory.

Memory is measured first, with nothing else in it. Then both ways are timed in turn, in both precisions: a round does
each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from sonar_slt.bench.memory import peak
from sonar_slt.bench.space.decoding import decoding
from sonar_slt.bench.space.encoding import encoding
from sonar_slt.bench.space.sentences import random_vectors
from sonar_slt.bench.space.student import our_step, plain_step, training
from sonar_slt.bench.timing import Comparison, Footprint, Machine, Ways, compared, in_turn
from sonar_slt.processes import release_memory
from sonar_slt.space import LoraStudent, SentenceSpace

Opened = Callable[..., SentenceSpace]
"""Opens the space that is measured, with other settings if asked: `opened(only="decoder", dtype="bfloat16")`."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each: sentences to encode, vectors to decode, sentences of a training step, timed pairs."""

    encoded: int
    decoded: int
    trained: int
    rounds: int


def bench_space(opened: Opened, amounts: Amounts, device: torch.device) -> Iterator[Comparison | Footprint]:
    """Everything, one result after the other as it is found."""
    yield from _footprints(opened, amounts, device)
    release_memory()
    kinds = (torch.float32, torch.bfloat16)
    spaces = [opened(dtype=str(kind).removeprefix("torch.")) for kind in kinds]
    machines = [Machine.measured(kind, device) for kind in kinds]
    yield from _timed([encoding(*pair, count=amounts.encoded) for pair in zip(spaces, machines, strict=True)], amounts)
    yield from _timed([decoding(*pair, count=amounts.decoded) for pair in zip(spaces, machines, strict=True)], amounts)
    students = [LoraStudent(space=space) for space in spaces]
    yield from _timed(
        [training(*pair, count=amounts.trained) for pair in zip(students, machines, strict=True)], amounts
    )


def _timed(ways: Sequence[Ways], amounts: Amounts) -> Iterator[Comparison]:
    """Both precisions and both ways in turn, so that each ratio is of neighbours."""
    wide, half = ways
    slow, fast, slow_half, fast_half = in_turn([wide.plain, wide.ours, half.plain, half.ours], amounts.rounds)
    name = wide.name
    yield compared(f"{name}, float32", slow, fast, limit=wide.limit, note=wide.agreement())
    yield compared(f"{name}, bfloat16 against plain float32", slow, fast_half, limit=half.limit)
    yield compared(f"{name}, bfloat16 both", slow_half, fast_half, limit=half.limit, note=half.agreement())


def _footprints(opened: Opened, amounts: Amounts, device: torch.device) -> Iterator[Footprint]:
    """The peaks of opening a decoder for cached training, and of a training step each way."""
    sizes: list[int] = []

    def open_decoder(folder: str) -> None:
        space = SentenceSpace.from_pretrained(folder, only="decoder", device=device)
        sizes.append(sum(weight.nbytes for weight in space.model.parameters()))
        _ = space.vector_id  # what the vector cache asks for first

    def plain_training() -> None:
        teacher, student = opened(), LoraStudent(space=opened())
        plain_step(teacher, student, amounts.trained)()

    def our_training() -> None:
        student = LoraStudent(space=opened(only="decoder"))
        our_step(student, random_vectors(student.space, amounts.trained), amounts.trained)()

    with TemporaryDirectory() as folder:
        opened().save(Path(folder) / "space")
        opening = peak(lambda: open_decoder(f"{folder}/space"), device)
    yield Footprint("open the decoder for cached training, beside the bytes of its weights", sizes[0], opening)
    plain, ours = peak(plain_training, device), peak(our_training, device)
    yield Footprint(f"training step, {amounts.trained} sentences", plain, ours)
