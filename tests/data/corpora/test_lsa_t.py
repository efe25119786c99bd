"""LSA-T in both forms that circulate: the release's table, and the one that a spreadsheet re-saved."""

from __future__ import annotations

import csv
import os
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.lsa_t import LsaT, dealt, pieces
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError

FUZZ = settings(max_examples=100, deadline=None, derandomize=True)
HEADER = "id;text;video;playlist;start;end;duration;split;prev_delta;post_delta"
SAMPLES = os.environ.get("SONAR_SLT_SAMPLES")


def corpus(root: Path, **options: Any) -> LsaT:
    preparation = Preparation(normalise=None, precision="float32")
    return LsaT(root=root, folder=root / "made", preparation=preparation, **options)


def write(root: Path, *rows: str, header: str = HEADER, videos: tuple[str, ...] = ("uno",)) -> Path:
    (root / "videos").mkdir(parents=True, exist_ok=True)
    for name in videos:
        (root / "videos" / f"{name}.mp4").write_bytes(b"")
    (root / "meta.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return root


def span_of(entry: Entry) -> tuple[float, float] | None:
    media = entry.pictures or entry.pose
    return (media.span.start, media.span.end) if media and media.span else None


def told(reading: Reading) -> list[tuple[str, str]]:
    return [(fault.kind, fault.id) for fault in reading.faults]


def test_the_releases_own_table(tmp_path: Path) -> None:
    header = "id,label,video,playlist,start,end,duration,splits,prev_delta,post_delta,signers_amount"
    row = 'uno_1,"hola, mundo",uno,lista,1.5,3.25,1.75,"[(\'hola, mundo\', 1.5, 3.25)]",0.5,0.5,1'
    reading = corpus(write(tmp_path, row, header=header)).read()
    (entry,) = reading.entries
    assert (entry.id, entry.texts, span_of(entry)) == ("uno_1", {"spa_Latn": ("hola, mundo",)}, (1.5, 3.25))
    assert entry.pictures and (entry.pictures.kind, entry.pictures.path.name) == ("video", "uno.mp4")
    assert not reading.faults and not reading.notes


def test_a_table_that_a_spreadsheet_saved_again(tmp_path: Path) -> None:
    reading = corpus(
        write(
            tmp_path,
            "uno_1; hola;uno;;71.262.000.000.000.000;715.5;2.879.999.999.990;[(' hola', 712.6200000000001, 715.5)];;",
            "uno_2;sí;uno;;1.234.567;1.245.678;8.123.999.880;[('sí', 1234.567, 1240.5), ('', 1240.5, 1245.678)];;",
            "uno_3;no;uno;l;350.5;352,25;1.75;;0;0",
        )
    ).read()
    assert [span_of(entry) for entry in reading.entries] == [
        pytest.approx((712.62, 715.5)),
        (1234.567, 1245.678),
        (350.5, 352.25),
    ]
    assert reading.entries[0].texts == {"spa_Latn": ("hola",)}
    assert not reading.faults
    assert reading.notes[0] == "meta.csv: columns separated by a semicolon instead of a comma, a re-saved variant"
    assert set(reading.notes[1:]) == {
        "meta.csv: 1 sentences began or ended with a blank, which is taken off",
        "meta.csv: 2 rows had a time without its decimal point, mended by its subtitles",
    }


def test_typographic_quotes_hide_no_times(tmp_path: Path) -> None:
    row = "uno_1;hola;uno;l;71.262.000.000.000.000;715.5;;[(“hola”, 712.62, 715.5)];0;0"
    assert span_of(corpus(write(tmp_path, row)).read().entries[0]) == (712.62, 715.5)


def test_times_that_cannot_be_told_are_faults(tmp_path: Path) -> None:
    row = "uno_1;hola;uno;l;1.234.567;1.245.678;8.123.999.999.999.880;;0;0"
    reading = corpus(write(tmp_path, row, "uno_2;no;uno;l;1.0;soon;;;0;0", "uno_3;sí;uno;l;3.0;4.0;1.0;;0;0")).read()
    assert [entry.id for entry in reading.entries] == ["uno_3"]
    assert told(reading) == [("bad_row", "uno_1"), ("bad_row", "uno_2")]
    assert "line 2 of 'meta.csv'" in reading.faults[0].told and "'soon'" in reading.faults[1].told


def test_rows_without_video_and_times_are_sentences_without_clips(tmp_path: Path) -> None:
    reading = corpus(write(tmp_path, "otro_3;hola;;;;;;;;", "uno_1;sí;uno;l;3.0;4.0;1.0;;0;0")).read()
    assert [(entry.id, entry.pictures is None) for entry in reading.entries] == [("otro_3", True), ("uno_1", False)]
    assert told(reading) == [("missing_clip", "otro_3")]
    assert "no video, no start, no end (line 2 of 'meta.csv')" in reading.faults[0].told


def test_clips_that_were_cut_before_stand_in_for_videos(tmp_path: Path) -> None:
    write(tmp_path, "otro_3;hola;;;;;;;;", "uno_1;sí;uno;l;3.0;4.0;1.0;;0;0", "dos_1;no;dos;l;3.0;4.0;1.0;;0;0")
    (tmp_path / "clips").mkdir()
    for name in ("otro_3", "uno_1", "dos_1", "nadie_1"):
        (tmp_path / "clips" / f"{name}.mp4").write_bytes(b"")
    reading = corpus(tmp_path).read()
    paths = [entry.pictures.path.name if entry.pictures else None for entry in reading.entries]
    assert paths == ["otro_3.mp4", "uno.mp4", "dos_1.mp4"]
    assert [span_of(entry) for entry in reading.entries] == [None, (3.0, 4.0), None]
    assert told(reading) == [("unlabelled_clip", "nadie_1")]


def test_poses_by_clip_or_by_video(tmp_path: Path) -> None:
    write(tmp_path, "uno_1;sí;uno;l;3.0;4.0;1.0;;0;0", "uno_2;no;uno;l;5.0;6.0;1.0;;0;0", videos=())
    (tmp_path / "poses").mkdir()
    for name in ("uno", "uno_2"):
        (tmp_path / "poses" / f"{name}.pose").write_bytes(b"")
    reading = corpus(tmp_path).read()
    assert [entry.pose and (entry.pose.path.name, span_of(entry)) for entry in reading.entries] == [
        ("uno.pose", (3.0, 4.0)),
        ("uno_2.pose", None),
    ]
    assert not reading.faults


def test_a_video_is_in_one_split_whatever_else_there_is(tmp_path: Path) -> None:
    names = [f"video{number}" for number in range(40)]
    rows = [f"{name}_{part};hola {part};{name};l;1.0;2.0;1.0;;0;0" for name in names for part in range(3)]
    everything = corpus(write(tmp_path / "a", *rows, videos=tuple(names))).read().entries
    splits = {name: {entry.split for entry in everything if entry.id.startswith(f"{name}_")} for name in names}
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"train", "dev", "test"}
    few = corpus(write(tmp_path / "b", *rows[:30], videos=tuple(names[:10]))).read().entries
    assert {entry.id: entry.split for entry in few}.items() <= {entry.id: entry.split for entry in everything}.items()


def test_shares_are_kept() -> None:
    found = Counter(dealt(f"video{number}", {"dev": 0.1, "test": 0.3}) for number in range(5_000))
    assert found["dev"] / 5_000 == pytest.approx(0.1, abs=0.02)
    assert found["test"] / 5_000 == pytest.approx(0.3, abs=0.02)
    assert dealt("resumen-1", {"dev": 0.1, "test": 0.3}) == dealt("resumen-1", {"dev": 0.1, "test": 0.3})


def test_splits_by_a_table(tmp_path: Path) -> None:
    write(
        tmp_path,
        "uno_1;a;uno;l;1.0;2.0;;;;",
        "uno_2;b;uno;l;3.0;4.0;;;;",
        "dos_1;c;dos;l;1.0;2.0;;;;",
        videos=("uno", "dos"),
    )
    (tmp_path / "splits.csv").write_text("id,split\nuno,train\nuno_2,val\n")
    asked = corpus(tmp_path, splits="splits.csv")
    assert [entry.split for entry in asked.read().entries] == ["train", "dev", ""]
    assert asked.fingerprint != corpus(tmp_path).fingerprint


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"splits": {"dev": 0.5, "test": 0.5}}, "data.splits"),
        ({"splits": {"train": 0.8}}, "data.splits"),
        ({"splits": {"dev": float("nan")}}, "data.splits"),
        ({"splits": "splits.csv"}, "data.splits=splits.csv"),
        ({"table": "labels.csv"}, "data.table=labels.csv"),
        ({"videos": "nowhere"}, "data.videos=nowhere"),
    ],
)
def test_what_the_user_must_mend(tmp_path: Path, options: dict[str, Any], expected: str) -> None:
    write(tmp_path, "uno_1;a;uno;l;1.0;2.0;;;;")
    with pytest.raises(UserError, match=expected):
        corpus(tmp_path, **options).read()


def test_a_table_without_sentences_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a;b;1;2", header="id;video;start;end")
    with pytest.raises(UserError, match=r"meta\.csv.* the sentences were expected in label or text"):
        corpus(tmp_path).read()


@pytest.mark.parametrize(
    "written, expected",
    [
        ("[('a', 1.0, 2.5), ('b', 2.5, 3)]", [(1.0, 2.5), (2.5, 3.0)]),
        ("[]", []),
        ("", []),
        ("train", []),
        ("[('a', 2.0, 1.0)]", []),
        ("[('a', 1.0)]", []),
        ("__import__('os').mkdir('ran')", []),
        ("[" * 5000, []),
        ("x" * 200_000, []),
        ("[('a', 1e999, 2.0)]", []),
        ("[(“a, 7”, 1.0, 2.0), (‘b’, 3.0, 4.0)]", [(1.0, 2.0), (3.0, 4.0)]),
    ],
)
def test_times_of_subtitles(written: str, expected: list[tuple[float, float]]) -> None:
    assert pieces(written) == expected


@pytest.mark.properties
@FUZZ
@given(cells=st.lists(st.text(alphabet="uno_1.,;\"'()[] \n\r0é-", max_size=14), max_size=30), head=st.booleans())
def test_any_table_is_read_or_told_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], head: bool
) -> None:
    root = tmp_path_factory.getbasetemp() / "fuzzed"
    write(root, ";".join(cells), *(";".join(cells[:10]) for _ in range(2)), header=HEADER if head else "x")
    try:
        reading = corpus(root).read()
    except UserError as error:
        assert "meta.csv" in str(error)
    else:
        assert all("meta.csv" in fault.told for fault in reading.faults if fault.kind != "unlabelled_clip")


@pytest.mark.skipif(not SAMPLES, reason="SONAR_SLT_SAMPLES is not set")
def test_the_sample(tmp_path: Path) -> None:
    table = Path(SAMPLES or "") / "lsa_t" / "meta.csv"
    (tmp_path / "videos").mkdir()
    rows = csv.DictReader(StringIO(table.read_text(encoding="utf-8")), delimiter=";")
    for name in {row["video"] for row in rows} - {""}:
        (tmp_path / "videos" / f"{name}.mp4").write_bytes(b"")
    reading = corpus(tmp_path, table=str(table)).read()
    spans = {place: span_of(entry) for place, entry in enumerate(reading.entries, start=1)}
    assert len(spans) == 30
    assert [place for place, found in spans.items() if found is None] == [24, 29, 30]
    assert spans[21] == pytest.approx((344.84, 347.6))
    assert spans[25] == pytest.approx((164.33, 169.66))
    assert spans[26] == pytest.approx((1680.445, 1691.056))
    assert spans[27] == pytest.approx((1691.056, 1705.537))
    assert spans[28] == pytest.approx((1746.87, 1755.653))
    assert spans[1] == (152.0, 155.984)
    assert Counter(kind for kind, _ in told(reading)) == {"missing_clip": 3}
    texts = [entry.texts["spa_Latn"][0] for entry in reading.entries]
    assert texts == [text.strip() for text in texts] and '"cn sordos"' in texts[28]
    assert "meta.csv: 3 sentences began or ended with a blank, which is taken off" in reading.notes
    assert "meta.csv: 5 rows had a time without its decimal point, mended by its subtitles" in reading.notes
