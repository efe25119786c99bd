"""The clips of a run's page with what was said of them: up to a thousand, with as many skeletons as there is room for.

They stand in the order of the files and are not chosen by score; those that have a skeleton come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sonar_slt.files import read_lines
from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.folder import all_hypotheses, split_and_language
from sonar_slt.runs.registry import Record
from sonar_slt.runs.scores.entries import score_rows

SAMPLES = 1000
LONGEST = 700
"""Characters of a text that are shown; the page says how many there were."""
ANSWERS = 8
"""References of a sentence that are shown."""
TEXTS = 6_000_000
"""Characters of all texts together, beyond which samples are left out."""
OF_A_CLIP = ("signer", "frames", "fps", "known")


def shown_samples(record: Record) -> dict[str, Any]:
    """The samples of one split with their translations, how many there are in all, and the names of the languages."""
    files = _hypotheses(record)
    lines = {path: {str(line.get("id")): line for line in read_lines(path)} for path in files}
    ids = list(dict.fromkeys(key for found in lines.values() for key in found))
    samples: list[dict[str, Any]] = []
    room = TEXTS
    for key in ids[:SAMPLES]:
        told = [found[key] for found in lines.values() if key in found]
        sample = _sample(key, told)
        room -= sum(
            len(str(text)) for one in sample["translations"] for text in (one["hypothesis"], *one["references"])
        )
        if samples and room < 0:
            break
        samples.append(sample)
    return {
        "samples": samples,
        "clips": len(ids),
        "split": split_and_language(files[0])[0] if files else None,
        "names": {code: LANGUAGES[code].name for _, code in map(split_and_language, files) if code in LANGUAGES},
    }


def skeletons_within(room: int, found: Mapping[str, Any], ids: Iterable[str]) -> dict[str, Any]:
    """The skeletons of these clips, in their order, as long as there is room for one more."""
    clips, kept = found.get("clips") or {}, {}
    for key in ids:
        clip = clips.get(key)
        if not isinstance(clip, Mapping) or not isinstance(clip.get("data"), str):
            continue
        room -= len(clip["data"]) + len(key) + 120
        if room < 0:
            break
        kept[key] = clip
    return kept


def cut(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of hypotheses whose texts are short enough for a page."""
    references = line.get("references")
    references = references if isinstance(references, list) else []
    return {
        **line,
        "hypothesis": _short(line.get("hypothesis")),
        "references": [_short(text) for text in references[:ANSWERS]],
        **({"more": len(references) - ANSWERS} if len(references) > ANSWERS else {}),
    }


def _sample(key: str, told: list[dict[str, Any]]) -> dict[str, Any]:
    """One clip: what is known of it once, and its translations."""
    once = {name: next((line[name] for line in told if line.get(name) is not None), None) for name in OF_A_CLIP}
    apart = ("id", *OF_A_CLIP)
    translations = [{name: value for name, value in cut(line).items() if name not in apart} for line in told]
    return {
        "id": key,
        **{name: value for name, value in once.items() if value is not None},
        "translations": translations,
    }


def _short(text: Any) -> str:
    text = "" if text is None else str(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}… ({len(text):,} characters)"


def _hypotheses(record: Record) -> list[Path]:
    """The files of one split, one per language and in the order of the scores; the test split if there is one."""
    files = all_hypotheses(record.folder)
    splits = {split_and_language(path)[0] for path in files}
    split = next((name for name in ("test", "dev") if name in splits), min(splits, default=""))
    scored = [row.get("language") for row in sorted(score_rows(record.metrics), key=lambda row: not row.get("seen"))]
    ranks = {code: rank for rank, code in enumerate(scored)}
    found = (path for path in files if split_and_language(path)[0] == split)
    return sorted(found, key=lambda path: ranks.get(split_and_language(path)[1], len(ranks)))
