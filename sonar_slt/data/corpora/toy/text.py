"""The toy world as text: training meanings said twice, and held-out ones to be judged by."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from sonar_slt.data.corpora.toy.meaning import Meaning, draw, draw_split, one_slot_changes
from sonar_slt.data.corpora.toy.sentences import LANGUAGES, render
from sonar_slt.data.held_out import HeldOut
from sonar_slt.errors import UserError


class ToyText:
    """An endless corpus of forecasts of the training split; held-out meanings are never drawn from it."""

    def __init__(self, *, languages: Sequence[str] | None = None) -> None:
        self.languages = LANGUAGES if languages is None else tuple(languages)
        if not self.languages or len(set(self.languages)) < len(self.languages):
            raise UserError(f"data.languages={list(self.languages)}: expected one code or several different ones.")

    def pair(self, random: Random, languages: Sequence[str]) -> tuple[str, str]:
        """One training meaning, said in two languages, each in one of its valid ways; in one language, in two ways."""
        meaning = _training_meaning(random)
        if languages[0] == languages[1]:
            first, second = random.sample(render(meaning, languages[0]), 2)
        else:
            first, second = (random.choice(render(meaning, language)) for language in languages)
        return first, second

    def sample(self, random: Random, language: str) -> str:
        """One training sentence."""
        return random.choice(render(_training_meaning(random), language))

    def held_out(self, size: int, *, seed: int = 0, negatives: int = 8) -> HeldOut:
        """Test meanings in every language, and for each some that differ in one slot."""
        random = Random(f"held-out-{seed}")
        meanings = draw_split("test", size, seed)
        changed = [change for meaning in meanings for change in one_slot_changes(meaning, random, negatives)]
        return HeldOut(
            references={
                code: [_shuffled(render(meaning, code), random) for meaning in meanings] for code in self.languages
            },
            negatives={code: [random.choice(render(meaning, code)) for meaning in changed] for code in self.languages},
        )


def _training_meaning(random: Random) -> Meaning:
    while True:
        meaning = draw(random)
        if meaning.split == "train":
            return meaning


def _shuffled(ways: Sequence[str], random: Random) -> list[str]:
    """All ways in random order: the first is the one that is read."""
    return random.sample(ways, len(ways))
