"""The clip store: what is written is read, copies nothing, and comes out the same however often it was interrupted."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sonar_slt.data.store import ClipStore, StoreWriter, reading
from sonar_slt.errors import UserError

DESCRIBED = {"layout": "signing", "normalised": "signer"}
Clip = tuple[str, NDArray[Any] | None]


def clip(number: int, frames: int, shape: tuple[int, ...] = (2, 3), dtype: Any = np.float16) -> NDArray[Any]:
    return np.random.default_rng(number).normal(size=(frames, *shape)).astype(dtype)


def writer(folder: Path, **changes: Any) -> StoreWriter:
    return StoreWriter(folder, **{"shape": (2, 3), "dtype": "float16", "described": DESCRIBED, **changes})


def written(folder: Path, clips: Iterable[Clip], **changes: Any) -> ClipStore:
    with writer(folder, **changes) as made:
        for number, (name, frames) in enumerate(clips):
            made.append(name, frames, {"number": number})
        made.finish()
    return ClipStore(folder)


CLIPS: list[Clip] = [(f"clip{i}", clip(i, frames)) for i, frames in enumerate([3, 1, 7, 0, 2])]


@pytest.mark.parametrize("dtype", ["float16", "float32", "int16"])
@pytest.mark.parametrize("shape", [(2, 3), (5,), ()])
def test_clips_come_back_by_number_and_by_id(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    clips: list[Clip] = [(f"-c{i}.x", clip(i, n, shape, dtype)) for i, n in enumerate([3, 1, 0, 7])]
    store = written(tmp_path / "clips", clips, shape=shape, dtype=dtype)
    assert len(store) == 4 and store.lengths.tolist() == [3, 1, 0, 7] and list(store.ids) == [name for name, _ in clips]
    assert (store.shape, store.dtype, store.described) == (shape, np.dtype(dtype), DESCRIBED)
    assert (store.layout, store.normalised) == ("signing", "signer")
    for number, (name, frames) in enumerate(clips):
        assert frames is not None and name in store and store.number(name) == number
        assert np.array_equal(store[number], frames) and np.array_equal(store[name], frames)
        assert store[number].dtype == frames.dtype and store[number].shape == frames.shape
        for copy in (store.read(number), store.read(name)):
            assert np.array_equal(copy, frames) and copy.dtype == frames.dtype and copy.shape == frames.shape
            assert copy.flags.writeable and not np.shares_memory(copy, store[number])
    assert "c0" not in store and "" not in store and "\ud800" not in store
    with pytest.raises(KeyError, match="c0"):
        store["c0"]
    with pytest.raises(IndexError):
        store[4]


def test_a_clip_is_a_view_of_the_file_that_nobody_can_write_to(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", CLIPS)
    first, second = store[0], store["clip0"]
    assert np.shares_memory(first, second) and not first.flags.writeable and not first.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_views_outlive_their_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WINDOW", 10)
    store = written(tmp_path / "clips", CLIPS)
    views = [store[number] for number in range(len(store))]
    assert all(np.array_equal(view, frames) for view, (_, frames) in zip(views, CLIPS, strict=True))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not say what a process holds")
def test_what_a_process_holds_does_not_grow_with_what_it_reads(tmp_path: Path) -> None:
    big = np.zeros((1024, 2, 3), np.float32)
    store = written(tmp_path / "clips", ((str(i), big) for i in range(4000)), dtype="float32")  # 94 MiB
    before = held()
    assert sum(float(store[number].sum()) for number in range(len(store))) == 0
    assert held() - before < 2 * reading.WINDOW


def held() -> int:
    """Bytes of this process alone."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def test_shards_are_plain_arrays_of_no_more_than_was_asked_for(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", CLIPS, shard_bytes=60)  # five frames of 12 bytes
    shards = [np.load(path) for path in sorted((tmp_path / "clips").glob("points-*.npy"))]
    assert [len(shard) for shard in shards] == [4, 7, 2]  # a clip is never divided, however long it is
    assert np.array_equal(np.concatenate(shards), np.concatenate([store[i] for i in range(5)]))


def test_an_empty_store_is_a_store(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", [("a", None)])
    assert len(store) == 0 and "a" not in store and store.lengths.tolist() == [] and store.damaged() == []


def test_another_process_opens_the_folder_anew(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", CLIPS)
    sent = pickle.dumps(store)
    assert len(sent) < 500 and np.array_equal(pickle.loads(sent)["clip2"], store["clip2"])


def test_ids_with_the_same_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonar_slt.data.store.shards.hash_of", lambda name: 2**63)
    monkeypatch.setattr(reading, "hash_of", lambda name: 2**63)
    store = written(tmp_path / "clips", CLIPS)
    assert [store.number(name) for name, _ in CLIPS] == [0, 1, 2, 3, 4] and "other" not in store


def test_what_does_not_fit_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    with writer(tmp_path / "clips") as made:
        made.append("a", clip(0, 2), {})
        for name, frames, told in (
            ("a", clip(0, 2), "already"),
            ("b", clip(0, 2, (3, 3)), "'b' has frames of"),
            ("b", np.zeros((1, 2, 3), complex), "'b' has numbers of complex"),
            ("b", np.full((1, 2, 3), 1e6, np.float32), "'b' has numbers too large"),
            ("b\nc", clip(0, 2), "cannot be the id"),
            ("", clip(0, 2), "cannot be the id"),
            ("\ud800", clip(0, 2), "cannot be the id"),
        ):
            with pytest.raises(ValueError, match=told):
                made.append(name, frames, {})
        made.append("b", np.full((1, 2, 3), np.nan, np.float32), {})
        made.finish()
    assert list(ClipStore(tmp_path / "clips").ids) == ["a", "b"]
    with pytest.raises(ValueError, match="holds numbers"):
        writer(tmp_path / "other", dtype=object)


# --- what is broken ---------------------------------------------------------------------------------------------


def test_no_store_and_an_unfinished_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No clip store"):
        ClipStore(tmp_path / "nothing")
    with writer(tmp_path / "clips") as made:
        made.append("a", clip(0, 2), {})
    with pytest.raises(UserError, match="clips' is unfinished"):
        ClipStore(tmp_path / "clips")


def test_a_finished_store_is_never_written_to(tmp_path: Path) -> None:
    written(tmp_path / "clips", CLIPS)
    with pytest.raises(ValueError, match="finished"):
        writer(tmp_path / "clips")


def test_a_store_begun_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    with writer(tmp_path / "clips") as made:
        made.append("a", clip(0, 2), {})
    for changes in ({"dtype": "float32"}, {"shape": (3, 3)}, {"described": {}}, {"shard_bytes": 7}):
        with pytest.raises(UserError, match="other settings"):
            writer(tmp_path / "clips", **changes)


@pytest.mark.parametrize(
    "name", ["points-000.npy", "points-001.npy", "index.npy", "ids.txt", "hashes.npy", "store.json"]
)
def test_a_file_that_is_cut_short_lost_or_changed_is_named(tmp_path: Path, name: str) -> None:
    written(tmp_path / "clips", CLIPS, shard_bytes=60)
    path = tmp_path / "clips" / name
    whole = path.read_bytes()
    for broken in (whole[:-2], whole[: len(whole) // 2], b"", whole + b"\0", b"\xff" + whole[1:], None):
        path.unlink()
        if broken is not None:
            path.write_bytes(broken)
        with pytest.raises(UserError, match=r"clip store .*clips'"):
            ClipStore(tmp_path / "clips")
        path.write_bytes(whole)
    assert len(ClipStore(tmp_path / "clips")) == 5


def test_a_shard_that_shrinks_under_a_reader_is_named(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", CLIPS)
    path = tmp_path / "clips" / "points-000.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"clips' is broken: 'points-000.npy' became shorter"):
        store.read("clip4")


def test_changed_frames_are_found_when_every_byte_is_read(tmp_path: Path) -> None:
    assert written(tmp_path / "clips", CLIPS).damaged() == []
    path = tmp_path / "clips" / "points-000.npy"
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    assert ClipStore(tmp_path / "clips").damaged() == ["clip4"]


# --- killed and gone on with ------------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_notes_come_back_in_order_with_those_that_left_no_clip(tmp_path: Path) -> None:
    clips: list[Clip] = [*CLIPS[:2], ("gone\ud800", None), *CLIPS[2:]]
    unbroken = contents(written(tmp_path / "whole", clips).folder)
    with writer(tmp_path / "clips") as made:
        assert made.recovered == []
        for number, (name, frames) in enumerate(clips[:4]):
            made.append(name, frames, {"number": number, "text": "ä\n"})
    with writer(tmp_path / "clips") as made:
        assert made.recovered == [{"number": number, "text": "ä\n"} for number in range(4)]
        for number, (name, frames) in enumerate(clips[4:], start=4):
            made.append(name, frames, {"number": number})
        made.finish()
    assert contents(tmp_path / "clips") == unbroken


def test_a_kill_while_finishing_is_gone_on_with(tmp_path: Path) -> None:
    unbroken = contents(written(tmp_path / "whole", CLIPS).folder)
    made = writer(tmp_path / "clips")
    for number, (name, frames) in enumerate(CLIPS):
        made.append(name, frames, {"number": number})
    journal = (tmp_path / "clips" / "journal").read_bytes()
    made.finish()
    (tmp_path / "clips" / "journal").write_bytes(journal)  # the last step was not reached
    with writer(tmp_path / "clips") as again:
        assert len(again.recovered) == len(CLIPS)
        again.finish()
    assert contents(tmp_path / "clips") == unbroken


def test_a_disk_that_was_full_for_a_moment_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unbroken = contents(written(tmp_path / "whole", CLIPS).folder)
    with writer(tmp_path / "clips") as made:
        for number, (name, frames) in enumerate(CLIPS):
            with monkeypatch.context() as patched:
                patched.setattr("sonar_slt.data.store.writing.write_at", half_written)
                if frames is not None and len(frames):
                    with pytest.raises(OSError, match="No space"):
                        made.append(name, frames, {"number": number})
            made.append(name, frames, {"number": number})
        made.finish()
    assert contents(tmp_path / "clips") == unbroken


def half_written(file: int, data: Any, offset: int) -> None:
    import os

    os.pwrite(file, memoryview(data)[: len(data) // 2], offset)
    raise OSError(28, "No space left on device")


lengths = st.lists(st.integers(0, 6) | st.none(), min_size=1, max_size=8)


@pytest.mark.properties
@settings(max_examples=120, deadline=None, derandomize=True)
@given(sizes=lengths, shard_bytes=st.integers(1, 200), wait=st.sampled_from([0.0, 1e9]), data=st.data())
def test_a_store_is_the_same_however_often_it_was_killed(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int | None],
    shard_bytes: int,
    wait: float,
    data: st.DataObject,
) -> None:
    """Each kill leaves any part of what came last: bytes that are torn off, set to zero, or written over."""
    folder = tmp_path_factory.mktemp("store")
    clips: list[Clip] = [(f"c{i}", None if n is None else clip(i, n)) for i, n in enumerate(sizes)]
    asked = {"shard_bytes": shard_bytes, "sync_seconds": wait}
    unbroken = contents(written(folder / "whole", clips, **asked).folder)
    for _ in range(data.draw(st.integers(1, 3))):
        with writer(folder / "clips", **asked) as made:
            done = len(made.recovered)
            assert made.recovered == [{"number": number} for number in range(done)]
            for number in range(done, data.draw(st.integers(done, len(clips)))):
                made.append(*clips[number], {"number": number})
        torn = sorted((folder / "clips").glob("points-*.npy"))[-2:] if wait else []
        for path in (folder / "clips" / "journal", *torn):
            tear(path, data)
    with writer(folder / "clips", **asked) as made:
        for number in range(len(made.recovered), len(clips)):
            made.append(*clips[number], {"number": number})
        made.finish()
    assert contents(folder / "clips") == unbroken
    assert ClipStore(folder / "clips").damaged() == []
    shutil.rmtree(folder)


def tear(path: Path, data: st.DataObject) -> None:
    whole = path.read_bytes()
    end = data.draw(st.integers(0, len(whole)))
    lost = {"cut": b"", "zeros": bytes(len(whole) - end), "other": b"\xa5" * (len(whole) - end), "kept": whole[end:]}
    path.write_bytes(whole[:end] + lost[data.draw(st.sampled_from(sorted(lost)))])


@pytest.mark.properties
@settings(max_examples=60, deadline=None, derandomize=True)
@given(lengths, st.integers(0, 10**6))
def test_frames_lost_from_behind_a_wait_for_the_disk_are_noticed_too(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int | None], place: int
) -> None:
    """That should not happen, but the file's length tells it."""
    folder = tmp_path_factory.mktemp("store")
    clips: list[Clip] = [(f"c{i}", None if n is None else clip(i, n)) for i, n in enumerate(sizes)]
    with writer(folder, sync_seconds=0.0) as made:
        for name, frames in clips:
            made.append(name, frames, {"id": name})
    for path in folder.glob("points-*.npy"):
        path.write_bytes(path.read_bytes()[: place % (path.stat().st_size + 1)])
    with writer(folder, sync_seconds=0.0) as made:
        for name, frames in clips[len(made.recovered) :]:
            made.append(name, frames, {"id": name})
        made.finish()
    store = ClipStore(folder)
    kept = [frames for _, frames in clips if frames is not None]
    assert len(store) == len(kept) and all(np.array_equal(store[i], frames) for i, frames in enumerate(kept))


def test_the_description_is_plain_json(tmp_path: Path) -> None:
    store = written(tmp_path / "clips", CLIPS, described={"layout": "signing", "version": 3, "parts": [1, 2]})
    assert store.described == {"layout": "signing", "version": 3, "parts": [1, 2]} and store.normalised == ""
    assert json.loads((store.folder / "store.json").read_text())["shards"] == [13]
