"""CSL-Daily as released, as stand-in tables have it, and each of its traps by hand."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.csl_daily import BAD, INSTEAD, CslDaily
from sonar_slt.data.labels.known import compare
from sonar_slt.data.preparation import Preparation
from sonar_slt.errors import UserError

FUZZ = settings(max_examples=80, deadline=None, derandomize=True)
CLIPS = {
    "S000001_P0000_T00": ("train", "他来。"),
    "S000002_P0004_T00": ("dev", "你去？"),
    "S000003_P0009_T01": ("test", "好"),
}
SAMPLES = os.environ.get("SONAR_SLT_SAMPLES")


def corpus(root: Path, **options: Any) -> CslDaily:
    preparation = Preparation(normalise=None, precision="float32")
    return CslDaily(root=root, folder=root / "made", preparation=preparation, **options)


def info(id: str, text: str, length: Any = 5) -> dict[str, Any]:
    return {
        "name": id,
        "length": length,
        "label_gloss": ["他", "来"],
        "label_char": list(text),
        "label_word": [text],
        "label_postag": ["v"],
        "signer": 7,
        "time": 0,
    }


def write(root: Path, *, labels: bool = True) -> Path:
    places = root / "sentence_label"
    places.mkdir(parents=True)
    records = [info(id, text) for id, (_, text) in CLIPS.items()]
    if labels:
        (places / "csl2020ct_v2.pkl").write_bytes(pickle.dumps({"info": records, "gloss_map": {"他": 0}}))
    split = "".join(f"{id}|{split}\n" for id, (split, _) in CLIPS.items())
    (places / "split_1.txt").write_text(f"name|split\n{split}", encoding="utf-8")
    for id in CLIPS:
        (root / "sentence" / "frames_512x512" / id).mkdir(parents=True)
    return places


def write_map(places: Path) -> None:
    rows = "".join(f"{n}|{id}|5|他 来|{' '.join(text)}|{text}|v\n" for n, (id, (_, text)) in enumerate(CLIPS.items()))
    (places / "video_map.txt").write_text(f"index|name|length|gloss|char|word|postag\n{rows}", encoding="utf-8")


def told(corpus: CslDaily) -> list[tuple[str, str]]:
    return [(fault.kind, fault.id) for fault in corpus.read().faults]


def test_the_release(tmp_path: Path) -> None:
    write(tmp_path)
    reading = corpus(tmp_path).read()
    assert [(e.id, e.split, e.texts["zho_Hans"], e.gloss, e.frames, e.signer) for e in reading.entries] == [
        (id, split, (text,), "他 来", 5, id[8:13]) for id, (split, text) in CLIPS.items()
    ]
    assert all(e.pictures and e.pictures.kind == "frames" and e.pictures.path.name == e.id for e in reading.entries)
    assert not reading.faults and not reading.notes


def test_the_text_table_says_the_same_as_the_pickle(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write_map(write(tmp_path / "b", labels=False))
    pickled, mapped = (corpus(tmp_path / name).read().entries for name in "ab")
    alike = ("id", "split", "texts", "gloss", "frames", "signer")
    assert [[getattr(e, name) for name in alike] for e in pickled] == [[getattr(e, n) for n in alike] for e in mapped]


def test_a_table_stands_in_for_the_pickle(tmp_path: Path) -> None:
    places = write(tmp_path, labels=False)
    rows = "".join(f"{id}\t5\t他 来\t{text}\n" for id, (_, text) in CLIPS.items())
    (places / "labels.tsv").write_text(f"name\tlength\tgloss\ttext\n{rows}", encoding="utf-8")
    whole = corpus(tmp_path, labels="sentence_label/labels.tsv")
    assert [entry.split for entry in whole.read().entries] == ["train", "dev", "test"]
    assert not whole.read().faults
    alone = corpus(tmp_path, labels={"dev": "sentence_label/labels.tsv"})
    assert {entry.split for entry in alone.read().entries} == {"dev"}
    assert whole.fingerprint != alone.fingerprint


@pytest.mark.parametrize("swap", [True, False])
def test_the_bad_id_gives_its_split_to_the_clip_that_has_none(tmp_path: Path, swap: bool) -> None:
    places = write(tmp_path)
    records = [info(id, text) for id, (_, text) in CLIPS.items()]
    (places / "csl2020ct_v2.pkl").write_bytes(pickle.dumps({"info": [*records, info(INSTEAD, "好的。")]}))
    with (places / "split_1.txt").open("a") as file:
        file.write(f"{BAD}|train\n")
    (tmp_path / "sentence" / "frames_512x512" / INSTEAD).mkdir()
    reading = corpus(tmp_path, swap=swap).read()
    assert {entry.id: entry.split for entry in reading.entries}[INSTEAD] == ("train" if swap else "")
    (fault,) = reading.faults
    assert (fault.id, fault.kind, fault.split) == (BAD, "known_bad", "train")
    assert (INSTEAD in fault.told) == swap


def test_the_bad_id_with_a_label_is_told(tmp_path: Path) -> None:
    places = write(tmp_path)
    records = [info(id, text) for id, (_, text) in CLIPS.items()]
    (places / "csl2020ct_v2.pkl").write_bytes(pickle.dumps({"info": [*records, info(BAD, "好")]}))
    with (places / "split_1.txt").open("a") as file:
        file.write(f"{BAD}|train\n")
    assert told(corpus(tmp_path)) == [("missing_clip", BAD), ("known_bad", BAD)]
    (tmp_path / "sentence" / "frames_512x512" / BAD).mkdir()
    assert told(corpus(tmp_path)) == [("known_bad", BAD)]


def test_clips_labels_and_splits_that_lack_each_other(tmp_path: Path) -> None:
    places = write(tmp_path)
    with (places / "split_1.txt").open("a") as file:
        file.write("S1_there|train\nS2_nowhere|dev\n")
    for name in ("S1_there", "S3_unnamed"):
        (tmp_path / "sentence" / "frames_512x512" / name).mkdir()
    (tmp_path / "sentence" / "frames_512x512" / "S000001_P0000_T00").rmdir()
    assert told(corpus(tmp_path)) == [
        ("unlabelled_clip", "S1_there"),
        ("missing_clip", "S2_nowhere"),
        ("missing_clip", "S000001_P0000_T00"),
        ("unlabelled_clip", "S3_unnamed"),
    ]


def test_poses_are_taken_where_they_are(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "S000001_P0000_T00.npz").write_bytes(b"")
    entries = corpus(tmp_path, poses="poses").read().entries
    assert [entry.pose is not None for entry in entries] == [True, False, False]


def test_split_lines_that_disagree_and_bad_lengths(tmp_path: Path) -> None:
    places = write(tmp_path, labels=False)
    write_map(places)
    raw = (places / "video_map.txt").read_text().replace("|5|", "|five|", 1)
    (places / "video_map.txt").write_text(raw)
    with (places / "split_1.txt").open("a") as file:
        file.write("S000001_P0000_T00|dev\nno bar\n")
    reading = corpus(tmp_path).read()
    assert [(fault.kind, fault.id) for fault in reading.faults] == [
        ("bad_row", "split_1.txt"),
        ("bad_row", "S000001_P0000_T00"),
        ("bad_row", "S000001_P0000_T00"),
    ]
    assert reading.entries[0].split == "train" and reading.entries[0].frames is None


def test_known_counts() -> None:
    said = compare({"train": 18_400, "dev": 1_077, "test": 1_176}, {}, CslDaily.known)
    assert said[0].endswith(f"as many as the release without {BAD}.")


@pytest.mark.parametrize(
    "gone, expected",
    [
        ("sentence_label/split_1.txt", "split_1.txt"),
        ("sentence_label/csl2020ct_v2.pkl", "csl2020ct_v2.pkl nor sentence_label/video_map.txt"),
    ],
)
def test_what_is_lacking_is_named(tmp_path: Path, gone: str, expected: str) -> None:
    write(tmp_path)
    (tmp_path / gone).unlink()
    with pytest.raises(UserError, match=expected):
        corpus(tmp_path).read()


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"data\.root=.*is a file; the folder of the release of CSL-Daily"):
        corpus(tmp_path / "file").read()


def test_a_pickle_with_a_global_in_it(tmp_path: Path) -> None:
    places = write(tmp_path)
    (places / "csl2020ct_v2.pkl").write_bytes(b"\x80\x04}(\x8c\x04infocos\nsystem\n\x8c\x02id\x85Ru.")
    with pytest.raises(UserError, match=r"csl2020ct_v2\.pkl' asks for os\.system"):
        corpus(tmp_path).read()


@pytest.mark.properties
@FUZZ
@given(text=st.text(alphabet='nameplit|\t,\r\n"Sx0é\ufeff', max_size=80), head=st.sampled_from(["name|split\n", ""]))
def test_any_split_file_is_read_or_told_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, text: str, head: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "fuzzed_csl"
    if not root.exists():
        write(root)
    (root / "sentence_label" / "split_1.txt").write_text(head + text, encoding="utf-8", newline="")
    try:
        assert len(corpus(root).read().entries) == len(CLIPS)
    except UserError as error:
        assert "split_1.txt" in str(error)


@pytest.mark.skipif(not SAMPLES, reason="SONAR_SLT_SAMPLES is not set")
def test_the_sample(tmp_path: Path) -> None:
    table = Path(SAMPLES or "") / "csl_daily" / "labels.dev.tsv"
    reading = corpus(tmp_path, labels={"dev": str(table)}).read()
    assert len(reading.entries) == 20 and not reading.faults
    assert len({entry.texts["zho_Hans"] for entry in reading.entries}) == 13
    assert sum(len((entry.gloss or "").split()) for entry in reading.entries) == 99
    assert sum(entry.frames or 0 for entry in reading.entries) == 1_496
    first, last = reading.entries[0], reading.entries[-1]
    assert (first.id, first.frames, first.signer, first.where) == (
        *("S000020_P0000_T00", 54, "P0000"),
        "line 2 of 'labels.dev.tsv'",
    )
    assert (last.id, last.frames) == ("S000225_P0000_T00", 85)
