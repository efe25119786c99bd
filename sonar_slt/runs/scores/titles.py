"""How people write scores and other figures, and which way is better: said here once, for the screen and the pages."""

from __future__ import annotations

import re
from typing import Any

from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.scores.numbers import UNIT

TITLES = {
    "bleu": "BLEU",
    "chrf": "chrF2",
    "chrf_pp": "chrF++",
    "ter": "TER",
    "rouge_l": "ROUGE-L",
    "wer": "WER",
    "token_f1": "token F1",
    "bleurt": "BLEURT",
    "bertscore": "BERTScore",
    "slots": "slot accuracy",
}
"""The scores of a language, in the order in which they are shown."""
LEGACY = {
    **{f"bleu_{order}": f"BLEU-{order}" for order in range(1, 5)},
    "bleu_4_bare": "BLEU-4 bare",
    "rouge_l_bare": "ROUGE-L bare",
    "bleu_lowercase": "BLEU lowercase",
    "reduced_bleu": "reduced BLEU",
}
"""And those that only a legacy protocol has."""
BESIDE = {"ae": "auto-encoding BLEU", "cosine": "cosine to the reference"}
"""Figures of a language that are no scores of its translations."""
ALONE = {"retrieval_at_1": "retrieval@1", "minutes": "minutes"}
"""Figures that are not of one language or of several."""
FIGURES = {**TITLES, **BESIDE, **ALONE}
ERRORS = frozenset({"ter", "wer"})
"""Scores that are better when they are lower."""
LOW = re.compile(rf"(^|[./_])({'|'.join(sorted(ERRORS))}|xsim|xsim_plus_plus|median_rank|minutes|loss)($|[./_])")
"""What makes a figure one that is better when it is lower."""
HIGH = ("bleu", "chrf", "retrieval", "rouge", "accuracy", "f1", "per_second")
"""What makes one from a log, where most are terms of the loss, better when it is higher."""


def title(name: str) -> str:
    """A score."""
    return TITLES.get(name) or LEGACY.get(name) or name.replace("_", " ")


def heading(name: str) -> str:
    """A score at the head of a column; the arrow tells that lower is better."""
    return f"{title(name)} ↓" if name in ERRORS else title(name)


def higher_is_better(key: str) -> bool:
    """Whether a larger value of a figure is the better one; terms of the loss and error rates are not."""
    if key.startswith(("dev/", "train/")):
        return any(word in key for word in HIGH)
    return LOW.search(key) is None


def language_title(code: str) -> str:
    """A language by its name; a code that is none of ours is its own title."""
    return LANGUAGES[code].name if code in LANGUAGES else code


def for_pages() -> dict[str, Any]:
    """The same as data: titles in their order, and which scores are errors or on a scale of 0 to 1."""
    return {"titles": {**TITLES, **LEGACY}, "errors": sorted(ERRORS), "unit": sorted(UNIT)}


def figure_title(key: str) -> str:
    """A figure in full: `bleu/unseen` is BLEU, unseen languages."""
    split, slash, name = key.partition("/")
    if split in ("dev", "train") and slash:
        kind = "last" if split == "train" else "highest" if higher_is_better(key) else "lowest"
        return f"{_logged(name)} on {split}, {kind}"
    if not slash:
        first, dot, rest = key.partition(".")
        said = FIGURES.get(key) or (
            f"{first} {rest.replace('.', ' ').replace('_', ' ')}" if dot else key.replace("_", " ")
        )
        return said if key in ALONE or key not in FIGURES else f"{said}, trained languages"
    where = f"{name} languages" if name in ("unseen", "all") else language_title(name)
    return f"{FIGURES.get(split, split)}, {where}"


def brief(key: str) -> str:
    """A figure as the head of a column: BLEU, BLEU unseen, BLEU deu_Latn, retrieval@1, loss on dev."""
    first, slash, rest = key.partition("/")
    if first in ("dev", "train") and slash:
        return f"{_logged(rest)} on {first}"
    return f"{FIGURES.get(first, first.replace('_', ' '))} {rest}".strip()


def _logged(name: str) -> str:
    """The term or score that a log calls `mse` or `bleu_deu_Latn`; a term of the loss keeps its own word."""
    if name in ("cosine", "ae", "ce", "mse"):
        return name
    for key in sorted(FIGURES, key=len, reverse=True):
        rest = name.removeprefix(key)
        if rest == "" or (rest != name and rest.startswith("_")):
            return f"{FIGURES[key]} {language_title(rest.strip('_'))}".strip()
    return name.replace("_", " ")
