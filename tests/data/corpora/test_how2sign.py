"""How2Sign from files written byte by byte: alignments, re-saved tables, ids that begin with - or _, missing clips."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.how2sign import How2Sign
from sonar_slt.data.corpora.how2sign_release import KNOWN_BAD, LACKING
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Media, Span
from sonar_slt.errors import UserError

SAMPLES = os.environ.get("SONAR_SLT_SAMPLES")
TABLE = (
    b"VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART_REALIGNED\tEND_REALIGNED\tSENTENCE\r\n"
    b"-aaaaaaa_-A\t-aaaaaaa_-A-1-rgb_front\t-aaaaaaa_-A_0\t-aaaaaaa_-A_0-1-rgb_front\t"
    b"0.5\t2.25\tTake a cup, or two.\r\n"
    b"-aaaaaaa_-A\t-aaaaaaa_-A-1-rgb_front\t-aaaaaaa_-A_1_2\t-aaaaaaa_-A_1_2-1-rgb_front\t"
    b'2.5\t4\t"She said ""no"", twice."\r\n'
    b"_bbbbbbbbb-\t_bbbbbbbbb--10-rgb_front\t_bbbbbbbbb-_3\t_bbbbbbbbb-_3-10-rgb_front\t1\t1.5\tDon\xe2\x80\x99t.\r\n"
)
IDS = ("-aaaaaaa_-A_0-1-rgb_front", "-aaaaaaa_-A_1_2-1-rgb_front", "_bbbbbbbbb-_3-10-rgb_front")
VIDEOS = ("-aaaaaaa_-A-1-rgb_front", "_bbbbbbbbb--10-rgb_front")
TEXTS = ["Take a cup, or two.", 'She said "no", twice.', "Don’t."]


def table(root: Path, content: bytes = TABLE, split: str = "val") -> Path:
    folder = root / "sentence_level" / split / "text" / "en" / "raw_text" / "re_aligned"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"how2sign_realigned_{split}.csv").write_bytes(content)
    return folder / f"how2sign_realigned_{split}.csv"


def keypoints(root: Path, ids: Sequence[str] = IDS, place: str = "sentence_level/val/rgb_front/features") -> Path:
    for id in ids:
        folder = root / place / "openpose_output" / "json" / id
        folder.mkdir(parents=True)
        (folder / f"{id}_000000000000_keypoints.json").write_bytes(b"no reader opens it")
    return root


def videos(root: Path, names: Sequence[str], level: str = "video_level", split: str = "val") -> Path:
    folder = root / level / split / "rgb_front" / "raw_videos"
    folder.mkdir(parents=True)
    for name in names:
        (folder / f"{name}.mp4").write_bytes(b"no reader opens it")
    return folder


def reader(root: Path, **options: Any) -> How2Sign:
    preparation = Preparation(normalise=None, precision="float32")
    return How2Sign(root=root, folder=root / "corpora", preparation=preparation, **options)


def told(found: How2Sign) -> list[tuple[str, str, str]]:
    return [(fault.kind, fault.id, fault.split) for fault in found.read().faults]


def test_keypoints_alone_are_read_with_a_note_on_their_alignment(tmp_path: Path) -> None:
    table(keypoints(tmp_path))
    reading = reader(tmp_path).read()
    assert [entry.id for entry in reading.entries] == list(IDS)
    assert [entry.texts["eng_Latn"] for entry in reading.entries] == [(text,) for text in TEXTS]
    assert [entry.signer for entry in reading.entries] == ["1", "1", "10"]
    assert {entry.split for entry in reading.entries} == {"dev"} and not reading.faults
    json = tmp_path / "sentence_level" / "val" / "rgb_front" / "features" / "openpose_output" / "json"
    assert [entry.pose for entry in reading.entries] == [Media("pose", json / id) for id in IDS]
    assert [entry.pictures for entry in reading.entries] == [None] * 3
    assert len(reading.notes) == 1 and "keypoints are cut by the first alignment" in reading.notes[0]


def test_whole_videos_are_cut_by_the_realigned_times(tmp_path: Path) -> None:
    table(tmp_path)
    folder = videos(tmp_path, [*VIDEOS, "ccccccccccc-2-rgb_front", ".hidden"])
    reading = reader(tmp_path).read()
    first, second, third = reading.entries
    assert first.pictures == Media("video", folder / f"{VIDEOS[0]}.mp4", Span(0.5, 2.25))
    assert second.pictures == Media("video", folder / f"{VIDEOS[0]}.mp4", Span(2.5, 4.0))
    assert third.pictures == Media("video", folder / f"{VIDEOS[1]}.mp4", Span(1.0, 1.5))
    assert first.pose is None and not reading.faults
    assert reading.notes == ["dev: no row of the labels names 1 of the whole videos (ccccccccccc-2-rgb_front)"]


def test_clips_that_the_release_has_cut_are_read_with_a_note(tmp_path: Path) -> None:
    table(tmp_path)
    folder = videos(tmp_path, [*IDS[1:], "ddddddddddd_0-3-rgb_front"], "sentence_level")
    found = reader(tmp_path)
    reading = found.read()
    assert found.clips_from == "sentence_level" and reading.entries[0].pictures is None
    assert reading.entries[1].pictures == Media("video", folder / f"{IDS[1]}.mp4")
    assert told(found) == [
        ("missing_clip", IDS[0], "dev"),
        ("unlabelled_clip", "ddddddddddd_0-3-rgb_front", "dev"),
    ]
    assert len(reading.notes) == 1 and "cut its clips by the first alignment" in reading.notes[0]


def test_a_row_whose_clip_lacks_is_one_fault_and_a_clip_without_a_row_another(tmp_path: Path) -> None:
    table(keypoints(tmp_path, [*IDS[:2], "eeeeeeeeeee_0-3-rgb_front"]))
    videos(tmp_path, VIDEOS[:1])
    found = reader(tmp_path)
    assert told(found) == [("missing_clip", IDS[2], "dev"), ("unlabelled_clip", "eeeeeeeeeee_0-3-rgb_front", "dev")]
    assert "no pictures and no points" in found.read().faults[0].told


def test_what_is_read_may_be_chosen_and_makes_another_corpus(tmp_path: Path) -> None:
    table(keypoints(tmp_path))
    videos(tmp_path, VIDEOS)
    videos(tmp_path, IDS, "sentence_level")
    chosen = [reader(tmp_path, clips=clips) for clips in ("auto", "video_level", "sentence_level", None)]
    assert [found.clips_from for found in chosen] == ["video_level", "video_level", "sentence_level", None]
    assert len({found.fingerprint for found in chosen}) == 3 and not any(map(told, chosen))
    with pytest.raises(UserError, match=r"data\.clips=both: auto, video_level"):
        reader(tmp_path, clips="both")


def test_poses_of_another_split_are_not_taken(tmp_path: Path) -> None:
    table(tmp_path)
    for name in (f"train/{IDS[0]}", f"val/{IDS[0]}", f"train/{IDS[1]}", f"train/{VIDEOS[1]}"):
        (tmp_path / "poses" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "poses" / f"{name}.pose").write_bytes(b"")
    entries = reader(tmp_path, poses="poses").read().entries
    assert [entry.pose and entry.pose.path.parent.name for entry in entries[:2]] == ["val", None]


def test_poses_of_ones_own_go_by_sentence_or_by_whole_video(tmp_path: Path) -> None:
    table(keypoints(tmp_path / "How2Sign"))
    poses = tmp_path / "poses"
    poses.mkdir()
    for name in (IDS[0], VIDEOS[1], "ccccccccccc-2-rgb_front"):
        (poses / f"{name}.pose").write_bytes(b"")
    found = reader(tmp_path, poses=str(poses))
    reading = found.read()
    assert [entry.pose for entry in reading.entries] == [
        Media("pose", poses / f"{IDS[0]}.pose"),
        None,
        Media("pose", poses / f"{VIDEOS[1]}.pose", Span(1.0, 1.5)),
    ]
    assert told(found) == [("missing_clip", IDS[1], "dev"), ("unlabelled_clip", "ccccccccccc-2-rgb_front", "")]
    assert not any("keypoints" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda content: content.replace(b"\r\n", b"\n"), "LF instead of CRLF"),
        (lambda content: b"\xef\xbb\xbf" + content, "byte order mark"),
        (
            lambda content: content.replace(b"Take a cup, or two.", b'"Take a cup, or two."').replace(b"\t", b","),
            "a comma",
        ),
    ],
)
def test_re_saved_tables_read_alike_and_are_named(tmp_path: Path, change: Any, note: str) -> None:
    plain, saved = tmp_path / "plain", tmp_path / "saved"
    table(keypoints(plain))
    table(keypoints(saved), change(TABLE))
    reading = reader(saved).read()
    assert [entry.texts["eng_Latn"][0] for entry in reading.entries] == TEXTS and not reading.faults
    assert [note in one for one in reading.notes] == [True, False]
    assert reading.notes[0].startswith("how2sign_realigned_val.csv: ")
    assert reader(saved).fingerprint != reader(plain).fingerprint


def test_misread_apostrophes_are_told_and_mended_only_when_asked(tmp_path: Path) -> None:
    table(keypoints(tmp_path), TABLE.replace(b"\xe2\x80\x99", "\xe2\x80\x99".encode()))
    kept, mended = reader(tmp_path).read(), reader(tmp_path, mend_mojibake=True).read()
    assert kept.entries[2].texts == {"eng_Latn": ("Don\xe2\x80\x99t.",)}
    assert mended.entries[2].texts == {"eng_Latn": ("Don’t.",)}
    for reading, done in ((kept, "kept"), (mended, "mended")):
        assert [(fault.kind, fault.id) for fault in reading.faults] == [("mojibake", IDS[2])]
        assert "Don’t." in reading.faults[0].told and done in reading.faults[0].told
        assert f"sentences read in the wrong encoding: 1 ({done}" in reading.notes[0]


def test_times_of_the_first_alignment_are_read_and_named(tmp_path: Path) -> None:
    folder = table(tmp_path).parent.parent
    table(tmp_path).unlink()
    (folder / "how2sign_val.csv").write_bytes(TABLE.replace(b"_REALIGNED", b""))
    videos(tmp_path, VIDEOS)
    reading = reader(tmp_path).read()
    assert reading.entries[0].pictures is not None and reading.entries[0].pictures.span == Span(0.5, 2.25)
    assert len(reading.notes) == 1 and "the times are those of the first alignment (START, END)" in reading.notes[0]
    table(tmp_path, TABLE.replace(b"0.5", b"0.75"))  # the realigned table is preferred where it is there
    again = reader(tmp_path).read()
    assert again.entries[0].pictures is not None and again.entries[0].pictures.span == Span(0.75, 2.25)
    assert not again.notes


def test_a_table_with_frame_rates_in_a_folder_of_its_own_is_read_and_named(tmp_path: Path) -> None:
    header, *rows = TABLE.split(b"\r\n")
    content = [
        header + b"\tfps",
        *(row + rate for row, rate in zip(rows, (b"\t24", b"\t25.0", b"\tnan"), strict=False)),
    ]
    folder = tmp_path / "dev" / "re_aligned"
    folder.mkdir(parents=True)
    (folder / "how2sign_realigned_dev_preprocessed_fps.csv").write_bytes(b"\r\n".join(content))
    keypoints(tmp_path, place="dev")
    reading = reader(tmp_path).read()
    assert [entry.fps for entry in reading.entries] == [24.0, 25.0, None] and not reading.faults
    assert ["frame rates" in note or "called dev" in note for note in reading.notes] == [True, True, False]


def test_a_row_that_copies_lack_is_noted_only_where_its_video_is_there(tmp_path: Path) -> None:
    table(keypoints(tmp_path, place="train_2D_keypoints"), split="train")
    assert len(reader(tmp_path).read().notes) == 1
    sibling = b"CTERDLghzFw\tCTERDLghzFw-8-rgb_front\tCTERDLghzFw_6\tCTERDLghzFw_6-8-rgb_front\t1\t2\tOne more.\r\n"
    table(tmp_path, TABLE + sibling, split="train")
    assert [LACKING in note for note in reader(tmp_path).read().notes] == [True, False]
    table(tmp_path, TABLE + sibling + sibling.replace(b"_6", b"_7"), split="train")
    assert not any(LACKING in note for note in reader(tmp_path).read().notes)


def test_clips_that_others_found_to_be_bad_are_told_with_the_reason(tmp_path: Path) -> None:
    id = "fzrJBu2qsM8_11-8-rgb_front"
    table(
        keypoints(tmp_path, [id]),
        TABLE.split(b"\r\n")[0] + b"\r\nv\tv-8-rgb_front\ts\t" + id.encode() + b"\t1\t2\tNo.\r\n",
    )
    (fault,) = reader(tmp_path).read().faults
    assert (fault.kind, fault.id, fault.split) == ("known_bad", id, "dev") and "no signing" in fault.told
    assert len(KNOWN_BAD) == 38 and all(id.endswith("-rgb_front") for id in KNOWN_BAD)


def test_rows_whose_times_are_no_numbers_are_bad_only_where_times_are_needed(tmp_path: Path) -> None:
    table(keypoints(tmp_path), TABLE.replace(b"\t0.5\t", b"\t0,5\t").replace(b"\t4\t", b"\tnan\t") + b"torn\trow\r\n")
    assert told(reader(tmp_path)) == [("bad_row", "how2sign_realigned_val.csv", "dev")]
    videos(tmp_path, VIDEOS)
    found = reader(tmp_path)
    assert [entry.id for entry in found.read().entries] == [IDS[2]]
    assert told(found)[:3] == [
        ("bad_row", "how2sign_realigned_val.csv", "dev"),
        ("bad_row", IDS[0], "dev"),
        ("bad_row", IDS[1], "dev"),
    ]
    assert "'0,5'" in found.read().faults[1].told and "line 2" in found.read().faults[1].told


@pytest.mark.parametrize("id", ["../../text", "a/b", "", ".", ".."])
def test_an_id_that_leads_elsewhere_finds_nothing(tmp_path: Path, id: str) -> None:
    content = TABLE.replace(IDS[0].encode(), id.encode())
    table(keypoints(tmp_path, IDS[1:]), content)
    reading = reader(tmp_path).read()
    assert [(entry.id, entry.pose is None) for entry in reading.entries] == [
        (id, True),
        (IDS[1], False),
        (IDS[2], False),
    ]
    assert not reading.faults  # the id itself is judged for all corpora


def test_the_root_may_be_the_release_or_lie_around_it(tmp_path: Path) -> None:
    root = tmp_path / "How2Sign"
    table(keypoints(root))
    for place in (tmp_path, root, root / "sentence_level", root / "sentence_level" / "val"):
        assert reader(place).release == root
    assert reader(tmp_path).fingerprint == reader(root).fingerprint


def test_a_root_that_is_none_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for name, what in {"file": "is a file", "absent": "is not there"}.items():
        with pytest.raises(UserError, match=rf"{name}: it {what}; the folder of the release of How2Sign"):
            reader(tmp_path / name).label_files()
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds no table of How2Sign: .*how2sign_realigned_train\.csv"):
        reader(tmp_path / "a" / "b" / "c").label_files()
    table(tmp_path)
    with pytest.raises(UserError, match=r"no videos, clips or keypoints .*data\.poses=FOLDER"):
        reader(tmp_path).read()
    with pytest.raises(UserError, match=r"data\.clips=video_level: .*is not there \(data\.clips=null"):
        reader(tmp_path, clips="video_level").read()
    table(tmp_path, TABLE.replace(b"\t", b"|"))
    with pytest.raises(UserError, match=r"how2sign_realigned_val\.csv' has its columns separated by a bar"):
        reader(keypoints(tmp_path)).read()


@pytest.mark.properties
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.tuples(st.integers(60, len(TABLE)), st.binary(max_size=4)), max_size=5),
    clips=st.sampled_from(["video_level", None]),
)
def test_mutated_tables_give_entries_and_faults_or_name_the_file(
    tmp_path: Path, cuts: list[tuple[int, bytes]], clips: str | None
) -> None:
    if not (tmp_path / "video_level").exists():
        videos(keypoints(tmp_path), VIDEOS)
    content = TABLE
    for place, piece in cuts:
        content = content[:place] + piece + content[place + 1 :]
    table(tmp_path, content)
    try:
        reading = reader(tmp_path, clips=clips).read()
    except UserError as error:
        assert "how2sign_realigned_val.csv" in str(error)
        return
    assert all("line " in entry.where and "how2sign_realigned_val.csv" in entry.where for entry in reading.entries)
    assert all(fault.id or "line " in fault.told for fault in reading.faults)


@pytest.mark.skipif(not SAMPLES, reason="SONAR_SLT_SAMPLES is not set")
def test_the_sample_rows_of_the_release(tmp_path: Path) -> None:
    content = (Path(str(SAMPLES)) / "how2sign" / "how2sign_realigned_val.csv").read_bytes()
    table(keypoints(tmp_path), content)
    ids = [entry.id for entry in reader(tmp_path).read().entries]
    whole = {f"{id[:11]}-{id.split('-')[-2]}-rgb_front" for id in ids}  # an id of 11 letters, and the signer
    videos(tmp_path / "again", sorted(whole))
    table(tmp_path / "again", content)
    reading = reader(tmp_path / "again").read()
    assert len(set(ids)) == 40 and Counter(id[0] for id in ids if id[0] in "-_") == {"-": 8, "_": 9}
    assert len({id[:11] for id in ids}) == 12 and not reading.notes[1:] and "encoding: 2" in reading.notes[0]
    assert [fault.kind for fault in reading.faults] == ["mojibake", "mojibake"]
    spans = [entry.pictures.span for entry in reading.entries if entry.pictures and entry.pictures.span]
    assert len(spans) == 40 and round(sum(span.end - span.start for span in spans), 2) == 301.04
    texts = {entry.id: entry.texts["eng_Latn"][0] for entry in reading.entries}
    assert sha256(texts["DfnHNkTE7mE_14-5-rgb_front"].encode()).hexdigest().startswith("77cb37d78309")
    assert sha256(texts["_5CV2fIG7qY_3-3-rgb_front"][-27:].encode()).hexdigest().startswith("c6e04ee7ea91")
    assert {entry.signer for entry in reading.entries} == {"1", "2", "3", "5", "8"}
