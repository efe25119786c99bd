"""The keys of a row in a manifest, and what the value of each must be.

Every line is one json object with exactly these keys:

========= ==================== ===================================================================================
id        string               names the clip, once in a manifest
corpus    string               the reader that made the row, such as "phoenix14t"
split     string               "train", "dev", "test", or another name that the release has
signer    string               who signs, "" where the release is silent
sign_language string           ISO 639-3, such as "gsg"; "" where it is not known
frames    integer, 0 or more   how long the clip is
fps       number or null       frames per second, above 0
texts     object               language code -> list of sentences written by people, every valid reference in order
pseudo    object               language code -> list of sentences written by machines
gloss     string or null       the glosses, words apart
source    string or null       where its pictures lie, relative to the release's root unless they lie elsewhere
span      [number, number] or null  which part of the source it is, in seconds from the start
pose      string or null       where its points were read from, told like `source`
content   string               a hash of what the clip was made from
tags      list of strings      anything else by which clips are chosen, such as "held_out"
========= ==================== ===================================================================================
"""

from __future__ import annotations

import json
from typing import Any

MOST_FRAMES = 2**31 - 1


def checked(line: bytes) -> dict[str, Any]:
    """The object of a line, or a ValueError that says what is wrong with it."""
    if not line.endswith(b"\n"):
        raise ValueError("it is cut short")
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError(f"it is {_said(value)}, not an object")
    if value.keys() != FITS.keys():
        lacking, foreign = [key for key in KEYS if key not in value], sorted(value.keys() - FITS.keys())
        raise ValueError(f"it lacks '{lacking[0]}'" if lacking else f"'{foreign[0]}' is not one of its keys")
    for key, (fits, expected) in FITS.items():
        if not fits(value[key]):
            raise ValueError(f"'{key}' is {_said(value[key])}, not {expected}")
    return value


def _said(value: object) -> str:
    told = json.dumps(value, ensure_ascii=False)
    return told if len(told) <= 60 else told[:60] + " ..."


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_name(value: object) -> bool:
    return type(value) is str and value != ""


def _is_text_or_none(value: object) -> bool:
    return value is None or type(value) is str


def _is_length(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_FRAMES


def _is_rate(value: object) -> bool:
    return value is None or (type(value) in (int, float) and 0 < value < float("inf"))  # type: ignore[operator]


def _is_strings(value: object) -> bool:
    return type(value) is list and all(type(one) is str for one in value)


def _is_texts(value: object) -> bool:
    return type(value) is dict and all(map(_is_strings, value.values()))


def _is_span(value: object) -> bool:
    if value is None:
        return True
    if type(value) is not list or len(value) != 2 or any(type(one) not in (int, float) for one in value):
        return False
    return bool(0 <= value[0] <= value[1] < float("inf"))


_NAME, _TEXT, _TEXT_OR_NONE = (_is_name, "a name"), (_is_text, "a string"), (_is_text_or_none, "a string or null")
_TEXTS = (_is_texts, "lists of sentences by language")
FITS = {
    "id": _NAME,
    "corpus": _TEXT,
    "split": _NAME,
    "signer": _TEXT,
    "sign_language": _TEXT,
    "frames": (_is_length, "a number of frames"),
    "fps": (_is_rate, "a frame rate or null"),
    "texts": _TEXTS,
    "pseudo": _TEXTS,
    "gloss": _TEXT_OR_NONE,
    "source": _TEXT_OR_NONE,
    "span": (_is_span, "a start and an end in seconds or null"),
    "pose": _TEXT_OR_NONE,
    "content": _TEXT,
    "tags": (_is_strings, "a list of strings"),
}
"""What each value must be, in the order in which they are written: a check, and how it is told."""
KEYS = tuple(FITS)
