"""The manifest: what is written is read, every line is looked at, and a row costs nothing until it is asked for."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.manifest import Manifest, Row, write
from sonar_slt.data.manifest_keys import KEYS
from sonar_slt.errors import UserError

ROW = Row(
    id="a",
    corpus="phoenix14t",
    split="train",
    signer="Signer01",
    sign_language="gsg",
    frames=3,
    fps=25.0,
    texts={"deu_Latn": ("Regen.", "Es regnet.")},
    pseudo={"eng_Latn": ("Rain.",), "deu_Latn": ("Ein Regen.",)},
    source="train/a",
    span=(0.5, 2.0),
    content="0f",
    tags=("held_out",),
)


def written(path: Path, *rows: Row) -> Manifest:
    write(path / "manifest.jsonl", rows)
    return Manifest(path / "manifest.jsonl")


def line(**changes: Any) -> str:
    value = {key: getattr(ROW, key) for key in KEYS} | changes
    return json.dumps({key: item for key, item in value.items() if item is not ...})


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [ROW, replace(ROW, id="ä\n\u2028", fps=None, span=None, split="dev", gloss="REGEN"), replace(ROW, id="c")]
    read = written(tmp_path, *rows)
    assert list(read) == rows and read[-1] == rows[2] and read[1:] == rows[1:] and len(read) == 3
    assert read.frames.tolist() == [3, 3, 3] and read.splits == ["train", "dev"]
    assert read.split("train").tolist() == [0, 2] and read.split("dev").tolist() == [1]
    assert read.split("test").tolist() == []
    with pytest.raises(IndexError):
        read[3]


def test_an_empty_manifest_has_no_rows_and_no_splits(tmp_path: Path) -> None:
    read = written(tmp_path)
    assert list(read) == [] and read.splits == [] and read.split("train").tolist() == []


def test_splits_are_listed_in_the_usual_order(tmp_path: Path) -> None:
    names = ["other", "test", "held", "dev", "train", "test"]
    read = written(tmp_path, *(replace(ROW, id=str(i), split=name) for i, name in enumerate(names)))
    assert read.splits == ["train", "dev", "test", "other", "held"]
    assert {name: read.split(name).tolist() for name in read.splits} == {
        "train": [4],
        "dev": [3],
        "test": [1, 5],
        "other": [0],
        "held": [2],
    }


def test_the_digest_sees_every_change(tmp_path: Path) -> None:
    changed = [ROW, replace(ROW, fps=24.0), replace(ROW, tags=()), replace(ROW, texts={"deu_Latn": ("Regen",)})]
    assert len({written(tmp_path, row).digest for row in changed}) == len(changed)
    assert written(tmp_path, ROW).digest == written(tmp_path, ROW).digest


def test_another_process_opens_the_file_anew(tmp_path: Path) -> None:
    read = written(tmp_path, ROW, replace(ROW, id="b"))
    sent = pickle.dumps(read)
    assert len(sent) < 500 and list(pickle.loads(sent)) == list(read)


def test_people_come_before_machines() -> None:
    assert ROW.sentences("deu_Latn") == ("Regen.", "Es regnet.", "Ein Regen.")
    assert ROW.references("deu_Latn") == ("Regen.", "Es regnet.") and ROW.origin("deu_Latn") == "human"
    assert ROW.references("eng_Latn") == ROW.sentences("eng_Latn") == ("Rain.",) and ROW.origin("eng_Latn") == "pseudo"
    assert ROW.references("fra_Latn") == () and ROW.origin("fra_Latn") is None
    assert ROW.languages == ("deu_Latn", "eng_Latn")
    assert replace(ROW, texts={"deu_Latn": ()}).languages == ("eng_Latn", "deu_Latn")


BROKEN = {
    "{": "Line 2",
    '["a"]': "not an object",
    line(id=...): "lacks 'id'",
    line(pseudo=...): "lacks 'pseudo'",
    line(held_out=True): "'held_out' is not one of its keys",
    line(id=""): "'id' is \"\"",
    line(id=7): "'id' is 7",
    line(id="b", frames=-1): "'frames' is -1",
    line(id="b", frames=2.0): "'frames' is 2.0",
    line(id="b", frames=True): "'frames' is true",
    line(id="b", frames=2**31): "'frames' is",
    line(id="b", fps=0): "'fps' is 0",
    line(id="b", fps=float("nan")): "'fps' is NaN",
    line(id="b", fps="25"): "'fps' is",
    line(id="b", texts={"deu_Latn": "Regen."}): "'texts' is",
    line(id="b", texts=[]): "'texts' is",
    line(id="b", pseudo={"deu_Latn": [None]}): "'pseudo' is",
    line(id="b", span=[2, 1]): "'span' is",
    line(id="b", span=[1]): "'span' is",
    line(id="b", span=[0, float("inf")]): "'span' is",
    line(id="b", gloss=["A"]): "'gloss' is",
    line(id="b", split=None): "'split' is null",
    line(id="b", tags="held_out"): "'tags' is",
    line(): "its id 'a' stands in line 1 already",
    "": "Line 2",
    "[" * 100_000: "Line 2",
}


@pytest.mark.parametrize("broken", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_line_is_named_with_what_is_wrong(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(f"{line()}\n{broken}\n{line(id='z')}\n", encoding="utf-8")
    with pytest.raises(UserError) as told:
        Manifest(path)
    assert "Line 2 of" in str(told.value) and "m.jsonl" in str(told.value) and BROKEN[broken] in str(told.value)


def test_a_file_that_is_cut_short_or_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    for content in (line().encode(), line(id="\xe4").encode("utf-16") + b"\n", b'{"id": "\xe4"}\n'):
        path.write_bytes(content)
        with pytest.raises(UserError, match="Line 1"):
            Manifest(path)
    with pytest.raises(UserError, match="No manifest"):
        Manifest(tmp_path)


def test_half_a_letter_is_refused_with_the_id_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'b'"):
        written(tmp_path, ROW, replace(ROW, id="b", texts={"deu_Latn": ("\ud800",)}))
    assert list(tmp_path.iterdir()) == []


def test_more_splits_than_can_be_counted_are_refused(tmp_path: Path) -> None:
    assert len(written(tmp_path, *(replace(ROW, id=str(i), split=str(i)) for i in range(128))).splits) == 128
    with pytest.raises(UserError, match="Line 129"):
        written(tmp_path, *(replace(ROW, id=str(i), split=str(i)) for i in range(130)))


def test_an_open_manifest_holds_a_few_bytes_a_row(tmp_path: Path) -> None:
    write(
        tmp_path / "m.jsonl", (replace(ROW, id=f"clip{i}", texts={"deu_Latn": ("Regen. " * 20,)}) for i in range(4000))
    )
    tracemalloc.start()
    read = Manifest(tmp_path / "m.jsonl")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read) == 4000 and held < 4000 * 20 + 20_000


text = st.text(max_size=8)
texts = st.dictionaries(text, st.lists(text, max_size=3).map(tuple), max_size=3)
seconds = st.floats(0, 1e6)
rows = st.builds(
    Row,
    id=st.text(min_size=1, max_size=6),
    corpus=text,
    split=st.sampled_from(["train", "dev", "test", "x"]),
    signer=text,
    sign_language=text,
    frames=st.integers(0, 2**31 - 1),
    fps=st.none() | st.floats(1e-3, 1e6),
    texts=texts,
    pseudo=texts,
    gloss=st.none() | text,
    source=st.none() | text,
    span=st.none() | st.tuples(seconds, seconds).map(sorted).map(tuple),
    pose=st.none() | text,
    content=text,
    tags=st.lists(text, max_size=2).map(tuple),
)


@pytest.mark.properties
@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(rows, max_size=6, unique_by=lambda row: row.id))
def test_every_row_comes_back(tmp_path_factory: pytest.TempPathFactory, given_rows: list[Row]) -> None:
    read = written(tmp_path_factory.mktemp("m"), *given_rows)
    assert list(read) == given_rows and read.frames.tolist() == [row.frames for row in given_rows]


@pytest.mark.properties
@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.binary(max_size=40), st.data())
def test_any_bytes_are_rows_or_a_named_line(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, data: st.DataObject
) -> None:
    """A line with some of its bytes replaced, removed or added."""
    whole = f"{line()}\n{line(id='b')}\n".encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    path = tmp_path_factory.mktemp("m") / "m.jsonl"
    path.write_bytes(whole[:start] + junk + whole[end:])
    try:
        read = list(Manifest(path))
    except UserError as error:
        assert "Line " in str(error) and "m.jsonl" in str(error)
    else:
        assert len({row.id for row in read}) == len(read)


@pytest.mark.parametrize("name", ["b", "with space", 'a "quote"', "umlaut-ü", "x" * 400, "back\\slash"])
def test_a_clip_is_named_without_its_row(tmp_path: Path, name: str) -> None:
    rows = written(tmp_path, ROW, replace(ROW, id=name))
    assert [rows.id(number) for number in (0, 1)] == ["a", name] == [one.id for one in rows]
    value = json.loads(rows.path.read_text("utf-8").splitlines()[1])
    turned = {"corpus": value.pop("corpus"), **value}  # other tools order keys anew
    rows.path.write_text(json.dumps(turned) + "\n", "utf-8")
    assert Manifest(rows.path).id(0) == name
