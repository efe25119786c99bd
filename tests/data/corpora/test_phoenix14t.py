"""PHOENIX-2014T from files written byte by byte: the folder that is not there, strays, rows and clips that miss."""

from __future__ import annotations

import os
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.phoenix14t import Phoenix14t
from sonar_slt.data.preparation import Preparation
from sonar_slt.errors import UserError

SAMPLES = os.environ.get("SONAR_SLT_SAMPLES")
HEADER = b"name|video|start|end|speaker|orth|translation\n"
TABLE = """\
a_Monday-1|a_Monday-1/1/*.png|-1|-1|Signer08|REGEN KOMMEN|im süden regnet es
b_Monday-2|b_Monday-2/1/*.png|-1|-1|Signer01|WIND|der wind "dreht"|
b_Monday-2|b_Monday-2/1/*.png|-1|-1|Signer01|WIND|der wind "dreht
c_Monday-3|c_Monday-3/1/*.png|-1|-1|Signer05||
""".encode()


def release(root: Path, *, dev: bytes = TABLE, clips: tuple[str, ...] = ("a_Monday-1", "b_Monday-2")) -> Path:
    tables = root / "annotations" / "manual"
    tables.mkdir(parents=True)
    for split, rows in {"train": b"", "dev": dev, "test": b""}.items():
        (tables / f"PHOENIX-2014-T.{split}.corpus.csv").write_bytes(HEADER + rows)
        (root / "features" / "fullFrame-210x260px" / split).mkdir(parents=True)
    for clip in clips:
        folder = root / "features" / "fullFrame-210x260px" / "dev" / clip
        folder.mkdir()
        (folder / "images0001.png").write_bytes(b"no reader opens a picture")
    return root


def reader(root: Path, **options: Any) -> Phoenix14t:
    preparation = Preparation(normalise=None, precision="float32")
    return Phoenix14t(root=root, folder=root / "corpora", preparation=preparation, **options)


def test_rows_are_read_without_quoting_and_clips_lie_in_the_folder_of_their_name(tmp_path: Path) -> None:
    reading = reader(release(tmp_path)).read()
    first, second, third = reading.entries
    assert (first.id, first.split, first.signer, first.gloss) == ("a_Monday-1", "dev", "Signer08", "REGEN KOMMEN")
    assert first.texts == {"deu_Latn": ("im süden regnet es",)} and first.where.startswith("line 2 of ")
    assert first.pictures is not None and first.pose is None and first.pictures.kind == "frames"
    assert first.pictures.path == tmp_path / "features" / "fullFrame-210x260px" / "dev" / "a_Monday-1"
    assert second.texts == {"deu_Latn": ('der wind "dreht',)} and second.where.startswith("line 4 of ")
    assert third.texts == {"deu_Latn": ("",)} and third.pictures is None
    faults = [(fault.kind, fault.id, fault.split) for fault in reading.faults]
    assert faults == [
        ("bad_row", "PHOENIX-2014-T.dev.corpus.csv", "dev"),
        ("missing_clip", "c_Monday-3", "dev"),
    ]
    assert "line 3" in reading.faults[0].told and "8 fields instead of 7" in reading.faults[0].told


def test_a_folder_without_a_row_is_told_and_the_profilers_file_is_for_whoever_opens_the_clip(tmp_path: Path) -> None:
    root = release(tmp_path, clips=("a_Monday-1", "b_Monday-2", "c_Monday-3", "d_Monday-4"))
    features = root / "features" / "fullFrame-210x260px"
    (features / "dev" / "a_Monday-1" / "createDnnTrainingLabels-profile.py.lprof").write_bytes(b"")
    (features / "train" / "a_Monday-1").mkdir()  # of another split: not the clip of the row in dev
    found = reader(root)
    reading = found.read()
    assert found.pattern == "images*.png" and found.frame_rate == 25
    told = [(fault.kind, fault.id, fault.split) for fault in reading.faults if fault.kind != "bad_row"]
    assert told == [("unlabelled_clip", "a_Monday-1", "train"), ("unlabelled_clip", "d_Monday-4", "dev")]


@pytest.mark.parametrize("inside", [".", "annotations", "annotations/manual"])
def test_the_root_may_be_the_release_a_folder_above_it_or_one_inside(tmp_path: Path, inside: str) -> None:
    root = release(tmp_path / "PHOENIX-2014-T-release-v3" / "PHOENIX-2014-T")
    for place in (tmp_path, tmp_path / "PHOENIX-2014-T-release-v3", root / inside):
        assert reader(place).release == root
    assert reader(tmp_path).fingerprint == reader(root).fingerprint  # it does not hang on the place


def test_a_root_that_is_none_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, told in {"file": "is a file", "absent": "is not there"}.items():
        with pytest.raises(UserError, match=rf"{name}: it {told}; the folder of the release of PHOENIX"):
            reader(tmp_path / name).label_files()
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    with pytest.raises(UserError, match=r"PHOENIX-2014-T\.train\.corpus\.csv.*was expected"):
        reader(tmp_path / "a" / "b" / "c").label_files()
    root = release(tmp_path / "part")
    (root / "annotations" / "manual" / "PHOENIX-2014-T.test.corpus.csv").unlink()
    with pytest.raises(UserError, match=r"test\.corpus\.csv' is not there"):
        reader(root).read()


def test_a_split_without_a_folder_is_noted(tmp_path: Path) -> None:
    root = release(tmp_path)
    (root / "features" / "fullFrame-210x260px" / "test").rmdir()
    notes = reader(root, frames="fullFrame-210x260px").read().notes
    assert len(notes) == 1 and notes[0].startswith("test: 'features/fullFrame-210x260px/test' is not there")


def test_other_pictures_and_poses_are_options(tmp_path: Path) -> None:
    root = release(tmp_path)
    (root / "features" / "fullFrame-256x256px" / "dev" / "c_Monday-3").mkdir(parents=True)
    (root / "poses" / "dev").mkdir(parents=True)
    for name in ("a_Monday-1.pose", "x.pose"):
        (root / "poses" / "dev" / name).write_bytes(b"")
    reading = reader(root, frames="fullFrame-256x256px", poses="poses").read()
    first, _, third = reading.entries
    assert first.pictures is None and third.pictures is not None and third.pose is None
    assert first.pose is not None and first.pose.path == root / "poses" / "dev" / "a_Monday-1.pose"
    told = {(fault.kind, fault.id): fault.told for fault in reading.faults if fault.kind != "bad_row"}
    assert list(told) == [
        ("missing_clip", "a_Monday-1"),
        ("missing_clip", "b_Monday-2"),
        ("missing_clip", "c_Monday-3"),
        ("unlabelled_clip", "x"),
    ]
    assert "no pictures and no poses" in told["missing_clip", "b_Monday-2"]
    alone = reader(root, frames=None, poses=str(root / "poses")).read()
    assert [entry.pictures for entry in alone.entries] == [None] * 3
    prints = {reader(root, **options).fingerprint for options in ({}, {"poses": "poses"}, {"frames": None})}
    assert len(prints) == 3


def test_pictures_that_are_not_there_are_refused_with_those_that_are(tmp_path: Path) -> None:
    root = release(tmp_path)
    with pytest.raises(
        UserError, match=r"data\.frames=small: .*features/ holds fullFrame-210x260px .*data\.frames=null"
    ):
        reader(root, frames="small").read()
    with pytest.raises(UserError, match=r"data\.poses=none"):
        reader(root, poses="none").read()
    with pytest.raises(UserError, match="must be asked for"):
        reader(root, frames=None).read()
    with pytest.raises(UserError, match="german"):
        reader(root, language="german")


@pytest.mark.parametrize("id", ["../../annotations", "a/b", "", ".", ".."])
def test_an_id_that_leads_elsewhere_finds_nothing(tmp_path: Path, id: str) -> None:
    reading = reader(release(tmp_path, dev=f"{id}|{id}/1/*.png|-1|-1|Signer01|A|b\n".encode(), clips=("a",))).read()
    assert [(entry.id, entry.pictures) for entry in reading.entries] == [(id, None)]
    assert [fault.kind for fault in reading.faults] == ["unlabelled_clip"]  # the id itself is judged for all corpora


def test_a_video_of_another_name_is_told(tmp_path: Path) -> None:
    root = release(tmp_path, dev=b"a|b/1/*.png|-1|-1|Signer01|A|b\n", clips=("a",))
    assert [(fault.kind, fault.id, fault.done) for fault in reader(root).read().faults] == [("bad_row", "a", "kept")]


def test_a_re_saved_copy_is_read_alike_and_named(tmp_path: Path) -> None:
    root = release(tmp_path)
    plain = reader(root).read()
    table = root / "annotations" / "manual" / "PHOENIX-2014-T.dev.corpus.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    again = reader(root).read()
    assert again.entries == plain.entries and not plain.notes
    assert ["byte order mark" in note or "CRLF" in note for note in again.notes] == [True, True]
    table.write_bytes((HEADER + TABLE).decode().encode("latin-1"))
    with pytest.raises(UserError, match=r"dev\.corpus\.csv', line 2: the byte 0xfc"):
        reader(root).read()
    table.write_bytes((HEADER + TABLE).replace(b"|", b","))
    with pytest.raises(UserError, match=r"dev\.corpus\.csv' has its columns separated by a comma; a bar"):
        reader(root).read()


@pytest.mark.properties
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), max_size=5))
def test_mutated_tables_give_entries_and_faults_or_name_the_file(tmp_path: Path, cuts: list[tuple[int, bytes]]) -> None:
    if not (tmp_path / "annotations").exists():
        release(tmp_path)
    content = HEADER + TABLE
    for place, piece in cuts:
        content = content[:place] + piece + content[place + 1 :]
    (tmp_path / "annotations" / "manual" / "PHOENIX-2014-T.dev.corpus.csv").write_bytes(content)
    try:
        reading = reader(tmp_path).read()
    except UserError as error:
        assert "PHOENIX-2014-T.dev.corpus.csv" in str(error)
        return
    assert all("line " in entry.where and "dev.corpus.csv" in entry.where for entry in reading.entries)
    assert all(fault.id or "line " in fault.told for fault in reading.faults)


@pytest.mark.skipif(not SAMPLES, reason="SONAR_SLT_SAMPLES is not set")
def test_the_sample_rows_of_the_release(tmp_path: Path) -> None:
    content = (Path(str(SAMPLES)) / "phoenix14t" / "PHOENIX-2014-T.dev.corpus.csv").read_bytes()
    root = release(tmp_path, clips=("11August_2010_Wednesday_tagesschau-2",))
    (root / "annotations" / "manual" / "PHOENIX-2014-T.dev.corpus.csv").write_bytes(content)
    reading = reader(root).read()
    assert len(reading.entries) == 40 and not reading.notes
    assert Counter(fault.kind for fault in reading.faults) == {"missing_clip": 39}
    first, last = reading.entries[0], reading.entries[-1]
    assert first.pictures is not None and (first.signer, last.id) == (
        "Signer08",
        "21October_2009_Wednesday_tagesschau-735",
    )
    assert sha256((first.gloss or "").encode()).hexdigest().startswith("3b0380f2b53c")
    assert sum(len(text.split()) for entry in reading.entries for text in entry.texts["deu_Latn"]) == 522
    assert sum(len((entry.gloss or "").split()) for entry in reading.entries) == 275
    speakers = Counter(entry.signer.removeprefix("Signer") for entry in reading.entries)
    assert speakers == {"01": 8, "05": 8, "08": 7, "07": 5, "04": 5, "03": 4, "09": 3}
