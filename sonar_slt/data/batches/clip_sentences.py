"""What is said of clips: which sentences a batch may draw, which it draws, and what an evaluation compares with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from random import Random

import numpy as np

from sonar_slt.data.batches.numbering import Numbering, checked
from sonar_slt.data.batches.selection import Selection
from sonar_slt.data.manifest import Row, Rows
from sonar_slt.errors import UserError
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.tokens import FlatRows, TokenBatch, pad_rows


class ClipSentences:
    """The sentences of the clips of some splits, each by a number; those of training come first.

    A clip or a target language without a sentence is refused.
    """

    def __init__(
        self,
        *,
        rows: Rows,
        splits: Mapping[str, Selection],
        space: SentenceSpace,
        targets: Sequence[str],
        spoken: Sequence[str],
        anchors: Sequence[str],
        unseen: Sequence[str],
        weights: Mapping[str, float],
    ) -> None:
        self.space, self.weights = space, weights
        self.targets, self.spoken, self.anchors, self.unseen = targets, spoken, anchors, unseen
        codes = list(dict.fromkeys((*targets, *spoken, *anchors)))
        order = np.concatenate([chosen.numbers for chosen in splits.values()])
        self.numbering = Numbering(rows, order.tolist(), codes)
        self._refuse_silence(rows, splits)
        train = splits["train"].numbers
        self.trained = 1 + max(int(self.numbering.of(row, code).max(initial=-1)) for row in train for code in codes)

    def _refuse_silence(self, rows: Rows, splits: Mapping[str, Selection]) -> None:
        """A clip must say something in a target language, and a target language be said by a clip of training."""
        for row in (number for chosen in splits.values() for number in chosen.numbers):
            if not self.numbering.languages(row, self.targets):
                clip = rows[int(row)]
                raise UserError(
                    f"Clip {clip.id} has no sentence in {' or '.join(self.targets)}; the manifest has "
                    f"{', '.join(clip.languages) or 'none of it'}."
                )
        train = splits["train"]
        if silent := [code for code in self.targets if not self.numbering.has(code, train.numbers)]:
            known = ", ".join(dict.fromkeys(code for clip in train for code in clip.languages))
            raise UserError(
                f"No training clip has a sentence in {silent[0]}, only in {known or 'none'}: choose languages=[…]."
            )
        for clip in (clip for chosen in splits.values() for clip in chosen):
            for code in self.unseen:
                checked(clip, code)

    # --- what a batch says --------------------------------------------------------------------------------------

    def drawn(self, rows: Sequence[int], languages: Sequence[str], random: Random) -> list[int]:
        """A sentence of each clip in one of the languages, or in a target language where it has none of them."""
        chosen = []
        for row in rows:
            known = self.numbering.languages(row, languages) or self.numbering.languages(row, self.targets)
            (code,) = random.choices(known, [self.weights.get(one, 1.0) for one in known])
            chosen.append(int(random.choice(self.numbering.of(row, code))))
        return chosen

    def tokens(self, numbers: Sequence[int]) -> TokenBatch:
        """What the decoder reads of some sentences."""
        return pad_rows([self.ids[i] for i in numbers], self.space.tokens.pad)

    @cached_property
    def ids(self) -> FlatRows:
        """What the decoder reads of each sentence; who only wants their vectors does not wait for it."""
        drawn = list(self.numbering)
        return self.space.tokens.flat_rows([text for _, text in drawn], [code for code, _ in drawn])

    # --- what an evaluation compares with -----------------------------------------------------------------------

    def scorable(self, rows: Iterable[Row]) -> list[str]:
        """The target and unseen languages in which some clips have sentences to compare with."""
        known = {code for row in rows for code in row.languages}
        return [code for code in (*self.targets, *self.unseen) if code in known]

    def asked(self, splits: Mapping[str, Sequence[Row]]) -> list[tuple[str, str]]:
        """Every (language, text) whose vector a training asks for, or an evaluation in its target and unseen languages.

        An evaluation in any other language of the manifest computes its own, or needs that language in `unseen`.
        """
        judged = (
            (code, row.references(code)[0])
            for rows in splits.values()
            for row in rows
            for code in (*self.targets, *self.unseen)
            if row.references(code)
        )
        return list(dict.fromkeys([*self.numbering, *judged]))


def language_weights(targets: Sequence[str], weights: Mapping[str, float]) -> dict[str, float]:
    """How often each target language is drawn beside the others; 1 where nothing is said."""
    if foreign := [code for code in weights if code not in targets]:
        raise UserError(f"languages.weights names {foreign[0]}, no target language: they are {', '.join(targets)}.")
    if wrong := [code for code, weight in weights.items() if not 0 < weight < float("inf")]:
        raise UserError(f"languages.weights.{wrong[0]}={weights[wrong[0]]}: expected a number above 0.")
    return {code: float(weights.get(code, 1.0)) for code in targets}
