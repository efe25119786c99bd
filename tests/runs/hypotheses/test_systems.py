"""Anyone's files: what is read from them, how both sides find each other, and each fault in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sonar_slt.errors import UserError
from sonar_slt.runs.hypotheses.bundle import write_bundle
from sonar_slt.runs.hypotheses.systems import System, aligned, of_files, of_word
from sonar_slt.runs.hypotheses.text_files import HYPOTHESIS, read_ids, read_texts
from sonar_slt.runs.record import Run

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: str | bytes | list[dict[str, object]]) -> str:
    if isinstance(content, list):
        content = "".join(json.dumps(line) + "\n" for line in content)
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def lines(**texts: str) -> list[dict[str, object]]:
    return [{"id": one, "text": text} for one, text in texts.items()]


class TestOneFile:
    @pytest.mark.parametrize(
        ("content", "texts"),
        [
            (b"a\nb\n", ["a", "b"]),
            (b"a\nb", ["a", "b"]),
            (b"\xef\xbb\xbfa\r\nb\r\n", ["a", "b"]),
            (b"a\n\n b \n\n", ["a", "", " b ", ""]),
            (b"\n", [""]),
            ("a\u2028b\x85c\x0bd\n雨\n".encode(), ["a\u2028b\x85c\x0bd", "雨"]),
        ],
    )
    def test_lines_are_those_of_the_file_and_a_blank_one_is_a_sentence(self, content: bytes, texts: list[str]) -> None:
        found = read_texts(write("a.txt", content), HYPOTHESIS)
        assert [text for (text,) in found.texts] == texts and found.ids is None

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.jsonl", '{"id": 7, "text": "x, \\"y\\"\\nz"}\r\n\n{"text": "", "id": "b"}'),
            ("a.csv", '\ufeffid,text\r\n7,"x, ""y""\nz"\r\nb,\r\n'),
            ("a.tsv", 'text\tid\n"x, ""y""\nz"\t7\n\tb\n'),
            ("A.TSV", 'hypothesis\tother\tid\n"x, ""y""\nz"\t1\t7\n\t2\tb\n'),
        ],
    )
    def test_ids_and_texts_are_the_same_in_every_form(self, name: str, content: str) -> None:
        found = read_texts(write(name, content), HYPOTHESIS)
        assert found.texts == [['x, "y"\nz'], [""]] and found.ids == ["7", "b"]

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("a.txt", b"", "a.txt is empty"),
            ("a.txt", b"\xef\xbb\xbf", "a.txt is empty"),
            ("a.txt", "ja\nKöln\n".encode("latin-1"), "line 2 holds the byte 0xf6 (number 5 of the file)"),
            ("a.txt", "ja\n".encode("utf-16-be"), "zero byte, as in utf-16"),
            ("a.txt", "ja\n".encode("utf-16"), "not utf-8: line 1 holds the byte 0xff"),
            ("a.jsonl", "\n", "holds no sentence"),
            ("a.jsonl", '{"text": "x"}\n{"text": "y"', "a.jsonl, line 2: this is no json"),
            ("a.jsonl", '{"text": "x"}\n"y"', "a.jsonl, line 2: expected an object"),
            ("a.jsonl", '{"txt": "x"}', "has no hypothesis or text: its first line has txt"),
            ("a.jsonl", '{"text": "x"}\n{"text": null}', "line 2: expected text as 'text', not null"),
            ("a.jsonl", '{"text": "x", "id": 1}\n{"text": "y"}', "1 of 2 lines have no id, the first is line 2"),
            ("a.jsonl", '{"text": "x", "id": 1}\n{"text": "y", "id": "1"}', "1 occur more often (1)"),
            ("a.csv", "id,text\n1\n", "a.csv, line 2: 1 cells, but the header has 2 columns"),
            ("a.csv", "id,text\n", "holds no sentence"),
            ("a.tsv", "id\ttext\n \tx\n", "1 ids are blank, the first is number 1"),
        ],
    )
    def test_a_fault_is_told_with_its_place(self, name: str, content: str | bytes, says: str) -> None:
        with pytest.raises(UserError) as told:
            read_texts(write(name, content), HYPOTHESIS)
        assert says in str(told.value) and str(told.value).startswith(name)

    def test_what_is_no_file_and_which_ids_are_no_ids(self) -> None:
        with pytest.raises(UserError, match=r"nowhere\.txt cannot be read: No such file"):
            read_texts("nowhere.txt", HYPOTHESIS)
        with pytest.raises(UserError, match="each id may occur once, but 5 occur more often \\(a, b, c, …\\)"):
            read_ids(write("ids.txt", "a\nb\nc\nd\ne\n" * 2))
        with pytest.raises(UserError, match="1 ids are blank, the first is number 2"):
            read_ids(write("ids.txt", "a\n\nb\n"))


class TestBothSides:
    def test_they_are_joined_by_id_in_the_order_of_the_references(self) -> None:
        said = write("said.jsonl", lines(c="C", a="A", b=""))
        expected = write("expected.tsv", "id\ttext\nb\tBB\na\tAA\nc\tCC\n")
        found = of_files(said, [expected], lang="deu_Latn")
        assert found.ids == ["b", "a", "c"] and found.hypotheses == ["", "A", "C"]
        assert found.references == [["BB"], ["AA"], ["CC"]] and found.source is None

    def test_without_ids_the_line_counts_and_an_id_file_names_it(self) -> None:
        said, expected = write("said.txt", "A\n\n"), write("expected.jsonl", lines(y="Y", x="X"))
        by_line = of_files(said, [expected], lang="deu_Latn")
        assert by_line.ids == ["y", "x"] and by_line.hypotheses == ["A", ""]
        named = of_files(said, [expected], ids=write("ids.txt", "x\ny\n"), lang="deu_Latn")
        assert named.ids == ["x", "y"] and named.hypotheses == ["A", ""] and named.references == [["X"], ["Y"]]

    def test_several_references_stand_side_by_side_and_a_blank_one_is_none(self) -> None:
        said, first = write("said.txt", "A\nB\nC\n"), write("one.txt", "a\nb\n\n")
        more = write("more.jsonl", [{"references": ["aa", "aaa"]}, {"references": [" "]}, {"references": "  "}])
        assert of_files(said, [first, more], lang="eng_Latn").references == [["a", "aa", "aaa"], ["b"], [""]]

    def test_the_lines_of_a_run_hold_everything(self) -> None:
        rows = [{"id": "a", "language": "tur_Latn", "hypothesis": "A", "references": ["x", "y"]}]
        found = of_files(write("test.tur_Latn.jsonl", [*rows]), [])
        assert (found.language, found.references) == ("tur_Latn", [["x", "y"]])

    @pytest.mark.parametrize(
        ("said", "expected", "says"),
        [
            ("A\nB\n", "a\n", "expected.txt has 1 lines and said.txt has 2"),
            ("A\n", "\n", "expected.txt holds only blank lines"),
            ("A\n", "", "expected.txt is empty"),
            ("", "a\n", "said.txt is empty"),
        ],
    )
    def test_lines_that_do_not_fit(self, said: str, expected: str, says: str) -> None:
        with pytest.raises(UserError, match=says):
            of_files(write("said.txt", said), [write("expected.txt", expected)], lang="deu_Latn")

    def test_ids_that_do_not_fit_are_counted_and_named(self) -> None:
        expected = write("expected.jsonl", [{"id": str(n), "text": "x"} for n in range(9)])
        said = write("said.jsonl", [{"id": str(n), "text": "x"} for n in range(4, 11)])
        with pytest.raises(UserError) as told:
            of_files(said, [expected], lang="deu_Latn")
        assert "4 of expected.jsonl are missing in said.jsonl (0, 1, 2, …), 2 are only in said.jsonl (9, 10)" in str(
            told.value
        )
        with pytest.raises(UserError, match=r"ids\.txt has 2 lines and plain\.txt has 1"):
            of_files(write("plain.txt", "x\n"), [expected], ids=write("ids.txt", "0\n1\n"), lang="deu_Latn")

    def test_the_language_and_the_references_must_be_known(self) -> None:
        said = write("said.txt", "A\n")
        with pytest.raises(UserError, match="In which language"):
            of_files(said, [said])
        with pytest.raises(UserError, match="did you mean deu_Latn"):
            of_files("nowhere.txt", [said], lang="deu")
        with pytest.raises(UserError, match="references=FILE is needed"):
            of_files(said, [], lang="deu_Latn")


def spoken(root: Path, verb: str, name: str, parent: str | None = None, **said: dict[str, str]) -> Run:
    """A run that said in each language what stands under each id."""
    with Run.start(root, verb=verb, name=name, config={"said": said}, overrides=[], parent=parent) as run:
        (run.folder / "hypotheses").mkdir()
        scores = []
        for code, texts in said.items():
            rows = [
                {"id": one, "language": code, "hypothesis": text, "references": [one * 2]}
                for one, text in texts.items()
            ]
            path = run.folder / "hypotheses" / f"test.{code}.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            scores.append({"language": code, "seen": code == "deu_Latn", "ceiling": 99.0, "references": "pseudo"})
        run.update(metrics={"split": "test", "scores": scores})
    return run


class TestRuns:
    def test_a_run_its_bundle_and_its_training_mean_the_same_hypotheses(self, tmp_path: Path) -> None:
        with Run.start(tmp_path, verb="train", name="t", config={}, overrides=[]) as trained:
            pass
        said = {"deu_Latn": {"b": "B", "a": "A"}, "tur_Latn": {"a": "x"}}
        run = spoken(tmp_path, "evaluate", "t", trained.folder.name, **said)
        write_bundle(run.folder, Path("b.zip"))
        for word in (run.id, str(run.folder), "last", trained.id, "b.zip"):
            german, turkish = of_word(tmp_path, word, split="test")
            assert german.hypotheses == ["B", "A"] and german.references == [["bb"], ["aa"]]
            assert german.ids == ["b", "a"] and german.source == "pseudo" and german.facts["seen"] is True
            assert turkish.language == "tur_Latn" and turkish.facts["seen"] is False
        (only,) = of_word(tmp_path, run.id, split="test", languages=["tur_Latn"])
        assert only.hypotheses == ["x"] and only.facts["ceiling"] == 99.0
        for word in (run.id, "b.zip"):
            with pytest.raises(UserError, match="has no hypotheses in eng_Latn: it has deu_Latn, tur_Latn"):
                of_word(tmp_path, word, split="test", languages=["eng_Latn"])
            with pytest.raises(UserError, match="no hypotheses of split=dev"):
                of_word(tmp_path, word, split="dev")

    def test_two_are_compared_only_on_the_same_sentences(self, tmp_path: Path) -> None:
        def system(**texts: str) -> System:
            (found,) = of_word(tmp_path, spoken(tmp_path, "evaluate", "t", deu_Latn=texts).id, split="test")
            return found

        chief = system(a="A", b="B", c="C")
        moved = aligned(system(c="3", a="1", b="2"), chief)
        assert moved.hypotheses == ["1", "2", "3"] and moved.references == chief.references
        with pytest.raises(UserError, match=r"1 of .* are missing in .* \(c\), 1 are only in .* \(d\)"):
            aligned(system(a="1", b="2", d="3"), chief)
        other = System(name="x", language="deu_Latn", hypotheses=["1"] * 3, references=[["z"]] * 3, ids=chief.ids)
        with pytest.raises(UserError, match="the references of 3 ids differ \\(a, b, c\\)"):
            aligned(other, chief)
