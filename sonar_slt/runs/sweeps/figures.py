"""The figures that a run can be compared by, each under a key that a person can type: bleu, chrf/unseen, dev/loss.

They are gathered from whatever the run's record and logs hold, so that a new score needs no line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from sonar_slt.files import read_lines
from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.registry import Record
from sonar_slt.runs.table import score_rows

TITLES = {
    "bleu": "BLEU", "chrf": "chrF2", "chrf_pp": "chrF++", "ter": "TER", "rouge_l": "ROUGE-L", "wer": "WER",
    "token_f1": "token F1", "bleurt": "BLEURT", "bertscore": "BERTScore", "ae": "auto-encoding BLEU",
    "cosine": "cosine to the reference", "retrieval_at_1": "retrieval@1", "minutes": "minutes",
}  # fmt: skip
ALONE = frozenset({"retrieval_at_1", "minutes"})
"""Figures that are not of one language or of several."""
PREFERRED = ("bleu", "space.auto_encoding_bleu.mean", "retrieval_at_1", "dev/bleu", "dev/loss", "train/loss")
"""What runs are compared by where nobody says: the first of these that any of them has."""
BETTER_LOW = re.compile(r"(^|[./_])(ter|wer|xsim|xsim_plus_plus|median_rank|minutes|loss)($|[./_])")
PASSED_OVER = frozenset(
    {"scores", "mean_bleu", "legacy", "diagnosis", "n", "n_decoded", "resamples", "seed", "norm", "split", "language"}
)
NOT_TERMS = frozenset({"step", "seconds", "epoch", "split"})
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a run, and the ends of its interval where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


def figures_of(judged: Record, curves: Mapping[str, Curve], minutes: float | None = None) -> dict[str, Figure]:
    """Every figure of a run: `judged` is the record that holds its scores, `curves` what was logged on the way."""
    found = _scores(judged.metrics)
    found |= {key: Figure(value) for key, value in _numbers(judged.metrics) if key not in found}
    for name, curve in curves.items():
        values = [value for _, value in curve]
        if name.startswith("dev/") and values:
            found[name] = Figure(max(values) if higher_is_better(name) else min(values))
        elif values:
            last = values[-max(1, len(values) // 10) :]  # a single batch's loss says little
            found[name] = Figure(sum(last) / len(last))
    if minutes is not None:
        found["minutes"] = Figure(minutes)
    return found


def curves_of(folders: Iterable[Record]) -> dict[str, Curve]:
    """What one training logged over its steps, as train/NAME and dev/NAME; of a resumed one in several folders.

    A later folder takes over from the step at which it begins.
    """
    curves: dict[str, Curve] = {}
    for record in folders:
        for split in ("train", "dev"):
            fresh: dict[str, Curve] = {}
            for step, name, value in _logged(record, split):
                fresh.setdefault(f"{split}/{name}", []).append((step, value))
            for name, curve in fresh.items():
                curves[name] = [point for point in curves.get(name, []) if point[0] < curve[0][0]] + curve
    return curves


def higher_is_better(key: str) -> bool:
    """Whether a larger value of this figure is the better one; terms of the loss and error rates are not."""
    if key.startswith(("dev/", "train/")):
        return any(word in key for word in ("bleu", "chrf", "retrieval", "rouge", "accuracy", "f1", "per_second"))
    return BETTER_LOW.search(key) is None


def title(key: str) -> str:
    """A figure as people write it: `bleu/unseen` is BLEU, unseen languages."""
    split, slash, name = key.partition("/")
    if split in ("dev", "train") and slash:
        kind = "last" if split == "train" else "highest" if higher_is_better(key) else "lowest"
        return f"{_logged_title(name)} on {split}, {kind}"
    if not slash:
        first, dot, rest = key.partition(".")
        said = TITLES.get(key) or (
            f"{first} {rest.replace('.', ' ').replace('_', ' ')}" if dot else key.replace("_", " ")
        )
        return said if key in ALONE or key not in TITLES else f"{said}, trained languages"
    where = f"{name} languages" if name in ("unseen", "all") else LANGUAGES[name].name if name in LANGUAGES else name
    return f"{TITLES.get(split, split)}, {where}"


def brief(key: str) -> str:
    """A figure as the head of a column: BLEU, BLEU unseen, BLEU deu_Latn, retrieval@1, loss on dev."""
    first, slash, rest = key.partition("/")
    if first in ("dev", "train") and slash:
        return f"{_logged_title(rest)} on {first}"
    return f"{TITLES.get(first, first.replace('_', ' '))} {rest}".strip()


def _logged_title(name: str) -> str:
    """The term or score that a log calls `mse` or `bleu_deu_Latn`; a term of the loss keeps its own word."""
    if name in ("cosine", "ae", "ce", "mse"):
        return name
    for key in sorted(TITLES, key=len, reverse=True):
        rest = name.removeprefix(key)
        if rest == "" or (rest != name and rest.startswith("_")):
            where = rest.strip("_")
            told = LANGUAGES[where].name if where in LANGUAGES else where
            return f"{TITLES[key]} {told}".strip()
    return name.replace("_", " ")


def _scores(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Each score of each language, and its means over the trained and the unseen ones."""
    rows = score_rows(metrics)
    found: dict[str, Figure] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        per_language = [(row, figure) for row in rows if (figure := _figure(name, row.get(name))) is not None]
        for suffix, seen in (("", True), ("/unseen", False)):
            if chosen := [figure for row, figure in per_language if row.get("seen") is seen]:
                found[name + suffix] = _mean(chosen)
        if name in TITLES:
            found |= {f"{name}/{row['language']}": figure for row, figure in per_language if row.get("language")}
    return found


def _figure(name: str, value: Any) -> Figure | None:
    if name not in PASSED_OVER and is_number(value):
        return Figure(float(value))
    if not isinstance(value, Mapping) or "signature" not in value or not is_number(value.get("value")):
        return None
    low, high = value.get("interval") or (None, None)
    return Figure(float(value["value"]), low, high)


def _mean(figures: list[Figure]) -> Figure:
    """Mean of values and of ends: an interval on the wide side, as scores of the same clips move together."""

    def over(values: list[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None

    value = sum(figure.value for figure in figures) / len(figures)
    return Figure(value, over([figure.low for figure in figures]), over([figure.high for figure in figures]))


def _numbers(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if key in PASSED_OVER:
            continue
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}.")
        elif is_number(value):
            yield above + key, float(value)
    means = metrics.get("mean_bleu") if not above else None
    if isinstance(means, Mapping):
        named = {"bleu": means.get("trained"), "bleu/unseen": means.get("unseen")}
        yield from ((key, float(value)) for key, value in named.items() if is_number(value))


def _logged(record: Record, split: str) -> Iterator[tuple[float, str, float]]:
    for line in read_lines(record.folder / f"{split}_log.jsonl"):
        step = line.get("step")
        if line.get("split", split) == split and "event" not in line and is_number(step):
            for key, value in line.items():
                if key not in NOT_TERMS and is_number(value):
                    yield float(step or 0), key.removeprefix(f"{split}/"), float(value)


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value from a file is a number that one can reckon with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
