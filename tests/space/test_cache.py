"""The vector cache: what finds a vector, what is computed and when, and that nothing half-written is ever read."""

from __future__ import annotations

import errno
import json
import logging
import os
import pickle
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.errors import UserError
from sonar_slt.space import SentenceSpace
from sonar_slt.space.cache import CachedVectors, VectorCache
from sonar_slt.space.cache import vector_cache as cache_module
from sonar_slt.space.cache.segments import ABANDONED, MAPS, mapped
from sonar_slt.space.cache.wanted import cut
from tests.forked import forked

pytestmark = pytest.mark.properties

LANGUAGES = ("deu_Latn", "eng_Latn", "fra_Latn")
PLACES = ("Bayern", "the north", "Paris", "rain", "heute Nebel", "Sonne")
MANY = [(f"{number} " + " ".join(PLACES[: number % 6]), LANGUAGES[number % 3]) for number in range(120)]
TEXTS, CODES = [text for text, _ in MANY], [code for _, code in MANY]
CHUNK = 128
"""Tokens to a chunk, so that these sentences make a dozen."""


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "CHUNK_TOKENS", CHUNK)


class Spy:
    """Every sentence that a space encodes, in order."""

    def __init__(self, space: Any) -> None:
        self.seen: list[tuple[str, str]] = []
        self.encode, space.encode = space.encode, self

    def __call__(self, texts: Sequence[str], lang: Sequence[str], **options: Any) -> Any:
        self.seen += zip(texts, lang, strict=True)
        return self.encode(texts, lang, **options)


@pytest.fixture
def spy(space: Any) -> Spy:
    return Spy(space)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.npy")}


class TestWhatDecidesAVector:
    def test_each_sentence_has_the_vector_that_the_space_gives_it(self, space: Any, tmp_path: Path) -> None:
        expected = space.encode(TEXTS, CODES)
        cache = VectorCache(folder=tmp_path, space=space)
        for _ in range(2):
            torch.testing.assert_close(cache.encode(TEXTS, CODES), expected, rtol=1e-5, atol=1e-7)

    def test_another_text_or_language_is_another_vector(self, space: Any, spy: Spy, tmp_path: Path) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        asked = [("Regen", "deu_Latn"), ("Regen", "eng_Latn"), ("Regen.", "deu_Latn"), ("n\tRegen", "deu_Latn")]
        vectors = cache.encode([text for text, _ in asked], [code for _, code in asked])
        assert sorted(spy.seen) == sorted(asked)
        assert len({tuple(vector.tolist()) for vector in vectors}) == 4

    def test_another_space_computes_its_own(
        self, space: Any, spy: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = VectorCache(folder=tmp_path, space=space)
        first.encode(TEXTS[:5], CODES[:5])
        monkeypatch.setattr(type(space), "vector_id", "another")
        second = VectorCache(folder=tmp_path, space=space)
        second.encode(TEXTS[:5], CODES[:5])
        assert len(spy.seen) == 10 and first.folder.parent == second.folder.parent != second.folder

    def test_lists_of_an_older_layout_in_the_same_folder_are_left_alone(self, space: Any, tmp_path: Path) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        cache.folder.mkdir()
        np.save(cache.folder / "0123456789abcdef.npy", np.zeros((3, space.dim), np.float32))
        assert cache.fill(TEXTS[:3], CODES[:3]).there == 0


class TestWhatIsComputed:
    def test_each_sentence_once_whatever_the_lists(self, space: Any, spy: Spy, tmp_path: Path) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        twice = cache.fill(TEXTS[:40] * 2, CODES[:40] * 2)
        assert (twice.distinct, twice.there, twice.computed, len(twice.vectors)) == (40, 0, 40, 80)
        assert torch.equal(twice.vectors[:40], twice.vectors[40:])
        more = VectorCache(folder=tmp_path, space=space).fill(TEXTS[20:60], CODES[20:60])
        assert (more.distinct, more.there, more.computed) == (40, 20, 20)
        assert len(spy.seen) == len(set(spy.seen)) == 60

    def test_longest_first_in_chunks_of_so_many_tokens(self, space: Any, tmp_path: Path) -> None:
        sizes: list[tuple[int, int]] = []
        encode = space.encode

        def noted(texts: Sequence[str], lang: Sequence[str]) -> Any:
            lengths = [len(row) for row in space.tokens.rows(texts, lang)]
            sizes.append((max(lengths), len(lengths)))
            assert lengths == sorted(lengths, reverse=True)
            return encode(texts, lang)

        space.encode = noted
        VectorCache(folder=tmp_path, space=space).vectors(TEXTS, CODES)
        assert len(sizes) > 5 and all(longest * number <= CHUNK for longest, number in sizes)
        assert [longest for longest, _ in sizes] == sorted((longest for longest, _ in sizes), reverse=True)

    def test_a_sentence_longer_than_a_chunk_is_a_chunk(self) -> None:
        groups = cut(np.array([2, 0, 1]), np.array([3, 2, 50]), 6)
        assert [group.tolist() for group in groups] == [[2], [0, 1]]

    def test_no_sentences_need_nothing(self, space: Any, tmp_path: Path) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        assert cache.encode([], []).shape == (0, space.dim) and not cache.folder.exists()

    @pytest.mark.parametrize(
        ("texts", "says"),
        [
            ([*TEXTS, " \t"], "number 120 of 121 is empty"),
            ([*TEXTS, ""], "number 120 of 121 is empty"),
            ([*TEXTS, "half \ud800"], "number 120 of 121"),
            ([*TEXTS, None], "number 120 of 121"),
            ("Regen", "not a list"),
            ("", "not a list"),
        ],
    )
    def test_every_text_is_looked_at_before_any_is_encoded(
        self, space: Any, spy: Spy, tmp_path: Path, texts: Any, says: str
    ) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        with pytest.raises(UserError, match=says):
            cache.fill(texts, "deu_Latn")
        assert not spy.seen and not cache.folder.exists()

    def test_what_is_there_is_neither_measured_nor_counted_as_cut(
        self, space: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        texts = ["Regen " * 2000, "Nebel"]
        cache.fill(texts, "deu_Latn")
        assert space.tokens.truncated == 1, "measuring it was no second time"
        monkeypatch.setattr(space.tokens, "tokenizer", None)
        assert cache.fill(texts, "deu_Latn").there == 2

    def test_one_language_may_stand_for_all(self, space: Any, tmp_path: Path) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        assert torch.equal(cache.encode(["a", "b"], "deu_Latn"), cache.encode(["a", "b"], ["deu_Latn", "deu_Latn"]))

    def test_without_its_encoder_what_is_there_is_read_and_what_is_not_is_counted(
        self, space: Any, space_folder: Path, tmp_path: Path
    ) -> None:
        before = VectorCache(folder=tmp_path, space=space).encode(TEXTS[:9], CODES[:9])
        cache = VectorCache(folder=tmp_path, space=type(space).from_pretrained(space_folder, only="decoder"))
        assert torch.equal(cache.encode(TEXTS[:9], CODES[:9]), before)
        with pytest.raises(UserError, match=r"3 of 12 sentences have no vector.*`sonar-slt embed`"):
            cache.vectors(TEXTS[:12], CODES[:12])

    def test_a_vector_that_is_no_number_is_not_kept(self, space: Any, tmp_path: Path) -> None:
        with torch.no_grad():
            space.model.model.encoder.layer_norm.bias[0] = float("nan")
        cache = VectorCache(folder=tmp_path, space=space)
        with pytest.raises(UserError, match=r"NaN .* such as 'Regen'"):
            cache.encode(["Regen"], "deu_Latn")
        assert not files(cache.folder)

    def test_a_folder_that_cannot_be_made_is_one_sentence(self, space: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match="No vector cache can be kept"):
            VectorCache(folder=tmp_path / "file", space=space).encode(["Regen"], "deu_Latn")

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
    def test_a_folder_of_somebody_else_is_read_and_one_sentence_if_something_lacks(
        self, space: Any, spy: Spy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        cache = VectorCache(folder=tmp_path, space=space)
        cache.fill(TEXTS[:3], CODES[:3])

        def refused(*args: Any, **options: Any) -> None:
            raise OSError(number, os.strerror(number), "a.lock")

        monkeypatch.setattr(cache_module.FileLock, "acquire", refused)
        assert cache.fill(TEXTS[:3], CODES[:3]).there == 3
        spy.seen.clear()
        monkeypatch.setattr(space.tokens, "tokenizer", None)  # nothing is even measured
        with pytest.raises(UserError, match=rf"No vector cache can be kept .*{os.strerror(number)}.*paths\.cache="):
            cache.fill(TEXTS[:4], CODES[:4])
        assert not spy.seen

    def test_a_fault_that_is_not_the_folders_keeps_its_name(
        self, space: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: Any) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(cache_module, "write_segment", full)
        with pytest.raises(OSError, match="No space left"):
            VectorCache(folder=tmp_path, space=space).encode(["Regen"], "deu_Latn")

    def test_each_segment_is_opened_once_and_the_folder_listed_twice_a_chunk(
        self, space: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = {"open_segment": 0, "segment_names": 0}

        def counting(name: str) -> None:
            real = getattr(cache_module, name)

            def counted(*args: Any) -> Any:
                done[name] += 1
                return real(*args)

            monkeypatch.setattr(cache_module, name, counted)

        for name in done:
            counting(name)
        cache = VectorCache(folder=tmp_path, space=space)
        cache.fill(TEXTS, CODES)
        chunks = len(list(cache.folder.glob("*.keys.npy")))
        assert chunks > 5 and done == {"open_segment": chunks, "segment_names": 1 + 2 * chunks}


class TestTheView:
    @pytest.fixture
    def whole(self, space: Any, tmp_path: Path) -> Iterator[tuple[Any, torch.Tensor]]:
        """A view over several segments, and what it stands for."""
        cached = VectorCache(folder=tmp_path, space=space).vectors(TEXTS, CODES)
        yield cached, torch.cat([cached[[i]] for i in range(len(cached))])

    def test_rows_by_number_slice_and_tensor(self, whole: Any) -> None:
        cached, rows = whole
        assert (len(cached), cached.dim) == rows.shape
        for asked in ([5, 0, 119, 5], [-1], torch.tensor([7, 3]), slice(10, 90, 7), slice(None), [], slice(3, 3)):
            assert torch.equal(cached[asked], rows[asked if len(rows[asked]) else slice(0, 0)])
        assert torch.equal(cached.first(7)[:], rows[:7]) and len(cached.first(7)) == 7
        with pytest.raises(IndexError):
            cached[[120]]

    def test_nothing_is_read_before_it_is_asked_for(self, space: Any, tmp_path: Path, whole: Any) -> None:
        cached = VectorCache(folder=tmp_path, space=space).vectors(TEXTS, CODES)
        assert len(cached.names) > 5 and not cached._maps
        cached[[0]]
        ((_, opened),) = cached._maps.items()
        assert isinstance(opened, np.memmap) and isinstance(mapped(cached.folder, cached.names[0]), np.memmap)

    def test_pages_that_were_let_go_are_read_again(self, whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        cached, rows = whole
        monkeypatch.setattr("sonar_slt.space.cache.segments.WINDOW", 1)
        assert all(torch.equal(cached[[i]], rows[[i]]) for i in range(len(rows))) and cached._looked_at == 0

    def test_what_is_copied_may_be_changed(self, whole: Any) -> None:
        cached, rows = whole
        cached[:10].zero_()
        assert torch.equal(cached[:], rows)

    def test_it_goes_to_another_process_as_paths(self, whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        cached, rows = whole
        sent = pickle.dumps(cached)
        assert len(sent) < rows.nbytes / 4
        monkeypatch.chdir("/")
        assert torch.equal(pickle.loads(sent)[:], rows)

    def test_saved_it_is_one_ordinary_array(self, whole: Any, tmp_path: Path) -> None:
        cached, rows = whole
        cached.save(tmp_path / "new" / "all.npy")
        assert np.array_equal(np.load(tmp_path / "new" / "all.npy", allow_pickle=False), rows.numpy())
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["all.npy"]

    def test_of_thousands_of_segments_only_some_are_open(self, tmp_path: Path) -> None:
        """A process that may open few files reads three times as many segments, in any order."""
        number, dim = 3 * MAPS, 2
        for i in range(number):
            np.save(tmp_path / f"{i:04d}.vectors.npy", np.full((2, dim), i, np.float32))
        places = np.stack([np.arange(2 * number) // 2, np.arange(2 * number) % 2], axis=1).astype(np.int32)
        names = [f"{i:04d}" for i in range(number)]
        cached = CachedVectors(folder=tmp_path, names=names, places=places, dim=dim)
        sent = pickle.dumps(cached)

        def read() -> None:
            most = sys.stdout.fileno() + MAPS + 64  # the file that was opened last has the highest number
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            view = pickle.loads(sent)
            expected = (torch.arange(len(view)) // 2).float().unsqueeze(1).expand(-1, view.dim)
            assert torch.equal(view[:], expected)
            order = torch.randperm(len(view), generator=torch.Generator().manual_seed(0))
            assert torch.equal(view[order], expected[order])

        reader = forked(read, tmp_path / "said")
        reader.join()
        assert reader.exitcode == 0, (tmp_path / "said").read_text("utf-8")
        assert torch.equal(cached[[700, 3, 701, 2]], torch.tensor([[350.0], [1], [350], [1]]).expand(-1, dim))
        cached[:]
        assert len(cached._maps) == MAPS
        oldest = number - MAPS
        cached[[2 * oldest]]
        cached[[0]]
        assert cached._maps.keys() == {oldest, *range(oldest + 2, number), 0}, "those used last"


class TestDamage:
    @pytest.fixture
    def filled(self, space: Any, tmp_path: Path) -> VectorCache:
        cache = VectorCache(folder=tmp_path, space=space)
        cache.vectors(TEXTS, CODES)
        return cache

    @pytest.mark.parametrize("kind", ["vectors", "keys"])
    @pytest.mark.parametrize("how", ["cut", "emptied", "overwritten", "removed"])
    def test_a_damaged_segment_is_named_and_computed_again(
        self, space: Any, spy: Spy, filled: VectorCache, caplog: pytest.LogCaptureFixture, kind: str, how: str
    ) -> None:
        before, on_disk = filled.encode(TEXTS, CODES), files(filled.folder)
        broken = sorted(filled.folder.glob(f"*.{kind}.npy"))[3]
        content = broken.read_bytes()
        if how == "removed":
            broken.unlink()
        else:
            broken.write_bytes({"cut": content[:-7], "emptied": b"", "overwritten": bytes(len(content))}[how])
        spy.seen.clear()
        with caplog.at_level(logging.WARNING):
            again = VectorCache(folder=filled.folder.parent, space=space).encode(TEXTS, CODES)
        gone = how == "removed" and kind == "keys"  # then there never was a segment
        name = broken.name.partition(".")[0]
        assert [name in record.message for record in caplog.records] == ([] if gone else [True])
        assert 0 < len(spy.seen) < len(TEXTS) and torch.equal(again, before)
        assert files(filled.folder) == on_disk, "the same sentences make the same segment, and mend it"

    def test_drafts_are_never_read_and_do_not_pile_up(self, space: Any, filled: VectorCache) -> None:
        drafts = [filled.folder / f"{name}.keys.npy.123.draft" for name in ("old", "fresh")]
        for draft in drafts:
            draft.write_bytes(b"half")
        os.utime(drafts[0], (time.time() - ABANDONED - 60,) * 2)
        assert filled.fill(TEXTS, CODES).there == len(TEXTS)
        filled.encode(["ganz neu"], "deu_Latn")
        left = list(filled.folder.glob("*.draft"))
        assert left == [drafts[1]], "a fresh one may be another machine's, at work"

    def test_vectors_of_another_width_are_not_these(
        self, space: Any, filled: VectorCache, caplog: pytest.LogCaptureFixture
    ) -> None:
        name = next(iter(sorted(filled.folder.glob("*.vectors.npy"))))
        np.save(name, np.load(name)[:, :7])
        assert VectorCache(folder=filled.folder.parent, space=space).fill(TEXTS, CODES).computed > 0
        assert name.name.partition(".")[0] in caplog.text


class Filler:
    """Another process that fills a cache with all sentences.

    When it has filled `halt_after` chunks it halts inside the next, makes the file `here` and waits for `go_on`.
    """

    def __init__(self, space_folder: Path, folder: Path, *, halt_after: int, here: Path, go_on: Path) -> None:
        def fill() -> None:
            space: Any = SentenceSpace.from_pretrained(space_folder)
            chunks, encode = [], space.encode

            def halting(texts: Sequence[str], lang: Any) -> Any:
                if len(chunks) == halt_after:
                    here.touch()
                    until(go_on.exists)
                chunks.append(texts)
                return encode(texts, lang)

            space.encode = halting
            filled = VectorCache(folder=folder, space=space).fill(TEXTS, CODES)
            seen = [text for chunk in chunks for text in chunk]
            print(json.dumps({"seen": seen, "computed": filled.computed, "distinct": filled.distinct}))

        self.said, self.here = here.with_suffix(".said"), here
        self.process = forked(fill, self.said)

    def halted(self) -> bool:
        """Whether it comes to where it halts."""
        until(lambda: self.here.exists() or not self.process.is_alive())
        return self.here.exists()

    def told(self) -> Any:
        """What it says at its end."""
        self.process.join(120)
        return json.loads(self.said.read_text("utf-8"))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)


class TestOtherProcesses:
    def test_one_that_is_killed_loses_one_chunk_and_leaves_no_trace(
        self, space: Any, space_folder: Path, spy: Spy, tmp_path: Path
    ) -> None:
        whole = VectorCache(folder=tmp_path / "whole", space=space)
        expected = whole.encode(TEXTS, CODES)
        spy.seen.clear()
        folder = tmp_path / "killed"
        here, go_on = tmp_path / "here", tmp_path / "never"
        filler = Filler(space_folder, folder, halt_after=3, here=here, go_on=go_on)
        assert filler.halted()
        filler.process.kill()
        filler.process.join()
        assert len(list(folder.rglob("*.keys.npy"))) == 3
        cache = VectorCache(folder=folder, space=space)
        filled = cache.fill(TEXTS, CODES)
        assert 0 < filled.there == len(TEXTS) - filled.computed and len(spy.seen) == filled.computed
        assert torch.equal(filled.vectors[:], expected) and files(cache.folder) == files(whole.folder)

    def test_two_that_fill_at_once_share_the_work(self, space: Any, space_folder: Path, tmp_path: Path) -> None:
        a, b = tmp_path / "a", tmp_path / "b"  # each waits inside its first chunk until the other is inside one, too
        fillers = [
            Filler(space_folder, tmp_path / "cache", halt_after=0, here=here, go_on=other)
            for here, other in ((a, b), (b, a))
        ]
        assert all(filler.halted() for filler in fillers)
        said = [filler.told() for filler in fillers]
        assert sum(one["computed"] for one in said) == said[0]["distinct"] == len(TEXTS)
        assert sorted(said[0]["seen"] + said[1]["seen"]) == sorted(TEXTS), "no sentence is encoded twice"
        assert min(len(one["seen"]) for one in said) > 0
        cache = VectorCache(folder=tmp_path / "cache", space=space)
        expected = VectorCache(folder=tmp_path / "alone", space=space).encode(TEXTS, CODES)
        assert torch.equal(cache.encode(TEXTS, CODES), expected)
        keys = np.concatenate([np.load(path) for path in cache.folder.glob("*.keys.npy")])
        assert len(np.unique(keys, axis=0)) == len(keys) == len(TEXTS)
