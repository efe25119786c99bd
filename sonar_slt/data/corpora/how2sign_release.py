"""What is known of How2Sign's release: where its files lie, which clips are bad, how many its variants count.

All of it was found out by others and is told as they tell it.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from sonar_slt.data.labels.known import Variant

SPLITS = MappingProxyType({"train": ("train",), "dev": ("val", "dev"), "test": ("test",)})
"""How releases and copies of them name each split."""

TABLES = ("how2sign_realigned_{}.csv", "how2sign_realigned_{}_preprocessed_fps.csv", "how2sign_{}.csv")
TABLE_FOLDERS = (
    "sentence_level/{}/text/en/raw_text/re_aligned",
    "sentence_level/{}/text/en/raw_text",
    "{}/re_aligned",
    "{}",
    ".",
)
MEDIA = MappingProxyType(
    {
        "video_level": ("video_level/{}/rgb_front/raw_videos", "{}_raw_videos"),
        "sentence_level": ("sentence_level/{}/rgb_front/raw_videos", "{}_rgb_front_clips/raw_videos"),
        "keypoints": (
            "sentence_level/{}/rgb_front/features/openpose_output/json",
            "{}_2D_keypoints/openpose_output/json",
            "{}/openpose_output/json",
        ),
    }
)
"""Where the download script puts things, and where its archives unpack to by hand."""

LACKING = "CTERDLghzFw_7-8-rgb_front"
"""A row of train that some copies lack."""

_NO_POSES = "0DU7wWLK-QU_0-8 0ICZi26jdaQ_28-5 0vNfEYst_tQ_11-8 13X0vEMNm7M_8-5 14weIYQswlE_23-8 1B56XMJ-j1Q_13-8 \
1P0oKY4FNyI_0-8 1dpRaxOTfZs_0-8 1ei1kVTw23A_29-8 1spCnuBmWYk_0-8 2-vXO7MMLJc_0-5 21PbS6wnHtY_0-5 39FN42e41r0_17-1 \
3tyfxL2wO-M_0-8 BpYDl3AO4B8_0-1 CH7AviIr0-0_14-8 CJ8RyW9pzKU_6-8 D0T7ho08Q3o_25-2 Db5SUQvNsHc_18-1 Eh697LCFjTw_0-3 \
F-p1IdedNbg_23-8 a4Nxq0QV_WA_9-3 aUBQCNegrYc_13-1 cvn7htBA8Xc_9-8 czBrBQgZIuc_19-5 dbSAB8F8GYc_11-9 doMosV-zfCI_7-2 \
dvBdWGLzayI_10-8 eBrlZcccILg_26-3 g3Cc_1-V31U_12-3"
_REASONS = {
    "fails when poses are fitted to it (the list of SOKE)": _NO_POSES,
    "shows no signing": "fzrJBu2qsM8_11-8 g3Cc_1-V31U_23-3 FzoUVr98JmQ_0-8",
    "is realigned to behind the end of its video": "10om04b2LIw_26-8 10om04b2LIw_27-8 10om04b2LIw_28-8",
    "is far too short for its sentence": "dz1K0E0eewQ_24-5",
    "has gaps among the frames of its released keypoints": "CTERDLghzFw_7-8",
}
KNOWN_BAD = MappingProxyType({f"{id}-rgb_front": why for why, ids in _REASONS.items() for id in ids.split()})
"""Clips that others have found to be bad, and why."""

VARIANTS = (
    Variant("the realigned tables", {"train": 31165, "dev": 1741, "test": 2357}, source="issue 4 of how2sign-data"),
    Variant("the front clips", {"train": 31048, "dev": 1739, "test": 2343}, source="issue 23 of how2sign.github.io"),
    Variant("the paper", {"train": 31128, "dev": 1741, "test": 2322}, source="Duarte et al. 2021"),
    Variant("Uni-Sign's labels", {"train": 31086, "test": 2349}, source="counted"),
)


def tables(root: Path) -> dict[str, Path | None]:
    """The table of each split: a realigned one wherever it lies, before one of the first alignment."""
    return {
        split: next(
            (
                path
                for table in TABLES
                for name in names
                for folder in TABLE_FOLDERS
                if (path := root / folder.format(name) / table.format(name)).is_file()
            ),
            None,
        )
        for split, names in SPLITS.items()
    }


def media_folder(root: Path, what: str, split: str) -> Path | None:
    """The folder of a split's whole videos, cut clips or keypoints, None where there is none."""
    places = [root / place.format(name) for name in SPLITS[split] for place in MEDIA[what]]
    return next((place for place in places if place.is_dir()), None)
