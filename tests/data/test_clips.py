"""The batches of clips: what they say, that padding, workers, interruptions and processes change nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sonar_slt.config.assembly import assemble, batches_of, corpus_of
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.clips import Clips
from sonar_slt.data.corpora.prepared import Prepared
from sonar_slt.data.manifest import Row
from sonar_slt.data.sampling import All
from sonar_slt.errors import UserError
from sonar_slt.space import tokens as tokens_module
from sonar_slt.space.cache import CachedVectors
from sonar_slt.space.tokens import FlatRows, SentenceTokens

pytestmark = pytest.mark.properties


def same(a: ClipBatch, b: ClipBatch) -> bool:
    return a.ids == b.ids and all(
        torch.equal(one, other)
        for one, other in (
            (points(a), points(b)),
            (a.tracks["points"].mask, b.tracks["points"].mask),
            (a.target.tokens.ids, b.target.tokens.ids),
            (a.target.vectors, b.target.vectors),
            (a.anchor.vectors, b.anchor.vectors),
        )
    )


def points(batch: ClipBatch) -> torch.Tensor:
    return batch.tracks["points"].values


def reopened(data: Clips, **changes: Any) -> Clips:
    """The same corpus, opened by nobody but the test."""
    options: dict[str, Any] = {
        "corpus": data.corpus,
        "space": data.space,
        "targets": data.targets,
        "unseen": data.unseen,
        "cache": data.cache.folder.parent,
        "size": 4,
        "seed": data.seed,
    }
    return Clips(**{**options, **changes})


@pytest.fixture
def data(sign_config: Any) -> Clips:
    made = assemble(sign_config).data
    assert isinstance(made, Clips)
    return made


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
class TestBatches:
    @pytest.mark.parametrize("workers", [1, 3])
    def test_the_number_of_workers_changes_nothing(self, data: Clips, workers: int) -> None:
        alone = list(islice(data.train_dataloader(), 8))
        many = list(islice(reopened(data, workers=workers).train_dataloader(), 8))
        assert all(map(same, alone, many)) and not same(alone[0], alone[1])
        dev = list(reopened(data, workers=workers).val_dataloader())
        assert len(dev) == 2 and all(map(same, data.val_dataloader(), dev))

    def test_a_worker_makes_its_own_batches_only(self, data: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[int] = []
        monkeypatch.setattr(Clips, "batch", lambda self, number: made.append(number))
        monkeypatch.setattr(
            "sonar_slt.data.batches.stream.get_worker_info", lambda: SimpleNamespace(id=1, num_workers=3)
        )
        list(islice(iter(data.train_dataloader().dataset), 3))
        assert made == [1, 4, 7]

    def test_a_training_goes_on_with_the_next_batch(self, data: Clips) -> None:
        whole = list(islice(data.train_dataloader(), 7))
        going_on = reopened(data)
        going_on.load_state_dict({"served": 3})
        assert all(map(same, whole[3:], islice(going_on.train_dataloader(), 4)))

    @pytest.mark.parametrize("workers", [0, 2])
    def test_processes_have_a_larger_batch_together(self, data: Clips, workers: int) -> None:
        whole = list(islice(reopened(data, size=8).train_dataloader(), 3))
        held_out = list(reopened(data, size=8).val_dataloader())
        for rank in (0, 1):
            part = reopened(data, size=4, workers=workers)
            loop = SimpleNamespace(batch_progress=SimpleNamespace(total=SimpleNamespace(processed=0)))
            fit = SimpleNamespace(epoch_loop=loop)
            part.trainer = SimpleNamespace(global_rank=rank, world_size=2, fit_loop=fit)  # type: ignore[assignment]
            part.setup("fit")
            part.load_state_dict({"served": 1})
            shares = [*islice(part.train_dataloader(), 2), *part.val_dataloader()]
            for one, share in zip([*whole[1:], *held_out], shares, strict=True):
                assert share.ids == one.ids[rank::2] and share.counts
                assert torch.equal(share.target.vectors, one.target.vectors[rank::2])

    def test_a_clip_is_what_the_store_has(self, data: Clips) -> None:
        read = reopened(data, sampling=All())
        batch = read.batch(0)
        for i, name in enumerate(batch.ids):
            stored = torch.from_numpy(np.array(data.corpus.clips[name]))
            length = int(batch.tracks["points"].mask[i].sum())
            assert length == len(stored) and torch.equal(points(batch)[i, :length], stored)
            assert not points(batch)[i, length:].any() and not batch.tracks["points"].mask[i, length:].any()
        moved = batch.to("cpu")
        assert points(moved).dtype == torch.float32 and torch.equal(points(moved), points(batch).float())

    def test_the_budget_of_frames_holds(self, data: Clips) -> None:
        tight = reopened(data, size=32, frames=300)
        shapes = [points(tight.batch(number)).shape for number in range(12)]
        assert all(clips == 1 or clips * time <= 300 for clips, time, *_ in shapes) and max(s[0] for s in shapes) > 1

    def test_training_frames_are_drawn_and_others_are_not(self, data: Clips) -> None:
        rows = data.rows["train"].numbers[:4]
        drawn = {points(data.collate(rows, Random(str(seed)), training=True)).sum().item() for seed in range(8)}
        assert len(drawn) > 1
        assert len({points(data.collate(rows, Random(str(seed)))).sum().item() for seed in range(8)}) == 1


class TestSplits:
    def test_a_signer_is_left_out_and_tested(self, data: Clips) -> None:
        name = data.rows["train"][0].signer
        left = reopened(data, signer=name)
        assert {row.signer for row in left.rows["test"]} == {name}
        assert name not in {row.signer for split in ("train", "dev") for row in left.rows[split]}
        theirs = [row.id for rows in data.rows.values() for row in rows if row.signer == name]
        assert sorted(theirs) == sorted(row.id for row in left.rows["test"])
        assert left.digest != data.digest

    def test_a_signer_who_is_not_there_is_named(self, data: Clips) -> None:
        with pytest.raises(UserError, match=r"nobody signs no clip .*signer01, signer02"):
            reopened(data, signer="nobody")

    def test_a_limit_counts_training_clips(self, data: Clips) -> None:
        few = reopened(data, limit=5)
        assert [row.id for row in few.rows["train"]] == [row.id for row in data.rows["train"][:5]]
        assert len(few.rows["test"]) == len(data.rows["test"])


class TestMixed:
    def config(self, sign_config: Any, weights: dict[str, float] | None) -> dict[str, Any]:
        one = {**sign_config["data"], "_partial_": True}
        parts = {"one": one, "two": {**one, "train": 10, "seed": 5}}
        mixed = {"_target_": "sonar_slt.data.corpora.mixed.Mixed", "parts": parts, "weights": weights}
        return {**sign_config, "data": mixed}

    def test_two_corpora_are_one_with_ids_told_apart(self, sign_config: Any, space: Any) -> None:
        data = batches_of(self.config(sign_config, {"one": 1, "two": 3}), space)
        assert len(data.rows["train"]) == 34 and len(data.rows["test"]) == 24
        assert data.drawing.shares == [9, 25]
        alone = corpus_of(sign_config)
        batch = next(
            batch for batch in map(data.batch, range(50)) if any(name.startswith("one/") for name in batch.ids)
        )
        place = next(i for i, name in enumerate(batch.ids) if name.startswith("one/"))
        name = batch.ids[place].removeprefix("one/")
        assert name in {row.id for row in alone.rows}
        assert np.array_equal(data.corpus.clips[batch.ids[place]], alone.clips[name])
        row = data.rows["test"][20]
        assert row.id.startswith("two/") and row.signer.startswith("two/")
        assert data.shown(row).shape == (row.frames, data.corpus.layout.points, 3)

    @pytest.mark.parametrize("weights", [{"one": 1}, {"one": 1, "two": 0}, {"one": 1, "two": 1, "three": 1}])
    def test_weights_that_do_not_fit_are_refused(self, sign_config: Any, weights: dict[str, float]) -> None:
        with pytest.raises(UserError, match="weights: one number above 0 for each of one, two"):
            corpus_of(self.config(sign_config, weights))

    def test_prepared_folders_can_be_mixed(self, data: Clips, sign_config: Any, space: Any) -> None:
        here = {"_target_": "sonar_slt.data.corpora.prepared.Prepared", "root": str(data.corpus.prepared)}
        config = self.config(sign_config, None)
        config["data"]["parts"]["one"] = here
        mixed = batches_of(config, space)
        assert len(mixed.rows["train"]) == 34 and mixed.rows["train"][0].id.startswith("one/")

    def test_a_manifest_of_other_clips_is_refused(self, data: Clips, tmp_path: Path) -> None:
        folder = tmp_path / "copy"
        shutil.copytree(data.corpus.prepared, folder)
        lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        for changed in (lines[1:], [lines[1], lines[0], *lines[2:]]):
            (folder / "manifest.jsonl").write_text("".join(changed), encoding="utf-8")
            with pytest.raises(UserError, match="does not belong to the clip store beside it"):
                _ = Prepared(root=folder).clips

    def test_a_prepared_folder_serves_the_same(self, data: Clips, sign_config: Any, space: Any) -> None:
        config = {
            **sign_config,
            "data": {
                "_target_": "sonar_slt.data.corpora.prepared.Prepared",
                "root": str(data.corpus.prepared),  # type: ignore[attr-defined]
            },
        }
        assert same(batches_of(config, space).batch(3), data.batch(3))
        config["data"]["root"] = "nowhere"
        with pytest.raises(UserError, match="'nowhere' is no prepared corpus"):
            batches_of(config, space)


def test_a_training_reads_its_vectors_from_disk(data: Clips) -> None:
    assert isinstance(data.vectors, CachedVectors) and data.vectors is data.vectors
    asked = list(data.said.numbering)
    assert len(data.vectors) == len(data.said.numbering) == len(asked) == len(set(asked)) > len(data.train_vectors)
    trained = {(code, text) for row in data.rows["train"] for code in data.anchors for text in row.texts[code]}
    assert set(asked[: len(data.train_vectors)]) == trained
    expected = data.space.encode([text for _, text in asked], [code for code, _ in asked])
    torch.testing.assert_close(data.vectors[:], expected, rtol=1e-4, atol=1e-6)


def test_the_sentences_asked_for_are_those_drawn_and_those_judged(data: Clips) -> None:
    asked, drawn = data.sentences(), list(data.said.numbering)
    assert asked[: len(drawn)] == drawn and len(set(asked)) == len(asked)
    unseen = {(code, row.texts[code][0]) for rows in data.rows.values() for row in rows for code in data.unseen}
    assert unseen and set(asked) == unseen | set(drawn)


def test_each_clip_says_one_of_its_own_sentences(data: Clips) -> None:
    for batch in map(data.batch, range(6)):
        for name, ids in zip(batch.ids, batch.target.tokens.ids, strict=True):
            row = next(row for row in data.rows["train"] if row.id == name)
            own = [(text, code) for code in data.targets for text in row.texts[code]]
            assert ids[ids != data.space.tokens.pad].tolist() in data.space.tokens.rows(*zip(*own, strict=True))


class TestIds:
    @pytest.mark.parametrize("size", [0, 1, 4, 5, 8, 23])
    def test_flat_rows_are_the_rows_whatever_the_slices(
        self, space: Any, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tokens_module, "SLICE", 4)
        texts = [f"{number} " + "Regen " * (number % 5) for number in range(size)]
        codes = [("deu_Latn", "eng_Latn")[number % 2] for number in range(size)]
        flat, rows = space.tokens.flat_rows(texts, codes), space.tokens.rows(texts, codes)
        assert len(flat) == size and list(flat) == rows and space.tokens.lengths(texts) == [len(row) for row in rows]
        if rows:
            assert flat[-1] == rows[-1] and all(type(number) is int for number in flat[0])
        with pytest.raises(IndexError):
            flat[size]

    def test_a_long_sentence_is_cut_as_everywhere(self, space: Any) -> None:
        long = ["Regen " * 2000]
        (row,) = space.tokens.flat_rows(long, ["deu_Latn"])
        assert space.tokens.lengths(long) == [len(row)] and space.tokens.truncated == 0
        assert row == space.tokens.rows(long, ["deu_Latn"])[0] and space.tokens.truncated == 1

    def test_four_bytes_hold_a_token(self) -> None:
        rows = FlatRows(iter([[[250000] * 30] * 1000]))
        assert rows._ids.nbytes == 4 * 30 * 1000

    def test_no_sentence_is_tokenised_before_a_batch_is_made(
        self, data: Clips, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = reopened(data)
        asked: list[int] = []
        flat_rows = SentenceTokens.flat_rows

        def noted(tokens: Any, texts: Any, codes: Any) -> FlatRows:
            asked.append(len(texts))
            return flat_rows(tokens, texts, codes)

        monkeypatch.setattr(SentenceTokens, "flat_rows", noted)
        data.sentences()
        assert not asked
        data.train_dataloader()
        assert asked == [len(data.said.numbering)], "here, so that no worker does it again"
        data.batch(0)
        assert len(asked) == 1


class Holding:
    """A corpus with other rows."""

    def __init__(self, corpus: Any, rows: Any) -> None:
        self.corpus, self.rows = corpus, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self.corpus, name)


class Changed:
    """A manifest whose rows are changed as they are read."""

    def __init__(self, rows: Any, change: Callable[[int, Row], Row]) -> None:
        self.rows, self.change = rows, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rows, name)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> Row:
        return self.change(place, self.rows[place])


class TestTexts:
    @pytest.fixture
    def changed(self, data: Clips) -> Any:
        """A function that opens the corpus once a clip says something else in some languages."""

        def opened(texts: dict[str, Any], *, split: str = "dev", pseudo: Any = None, **options: Any) -> Clips:
            first = int(data.corpus.rows.split(split)[0])

            def change(place: int, row: Row) -> Row:
                if place != first:
                    return row
                return replace(row, id="clip-7", texts={**row.texts, **texts}, pseudo=pseudo or {})

            return reopened(data, corpus=Holding(data.corpus, Changed(data.corpus.rows, change)), **options)

        return opened

    @pytest.mark.parametrize("code", ["deu_Latn", "tur_Latn"])
    @pytest.mark.parametrize("text", ["", " \t\n", "half \ud800"])
    def test_a_sentence_that_says_nothing_is_refused_by_the_name_of_its_clip(
        self, changed: Any, code: str, text: str
    ) -> None:
        with pytest.raises(UserError, match=f"Clip clip-7 in {code}: Sentence number 1 of 2"):
            changed({code: ["Regen", text]})

    def test_a_clip_may_lack_a_language_and_is_trained_in_the_others(self, changed: Any, data: Clips) -> None:
        silent = {code: [] for code in data.targets if code != "deu_Latn"}
        made = changed(silent, split="train", anchors=["eng_Latn"])
        row = made.rows["train"].numbers[:1]
        texts = made.rows["train"][0].texts["deu_Latn"]
        known = data.space.tokens.rows(texts, ["deu_Latn"] * len(texts))
        for seed in range(5):
            batch = made.collate(row, Random(seed))
            assert all(part.tokens.ids[0].tolist() in known for part in (batch.target, batch.anchor))

    def test_a_clip_without_any_target_sentence_is_named(self, changed: Any, data: Clips) -> None:
        with pytest.raises(UserError, match="Clip clip-7 has no sentence in deu_Latn or eng_Latn"):
            changed({code: [] for code in data.targets})

    def test_a_target_language_that_no_training_clip_has_is_refused(self, data: Clips) -> None:
        def without(_: int, row: Row) -> Row:
            return replace(row, texts={code: texts for code, texts in row.texts.items() if code != "rus_Cyrl"})

        corpus = Holding(data.corpus, Changed(data.corpus.rows, without))
        with pytest.raises(UserError, match="No training clip has a sentence in rus_Cyrl, only in deu_Latn, "):
            reopened(data, corpus=corpus, targets=["deu_Latn", "rus_Cyrl"])

    def test_a_corpus_without_a_dev_clip_is_refused(self, data: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = Changed(data.corpus.rows, lambda _, row: row)
        split = data.corpus.rows.split
        monkeypatch.setattr(rows, "split", lambda name: split(name)[: 0 if name == "dev" else None], raising=False)
        with pytest.raises(UserError, match="no dev clip to be chosen by; its splits are train, dev, test"):
            reopened(data, corpus=Holding(data.corpus, rows))

    def test_sentences_of_machines_are_trained_on_and_judged_only_without_others(self, changed: Any) -> None:
        made = changed(
            {"deu_Latn": []}, split="train", pseudo={"deu_Latn": ["Regen in Bayern."], "eng_Latn": ["Rain."]}
        )
        row = made.rows["train"][0]
        assert list(row.references("deu_Latn")) == ["Regen in Bayern."] and row.origin("deu_Latn") == "pseudo"
        assert "Rain." not in row.references("eng_Latn") and row.sentences("eng_Latn")[-1] == "Rain."
        number = int(made.rows["train"].numbers[0])
        drawn = list(made.said.numbering)
        assert [drawn[i] for i in made.said.numbering.of(number, "deu_Latn")] == [("deu_Latn", "Regen in Bayern.")]
        assert ("eng_Latn", "Rain.") in [drawn[i] for i in made.said.numbering.of(number, "eng_Latn")]
