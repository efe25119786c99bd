"""BERTScore on tiny encoders: the values of a computation written out token by token, whatever the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

from sonar_slt.errors import UserError
from sonar_slt.metrics.learned.bertscore import BertScore
from sonar_slt.space.opening import silent
from tests.metrics.checkpoints import SENTENCES, SIZES

HYPOTHESES = [*SENTENCES[:5], "", SENTENCES[6]]
REFERENCES = [[SENTENCES[0]], [SENTENCES[3], SENTENCES[1]], *[[text] for text in SENTENCES[8:12]], ["  "]]
SURE = {"rtol": 0, "atol": 2e-5}


class Written:
    """An encoder in a folder, and BERTScore computed from it in the plainest way."""

    def __init__(self, folder: Path) -> None:
        words = sorted({word for text in SENTENCES for word in text.replace(".", " .").lower().split()})[::2]
        vocab = [*("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), *words]
        self.ids = {word: number for number, word in enumerate(vocab)}
        torch.manual_seed(0)
        self.model = BertModel(BertConfig(vocab_size=len(vocab), **SIZES)).eval()
        self.folder = folder
        folder.mkdir()
        path = folder / "vocab.txt"
        path.write_text("\n".join(vocab), encoding="utf-8")
        with silent():
            self.model.save_pretrained(folder)
        self.tokenizer = BertTokenizerFast(vocab=str(path), do_lower_case=True, model_max_length=128)
        self.tokenizer.save_pretrained(folder)

    def row(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer.encode(text.strip())
        return [*found[:127], 3] if len(found) > 128 else found

    @torch.no_grad()
    def plain(self, reference: str, said: str, layer: int, counts: dict[int, int] | None = None, n: int = 0) -> float:
        rows = [self.row(reference), self.row(said)]
        if min(map(len, rows)) == 2:
            return 0.0
        states = [self.model(torch.tensor([row]), output_hidden_states=True).hidden_states[layer][0] for row in rows]
        units = [state / state.norm(dim=1, keepdim=True) for state in states]
        found = []
        for row, one, other in ((rows[0], *units), (rows[1], *units[::-1])):
            weights = [0.0 if token in (2, 3) else _weight(token, counts, n) for token in row]
            nearest = [max(float(word @ near) for near in other) for word in one]
            found.append(sum(w * near for w, near in zip(weights, nearest, strict=True)) / sum(weights))
        recall, precision = found
        return 2 * precision * recall / (precision + recall)


def _weight(token: int, counts: dict[int, int] | None, n: int) -> float:
    return 1.0 if counts is None else math.log((n + 1) / (counts.get(token, 0) + 1))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("bertscore") / "tiny:bert")


def best(written: Written, layer: int, **idf: Any) -> list[float]:
    return [
        max(written.plain(text, said, layer, **idf) for text in given)
        for said, given in zip(HYPOTHESES, REFERENCES, strict=True)
    ]


@pytest.mark.parametrize("layer", [1, 3])
def test_values_are_those_of_the_plain_computation_whatever_the_batch(written: Written, layer: int) -> None:
    expected = best(written, layer)
    assert expected[0] == pytest.approx(1) and np.std(expected[1:5]) > 1e-3
    for batch_tokens in (1, 90, 8192):
        metric = BertScore(folder=str(written.folder), layer=layer, batch_tokens=batch_tokens)
        found = metric.measure(HYPOTHESES, REFERENCES, "deu_Latn")
        np.testing.assert_allclose(found.sentences, expected, **SURE)
    assert found.sentences[5] == found.sentences[6] == 0  # a side is empty
    assert found.value == pytest.approx(np.mean(expected), abs=2e-5)
    assert found.formula(found.statistics.sum(0)[None])[0] == pytest.approx(found.value)
    turned = metric.measure(HYPOTHESES[::-1], REFERENCES[::-1], "deu_Latn")
    np.testing.assert_allclose(turned.sentences[::-1], found.sentences, **SURE)


def test_rare_words_of_the_references_count_more(written: Written) -> None:
    rows = [set(written.row(text)) for given in REFERENCES for text in given]
    counts = {token: sum(token in row for row in rows) for row in rows for token in row}
    expected = best(written, 2, counts=counts, n=len(rows))
    found = BertScore(folder=str(written.folder), layer=2, idf=True).measure(HYPOTHESES, REFERENCES, "deu_Latn")
    np.testing.assert_allclose(found.sentences, expected, **SURE)
    assert np.abs(found.sentences[1:5] - best(written, 2)[1:5]).max() > 1e-3
    alone = BertScore(folder=str(written.folder), layer=2, idf=True).measure(["im Norden"], [["im Norden"]], "deu_Latn")
    assert alone.value == 0  # every word is in every reference: none tells anything


def test_the_signature_tells_model_weights_layer_and_idf(written: Written) -> None:
    one = BertScore(folder=str(written.folder), layer=2)
    weights = one._encoder.fingerprint[:8]
    assert one.signature == f"model:tiny_bert|weights:{weights}|layer:2|idf:no|rescaled:no|refs:best|version:1"
    assert "|idf:yes|" in BertScore(folder=str(written.folder), layer=2, idf=True).signature


def test_long_sentences_are_cut(written: Written, caplog: pytest.LogCaptureFixture) -> None:
    long = " ".join(SENTENCES[:20])
    found = BertScore(folder=str(written.folder), layer=2).measure([long], [[SENTENCES[3]]], "deu_Latn")
    assert found.value == pytest.approx(written.plain(SENTENCES[3], long, 2), abs=2e-5)
    assert "1 sentences reach there" in caplog.text


def write_roberta(folder: Path, sentences: Sequence[str]) -> tuple[Any, Any]:
    """A tiny RoBERTa, whose words begin with a space and whose positions begin behind the padding's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=names, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", **special).save_pretrained(folder)
    torch.manual_seed(0)
    model = RobertaModel(RobertaConfig(vocab_size=tokenizer.get_vocab_size(), pad_token_id=1, **SIZES)).eval()
    with silent():
        model.save_pretrained(folder)
    return model, tokenizer


@torch.no_grad()
def test_an_encoder_of_bytes_is_told_where_its_first_word_begins(tmp_path: Path) -> None:
    model, tokenizer = write_roberta(tmp_path / "roberta", SENTENCES)
    pair = SENTENCES[0], SENTENCES[1]
    states = [model(torch.tensor([tokenizer.encode(f" {text}").ids])).last_hidden_state[0] for text in pair]
    said, reference = (state / state.norm(dim=1, keepdim=True) for state in states)
    near = said @ reference.T
    precision, recall = near.amax(1)[1:-1].mean(), near.amax(0)[1:-1].mean()
    found = BertScore(folder=str(tmp_path / "roberta"), layer=3).measure([pair[0]], [[pair[1]]], "deu_Latn")
    assert found.value == pytest.approx(float(2 * precision * recall / (precision + recall)), abs=2e-5)
    assert BertScore(folder=str(tmp_path / "roberta"), layer=3)._encoder.most == 126  # its tokenizer does not say


def test_what_is_missing_or_wrong_is_one_sentence(written: Written, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metrics\.bertscore\.folder=null: .*/xlm-roberta-large"):
        BertScore()
    with pytest.raises(UserError, match=r"folder=nowhere: there is no model in such a folder"):
        BertScore(folder="nowhere")
    folder = str(written.folder)
    with pytest.raises(UserError, match=r"layer=0: expected the number of a layer"):
        BertScore(folder=folder, layer=0)
    with pytest.raises(UserError, match=r"layer=17: '.*' has 3 layers"):
        BertScore(folder=folder).measure(["a"], [["b"]], "deu_Latn")
    with pytest.raises(UserError, match=r"batch_tokens=0"):
        BertScore(folder=folder, batch_tokens=0)
    for name, told in (("model.safetensors", "its weights are missing"), ("vocab.txt", "its tokenizer is missing")):
        broken = tmp_path / name
        broken.mkdir()
        for path in written.folder.iterdir():
            if path.name not in (name, "tokenizer.json" if name == "vocab.txt" else ""):
                (broken / path.name).write_bytes(path.read_bytes())
        with pytest.raises(UserError, match=told):
            BertScore(folder=str(broken), layer=2).measure(["a"], [["b"]], "deu_Latn")


class Malice:
    def __reduce__(self) -> Any:
        return (Path("pwned").touch, ())


def test_weights_that_lack_some_or_hold_more_than_tensors_are_refused(written: Written, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    for path in written.folder.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    weights = written.model.state_dict()
    torch.save(weights, folder / "pytorch_model.bin")
    metrics = [BertScore(folder=str(place), layer=2) for place in (folder, written.folder)]
    one, other = (metric.measure(HYPOTHESES, REFERENCES, "deu_Latn") for metric in metrics)
    assert one.signature.replace("model:one", "model:tiny_bert") == other.signature
    np.testing.assert_allclose(one.sentences, other.sentences, **SURE)
    lacking = {name: value for name, value in weights.items() if "layer.1.output" not in name}
    torch.save(lacking, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"it lacks 4 weights, the first is encoder\.layer\.1\.output"):
        BertScore(folder=str(folder), layer=2).measure(["a"], [["b"]], "deu_Latn")
    torch.save({**weights, "more": Malice()}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="hold more than tensors"):
        BertScore(folder=str(folder), layer=2).measure(["a"], [["b"]], "deu_Latn")
    assert not Path("pwned").exists()
