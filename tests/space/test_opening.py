"""Opening a checkpoint: whole or half, in one precision, with no more memory than it needs; and every broken one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import M2M100ForConditionalGeneration

from sonar_slt import SentenceSpace
from sonar_slt.errors import UserError
from sonar_slt.space.weights import TABLE, fingerprint, stored_weights

TEXTS = ["Am Montag gibt es in Bayern Regen.", "Heute Nebel."]


@pytest.fixture
def copied(space_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(space_folder, tmp_path / "space"))


def test_it_opens_what_transformers_opens(space_folder: Path) -> None:
    ours = SentenceSpace.from_pretrained(space_folder).model
    theirs = M2M100ForConditionalGeneration.from_pretrained(space_folder)
    expected = theirs.state_dict()
    assert ours.state_dict().keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in ours.state_dict().items())
    ids = torch.tensor([[5, 6, 7, 2]])
    given = {"input_ids": ids, "decoder_input_ids": ids}
    with torch.no_grad():
        torch.testing.assert_close(ours(**given).logits, theirs.eval()(**given).logits)


def test_sharded_folders_open_too(space: Any, tmp_path: Path) -> None:
    space.model.save_pretrained(tmp_path / "sharded", max_shard_size="100KB")
    space.tokens.tokenizer.save_pretrained(tmp_path / "sharded")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    again = SentenceSpace.from_pretrained(tmp_path / "sharded")
    assert again.fingerprint == space.fingerprint
    assert torch.equal(again.encode(TEXTS, "deu_Latn"), space.encode(TEXTS, "deu_Latn"))


def test_the_fingerprint_is_of_the_checkpoint_whatever_is_opened_of_it(space_folder: Path) -> None:
    whole = SentenceSpace.from_pretrained(space_folder)
    assert whole.fingerprint == fingerprint(dict(whole.model.named_parameters()))
    for options in ({"only": "decoder"}, {"only": "encoder"}, {"dtype": "bfloat16"}):
        assert SentenceSpace.from_pretrained(space_folder, **options).fingerprint == whole.fingerprint


def test_half_a_space_does_its_half(space_folder: Path) -> None:
    whole = SentenceSpace.from_pretrained(space_folder)
    encoder, decoder = (SentenceSpace.from_pretrained(space_folder, only=half) for half in ("encoder", "decoder"))
    vectors = encoder.encode(TEXTS, "deu_Latn")
    assert torch.equal(vectors, whole.encode(TEXTS, "deu_Latn"))
    assert decoder.decode(vectors, "deu_Latn", max_new_tokens=8) == whole.decode(vectors, "deu_Latn", max_new_tokens=8)
    with pytest.raises(UserError, match="only='decoder'"):
        decoder.encode(TEXTS, "deu_Latn")
    for act in (
        lambda: encoder.decode(vectors, "deu_Latn"),
        lambda: encoder.log_likelihood(vectors, TEXTS, "deu_Latn"),
        lambda: encoder.save(Path("nowhere")),
    ):
        with pytest.raises(UserError, match="only='encoder'"):
            act()
    assert not [name for name, _ in decoder.model.named_parameters() if "encoder.layers" in name]


def test_opening_a_decoder_costs_its_bytes(tmp_path: Path) -> None:
    sizes = {"dim": 256, "layers": 12, "heads": 4, "hidden": 4096, "vocabulary": 40000}
    SentenceSpace.at_random(**sizes).save(tmp_path / "large")
    script = (
        "import resource, sys, torch\n"
        "from sonar_slt.space import SentenceSpace\n"
        "SentenceSpace.from_pretrained(sys.argv[2]).vector_id\n"  # what is imported and built late is there now
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\n"
        "space = SentenceSpace.from_pretrained(sys.argv[1], only='decoder', dtype=sys.argv[3])\n"
        "space.vector_id\n"  # what the vector cache asks for first
        "size = sum(w.numel() * w.element_size() for w in space.model.parameters())\n"
        "print((peak() - before) / size)\n"
    )
    SentenceSpace.at_random(dim=16, layers=1, heads=1, hidden=16, vocabulary=40000).save(tmp_path / "small")
    for dtype in ("float32", "bfloat16"):
        command = [sys.executable, "-c", script, str(tmp_path / "large"), str(tmp_path / "small"), dtype]
        ratio = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        # one tensor in the stored precision comes on top: at SONAR's sizes it weighs less, here up to a quarter
        assert ratio < (1.1 if dtype == "float32" else 1.35), ratio


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def cut_in_the_header(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:40])


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def without_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layer_norm.bias"]
    save_file(weights, folder / "model.safetensors")


def with_a_weight_of_another_name(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.decoder.norm.bias"] = weights.pop("model.decoder.layer_norm.bias")
    save_file(weights, folder / "model.safetensors")


def with_a_header_of_another_kind(folder: Path) -> None:
    header = json.dumps(["no", "dict"]).encode()
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)


def with_a_place_of_another_size(folder: Path) -> None:
    path = folder / "model.safetensors"
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    header["model.decoder.layer_norm.bias"]["data_offsets"][0] -= 4
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])


def with_an_index_that_leads_away(folder: Path) -> None:
    index = {"weight_map": {TABLE: "../model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def with_text_for_a_number(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"d_model": "wide"}))


def with_heads_that_do_not_divide(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"decoder_attention_heads": 7}))


def with_code_of_its_own(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    strange = {"model_type": "strange", "auto_map": {"AutoConfig": "code.Strange"}}
    (folder / "config.json").write_text(json.dumps(config | strange))
    (folder / "code.py").write_text("raise SystemExit('it ran')\n")


def with_more_tokens_than_rows(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": config["vocab_size"] - 1}))


def with_another_shape(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights[TABLE] = weights[TABLE][:-1].clone()
    save_file(weights, folder / "model.safetensors")


def in_whole_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight.to(torch.int8) for name, weight in weights.items()}, folder / "model.safetensors")


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def of_another_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bart"}))


def with_a_head_of_its_own(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def without_its_words(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def without_languages(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.write_text(path.read_text().replace("_Latn", "_Lat").replace("_Cyrl", "_Cyr"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut, "cut short: .* ends 100 bytes behind"),
        (cut_in_the_header, "cut short or is no safetensors"),
        (empty, "cut short or is no safetensors"),
        (without_a_weight, r"lacks 1 of .*decoder\.layer_norm\.bias"),
        (with_a_weight_of_another_name, r"lacks 1 of .*decoder\.layer_norm\.bias"),
        (with_another_shape, "lacks 1 of .*shared"),
        (with_a_header_of_another_kind, "header cannot be read"),
        (with_a_place_of_another_size, r"damaged: model\.decoder\.layer_norm\.bias"),
        (with_an_index_that_leads_away, "no index of files of weights"),
        (with_text_for_a_number, "config.json"),
        (with_heads_that_do_not_divide, "do not divide"),
        (with_code_of_its_own, "config.json"),
        (with_more_tokens_than_rows, "do not belong together"),
        (in_whole_numbers, "I8; expected"),
        (pickled, "has no model.safetensors"),
        (of_another_kind, "bart model"),
        (with_a_head_of_its_own, "head of its own"),
        (without_config, "config.json"),
        (without_tokenizer, "tokenizer"),
        (without_its_words, "no tokenizer.json"),
        (without_languages, "no language tokens"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_broken_checkpoint_is_one_sentence(copied: Path, damage: Callable[[Path], None], says: str) -> None:
    damage(copied)
    with pytest.raises(UserError, match=says) as raised:
        SentenceSpace.from_pretrained(copied)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ("nowhere/at-all-here", {}, "No sentence space"),
        ("no such folder", {}, "No sentence space"),
        (None, {"dtype": "float8"}, "float8"),
        (None, {"only": "head"}, "only='head'"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    space_folder: Path, source: str | None, options: dict[str, str], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        SentenceSpace.from_pretrained(source or space_folder, **options)


def test_a_table_under_any_of_its_names_is_the_table(copied: Path) -> None:
    before = fingerprint(stored_weights(copied))
    weights = load_file(copied / "model.safetensors")
    weights["model.decoder.embed_tokens.weight"] = weights.pop(TABLE)
    save_file(weights, copied / "model.safetensors")
    assert fingerprint(stored_weights(copied)) == before
    SentenceSpace.from_pretrained(copied)


def test_the_fingerprint_is_refused_once_the_files_are_others(copied: Path) -> None:
    space = SentenceSpace.from_pretrained(copied)
    with_a_weight_of_another_name(copied)
    with pytest.raises(UserError, match="were replaced since"):
        _ = space.fingerprint


def test_whatever_decides_a_vector_is_in_its_name(copied: Path) -> None:
    before = SentenceSpace.from_pretrained(copied)
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"scale_embedding": False}))
    after = SentenceSpace.from_pretrained(copied)
    assert before.fingerprint == after.fingerprint and before.vector_id != after.vector_id
    (copied / "config.json").write_text(json.dumps(config))
    tokenizer = json.loads((copied / "tokenizer.json").read_text())
    tokenizer["model"]["merges"].pop()
    (copied / "tokenizer.json").write_text(json.dumps(tokenizer))
    other = SentenceSpace.from_pretrained(copied)
    assert other.fingerprint == before.fingerprint and other.vector_id != before.vector_id


def test_a_name_is_the_same_in_another_process_and_after_use(space_folder: Path) -> None:
    used = SentenceSpace.from_pretrained(space_folder)
    used.encode(TEXTS, "deu_Latn")
    used.tokens.tokenizer(TEXTS, padding=True, truncation=True, max_length=8)  # leaves its mark on the tokenizer
    assert used.vector_id == SentenceSpace.from_pretrained(space_folder).vector_id
