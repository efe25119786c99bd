"""Which of the circulating variants a release is, told from counts and ids."""

from __future__ import annotations

import hashlib

import pytest

from sonar_slt.data.labels.known import Variant, compare, ids_hash, sources

TABLES = Variant("the tables", {"train": 10, "dev": 5, "test": 7}, ids={"dev": ids_hash("abcde")})
CLIPS = Variant("the clips", {"train": 9, "dev": 5})


@pytest.mark.parametrize(
    ("split", "count", "ids", "says"),
    [
        ("train", 10, "", "train: 10 clips, as many as the tables."),
        ("train", 8, "", "train: 8 clips, 1 fewer than the clips (9); known too: the tables (10)."),
        ("train", 12, "", "train: 12 clips, 2 more than the tables (10); known too: the clips (9)."),
        ("dev", 5, "edcba", "dev: 5 clips, clip for clip the tables."),
        ("dev", 5, "abcdX", "dev: 5 clips, as many as the clips."),
        ("test", 6, "", "test: 6 clips, 1 fewer than the tables (7)."),
        ("extra", 2, "", "extra: 2 clips; no known variant has such a split."),
    ],
)
def test_a_split_is_told_apart(split: str, count: int, ids: str, says: str) -> None:
    told = compare({split: count}, {split: ids_hash(ids)}, [TABLES, CLIPS])
    assert told[0] == says


def test_the_same_number_of_other_clips_is_no_variant() -> None:
    assert compare({"dev": 5}, {"dev": ids_hash("vwxyz")}, [TABLES])[0] == (
        "dev: 5 clips, as many as the tables, but not the same clips."
    )


def test_a_split_that_lacks_is_told_and_nothing_is_without_variants() -> None:
    assert compare({"train": 10, "dev": 5}, {}, [TABLES])[-1] == "test: 0 clips, 7 fewer than the tables (7)."
    assert compare({"train": 10}, {}, []) == []


def test_the_hash_of_ids_is_that_of_scores_over_the_sorted_ids() -> None:
    assert ids_hash(["b", "a"]) == hashlib.sha256(b"a\nb").hexdigest()[:16] != ids_hash(["ab"])


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (500, "dev: 5 clips, as many as measured. They have 500 frames, as known."),
        (480, "dev: 5 clips, as many as measured. They have 480 frames, 20 fewer than the 500 known."),
        (None, "dev: 5 clips, as many as measured."),
    ],
)
def test_frames_are_compared_where_both_are_known(frames: int | None, says: str) -> None:
    measured = Variant("measured", {"dev": 5, "test": 2}, frames={"dev": 500}, source="hand")
    found = {} if frames is None else {"dev": frames, "test": 9}
    assert compare({"dev": 5, "test": 2}, {}, [measured], frames=found)[0] == says
    assert sources([measured, TABLES]) == ["Counted: measured by hand."] and sources([TABLES]) == []
