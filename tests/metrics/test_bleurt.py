"""BLEURT on tiny checkpoints: the values of a plain computation, whatever the batch, and never computed twice."""

from __future__ import annotations

import logging
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch

from sonar_slt.errors import UserError
from sonar_slt.metrics.intervals import bootstrap
from sonar_slt.metrics.learned.bleurt import Bleurt
from sonar_slt.metrics.learned.bleurt_shape import BleurtShape
from sonar_slt.metrics.learned.bleurt_tokens import WordPieces
from sonar_slt.metrics.learned.memory import PairMemory
from tests.metrics.checkpoints import (
    SENTENCES,
    SIZES,
    WORDS,
    as_safetensors,
    weights_of,
    write_bleurt,
    write_old_bleurt,
)

HYPOTHESES = [*SENTENCES[:6], "", SENTENCES[7]]
REFERENCES = [[SENTENCES[0]], [SENTENCES[3], SENTENCES[1]], *[[text] for text in SENTENCES[8:13]], [""]]
ROWS = list(zip(HYPOTHESES, REFERENCES, strict=True))
SURE = {"rtol": 0, "atol": 2e-5}


class Written:
    """A checkpoint and the plain computation of what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.encoder, self.head = write_bleurt(folder)
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))

    def plain(self, reference: str, said: str, most: int = 128) -> float:
        """One pair alone, without padding."""
        left, right = self.pieces.encode(reference, out_type=str), self.pieces.encode(said, out_type=str)
        while len(left) + len(right) + 3 > most:
            (left if len(left) > len(right) else right).pop()
        ids = [self.pieces.piece_to_id(piece) for piece in ["[CLS]", *left, "[SEP]", *right, "[SEP]"]]
        sides = [0] * (len(left) + 2) + [1] * (len(right) + 1)
        return run(self.encoder, self.head, ids, sides)

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.folder, folder))


@torch.no_grad()
def run(encoder: Any, head: torch.nn.Linear, ids: Sequence[int], sides: Sequence[int]) -> float:
    pooled = encoder(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([sides])).pooler_output
    return float(head(pooled))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("bleurt") / "checkpoint")


def bleurt(folder: Path, **said: Any) -> Bleurt:
    return Bleurt(folder=str(folder), **{"max_tokens": 128, **said})


def test_values_are_those_of_the_plain_network_whatever_the_batch_and_the_order(written: Written) -> None:
    expected = [max(written.plain(text, said) for text in given) for said, given in ROWS]
    assert np.std(expected) > 0.05 and written.plain(*SENTENCES[:2]) != pytest.approx(written.plain(*SENTENCES[1::-1]))
    for batch_tokens in (1, 70, 8192):
        found = bleurt(written.folder, batch_tokens=batch_tokens).measure(HYPOTHESES, REFERENCES, "deu_Latn")
        np.testing.assert_allclose(found.sentences, expected, **SURE)
        assert found.value == pytest.approx(np.mean(expected), abs=2e-5)
    turned = bleurt(written.folder).measure(HYPOTHESES[::-1], REFERENCES[::-1], "deu_Latn")
    np.testing.assert_allclose(turned.sentences[::-1], found.sentences, **SURE)
    assert found.formula(found.statistics.sum(0)[None])[0] == pytest.approx(found.value)
    low, high = bootstrap({"bleurt": (found.statistics, found.formula)}, 200, 1)["bleurt"]
    assert low < found.value < high


def test_the_signature_tells_weights_and_cut_and_another_network_shows_in_its_name(written: Written) -> None:
    one = bleurt(written.folder)
    assert one.title == "BLEURT-20-D3"
    assert one.signature.startswith(f"model:{one.title}|weights:") and one.signature.endswith("|refs:best|version:1")
    assert bleurt(written.folder, max_tokens=32).signature != one.signature
    sizes = {key: value for key, value in SIZES.items() if key != "initializer_range"}
    named = {
        BleurtShape(**{**sizes, "num_hidden_layers": layers}, vocab_size=9, embedding_size=narrow).name
        for layers, narrow in ((32, 256), (12, 128), (12, None), (24, 128))
    }
    assert named == {"BLEURT-20", "BLEURT-20-D12", "BLEURT-12x24", "BLEURT-24x24"}


def test_a_long_pair_loses_the_ends_of_its_longer_side(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    long, short = " ".join(SENTENCES[:3]), SENTENCES[4]
    sides = [(long, short), (short, long), (long, long), (short, short)]
    with caplog.at_level(logging.WARNING):
        metric = bleurt(written.folder, max_tokens=20)
        found = metric.measure([said for _, said in sides], [[text] for text, _ in sides], "deu_Latn")
    np.testing.assert_allclose(found.sentences, [written.plain(*pair, most=20) for pair in sides], **SURE)
    assert "4 of 4 pairs were cut at 20 tokens" in caplog.text


def test_the_older_checkpoints_read_word_pieces(tmp_path: Path) -> None:
    encoder, head = write_old_bleurt(tmp_path / "old")
    found = bleurt(tmp_path / "old").measure(["Regen, Nebel"], [["[SEP] Norden GRÜN"]], "deu_Latn")
    words = ["[CLS]", "[", "sep", "]", "nord", "##en", "grun", "[SEP]", "regen", ",", "[UNK]", "[SEP]"]
    expected = run(encoder, head, [WORDS.index(word) for word in words], [0] * 8 + [1] * 4)
    assert found.sentences[0] == pytest.approx(expected, abs=2e-5)
    cased = WordPieces(tmp_path / "old" / "vocab.txt", lower=False)
    assert cased.ids(["Regen regen"]) == [[WORDS.index("[UNK]"), WORDS.index("regen")]]
    assert cased.ids(["nord" * 50, "im" * 101]) == [[WORDS.index("[UNK]")]] * 2


def spoilt(folder: Path, cache: Path) -> Bleurt:
    """The same metric, whose network can say nothing any more."""
    one = bleurt(folder, cache=str(cache))
    assert one.signature  # the weights are known by what they were
    torch.nn.init.constant_(one._opened.model.classifier.weight, torch.nan)
    return one


def test_what_was_scored_once_is_not_computed_again(written: Written, tmp_path: Path) -> None:
    first = bleurt(written.folder, cache=str(tmp_path)).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    again = spoilt(written.folder, tmp_path)
    np.testing.assert_array_equal(again.measure(HYPOTHESES, REFERENCES, "deu_Latn").sentences, first.sentences)
    with pytest.raises(UserError, match="says no number of some pairs"):
        again.measure(["Neu."], [["Alt."]], "deu_Latn")
    (kept,) = tmp_path.glob("*.jsonl")
    assert SENTENCES[0] not in kept.read_text(encoding="utf-8")
    write_bleurt(tmp_path / "other", seed=5)
    changed = bleurt(tmp_path / "other", cache=str(tmp_path)).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    assert np.abs(changed.sentences - first.sentences).min() > 1e-4
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_killed_job_goes_on_where_it_was(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bleurt(written.folder).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    keep, kept = PairMemory.keep, []

    def killed(memory: PairMemory, scores: Any) -> None:
        kept.extend(scores)
        keep(memory, scores)
        if len(kept) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(PairMemory, "keep", killed)
        bleurt(written.folder, cache=str(tmp_path), batch_tokens=1).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-9])  # the last line was being written
    said = {said: [given for given, other in kept[:3] if other == said] for _, said in kept[:3]}
    spoilt(written.folder, tmp_path).measure(list(said), list(said.values()), "deu_Latn")
    found = bleurt(written.folder, cache=str(tmp_path)).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    np.testing.assert_allclose(found.sentences, whole.sentences, **SURE)
    np.testing.assert_array_equal(
        spoilt(written.folder, tmp_path).measure(HYPOTHESES, REFERENCES, "deu_Latn").sentences, found.sentences
    )


def test_several_jobs_keep_their_scores_in_one_file(tmp_path: Path) -> None:
    def work(job: int) -> None:
        memory = PairMemory(folder=tmp_path, identity="one", key="cache")
        for number in range(10):
            memory.keep({(f"{job} {number}", "ja\n\u2028"): job + number / 16})

    jobs = [threading.Thread(target=work, args=(job,)) for job in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    every = {(f"{job} {number}", "ja\n\u2028"): job + number / 16 for job in range(4) for number in range(10)}
    assert PairMemory(folder=tmp_path, identity="one", key="cache").known([*every, ("", "")]) == every
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cache=\S+file: no scores can be kept there .* cache=null"):
        PairMemory(folder=tmp_path / "file", identity="one", key="cache").keep({("a", "b"): 0.5})


def test_both_forms_of_weights_say_the_same(written: Written, tmp_path: Path) -> None:
    folder = written.copy(tmp_path / "new")
    as_safetensors(folder, weights_of(folder))
    one, other = (bleurt(place).measure(HYPOTHESES, REFERENCES, "deu_Latn") for place in (written.folder, folder))
    assert one.signature == other.signature
    np.testing.assert_allclose(one.sentences, other.sentences, **SURE)


def test_a_tensor_too_few_or_too_many_is_named(written: Written, tmp_path: Path) -> None:
    name, good = "bleurt.encoder.embedding_projection.weight", weights_of(written.folder)
    renamed = {key.replace("embedding_projection", "projection"): value for key, value in good.items()}
    for wrong, told in (
        (renamed, rf"lacks bleurt.encoder.embedding_projection.bias, {name}"),
        ({**good, "bleurt.cls.bias": torch.zeros(2)}, r"holds bleurt\.cls\.bias, which no BLEURT"),
        (
            {**good, name: good[name].T.contiguous()},
            rf"holds {name} as \(16, 24\), its .* \(24, 16\)",
        ),
    ):
        folder = written.copy(tmp_path / str(len(list(tmp_path.iterdir()))))
        as_safetensors(folder, wrong)
        with pytest.raises(UserError, match=told):
            bleurt(folder).measure(["a"], [["b"]], "deu_Latn")


class Malice:
    def __reduce__(self) -> Any:
        return (Path("pwned").touch, ())


def test_no_pickle_is_opened_and_a_broken_file_is_told(written: Written, tmp_path: Path) -> None:
    folder = written.copy(tmp_path / "one")
    weights = folder / "pytorch_model.bin"
    whole = weights.read_bytes()
    for content in (pickle.dumps({"classifier.weight": Malice()}), whole[: len(whole) // 2]):
        weights.write_bytes(content)
        with pytest.raises(UserError, match="is cut short, or holds more than tensors and is not read"):
            bleurt(folder).measure(["a"], [["b"]], "deu_Latn")
    assert not Path("pwned").exists()
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(UserError, match="is no safetensors file"):
        bleurt(folder).measure(["a"], [["b"]], "deu_Latn")
    (folder / "spm.model").write_bytes(b"nothing")
    as_safetensors(folder, weights_of(written.folder))
    with pytest.raises(UserError, match="is no sentencepiece model"):
        bleurt(folder).measure(["a"], [["b"]], "deu_Latn")


def test_what_is_missing_is_told_when_the_metric_is_made(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"metrics\.bleurt\.folder=null: .* lucadiliello/BLEURT-20"):
        Bleurt()
    with pytest.raises(UserError, match=r"folder=\S+nowhere: there is no such folder; .* lucadiliello/BLEURT-20"):
        bleurt(tmp_path / "nowhere")
    for number, (name, content, told) in enumerate(
        (
            ("config.json", None, "it has no config.json"),
            ("config.json", "{", "cannot be read as json"),
            ("config.json", '{"model_type": "bert"}', "of the type bert, not bleurt"),
            ("config.json", '{"model_type": "bleurt"}', "lacks a size of the network .*vocab_size"),
            ("pytorch_model.bin", None, "it has no model.safetensors or pytorch_model.bin"),
            ("spm.model", None, "it has neither spm.model nor vocab.txt"),
        )
    ):
        folder = written.copy(tmp_path / str(number))
        (folder / name).unlink()
        if content:
            (folder / name).write_text(content, encoding="utf-8")
        with pytest.raises(UserError, match=told):
            bleurt(folder)
    with pytest.raises(UserError, match=r"max_tokens=512: expected 8 to 128"):
        Bleurt(folder=str(written.folder))
    with pytest.raises(UserError, match=r"batch_tokens=0"):
        bleurt(written.folder, batch_tokens=0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install sonar-slt\[bleurt\]"):
        bleurt(written.folder)


def test_neither_the_room_nor_the_metric_loads_torch(written: Written) -> None:
    made = f"Bleurt(folder={str(written.folder)!r}, max_tokens=128)"
    program = f"import sys; from sonar_slt.metrics import BertScore, Bleurt; {made}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
