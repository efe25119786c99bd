"""Tiny checkpoints in the layouts of the public ones, with random weights that tell every sentence from another."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertConfig, BertModel, RemBertConfig, RemBertModel

from sonar_slt.data.corpora.toy.meaning import draw_split
from sonar_slt.data.corpora.toy.sentences import render

SENTENCES = [render(meaning, "deu_Latn")[0] for meaning in draw_split("train", 60, seed=0)]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "regen", "im", "nord", "##en", ",", "grun", "[", "]", "sep"]
SIZES: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 40,
    "max_position_embeddings": 128,
    "initializer_range": 0.4,  # so large that scores differ from pair to pair
}
NARROW = 16


def write_pieces(path: Path) -> int:
    """Train a small sentencepiece model like RemBERT's; how many pieces it has."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=model,
        vocab_size=120,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        pad_piece="[PAD]",
        unk_piece="[UNK]",
        control_symbols=["[CLS]", "[SEP]", "[MASK]"],
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return int(sentencepiece.SentencePieceProcessor(model_file=str(path)).vocab_size())


def write_bleurt(folder: Path, *, seed: int = 0) -> tuple[Any, torch.nn.Linear]:
    """A checkpoint in the layout of BLEURT-20; the encoder and the head that it was written from."""
    folder.mkdir(parents=True)
    vocab = write_pieces(folder / "spm.model")
    torch.manual_seed(seed)
    encoder = RemBertModel(
        RemBertConfig(vocab_size=vocab, input_embedding_size=NARROW, bos_token_id=2, eos_token_id=3, **SIZES)
    ).eval()
    return encoder, _write(folder, encoder, {"vocab_size": vocab, "embedding_size": NARROW})


def write_old_bleurt(folder: Path) -> tuple[Any, torch.nn.Linear]:
    """A checkpoint in the layout of bleurt-base-512: a plain BERT with WordPieces."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    torch.manual_seed(1)
    encoder = BertModel(BertConfig(vocab_size=len(WORDS), **SIZES)).eval()
    return encoder, _write(folder, encoder, {"vocab_size": len(WORDS), "embedding_size": None})


def _write(folder: Path, encoder: Any, sizes: dict[str, Any]) -> torch.nn.Linear:
    head = torch.nn.Linear(SIZES["hidden_size"], 1)
    said = {"model_type": "bleurt", "architectures": ["BleurtForSequenceClassification"], "layer_norm_eps": 1e-12}
    said |= {"hidden_act": "gelu", "type_vocab_size": 2, "pad_token_id": 0, "id2label": {"0": "LABEL_0"}}
    (folder / "config.json").write_text(json.dumps({**said, **SIZES, **sizes}), encoding="utf-8")
    weights = {f"bleurt.{_port(name)}": value.clone() for name, value in encoder.state_dict().items()}
    weights |= {"classifier.weight": head.weight.detach(), "classifier.bias": head.bias.detach()}
    weights["bleurt.embeddings.position_ids"] = torch.arange(SIZES["max_position_embeddings"])[None]
    torch.save(weights, folder / "pytorch_model.bin")
    return head


def _port(name: str) -> str:
    return name.replace("embedding_hidden_mapping_in", "embedding_projection")


def weights_of(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(folder / "pytorch_model.bin", weights_only=True)
    return found


def as_safetensors(folder: Path, weights: dict[str, Tensor]) -> None:
    """Weights in the newer form, and no others."""
    (folder / "pytorch_model.bin").unlink(missing_ok=True)
    save_file(weights, folder / "model.safetensors")
