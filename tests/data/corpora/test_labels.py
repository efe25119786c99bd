"""Label files of several tools: the same clips whichever wrote them, and every trap by hand."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.corpora.labels import Labels, read_labels
from sonar_slt.data.preparation import Preparation
from sonar_slt.errors import UserError

FUZZ = settings(max_examples=100, deadline=None, derandomize=True)
TEXTS = {"clip-1": "am tag sonne", "clip-2": "in der nacht schnee"}


def corpus(root: Path, **options: Any) -> Labels:
    preparation = Preparation(normalise=None, precision="float32")
    options = {"files": {"train": "labels.train"}, "language": "deu_Latn", "sign_language": "gsg"} | options
    return Labels(root=root, folder=root / "made", preparation=preparation, **options)


def folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)


def gfslt(path: Path) -> None:
    labels = {
        f"train/{id}": {
            "name": f"train/{id}",
            "gloss": "TAG SONNE",
            "text": text,
            "length": 7 + number,
            "imgs_path": [f"train/{id}/images{frame:04d}.png" for frame in range(7 + number)],
        }
        for number, (id, text) in enumerate(TEXTS.items())
    }
    path.write_bytes(gzip.compress(pickle.dumps(labels)))


def neccam(path: Path) -> None:
    labels = [
        {"name": f"train/{id}", "signer": "Signer01", "gloss": "TAG SONNE", "text": text, "sign": torch.rand(7 + n, 8)}
        for n, (id, text) in enumerate(TEXTS.items())
    ]
    path.write_bytes(gzip.compress(pickle.dumps(labels)))


def spamo(path: Path) -> None:
    labels: dict[Any, Any] = {
        number: {
            "fileid": id,
            "folder": f"train/{id}/*.png",
            "signer": "Signer01",
            "gloss": "TAG SONNE",
            "text": text,
            "num_frames": np.int64(7 + number),
            "original_info": "",
            "tag": "phoenix14t",
            "en_text": f"{number} en",
            "es_text": f"{number} es",
            "fr_text": "",
        }
        for number, (id, text) in enumerate(TEXTS.items())
    }
    with path.open("wb") as file:  # numpy would add a suffix
        np.save(file, np.array({**labels, "prefix": "/somewhere"}, dtype=object), allow_pickle=True)


@pytest.mark.parametrize("write", [gfslt, neccam, spamo])
def test_every_tools_file_names_the_same_clips(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "labels.train")
    folders(tmp_path, "frames/train/clip-1", "frames/train/clip-2")
    reading = corpus(tmp_path, frames="frames").read()
    assert [(entry.id, entry.split, entry.frames, entry.gloss) for entry in reading.entries] == [
        ("clip-1", "train", 7, "TAG SONNE"),
        ("clip-2", "train", 8, "TAG SONNE"),
    ]
    assert [entry.texts for entry in reading.entries] == [{"deu_Latn": (text,)} for text in TEXTS.values()]
    assert all(entry.pictures and entry.pictures.path.name == entry.id for entry in reading.entries)
    assert not reading.faults
    assert [note for note in reading.notes if "slash" in note] == (
        [] if write is spamo else ["labels.train: 2 ids begin with a split and a slash, which are taken off"]
    )


def test_what_a_machine_translated_is_pseudo(tmp_path: Path) -> None:
    spamo(tmp_path / "labels.train")
    reading = corpus(tmp_path).read()
    assert reading.entries[1].pseudo == {"eng_Latn": ("1 en",), "spa_Latn": ("1 es",)}
    assert "2 sentences in eng_Latn are a machine's" in reading.notes
    assert reading.entries[1].signer == "Signer01"


def test_clips_without_labels_and_labels_without_clips(tmp_path: Path) -> None:
    gfslt(tmp_path / "labels.train")
    folders(tmp_path, "frames/train/clip-1", "frames/train/clip-9")
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "clip-8.pose").write_bytes(b"")
    (tmp_path / "poses" / "clip-9.pose").write_bytes(b"")
    faults = corpus(tmp_path, frames="frames", poses="poses").read().faults
    assert [(fault.kind, fault.id) for fault in faults] == [
        ("missing_clip", "clip-2"),
        ("unlabelled_clip", "clip-8"),
        ("unlabelled_clip", "clip-9"),
    ]
    assert "'train/clip-9' or 'clip-9.pose'" in faults[2].told


def test_an_id_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    folders(tmp_path, "frames/a", "outside")
    ids = ["../outside", "..", "", "frames/../a", "/etc", "a\0"]
    (tmp_path / "labels.train").write_bytes(pickle.dumps([{"name": id, "text": "x"} for id in ids]))
    reading = corpus(tmp_path, frames="frames").read()
    assert [entry.id for entry in reading.entries] == ids
    assert all(entry.pictures is None for entry in reading.entries)
    assert [fault.kind for fault in reading.faults] == ["unlabelled_clip"]  # of a; the bad ids are told by all corpora


BAD = {
    "no dict": ("text", "a dict with a name and a text"),
    "nothing": ({}, "a dict with a name and a text"),
    "no name": ({"text": "x"}, "has no name"),
    "a number as name": ({"name": 3, "text": "x"}, "has no name"),
    "a number as text": ({"name": "a", "text": 3}, "the text of 'a'"),
    "a list of numbers as text": ({"name": "a", "text": [1]}, "the text of 'a'"),
}


@pytest.mark.parametrize("record, told", BAD.values(), ids=BAD)
def test_a_record_that_is_none_is_a_fault(tmp_path: Path, record: Any, told: str) -> None:
    (tmp_path / "labels.train").write_bytes(pickle.dumps([{"name": "good", "text": "x"}, record]))
    reading = corpus(tmp_path).read()
    assert [entry.id for entry in reading.entries] == ["good"]
    (fault,) = reading.faults
    assert (fault.kind, fault.id, fault.split) == ("bad_row", "labels.train", "train")
    assert told in fault.told and "entry 1 of 'labels.train'" in fault.told


@pytest.mark.parametrize("length", [-1, 2.5, float("nan"), float("inf"), "7", True, [7], np.float32("nan")])
def test_a_length_that_is_none_is_told_and_the_clip_kept(tmp_path: Path, length: Any) -> None:
    (tmp_path / "labels.train").write_bytes(pickle.dumps([{"name": "a", "text": "x", "length": length}]))
    reading = corpus(tmp_path).read()
    assert reading.entries[0].frames is None
    assert [(fault.id, fault.kind, fault.done) for fault in reading.faults] == [("a", "bad_row", "kept")]


def test_misread_letters_are_told(tmp_path: Path) -> None:
    text = "für".encode().decode("latin-1")
    (tmp_path / "labels.train").write_bytes(pickle.dumps([{"name": "a", "text": text}]))
    reading = corpus(tmp_path).read()
    assert [(fault.kind, fault.id, fault.split) for fault in reading.faults] == [("mojibake", "a", "train")]


def test_a_file_by_hand(tmp_path: Path) -> None:
    # [{'name': 'a', 'text': 'b', 'length': 5}], byte by byte
    (tmp_path / "labels.train").write_bytes(
        b"\x80\x02]}(X\x04\0\0\0nameX\x01\0\0\0aX\x04\0\0\0textX\x01\0\0\0bX\x06\0\0\0lengthK\x05ua."
    )
    (label,) = read_labels(tmp_path / "labels.train").labels
    assert (label.id, label.text, label.frames, label.where) == ("a", "b", 5, "entry 0 of 'labels.train'")


@pytest.mark.parametrize(
    "options, told",
    [
        ({"files": {}}, "data.files"),
        ({"files": {"dev": "labels.dev"}}, "data.files.dev=labels.dev"),
        ({"language": "german"}, "deu_Latn"),
        ({"frames": "nowhere"}, "data.frames=nowhere"),
        ({"videos": "labels.train"}, "data.videos=labels.train: it is a file"),
    ],
)
def test_what_the_user_must_mend(tmp_path: Path, options: Mapping[str, Any], told: str) -> None:
    gfslt(tmp_path / "labels.train")
    with pytest.raises(UserError, match=told):
        corpus(tmp_path, **options).read()


@pytest.mark.parametrize("kind", ["file", "nothing"])
def test_a_root_that_is_no_folder(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "root"
    if kind == "file":
        root.write_text("")
    with pytest.raises(UserError, match=r"data\.root=.*the folder of the release"):
        corpus(root).label_files()


def test_a_pickle_with_a_global_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.train").write_bytes(pickle.dumps([{"name": "a", "text": "x", "sign": os.getcwd}]))
    with pytest.raises(UserError, match=r"labels\.train' asks for .*getcwd"):
        corpus(tmp_path).read()


def test_other_options_make_another_corpus(tmp_path: Path) -> None:
    gfslt(tmp_path / "labels.train")
    asked = [{}, {"language": "eng_Latn"}, {"fps": 25.0}, {"sign_language": "ase"}, {"poses": "poses"}]
    assert len({corpus(tmp_path, **options).fingerprint for options in asked}) == len(asked)
    assert corpus(tmp_path).fingerprint == corpus(tmp_path).fingerprint


@pytest.mark.properties
@FUZZ
@given(
    content=st.recursive(
        st.none() | st.text(max_size=4) | st.integers(-5, 2**40) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "text", "length", "gloss", "info", "signer", 0, "en_text"]), inner
            )
        ),
        max_leaves=15,
    )
)
def test_any_content_is_read_or_told_with_the_files_name(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "labels.train").write_bytes(pickle.dumps(content))
    try:
        reading = corpus(root).read()
    except UserError as error:
        assert "labels.train" in str(error)
    else:
        assert all("labels.train" in entry.where for entry in reading.entries)
        assert all("labels.train" in fault.told for fault in reading.faults if fault.kind == "bad_row")


def test_a_split_by_another_name_is_told_and_its_poses_are_found(tmp_path: Path) -> None:
    gfslt(tmp_path / "labels.train")
    for name in ("train/clip-1", "dev/clip-1", "train/clip-2"):
        (tmp_path / "poses" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "poses" / f"{name}.npy").write_bytes(b"")
    reading = corpus(tmp_path, files={"val": "labels.train"}, poses="poses").read()
    assert [(entry.split, entry.pose and entry.pose.path.parent.name) for entry in reading.entries] == [
        ("dev", "dev"),
        ("dev", None),
    ]
    assert "the split 'val' is called dev here" in reading.notes
    assert [(fault.kind, fault.id) for fault in reading.faults] == [
        ("missing_clip", "clip-2"),
        ("unlabelled_clip", "clip-1"),
        ("unlabelled_clip", "clip-2"),
    ]


@pytest.mark.parametrize("fps", [0.0, -25.0])
def test_a_frame_rate_is_above_nothing(tmp_path: Path, fps: float) -> None:
    with pytest.raises(UserError, match=f"data.fps={fps}"):
        corpus(tmp_path, fps=fps)
