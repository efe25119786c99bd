"""TER by sacrebleu: edits as in WER, where a run of words may also move as one edit.

Lower is better. It is the slowest of the scores of text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.ter import TER

from sonar_slt.metrics.metric import Measured, streams
from sonar_slt.metrics.words.cutting import spaced
from sonar_slt.metrics.words.wer import error_rate


class Ter:
    """Translation edit rate with sacrebleu's options.

    Where `asian_support` is null, languages without spaces between words get it and, as it does nothing without them,
    sacrebleu's normalised words: otherwise a whole sentence would be one word.
    """

    name, title, higher_is_better = "ter", "TER", False

    def __init__(
        self,
        *,
        normalized: bool = False,
        no_punct: bool = False,
        asian_support: bool | None = None,
        case_sensitive: bool = False,
    ) -> None:
        self._normalized, self._no_punct = normalized, no_punct
        self._asian_support, self._case_sensitive = asian_support, case_sensitive

    def measure(self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], lang: str) -> Measured:
        """Sums of edits and of the references' mean lengths."""
        unasked = self._asian_support is None and not spaced(lang)
        metric = TER(
            normalized=self._normalized or unasked,
            no_punct=self._no_punct,
            asian_support=self._asian_support or unasked,
            case_sensitive=self._case_sensitive,
        )
        rows = metric._extract_corpus_statistics(hypotheses, streams(references))
        statistics = np.asarray(rows, dtype=np.float64)
        return Measured(
            statistics=statistics,
            formula=error_rate,
            signature=str(metric.get_signature()),
            value=float(metric._aggregate_and_compute(rows).score),
            sentences=error_rate(statistics),
        )
