"""The translation job: what a prepared corpus lacks is asked of the memory, then of the translator, then written.

Every batch is kept as it comes, so that a job that is killed goes on; the manifest is written once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sonar_slt.data.manifest import Manifest
from sonar_slt.data.prepared_folder import MANIFEST
from sonar_slt.data.translations import FLAGGED, TRANSLATIONS, Lacking, Made, Order, write
from sonar_slt.space import SentenceSpace
from sonar_slt.space.cache import VectorCache
from sonar_slt.translator.likeness import Likeness
from sonar_slt.translator.memory import TranslationMemory

TALKATIVE = 60.0
"""Seconds between two lines about a job that no terminal shows."""


class Translator(Protocol):
    """Whatever turns sentences of one language into sentences of another, batch by batch."""

    @property
    def identity(self) -> str:
        """A hash of everything that decides what is said."""

    def described(self) -> Mapping[str, Any]:
        """The same in plain values."""

    def require(self, codes: Sequence[str]) -> None:
        """Refuse languages that it does not have."""

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> Iterator[dict[int, str]]:
        """Translations by the texts' numbers, as they are found."""


class TranslationJob:
    """Brings translations into prepared folders; a `space` judges them, those under `least_cosine` are flagged."""

    def __init__(
        self,
        *,
        translator: Translator,
        cache: Path,
        space: SentenceSpace | None = None,
        least_cosine: float = 0.7,
        drop_flagged: bool = False,
        tell: Callable[[str], None] = print,
    ) -> None:
        self.translator, self.space, self.tell = translator, space, tell
        self.least_cosine, self.drop_flagged, self.cache = least_cosine, drop_flagged, cache
        self.memory = TranslationMemory(
            folder=cache / "translations", identity=translator.identity, described=translator.described()
        )

    def run(self, folder: Path, order: Order, lacks: Mapping[str, Lacking]) -> bool:
        """Translate what a prepared folder lacks and write it there; whether its manifest is another one now."""
        self.translator.require([order.source, *order.targets])
        if self.space:
            self.space.require([order.source, *order.targets])
        self.memory.make_ready()
        said = {target: self._said(found.sentences, order.source, target) for target, found in lacks.items()}
        flagged = self._flagged(folder, order, said) if self.space else {}
        made = Made(said=said, made_by=self._described(), flagged=flagged, drop_flagged=self.drop_flagged)
        changed = write(folder, order, made)
        self.tell(f"{'Written' if changed else 'As it was'}: {folder / MANIFEST}")
        if changed:
            self.tell(f"Who translated what: {folder / TRANSLATIONS}")
        if any(flagged.values()):
            left = "left out" if self.drop_flagged else "kept; drop_flagged=true leaves them out"
            self.tell(f"Flagged translations ({left}): {folder / FLAGGED}")
        return changed

    def _said(self, sentences: Sequence[str], source: str, target: str) -> dict[str, str]:
        """Each sentence with its translation, from the memory where it is there."""
        if not sentences:
            return {}
        said = self.memory.known(sentences, source=source, target=target)
        missing = [text for text in sentences if text not in said]
        there, began = len(said), time.monotonic()
        if missing:
            with _paced(f"Into {target}", len(missing)) as advance:
                for batch in self.translator.translate(missing, source=source, target=target):
                    found = {missing[number]: text for number, text in batch.items()}
                    self.memory.keep(found, source=source, target=target)
                    said |= found
                    advance(len(found))
        seconds = time.monotonic() - began
        rate = f", {len(missing) / max(seconds, 1e-3):,.1f} a second" if missing else ""
        self.tell(
            f"{target}: {len(sentences):,} distinct sentences, {there:,} were there, {len(missing):,} translated in "
            f"{seconds:.1f} s{rate}."
        )
        if empty := sum(not text.strip() for text in said.values()):
            self.tell(f"{target}: {empty:,} translations are empty and go nowhere.")
        return said

    def _flagged(
        self, folder: Path, order: Order, said: Mapping[str, Mapping[str, str]]
    ) -> dict[str, dict[str, float]]:
        """The translations that lie too far from their sentence, by language and sentence, with the cosine."""
        assert self.space is not None
        cache = VectorCache(folder=self.cache / "vectors", space=self.space)
        spoken = dict.fromkeys(text for row in Manifest(folder / MANIFEST) for text in order.spoken(row))
        likeness = Likeness(cache=cache, sentences=list(spoken), source=order.source)
        flagged = {}
        for target, found in said.items():
            cosines = likeness.of({text: words for text, words in found.items() if words.strip()}, target)
            flagged[target] = {text: near for text, near in cosines.items() if near < self.least_cosine}
            if cosines:
                ordered = sorted(cosines.values())
                self.tell(
                    f"{target}: {len(flagged[target]):,} of {len(cosines):,} translations lie below the cosine "
                    f"{self.least_cosine}; half lie below {ordered[len(ordered) // 2]:.2f}, one in twenty below "
                    f"{ordered[len(ordered) // 20]:.2f}."
                )
        return flagged

    def _described(self) -> dict[str, Any]:
        """What is to be remembered of how translations were made and judged."""
        judge = {"space": self.space.fingerprint, "least_cosine": self.least_cosine} if self.space else {}
        return {
            "translator": dict(self.translator.described()),
            "date": datetime.now().astimezone().isoformat(timespec="seconds"),
            **judge,
            "drop_flagged": self.drop_flagged,
        }


@contextmanager
def _paced(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar with sentences a second and the time left; elsewhere than on a terminal a line every minute."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        number = bar.add_task(title, total=total, pace="")
        task = bar.tasks[0]
        began = told = time.monotonic()

        def advance(done: int) -> None:
            nonlocal told
            now = time.monotonic()
            speed = (task.completed + done) / max(now - began, 1e-3)
            bar.update(number, advance=done, pace=f"{speed:,.1f} sentences/s")
            if not console.is_terminal and now - told > TALKATIVE:
                told = now
                left = (total - task.completed) / speed / 60
                console.print(
                    f"{title}: {task.completed:,.0f} of {total:,}, {speed:,.1f} a second, {left:.0f} min left"
                )

        yield advance
