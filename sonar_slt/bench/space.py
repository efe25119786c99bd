"""The sentence space at its own sizes: encode, decode and train, each against the plain way, in time and in memory.

Memory is measured first, with nothing else in it; then both ways are timed in turn over one copy of the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from sonar_slt.bench.decoding import bench_decoding
from sonar_slt.bench.encoding import bench_encoding
from sonar_slt.bench.memory import peak, settle
from sonar_slt.bench.sentences import random_vectors
from sonar_slt.bench.student import bench_student, our_step, plain_step
from sonar_slt.bench.timing import Comparison, Footprint, Machine
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
    settle()
    baseline = []
    for precision in (torch.float32, torch.bfloat16):
        machine = Machine.measured(precision, device)
        space = opened(dtype=str(precision).removeprefix("torch."))
        for result in _timed(space, machine, amounts):
            if precision == torch.float32:
                baseline.append(result)
                yield replace(result, name=f"{result.name}, float32")
            else:
                against = baseline.pop(0).plain
                yield replace(result, name=f"{result.name}, bfloat16 both")
                ratio = against / result.ours
                yield replace(result, name=f"{result.name}, bfloat16 against plain float32", plain=against, ratio=ratio)
        del space
        settle()


def _timed(space: SentenceSpace, machine: Machine, amounts: Amounts) -> Iterator[Comparison]:
    yield bench_encoding(space, machine, count=amounts.encoded, rounds=amounts.rounds)
    yield bench_decoding(space, machine, count=amounts.decoded, rounds=amounts.rounds)
    yield bench_student(LoraStudent(space=space), machine, count=amounts.trained, rounds=amounts.rounds)


def _footprints(opened: Opened, amounts: Amounts, device: torch.device) -> Iterator[Footprint]:
    """The peaks of opening a decoder, and of a training step each way."""
    sizes: list[int] = []

    def decoder_alone() -> None:
        space = opened(only="decoder")
        sizes.append(sum(weight.nbytes for weight in space.model.parameters()))

    def plain_training() -> None:
        teacher, student = opened(), LoraStudent(space=opened())
        plain_step(teacher, student, amounts.trained)()

    def our_training() -> None:
        student = LoraStudent(space=opened(only="decoder"))
        our_step(student, random_vectors(student.space, amounts.trained), amounts.trained)()

    opening = peak(decoder_alone, device)
    yield Footprint("open the decoder alone (beside it: the bytes of its weights)", sizes[0], opening)
    plain, ours = peak(plain_training, device), peak(our_training, device)
    yield Footprint(f"training step, {amounts.trained} sentences", plain, ours)
