"""The sheets of an assessment, one html file per judge and language that opens from disk and needs no network.

A sheet holds sentences and clips; whose the sentences are is in the key alone.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sonar_slt.errors import UserError
from sonar_slt.files import write_atomically
from sonar_slt.languages import LANGUAGES
from sonar_slt.page import assembled
from sonar_slt.runs.assessment.choice import choose
from sonar_slt.runs.assessment.design import Screen, screens
from sonar_slt.runs.assessment.key import Sheet, item_name, make_key, salt_of, write_key
from sonar_slt.runs.folder import SKELETONS
from sonar_slt.runs.registry import Record

ENDINGS = (".mp4", ".webm", ".m4v", ".mov", ".ogv")
"""Of the videos that are looked for, by the ids of the clips."""


def write_sheets(
    records: Sequence[Record],
    folder: Path,
    *,
    languages: Sequence[str] | None,
    clips: int,
    judges: int,
    together: bool,
    controls: float,
    video: Path | None,
    seed: int,
) -> list[Path]:
    """Write all sheets and the key into a folder, the key last, and return their paths.

    Clips are drawn from those of which there is a video, or a skeleton, or from all where there is neither.
    """
    if judges < 1:
        raise UserError(f"assess.judges={judges}: expected 1 or more.")
    if not 0 <= controls <= 1:
        raise UserError(f"assess.controls={controls}: expected a share of the clips, 0 to 1.")
    moving = _skeletons(records)
    films = _videos(video, folder) if video else {}
    shown = films if video else moving["clips"]
    choices = choose(records, languages=languages, number=clips, shown=shown, seed=seed)
    salt, sheets, pages = salt_of(choices, seed), [], []
    for choice in choices:
        for judge in range(1, judges + 1):
            rng = random.Random(f"{salt} {choice.language} {judge}")
            seen = screens(choice.clips, controls=controls, together=together, rng=rng)
            sheet = Sheet.of(seen, judge=judge, language=choice.language, salt=salt)
            sheets.append(sheet)
            pages.append((sheet.file, _page(sheet, seen, moving, films)))
    folder.mkdir(parents=True, exist_ok=True)
    key = write_key(folder, make_key(records, choices, sheets, salt))
    for name, page in pages:
        write_atomically(folder / name, page)
    return [*(folder / name for name, _ in pages), key]


@cache
def wording() -> dict[str, Any]:
    """The words of the sheets by language (three letters)."""
    text = resources.files(__package__).joinpath("wording.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _page(sheet: Sheet, seen: Sequence[Screen], moving: Mapping[str, Any], films: Mapping[str, str]) -> str:
    ids = list(dict.fromkeys(screen.clip for screen in seen))
    spoken = LANGUAGES[sheet.language]
    own = wording().get(sheet.language[:3])
    words = sheet.language[:3] if own else "eng"
    contents = {
        "sheet": sheet.hash,
        "judge": sheet.judge,
        "language": {
            "code": sheet.language,
            "name": own["own_name"] if own else spoken.name,
            "rtl": spoken.right_to_left,
        },
        "screens": [
            {
                "clip": screen.clip,
                "items": [
                    {"id": item_name(number, place), "text": one.text} for place, one in enumerate(screen.candidates)
                ],
            }
            for number, screen in enumerate(seen, start=1)
        ],
        "words": words,
        "wording": {name: wording()[name] for name in dict.fromkeys((words, "eng"))},
        "videos": {key: films[key] for key in ids if key in films},
        "edges": moving["edges"],
        "parts": moving["parts"],
    }
    clips = {} if films else {key: moving["clips"][key] for key in ids if key in moving["clips"]}
    return assembled(
        f"Assessment, sheet {sheet.judge}",
        contents,
        package=__package__,
        scripts=("stage.js", "sheet.js"),
        styles=("sheet.css",),
        bulk={"clips": clips},
        media=bool(films),
    )


def _skeletons(records: Iterable[Record]) -> dict[str, Any]:
    """The moving skeletons of all runs; the runs are of the same clips, so that the first one's drawing fits all."""
    found: dict[str, Any] = {"edges": [], "parts": None, "clips": {}}
    for record in records:
        try:
            each = json.loads((record.folder / SKELETONS).read_text(encoding="utf-8"))
            clips = {key: clip for key, clip in each["clips"].items() if isinstance(clip["data"], str)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # none, or a damaged file
        if not found["clips"]:
            found |= {"edges": each.get("edges") or [], "parts": each.get("parts")}
        found["clips"] = {**clips, **found["clips"]}
    return found


def _videos(folder: Path, beside: Path) -> dict[str, str]:
    """The links from the sheets to the videos of a folder, by id."""
    if not folder.is_dir():
        raise UserError(
            f"assess.video={folder} is no folder; expected one with a video for each clip, named by its id."
        )
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS)
    films = {
        path.relative_to(folder).with_suffix("").as_posix(): quote(Path(os.path.relpath(path, beside)).as_posix())
        for path in paths
    }
    if not films:
        raise UserError(f"assess.video={folder} holds no video ({', '.join(ENDINGS)}).")
    return films
