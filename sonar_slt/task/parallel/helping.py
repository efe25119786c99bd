"""Process 0 judges, the others help it: whatever it wants to be said is said by all of them, each its share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from torch import Tensor

from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.student import Student
from sonar_slt.task.parallel.ranks import Ranks, collected

Found = TypeVar("Found")


def led(ranks: Ranks, student: Student, work: Callable[[Student], Found]) -> Found:
    """What `work` finds; process 0 does it, and every process has the outcome."""
    if not ranks.many:
        return work(student)
    if ranks.rank == 0:
        found = work(Helped(student, ranks))
        ranks.broadcast((None, found))
        return found
    while True:
        asked, found = ranks.broadcast(None)
        if asked is None:
            return cast(Found, found)
        _shared(student, ranks, *asked)


class Helped(Student):
    """The student of process 0: what it is to say is said by all processes."""

    def __init__(self, student: Student, ranks: Ranks) -> None:
        super().__init__(space=student.space)
        self._own, self._ranks = (student,), ranks

    def decode(self, vectors: Tensor, lang: str | Sequence[str], **options: Any) -> list[str]:
        """One sentence per vector."""
        asked = (vectors.detach().cpu(), lang, options)
        self._ranks.broadcast((asked, None))
        return _shared(self._own[0], self._ranks, *asked)

    def log_likelihood(self, vectors: Tensor, texts: Sequence[str], lang: str | Sequence[str]) -> Tensor:
        """Mean log-probability per token (N,) of each text given its vector; process 0 alone computes it."""
        return self._own[0].log_likelihood(vectors, texts, lang)

    @contextmanager
    def as_teacher(self) -> Iterator[SentenceSpace]:
        """The space without what the student learnt; process 0 alone asks it."""
        with self._own[0].as_teacher() as space:
            yield space


def _shared(
    student: Student, ranks: Ranks, vectors: Tensor, lang: str | Sequence[str], options: dict[str, Any]
) -> list[str]:
    """This process's share is said here; what all said, in order."""
    own = vectors[ranks.rank :: ranks.count]
    langs = lang if isinstance(lang, str) else list(ranks.share(lang))
    return collected(ranks.everyone(student.decode(own, langs, **options) if len(own) else []))
