"""Tables of one's own: every delimiter and json lines, references put together, and what is wrong told by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.table import Table
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.release import Entry, Reading
from sonar_slt.errors import UserError

FUZZ = settings(max_examples=100, deadline=None, derandomize=True)
COLUMNS = {"id": "id", "text": "text", "split": "split"}
ROWS = [("-a_1", 'he said "no", twice', "train"), ("b.2", "für; | all", "dev")]


def corpus(root: Path, table: Any = "clips.csv", **options: Any) -> Table:
    preparation = Preparation(normalise=None, precision="float32")
    options = {"columns": COLUMNS, "language": "eng_Latn"} | options
    return Table(root=root, folder=root / "made", preparation=preparation, table=table, **options)


def write(root: Path, *lines: str, name: str = "clips.csv") -> Path:
    (root / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    return root


def files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def said(entry: Entry) -> tuple[str, ...]:
    return entry.texts["eng_Latn"]


def told(reading: Reading) -> list[tuple[str, str]]:
    return [(fault.kind, fault.id) for fault in reading.faults]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|", "jsonl"])
def test_the_same_clips_in_every_form(tmp_path: Path, delimiter: str) -> None:
    if delimiter == "jsonl":
        lines = [json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in ROWS]
        name = "clips.jsonl"
    else:
        quoted = [[f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in row] for row in [tuple(COLUMNS), *ROWS]]
        lines, name = [delimiter.join(row) for row in quoted], "clips.csv"
    reading = corpus(write(tmp_path, *lines, name=name), name).read()
    assert [(entry.id, said(entry), entry.split) for entry in reading.entries] == [
        (id, (text,), split) for id, text, split in ROWS
    ]
    assert not reading.faults and not reading.notes
    assert reading.entries[0].where == f"line {1 if delimiter == 'jsonl' else 2} of '{name}'"


def test_a_delimiter_that_is_asked_for_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split", "a,b,train")
    with pytest.raises(UserError, match=r"clips\.csv.*a comma"):
        corpus(tmp_path, delimiter=";").read()


def test_quotes_are_letters_where_the_table_says_so(tmp_path: Path) -> None:
    write(tmp_path, "id\ttext\tsplit", 'a\t"so\ttrain')
    assert said(corpus(tmp_path, quoting=False).read().entries[0]) == ('"so',)


def test_clips_of_longer_videos(tmp_path: Path) -> None:
    write(
        tmp_path,
        "id,text,split,vid,from,to,who",
        "a,x,train,v-1,0:01.5,3.25,Ann",
        "b,y,dev,v-1.mp4,00:01:00,00:01:02.500,",
    )
    files(tmp_path, "videos/v-1.mp4", "poses/v-1.pose", "poses/b.npy")
    columns = COLUMNS | {"video": "vid", "start": "from", "end": "to", "signer": "who"}
    a, b = corpus(tmp_path, columns=columns, videos="videos", poses="poses").read().entries
    assert a.pictures and a.pictures.span and (a.pictures.path.name, a.signer) == ("v-1.mp4", "Ann")
    assert (a.pictures.span.start, a.pictures.span.end) == (1.5, 3.25)
    assert a.pose and (a.pose.path.name, a.pose.span) == ("v-1.pose", a.pictures.span)
    assert b.pictures and b.pictures.span and (b.pictures.span.start, b.pictures.span.end) == (60.0, 62.5)
    assert b.pose and (b.pose.path.name, b.pose.span) == ("b.npy", None)  # a file of its own is the clip


def test_a_table_without_ids_names_clips_by_video_and_time(tmp_path: Path) -> None:
    write(tmp_path, "video,start,end,text", "v,1.5,3.25,x", "v,3.25,4,y")
    files(tmp_path, "v.mp4")
    columns = {"id": None, "text": "text", "video": "video", "start": "start", "end": "end"}
    entries = corpus(tmp_path, columns=columns, split="train", videos=".").read().entries
    assert [entry.id for entry in entries] == ["v-00001500-00003250", "v-00003250-00004000"]
    assert {entry.split for entry in entries} == {"train"}


def test_pictures_in_folders_and_names_with_a_path(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split,place,pose", "a,x,train,one/a.mp4,two/p.npz", "b,y,train,,")
    files(tmp_path, "one/a.mp4", "one/b.mp4", "two/p.npz")
    (tmp_path / "frames" / "train" / "b").mkdir(parents=True)
    columns = COLUMNS | {"video": "place", "pose": "pose"}
    reading = corpus(tmp_path, columns=columns, videos=".", poses=".", frames="frames").read()
    a, b = reading.entries
    assert a.pictures and a.pictures.path == tmp_path / "one" / "a.mp4"
    assert a.pose and a.pose.path == tmp_path / "two" / "p.npz"
    assert b.pictures and b.pictures.kind == "frames"
    assert told(reading) == [("unlabelled_clip", "b")] and "'one/b.mp4'" in reading.faults[0].told


def test_several_references_and_languages(tmp_path: Path) -> None:
    rows = ("a,one,eng_Latn,train", "b,only,eng_Latn,train", "a,eins,deu_Latn,train", "a,uno,eng_Latn,train")
    write(tmp_path, "id,text,lang,split", *rows)
    entries = corpus(tmp_path, columns=COLUMNS | {"language": "lang"}, language=None).read().entries
    assert [(entry.id, entry.texts) for entry in entries] == [
        ("a", {"eng_Latn": ("one", "uno"), "deu_Latn": ("eins",)}),
        ("b", {"eng_Latn": ("only",)}),
    ]


def test_columns_of_several_languages_and_who_wrote_them(tmp_path: Path) -> None:
    write(tmp_path, "id,german,french,split", "a,ja,oui,train", "a,doch,oui,train")
    columns, texts = {"id": "id", "split": "split"}, {"deu_Latn": "german", "fra_Latn": "french"}
    (entry,) = corpus(tmp_path, columns=columns, texts=texts, pseudo=["fra_Latn"], language=None).read().entries
    assert entry.texts == {"deu_Latn": ("ja", "doch")} and entry.pseudo == {"fra_Latn": ("oui",)}


def test_a_column_says_who_wrote_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, "id,text,by,split", "a,one,human,train", "a,two,pseudo,train", "b,x,me,train")
    reading = corpus(tmp_path, columns=COLUMNS | {"origin": "by"}).read()
    assert [(entry.texts, entry.pseudo) for entry in reading.entries] == [
        ({"eng_Latn": ("one",)}, {"eng_Latn": ("two",)})
    ]
    assert told(reading) == [("bad_row", "b")]


@pytest.mark.parametrize("second", ["a,x,train,v", "a,y,dev,v", "a,y,train,w"])
def test_rows_of_one_id_that_are_no_references_stay_apart(tmp_path: Path, second: str) -> None:
    write(tmp_path, "id,text,split,video", "a,x,train,v", second)
    entries = corpus(tmp_path, columns=COLUMNS | {"video": "video"}).read().entries
    assert [entry.id for entry in entries] == ["a", "a"]  # the checks of all corpora tell the id that comes twice


def test_json_lines_hold_lists_and_languages(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": ["one", "uno"], "split": "train"},
        {"id": 7, "text": {"deu_Latn": "sieben", "eng_Latn": ["seven"]}, "split": "dev", "n": 12, "rate": 29.97},
        {"id": "c", "text": None, "split": "dev"},
    ]
    write(tmp_path, *map(json.dumps, rows), "", "[1]", "{", '{"id": "d", "text": {"a": 1}}', name="clips.jsonl")
    reading = corpus(tmp_path, "clips.jsonl", columns=COLUMNS | {"frames": "n", "fps": "rate"}).read()
    assert [(entry.id, dict(entry.texts), entry.frames, entry.fps) for entry in reading.entries] == [
        ("a", {"eng_Latn": ("one", "uno")}, None, None),
        ("7", {"deu_Latn": ("sieben",), "eng_Latn": ("seven",)}, 12, 29.97),
        ("c", {"eng_Latn": ("",)}, None, None),
    ]
    assert told(reading) == [("bad_row", "clips.jsonl")] * 2 + [("bad_row", "d")]
    assert "line 5 of 'clips.jsonl'" in reading.faults[0].told


@pytest.mark.parametrize(
    "row, expected",
    [
        ("a,x,train,v,soon,2,,", "its start 'soon'"),
        ("a,x,train,v,1,,,", "its end ''"),
        ("a,x,train,v,1.000.000,2,,", "its start '1.000.000'"),
        ("a,x,train,v,1,2,many,", "its length is 'many'"),
        ("a,x,train,v,1,2,,fast", "its frame rate is 'fast'"),
        ("a,x,train,v,1,2,,0", "its frame rate is '0'"),
        ("a,x,train,v,1,2,,-25", "its frame rate is '-25'"),
        ("a,x,train", "3 fields instead of 8"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault(tmp_path: Path, row: str, expected: str) -> None:
    write(tmp_path, "id,text,split,video,start,end,n,fps", row, "b,y,dev,v,1,2,3,25")
    columns = COLUMNS | {"video": "video", "start": "start", "end": "end", "frames": "n", "fps": "fps"}
    reading = corpus(tmp_path, columns=columns).read()
    assert [entry.id for entry in reading.entries] == ["b"]
    assert [fault.kind for fault in reading.faults] == ["bad_row"]
    assert expected in reading.faults[0].told and "line 2 of 'clips.csv'" in reading.faults[0].told


def test_a_column_that_no_json_line_has_is_named(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"id": "a", "sentence": "x", "split": "train"}), name="clips.jsonl")
    with pytest.raises(UserError, match=r"clips\.jsonl' has text in no row; its rows have id, sentence, split"):
        corpus(tmp_path, "clips.jsonl").read()


def test_a_number_of_any_size_is_a_cell(tmp_path: Path) -> None:
    write(tmp_path, json.dumps({"id": 10**400, "text": "x", "split": "train"}), name="clips.jsonl")
    assert corpus(tmp_path, "clips.jsonl").read().entries[0].id == str(10**400)


def test_lines_may_end_as_they_like(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_bytes(b"id,text,split\r\na,x,train\r\n")
    reading = corpus(tmp_path).read()
    assert said(reading.entries[0]) == ("x",) and not reading.notes


def test_splits_have_the_usual_names_or_are_told(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split,video", "a,x,val,", "b,y,validation,", "c,z,Train,", "d,u,dev,w")
    files(tmp_path, "poses/dev/a.npy", "poses/valid/b.npy", "poses/train/d.npy")
    reading = corpus(tmp_path, poses="poses").read()
    assert [(entry.split, entry.pose is not None) for entry in reading.entries] == [
        ("dev", True),
        ("dev", True),
        ("Train", False),
        ("dev", False),
    ]
    assert [(fault.kind, fault.id, fault.split) for fault in reading.faults] == [
        ("missing_clip", "c", "Train"),
        ("missing_clip", "d", "dev"),
        ("unlabelled_clip", "d", ""),
    ]
    assert list(reading.notes) == [
        "the split 'val' is called dev here",
        "the split 'validation' is called dev here",
        "the split 'Train' is not trained or tested on: the names are train, dev and test",
    ]


def test_a_pose_by_its_path_is_that_of_the_path(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split,pose", "a,x,train,train/0001.npy", "b,y,dev,dev/0001.npy", "c,z,test,train/0001")
    files(tmp_path, "poses/train/0001.npy", "poses/dev/0001.npy")
    reading = corpus(tmp_path, columns=COLUMNS | {"pose": "pose"}, poses="poses").read()
    assert [entry.pose and entry.pose.path.parent.name for entry in reading.entries] == ["train", "dev", "train"]
    assert not reading.faults


def test_a_table_per_split(tmp_path: Path) -> None:
    write(tmp_path, "id,text", "a,x", name="train.csv")
    write(tmp_path, "id,text", "b,y", name="dev.csv")
    asked = corpus(tmp_path, {"train": "train.csv", "dev": "dev.csv"}, columns={"id": "id", "text": "text"})
    assert [(entry.id, entry.split) for entry in asked.read().entries] == [("a", "train"), ("b", "dev")]
    assert [path.name for path in asked.label_files()] == ["train.csv", "dev.csv"]


def test_an_id_is_no_path_and_a_missing_clip_is_told(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split", "../outside,x,train", "sub/a,y,train", "c,z,train")
    files(tmp_path, "outside.mp4", "videos/sub/a.mp4")
    reading = corpus(tmp_path, videos="videos").read()
    assert [entry.pictures for entry in reading.entries] == [None, None, None]
    assert told(reading) == [("missing_clip", "c"), ("unlabelled_clip", "a")]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"columns": {"id": "id", "split": "split"}}, "data.columns.text"),
        ({"texts": {"eng_Latn": "text"}}, "not both"),
        ({"language": None}, "data.language"),
        ({"columns": {"id": "id", "text": "text"}}, "data.columns.split"),
        ({"columns": {"text": "text", "split": "split"}}, "data.columns.id"),
        ({"columns": {**COLUMNS, "speaker": "x"}}, r"data.columns.speaker.*signer"),
        ({"delimiter": "::"}, "data.delimiter"),
        ({"language": "english"}, "eng_Latn"),
        ({"pseudo": ["french"]}, "fra_Latn"),
        ({"table": "none.csv"}, "data.table=none.csv"),
        ({"poses": "none"}, "data.poses=none"),
        ({"fps": 0.0}, "data.fps=0"),
        ({"fps": -25.0}, "data.fps=-25"),
        ({"fps": float("nan")}, "data.fps=nan"),
        ({"columns": {**COLUMNS, "video": "vid"}}, r"clips\.csv.*vid"),
    ],
)
def test_what_the_user_must_mend(tmp_path: Path, options: dict[str, Any], expected: str) -> None:
    write(tmp_path, "id,text,split", "a,x,train")
    with pytest.raises(UserError, match=expected):
        corpus(tmp_path, **options).read()


def test_every_option_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    write(tmp_path, "id,text,split,x", "a,x,train,1")
    asked: list[dict[str, Any]] = [{}, {"language": "deu_Latn"}, {"quoting": False}, {"delimiter": ","}, {"fps": 25.0}]
    asked += [{"columns": {**COLUMNS, "signer": "x"}}, {"pseudo": ["eng_Latn"]}, {"name": "mine"}, {"videos": "v"}]
    assert len({corpus(tmp_path, **options).fingerprint for options in asked}) == len(asked)


@pytest.mark.properties
@FUZZ
@given(
    body=st.text(alphabet='ab,;\t|"\n\r:.19{}[]é\ufeff ', max_size=120),
    name=st.sampled_from(["clips.csv", "clips.jsonl"]),
    head=st.booleans(),
)
def test_any_table_is_read_or_told_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, body: str, name: str, head: bool
) -> None:
    root = tmp_path_factory.getbasetemp()
    start = "id,text,split,start,end\n" if head and name == "clips.csv" else ""
    (root / name).write_text(start + body, encoding="utf-8", newline="")
    try:
        reading = corpus(root, name, columns=COLUMNS | {"start": "start", "end": "end"}).read()
    except UserError as error:
        assert name in str(error)
    else:
        assert all(name in fault.told for fault in reading.faults)
        assert all(name in entry.where for entry in reading.entries)


@pytest.mark.properties
@FUZZ
@given(
    row=st.dictionaries(
        st.sampled_from(["id", "text", "split", "start", "end"]),
        st.recursive(
            st.none() | st.text(max_size=5) | st.integers() | st.floats() | st.booleans(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
            max_leaves=6,
        ),
    )
)
def test_any_json_line_is_read_or_told(tmp_path_factory: pytest.TempPathFactory, row: dict[str, Any]) -> None:
    whole = json.dumps({"id": "whole", "text": "x", "split": "dev", "start": 1, "end": 2})
    root = write(tmp_path_factory.getbasetemp(), whole, json.dumps(row), name="clips.jsonl")
    reading = corpus(root, "clips.jsonl", columns=COLUMNS | {"start": "start", "end": "end"}).read()
    assert len(reading.entries) + len([fault for fault in reading.faults if fault.kind == "bad_row"]) == 2


def test_the_column_map_of_openasl_in_the_docs(tmp_path: Path) -> None:
    header = "vid\tyid\tstart\tend\traw-text\ttokenized-text\tsplit"
    write(
        tmp_path,
        header,
        'y-0:00:06-0:00:08\ty\t00:00:06.500\t00:00:08.000\tI said "no.\ti said no\tvalid',
        name="o.tsv",
    )
    files(tmp_path, "raw/y.mp4")
    columns = {"id": "vid", "video": "yid", "start": "start", "end": "end", "text": "raw-text", "split": "split"}
    reading = corpus(tmp_path, "o.tsv", columns=columns, quoting=False, videos="raw").read()
    (entry,) = reading.entries
    assert entry.pictures and entry.pictures.span and (entry.pictures.span.start, entry.pictures.span.end) == (6.5, 8.0)
    assert (entry.id, said(entry), entry.split) == ("y-0:00:06-0:00:08", ('I said "no.',), "dev")
    assert reading.notes == ["the split 'valid' is called dev here"]
