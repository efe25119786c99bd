"""BERTScore: every word of a hypothesis finds its nearest in the reference and the other way round, by their vectors.

The encoder lies in a local folder and nothing is fetched; scores are F1, not rescaled by a baseline.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sonar_slt.errors import UserError
from sonar_slt.metrics.learned.pairs import LearnedMetric, Pair

if TYPE_CHECKING:
    from sonar_slt.metrics.learned.bertscore_encoder import Encoder

log = logging.getLogger(__name__)

VERSION = 1
"""Of this computation: it counts up when a value may change."""

MEANT = (
    "expected the folder of an encoder that transformers reads, such as FacebookAI/xlm-roberta-large: "
    "`hf download FacebookAI/xlm-roberta-large --local-dir FOLDER`, then metrics.bertscore.folder=FOLDER."
)


class BertScore(LearnedMetric):
    """F1 of greedy matching by the vectors of one layer of a local encoder, at most 1; in fp32, on the GPU if there.

    With `idf` a word counts by how few references have it. Of several references the best counts.
    """

    name, title = "bertscore", "BERTScore"

    def __init__(
        self, *, folder: str | None = None, layer: int = 17, idf: bool = False, batch_tokens: int = 8192
    ) -> None:
        if not folder:
            raise UserError(f"metrics.bertscore.folder=null: {MEANT}")
        self.folder = Path(folder).expanduser()
        if not (self.folder / "config.json").is_file():
            raise UserError(f"metrics.bertscore.folder={folder}: there is no model in such a folder; {MEANT}")
        if layer < 1:
            raise UserError(f"metrics.bertscore.layer={layer}: expected the number of a layer, 1 is the first.")
        if batch_tokens < 1:
            raise UserError(f"metrics.bertscore.batch_tokens={batch_tokens}: expected a number of tokens, at least 1.")
        self.layer, self.idf, self.batch_tokens = layer, idf, batch_tokens

    @property
    def signature(self) -> str:
        """What decides the value."""
        weights, idf = self._encoder.fingerprint[:8], "yes" if self.idf else "no"
        model = self.folder.resolve().name.replace("|", "_").replace(":", "_")
        return f"model:{model}|weights:{weights}|layer:{self.layer}|idf:{idf}|rescaled:no|refs:best|version:{VERSION}"

    @cached_property
    def _encoder(self) -> Encoder:
        from sonar_slt.metrics.learned.bertscore_encoder import Encoder

        return Encoder(self.folder, layer=self.layer)

    def said(self, pairs: Sequence[Pair], references: Sequence[Sequence[str]]) -> Iterator[dict[Pair, float]]:
        """Batch after batch, longest first; padding changes roundings alone. A pair with an empty side scores 0."""
        from sonar_slt.metrics.learned.bertscore_encoder import f1
        from sonar_slt.space.tokens import by_length

        rows = self._rows(pairs)
        weight = rarity([rows[text] for given in references for text in given]) if self.idf else alike
        longer = [max((rows[text] for text in pair), key=len) for pair in pairs]
        for batch in by_length(longer, self.batch_tokens // 2):  # both sides are read
            chosen = [pairs[number] for number in batch]
            sides = (self._encoder.side([rows[pair[side]] for pair in chosen], weight) for side in (0, 1))
            yield dict(zip(chosen, f1(*sides), strict=True))

    def _rows(self, pairs: Sequence[Pair]) -> dict[str, list[int]]:
        """The ids of each text."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        rows = dict(zip(texts, self._encoder.rows(texts), strict=True))
        if cut := sum(len(row) >= self._encoder.most for row in rows.values()):
            log.warning("%s reads %d tokens: %d sentences reach there", self.title, self._encoder.most, cut)
        return rows


def alike(token: int) -> float:
    """Every token counts the same."""
    return 1.0


def rarity(rows: Sequence[Sequence[int]]) -> Callable[[int], float]:
    """What a token counts: the more, the fewer of these sentences have it."""
    counts = Counter(token for row in rows for token in set(row))
    return lambda token: math.log((len(rows) + 1) / (counts[token] + 1))
