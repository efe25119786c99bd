"""The clip store and the manifest: what is written is read, and a broken writing leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonar_slt.data import manifest, store
from sonar_slt.errors import UserError

ROW = manifest.Row(id="a", split="train", signer="s1", frames=3, fps=25.0, texts={"deu_Latn": ["Regen.", "Es regnet."]})


def clips() -> Iterator[tuple[str, store.Points]]:
    for number, length in enumerate((3, 1, 7)):
        yield f"clip{number}", np.full((length, 137, 3), number + 0.5, dtype=np.float16)


def test_clips_come_back_by_id(tmp_path: Path) -> None:
    store.write(tmp_path / "clips", clips(), layout="openpose_137", normalised="signer", points=137)
    opened = store.ClipStore(tmp_path / "clips")
    assert len(opened) == 3 and "clip1" in opened and "clip9" not in opened
    assert opened.layout == "openpose_137" and len(opened["clip2"]) == 7
    for name, points in clips():
        assert np.array_equal(opened[name], points)


def test_an_empty_store_is_a_store(tmp_path: Path) -> None:
    store.write(tmp_path / "clips", iter(()), layout="openpose_137", normalised="signer", points=137)
    assert len(store.ClipStore(tmp_path / "clips")) == 0


def test_a_writing_that_fails_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    def breaks() -> Iterator[tuple[str, store.Points]]:
        yield from clips()
        raise OSError(28, "No space left on device")

    store.write(tmp_path / "clips", clips(), layout="openpose_137", normalised="signer", points=137)
    with pytest.raises(OSError, match="No space"):
        store.write(tmp_path / "clips", breaks(), layout="openpose_137", normalised="signer", points=137)
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]
    assert len(store.ClipStore(tmp_path / "clips")) == 3


def test_no_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No clip store"):
        store.ClipStore(tmp_path / "nothing")


def test_rows_come_back_and_the_digest_sees_every_field(tmp_path: Path) -> None:
    manifest.write(tmp_path / "m.jsonl", [ROW])
    (read,) = manifest.read(tmp_path / "m.jsonl")
    assert read == ROW and manifest.digest([read]) == manifest.digest([ROW])
    other = manifest.Row(**{**{f: getattr(ROW, f) for f in ROW.__slots__}, "fps": 24.0})
    assert manifest.digest([other]) != manifest.digest([ROW])


@pytest.mark.parametrize("line", ["{", '{"id": "a"}', '["a"]'])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    manifest.write(tmp_path / "m.jsonl", [ROW])
    (tmp_path / "m.jsonl").write_text((tmp_path / "m.jsonl").read_text("utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(UserError, match="Line 2"):
        manifest.read(tmp_path / "m.jsonl")
