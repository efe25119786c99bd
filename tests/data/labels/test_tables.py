"""Label files that are tables: quoting, delimiters, encodings, broken lines; whatever the bytes, the file is named."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sonar_slt.data.labels.tables import decoded, misread, mojibake, read_table
from sonar_slt.errors import UserError

SAMPLES = os.environ.get("SONAR_SLT_SAMPLES")
TORN = b'id\ttext\r\na\tone\r\nb\t"never closed\r\nc\tthree\r\n\r\nd\r\ne\tfive\tmore\r\nf\t"two\r\nlines"\r\n'


def write(folder: Path, content: bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_table_without_quoting_keeps_its_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, 'name|text\na|"so" heißt es\nb|"\nc|\'\'\n'.encode())
    table = read_table(path, required=["name", "text"])
    assert [line.values["text"] for line in table.rows] == ['"so" heißt es', '"', "''"]
    assert [line.number for line in table.rows] == [2, 3, 4]
    assert (table.header, table.faults, table.notes) == (("name", "text"), [], [])
    assert table.where(table.rows[1]) == "line 3 of 'labels.csv'"


def test_a_table_with_quoting_takes_quotes_and_delimiters_as_csv_does(tmp_path: Path) -> None:
    path = write(tmp_path, b'id\ttext\r\na\t"He said ""no""\t, twice."\r\nb\tA 5" pipe\r\n')
    table = read_table(path, delimiters="\t", quoting=True, required=["id"], crlf=True)
    assert [line.values["text"] for line in table.rows] == ['He said "no"\t, twice.', 'A 5" pipe']
    assert not table.faults and not table.notes


def test_an_unclosed_quote_costs_no_other_row(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, TORN), delimiters="\t", quoting=True, required=["id"], crlf=True)
    found = {line.values["id"]: (line.number, line.values["text"]) for line in table.rows}
    assert found == {"a": (2, "one"), "b": (3, '"never closed'), "c": (4, "three"), "f": (8, "two\r\nlines")}
    told = [(fault.kind, fault.told.split(":")[0], fault.done) for fault in table.faults]
    assert told == [
        ("bad_row", "line 3 of 'labels.csv'", "kept"),
        ("bad_row", "line 6 of 'labels.csv'", "noted"),
        ("bad_row", "line 7 of 'labels.csv'", "noted"),
    ]
    assert "1 fields instead of 2" in table.faults[1].told and "3 fields instead of 2" in table.faults[2].told


def test_a_quote_inside_a_quoted_field_is_told_and_the_line_read_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, b'id\ttext\na\t"Hello," he said.\nb\tx\n')
    table = read_table(path, delimiters="\t", quoting=True, required=["id"])
    assert [line.values["text"] for line in table.rows] == ['"Hello," he said.', "x"]
    assert [fault.done for fault in table.faults] == ["kept"]


def test_another_delimiter_of_the_list_is_read_and_noted(tmp_path: Path) -> None:
    path = write(tmp_path, b'id,text\na,"x, y"\n')
    table = read_table(path, delimiters="\t,", quoting=True, required=["id", "text"])
    assert table.rows[0].values == {"id": "a", "text": "x, y"}
    assert table.notes == ["labels.csv: columns separated by a comma instead of a tab, a re-saved variant"]


def test_a_wrong_delimiter_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, b"name;text\na;b\n")
    with pytest.raises(UserError, match=r"labels\.csv' has its columns separated by a semicolon; a bar was expected"):
        read_table(path, required=["name", "text"])


@pytest.mark.parametrize("content", [b"", b"\n", b"something else\n", b"name|words\n", b"\xef\xbb\xbf"])
def test_a_header_that_does_not_fit_is_refused_with_what_was_expected(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match=r"labels\.csv'.*name, text"):
        read_table(write(tmp_path, content), required=["name", "text"])


def test_a_column_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="column text twice"):
        read_table(write(tmp_path, b"name|text|text\n"), required=["name", "text"])


def test_a_file_without_a_header_takes_the_names_that_are_given(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"a|1\nb|2\n"), required=[], header=["name", "split"])
    assert [(line.number, line.values["split"]) for line in table.rows] == [(1, "1"), (2, "2")]
    with pytest.raises(UserError, match="name, split, length"):
        read_table(write(tmp_path, b"a|1\nb|2\n"), required=[], header=["name", "split", "length"])


def test_a_byte_order_mark_is_taken_off_and_noted(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"\xef\xbb\xbfname|text\na|b\n"), required=["name"])
    assert table.header == ("name", "text")
    assert table.notes == ["labels.csv: begins with a byte order mark, a re-saved variant"]


@pytest.mark.parametrize(("crlf", "end"), [(True, b"\n"), (False, b"\r\n")])
def test_line_ends_that_the_release_has_not_are_noted(tmp_path: Path, crlf: bool, end: bytes) -> None:
    path = write(tmp_path, b"name|text" + end + b"a|b" + end)
    table = read_table(path, required=["name"], crlf=crlf)
    assert table.rows[0].values["text"] == "b"
    assert len(table.notes) == 1 and "lines end in" in table.notes[0]
    assert not read_table(path, required=["name"], crlf=not crlf).notes


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "name|text\na|one\u2028two\x85three\x0bfour\n".encode())
    assert read_table(path, required=["name"]).rows[0].values["text"] == "one\u2028two\x85three\x0bfour"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name|text\na|schön\n".encode("latin-1"), r"line 2: the byte 0xf6 is no UTF-8, which was expected: save"),
        (
            "name|text\na|schön\n".encode() + "b|müde\n".encode("cp1252"),
            r"line 3: the byte 0xfc .* encodings are mixed",
        ),
        ("name|text\na|b\n".encode("utf-16"), "is UTF-16"),
    ],
)
def test_another_encoding_is_refused_by_file_and_line(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(UserError, match=rf"labels\.csv'.*{told}"):
        read_table(write(tmp_path, content), required=["name"])


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(UserError, match="cannot be read"):
            decoded(path)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("schÃ¶n", "schön"),
        ("itâ€™s â€œnoâ€\x9d", "it’s “no”"),
        ("itâ\x80\x99s", "it’s"),
        ("“Ã¼ber”", "“über”"),
        ("30 Â°C", "30 °C"),
        ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "привет"),
        ("ðŸ˜€", "😀"),
    ],
)
def test_mojibake_is_seen_and_mended(text: str, meant: str) -> None:
    assert mojibake(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "schön naïve déjà",
        "MENÜ“",
        "«CAFÉ»",
        "voilà…”",
        "café…”",
        "it’s “no”",
        "привет",
        "他今年四岁。",
        "Ã",
        "â",
    ],
)
def test_correct_text_is_no_mojibake(text: str) -> None:
    assert mojibake(text) is None


@pytest.mark.properties
@given(st.text(st.characters(categories=["L", "N", "P", "Z"], max_codepoint=0xFF), max_size=30), st.booleans())
def test_latin_text_that_was_misread_is_mended(text: str, latin: bool) -> None:
    seen = "".join(bytes([byte]).decode("latin-1" if latin or byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252")
                   for byte in text.encode())  # fmt: skip
    if seen != text and mojibake(text) is None:
        assert mojibake(seen) == text


def test_a_misread_sentence_is_a_fault_and_mended_only_when_asked() -> None:
    text, faults = misread("itâ€™s", id="a", split="dev", mend=False)
    assert text == "itâ€™s" and "'it’s'" in faults[0].told and faults[0].kind == "mojibake"
    text, faults = misread("itâ€™s", id="a", split="dev", mend=True)
    assert text == "it’s" and "mended" in faults[0].told and (faults[0].id, faults[0].split) == ("a", "dev")
    assert misread("it’s", id="a", split="dev", mend=True) == ("it’s", [])
    assert [fault.kind for fault in misread("it\ufffds", id="a", split="dev", mend=True)[1]] == ["mojibake"]


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff\0"), max_size=12)


@pytest.mark.properties
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(FIELD, min_size=3, max_size=3), max_size=6), delimiter=st.sampled_from("\t,;"))
def test_what_csv_writes_is_read_back(tmp_path: Path, rows: list[list[str]], delimiter: str) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([["id", "text", "more"], *rows])
    path = write(tmp_path, written.getvalue().encode())
    table = read_table(path, delimiters="\t,;", quoting=True, required=["id", "text"])
    assert [list(line.values.values()) for line in table.rows] == rows
    assert not table.faults


@pytest.mark.properties
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, len(TORN)), st.binary(max_size=4)), max_size=5), quoting=st.booleans())
@example(cuts=[(8, b"\r")], quoting=True)
@example(cuts=[(8, b"\0")], quoting=True)
@example(cuts=[(12, b'"')], quoting=True)
def test_mutated_bytes_give_rows_and_faults_or_name_the_file(
    tmp_path: Path, cuts: list[tuple[int, bytes]], quoting: bool
) -> None:
    content = TORN
    for place, piece in cuts:
        content = content[:place] + piece + content[place + 1 :]
    path = write(tmp_path, content)
    try:
        table = read_table(path, delimiters="\t,", quoting=quoting, required=["id"])
    except UserError as error:
        assert "labels.csv" in str(error)
        return
    assert all(len(line.values) == len(table.header) for line in table.rows)
    assert all("labels.csv" in fault.told and "line " in fault.told for fault in table.faults)
    numbers = [line.number for line in table.rows]
    assert numbers == sorted(set(numbers)) and all(1 < number <= content.count(b"\n") + 1 for number in numbers)


@pytest.mark.skipif(not SAMPLES, reason="SONAR_SLT_SAMPLES is not set")
def test_seven_rows_of_how2sign_need_quoting() -> None:
    path = Path(str(SAMPLES)) / "how2sign" / "how2sign_realigned_val.csv"
    read = [
        read_table(path, delimiters="\t,", quoting=quoting, required=["SENTENCE"], crlf=True)
        for quoting in (True, False)
    ]
    assert [len(table.rows) for table in read] == [40, 40] and not any(table.faults + table.notes for table in read)
    differing = [
        number
        for number, (one, other) in enumerate(zip(read[0].rows, read[1].rows, strict=True), start=1)
        if one.values != other.values
    ]
    assert differing == [14, 23, 25, 27, 35, 36, 37]
    damaged = [number for number, line in enumerate(read[0].rows, start=1) if mojibake(line.values["SENTENCE"])]
    assert damaged == [20, 40]


@pytest.mark.parametrize("columns", ["id\ttext", "id\ttext\tsplit", "id,text,split"])
def test_two_stray_quotes_swallow_no_rows(tmp_path: Path, columns: str) -> None:
    delimiter = "\t" if "\t" in columns else ","
    texts = ["one", '"The General', "three", "four", 'he said so"', "six"]
    rows = [delimiter.join([str(n), text, "train"][: columns.count(delimiter) + 1]) for n, text in enumerate(texts)]
    path = write(tmp_path, "\n".join([columns, *rows]).encode())
    table = read_table(path, delimiters=delimiter, quoting=True, required=["id", "text"])
    assert [line.values["text"] for line in table.rows] == texts
    assert [(fault.kind, fault.done) for fault in table.faults] == [("bad_row", "kept")]
    assert "line 3 of 'labels.csv'" in table.faults[0].told


def test_a_sentence_of_two_lines_is_one(tmp_path: Path) -> None:
    path = write(tmp_path, b'id,text\n1,"Hello\nwell, yes"\n')
    assert [line.values["text"] for line in read_table(path, delimiters=",", quoting=True, required=["id"]).rows] == [
        "Hello\nwell, yes"
    ]
