"""Pickles of labels: what is plain comes out as it went in, everything else is refused or told with the file's name."""

from __future__ import annotations

import copyreg
import gzip
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.labels.unpickler import load
from sonar_slt.errors import UserError

pytestmark = pytest.mark.properties
FUZZ = settings(max_examples=120, deadline=None, derandomize=True)

KEYS = st.text(max_size=5) | st.integers(-(2**60), 2**60) | st.booleans() | st.none() | st.binary(max_size=5)
PLAIN = st.recursive(
    KEYS | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
    np.arange(24, dtype=np.int32).reshape(2, 3, 4).transpose(1, 0, 2),
    np.array(["a", "bü"]),
    np.array([b"ab", b"c"]),
    np.array([{"a": [1]}, None, (2, "x")], dtype=object),
    np.zeros((0, 3), np.float32),
    np.array(3.0),
    np.array([True, False]),
]


def written(folder: Path, content: bytes, name: str = "labels.train") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def refused(path: Path, *words: str) -> None:
    with pytest.raises(UserError) as raised:
        load(path)
    assert all(word in str(raised.value) for word in (path.name, *words)), str(raised.value)


@FUZZ
@given(content=PLAIN, protocol=st.integers(0, 5), zipped=st.booleans())
def test_plain_content_comes_back(
    tmp_path_factory: pytest.TempPathFactory, content: Any, protocol: int, zipped: bool
) -> None:
    raw = pickle.dumps(content, protocol=protocol)
    path = written(tmp_path_factory.getbasetemp(), gzip.compress(raw) if zipped else raw)
    found = load(path)
    assert found == content
    assert repr(found) == repr(content)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_plain_arrays_come_back(tmp_path: Path, array: np.ndarray[Any, Any], protocol: int) -> None:
    found = load(written(tmp_path, pickle.dumps({"deep": [(array, array)]}, protocol=protocol)))
    first, second = found["deep"][0]
    assert first is second
    assert first.dtype == array.dtype and first.shape == array.shape and (first == array).all()


@pytest.mark.parametrize("protocol", range(6))
def test_numpys_scalars_sets_and_ordered_dicts_are_plain(tmp_path: Path, protocol: int) -> None:
    content = [np.float32(1.5), np.int64(-3), np.bool_(True), np.str_("ü"), {1, "a"}, OrderedDict(b=1, a=2)]
    found = load(written(tmp_path, pickle.dumps(content, protocol=protocol)))
    assert found == [1.5, -3, True, "ü", {1, "a"}, {"b": 1, "a": 2}]
    assert [type(value) for value in found] == [float, int, bool, str, set, dict]


def test_names_of_older_numpys_are_known(tmp_path: Path) -> None:
    raw = pickle.dumps(np.arange(3), protocol=2)
    assert b"numpy._core" in raw
    assert load(written(tmp_path, raw.replace(b"numpy._core", b"numpy.core"))).tolist() == [0, 1, 2]


def test_strings_of_python_2_are_text(tmp_path: Path) -> None:
    # {'text': 'für'} as cPickle 2 wrote it: a SHORT_BINSTRING holds the bytes of UTF-8
    raw = b"\x80\x02}q\x01U\x04textq\x02U\x04f\xc3\xbcrq\x03s."
    assert load(written(tmp_path, raw)) == {"text": "für"}


def test_strings_of_python_2_in_its_oldest_protocol_are_text(tmp_path: Path) -> None:
    raw = b"(dp0\nS'text'\np1\nS'f\\xc3\\xbcr \\'it\\''\np2\ns."
    assert load(written(tmp_path, raw)) == {"text": "für 'it'"}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_letting_a_tensor_go_costs_nothing_else(tmp_path: Path, protocol: int) -> None:
    records = [
        {"name": "a", "text": "x"},
        {"name": "b", "text": "y", "sign": torch.zeros(2, 3)},
        {"name": "c", "text": "z"},
    ]
    raw = pickletools.optimize(pickle.dumps([*records, {"name": "d", "sign": torch.ones(1, 3)}], protocol=protocol))
    records[1]["sign"] = (2, 3)
    assert load(written(tmp_path, raw)) == [*records, {"name": "d", "sign": (1, 3)}]


def test_of_a_tensor_the_shape_is_kept_and_torch_is_not_asked(tmp_path: Path) -> None:
    records = [{"name": "train/a", "sign": torch.rand(7, 16) + 1e-8}, {"name": "train/b", "sign": torch.rand(3, 16)}]
    path = written(tmp_path, gzip.compress(pickle.dumps(records)))
    assert load(path) == [{"name": "train/a", "sign": (7, 16)}, {"name": "train/b", "sign": (3, 16)}]


def test_a_npy_file_of_a_dict_and_of_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "info.npy", {0: {"num_frames": np.int64(4)}, "prefix": "x"}, allow_pickle=True)
    assert load(tmp_path / "info.npy") == {0: {"num_frames": 4}, "prefix": "x"}
    np.save(tmp_path / "list.npy", np.array([{"a": 1}, {"a": 2}], dtype=object), allow_pickle=True)
    assert load(tmp_path / "list.npy").tolist() == [{"a": 1}, {"a": 2}]
    np.save(tmp_path / "numbers.npy", np.arange(3))
    assert load(tmp_path / "numbers.npy").tolist() == [0, 1, 2]


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


GLOBALS = {
    "global, text": (b"cos\nsystem\n(S'touch ran'\ntR.", "os.system"),
    "global, stack": (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x09touch ran\x85R.", "os.system"),
    "global, never called": (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "builtins.eval"),
    "global, below an allowed one": (b"cnumpy\nload\n.", "numpy.load"),
    "global, dotted": (b"\x80\x04\x8c\x05numpy\x8c\x0eload.__class__\x93.", "numpy.load.__class__"),
    "torch.load itself": (b"ctorch\nload\n.", "torch.load"),
    "instance": (b"(S'touch ran'\nios\nsystem\n.", "os.system"),
    "object": (b"(cos\nsystem\nS'touch ran'\no.", "os.system"),
    "new object": (b"\x80\x02cnumpy\nndarray\n)\x81.", "an object of a class"),
    "new object by name": (b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93)}\x92.", "an object of a class"),
    "persistent, text": (b"Pan id\n.", "kept elsewhere"),
    "persistent, binary": (b"\x80\x02K\x01Q.", "kept elsewhere"),
    "extension": (b"\x80\x02\x82\xf0.", "extension"),
    "extension of two bytes": (b"\x80\x02\x83\xf0\x00.", "extension"),
    "state of a dict": (b"\x80\x02}}S'items'\nK\x01sb.", "state of a dict"),
    "state of a function": (b"cnumpy\nndarray\n}S'name'\nS'x'\nsb.", "state of a numpy.ndarray"),
    "attributes of a function": (b"\x80\x02ccollections\nOrderedDict\nN}X\x04\x00\x00\x00makeK\x01s\x86b.", "state of"),
    "call of a string": (b"S'print'\n(tR.", "call of a"),
    "call of a dict": (b"}(tR.", "call of a dict"),
    "ndarray as a function": (b"cnumpy\nndarray\n(K\x03tR.", "numpy.ndarray as a function"),
    "array of another class": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(K\x00tS'b'\ntR.",
        "another class",
    ),
    "dtype with fields": (
        b"cnumpy\ndtype\n(S'i4'\ntR(K\x03S'<'\nN(S'a'\nt}K\xffK\xffK\x00tb.",
        "array of records",
    ),
    "dtype of records": (b"cnumpy\ndtype\n(S'V8'\ntR.", "an array of 'V8'"),
    "another codec": (b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.", "_codecs.encode"),
    "buffer out of band": (b"\x80\x05\x97.", "NEXT_BUFFER"),
}


@pytest.mark.parametrize("raw, asked", GLOBALS.values(), ids=GLOBALS)
def test_what_is_not_plain_is_refused_by_name(
    tmp_path: Path, raw: bytes, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(written(tmp_path, raw, "x.pkl"), "asks for", asked)
    assert not (tmp_path / "ran").exists()


def test_what_pickle_would_run_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    for path in (written(tmp_path, pickle.dumps({"a": [Evil()]}), "x.pkl"), tmp_path / "x.npy"):
        refused(path, f"asks for {os.mkdir.__module__}.mkdir")
    assert not (tmp_path / "ran").exists()
    pickle.loads((tmp_path / "x.pkl").read_bytes())
    assert (tmp_path / "ran").exists()  # the trap was a real one


def test_a_registered_extension_is_refused_even_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copyreg.add_extension("os", "getcwd", 240)
    try:
        raw = b"\x80\x02\x82\xf0)R."
        assert pickle.loads(raw) == os.getcwd()  # now in pickle's own cache, which asks nobody
        refused(written(tmp_path, raw, "x.pkl"), "a registered extension")
    finally:
        copyreg.remove_extension("os", "getcwd", 240)


BROKEN = {
    "empty": b"",
    "text": b"name|split\nS000001_P0000_T00|train\n",
    "text with a bad escape": b"S'\\u'\nS",
    "no end": pickle.dumps({"a": 1})[:-1],
    "cut short": pickle.dumps([{"name": "a" * 300}])[:-100],
    "a zip": b"PK\x03\x04",
    "gzip, cut short": gzip.compress(pickle.dumps(list(range(1000))))[:-9],
    "gzip, broken": gzip.compress(pickle.dumps(list(range(1000))))[:20] + b"\xff" * 40,
    "nothing to pop": b"\x80\x020.",
    "nothing at the end": b"\x80\x02.",
    "no mark": b"\x80\x02t.",
    "tuple of too much": b"\x80\x02K\x01\x87.",
    "value not told": b"\x80\x02h\x05.",
    "an odd pair": b"\x80\x02}(K\x01u.",
    "list as key": b"\x80\x02}]K\x01s.",
    "tuple as key": b"\x80\x02})K\x01s.",
    "append to a dict": b"\x80\x02}K\x01a.",
    "a text of 2^60 bytes": b"\x80\x04\x8d\x00\x00\x00\x00\x00\x00\x00\x10abc.",
    "bytes of 2^29": b"\x80\x03B\x00\x00\x00\x20abc.",
    "half a character": b"\x80\x02X\x03\x00\x00\x00\xed\xa0\x80.",
    "a number of 100 bits": b"\x80\x02\x8a\x0d" + b"\x7f" * 13 + b".",
    "a global alone": b"cnumpy\nndarray\n.",
    "an array without content": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tS'b'\ntR.",
    "an array of too little": pickle.dumps(np.arange(4, dtype=np.int8), protocol=2).replace(b"K\x04", b"K\x05"),
    "an array of no characters": pickle.dumps(np.array(["a"]), protocol=4).replace(b"a\0\0\0", b"\xff\xff\xff\x7f"),
    "an array of other axes": pickle.dumps(ARRAYS[2], protocol=5).replace(
        b"K\x01K\x00K\x02\x87", b"K\x01K\x01K\x02\x87"
    ),
    "a string without quotes": b"Sabc\n.",
    "deep": b"\x80\x02" + b"(" * 5000 + b"t" * 5000 + b".",
    "npy, cut short": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "npy, a large header": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{}",
    "npy, no dict": b"\x93NUMPY\x01\x00\x02\x0012",
    "npy, no pickle": b"\x93NUMPY\x01\x00\x38\x00{'descr': '|O', 'fortran_order': False, 'shape': (), }\n\n",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_broken_files_are_told(tmp_path: Path, raw: bytes) -> None:
    refused(written(tmp_path, raw, "x.pkl"))


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none.pkl", "is not there")
    refused(tmp_path, "cannot be read: Is a directory")


LARGE = 10**5
SIZE, BYTES = LARGE.to_bytes(4, "little"), b"a" * LARGE
NUMBERS = b"".join(b"J" + number.to_bytes(4, "little") for number in range(20_000))
AGAIN = b"q\x010(" + b"h\x00h\x01R" * 10**4 + b"l."  # the call of memo 0 with memo 1, ten thousand times
ARRAY = b"cnumpy\ndtype\n(X\x02\0\0\0u1tRJ" + SIZE + b"\x85X\x01\0\0\0Ct"
BOMBS = {
    "bytes": b"\x80\x04c_codecs\nencode\nq\x000X" + SIZE + BYTES + b"X\x06\0\0\0latin1\x86" + AGAIN,
    "sets": b"\x80\x02c__builtin__\nset\nq\x000(" + NUMBERS + b"l\x85" + AGAIN,
    "arrays": b"\x80\x04cnumpy._core.numeric\n_frombuffer\nq\x000(B" + SIZE + BYTES + ARRAY + AGAIN,
    "lists, zipped": gzip.compress(b"\x80\x04(" + b"]" * 10**7 + b"l."),
    "zeros, zipped": gzip.compress(b"\x80\x04(" + 9 * (b"B" + (10**7).to_bytes(4, "little") + bytes(10**7)) + b"l."),
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS)
def test_what_grows_far_beyond_its_bytes_is_refused(tmp_path: Path, raw: bytes) -> None:
    refused(written(tmp_path, raw, "x.pkl"), "far more than")


def test_a_text_of_python_2_is_made_once(tmp_path: Path) -> None:
    raw = b"\x80\x02T" + LARGE.to_bytes(4, "little") + b"a" * LARGE + b"q\x000(" + b"h\x00" * 10**4 + b"l."
    assert len({id(text) for text in load(written(tmp_path, raw))}) == 1


def test_a_place_in_the_memo_costs_no_memory(tmp_path: Path) -> None:
    raw = b"\x80\x02]r\xff\xff\xff\x7fK\x01a0j\xff\xff\xff\x7f."  # LONG_BINPUT and LONG_BINGET of place 2^31 - 1
    assert load(written(tmp_path, raw)) == [1]


def test_tuples_in_tuples_take_no_time(tmp_path: Path) -> None:
    raw = b"\x80\x02)" + b"2\x86" * 60 + b"."  # 2^60 empty tuples, if each were looked at for itself
    found = load(written(tmp_path, raw))
    for _ in range(60):
        assert found[0] is found[1]
        found = found[0]
    assert found == ()


def test_a_list_that_holds_itself(tmp_path: Path) -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    found = load(written(tmp_path, pickle.dumps(loop)))
    assert found[0] == 1 and found[1] is found


@FUZZ
@given(raw=st.binary(max_size=60), start=st.sampled_from([b"", b"\x80\x04", b"\x93NUMPY\x01\x00", b"\x1f\x8b\x08"]))
def test_no_bytes_fail_without_the_files_name(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, start: bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), start + raw, "fuzz.pkl")
    try:
        load(path)
    except UserError as error:
        assert "fuzz.pkl" in str(error)


@FUZZ
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), whole=st.sampled_from(["dict", "tensor", "array"]))
def test_no_changed_byte_fails_without_the_files_name(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, whole: str
) -> None:
    content = {
        "dict": {"train/a": {"name": "train/a", "imgs_path": ["a/1.png"], "length": 1}},
        "tensor": [{"name": "a", "sign": torch.zeros(2, 3)}],
        "array": np.array([{"a": np.arange(3)}], dtype=object),
    }[whole]
    raw = bytearray(pickle.dumps(content))
    raw[place % len(raw)] = byte
    path = written(tmp_path_factory.getbasetemp(), bytes(raw), "fuzz.pkl")
    try:
        load(path)
    except UserError as error:
        assert "fuzz.pkl" in str(error)
