"""What can be wrong with a clip or its labels: the only list of the kinds of faults, and what each means.

A fault has the id of its clip, a kind, a sentence, and what was done; `prepare` writes all of them, one json line each.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Done = Literal["kept", "left out", "cut", "noted"]
"""The clip was kept as it is, left out by a rule, or cut to what there is; or the fault is of no single clip."""

KINDS = MappingProxyType(
    {
        # of the labels
        "bad_row": "a line of a label file that cannot be read as one",
        "bad_id": "an id that cannot name a file: empty, with a slash, or leading out of the folder",
        "duplicate_id": "an id that a row above has already",
        "known_bad": "an id that the community knows to be bad",
        "empty_text": "a clip without a sentence",
        "mojibake": "a sentence that was decoded in the wrong encoding somewhere on its way",
        "duplicate_sentence": "a sentence that another clip of its split has already",
        "leak": "a dev or test sentence that stands in train, word for word",
        # between labels and media
        "missing_clip": "a sentence whose clip is not there",
        "unlabelled_clip": "a clip that no row of the labels names",
        "missing_split": "a clip whose split is not told",
        "span_empty": "a span of no length, or one that ends before it starts",
        "span_beyond": "a span that ends behind the end of its recording",
        "length_differs": "a clip of another length than its labels or its other recording say",
        "wrong_fps": "a frame rate other than the corpus has",
        # of the media
        "unreadable": "a file that is cut short or is not what its name says, and all of the clip with it",
        "broken_frame": "frames that cannot be decoded, shown as the one before; of points they count as missing",
        "stray_file": "a file that does not belong among the frames of a clip",
        "missing_frame": "a gap in the numbers of a clip's frames",
        "empty_clip": "a clip without a frame, or without a single point that was seen",
        "bad_coordinate": "points that are no numbers, which count as missing, or whose scale is not known",
        "no_person": "frames in which nobody was found; their points count as missing",
        "several_people": "frames with more than one person; the signer was chosen",
        "static_clip": "a clip in which nothing moves",
        "low_confidence": "a clip whose points were hardly seen",
    }
)
"""Every kind of fault, and what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: the clip's id (or the file's name, where there is no clip), its kind, a sentence, what was done."""

    id: str
    kind: str
    told: str
    split: str = ""
    done: Done = "noted"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"'{self.kind}' is no kind of fault; the kinds are {', '.join(KINDS)}")
