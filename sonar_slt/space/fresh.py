"""A sentence space before it has learnt anything: an NLLB-style tokenizer trained on the spot, and random weights.

Training it is a task like any other (`task=text_space`); this module only lays the first stone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from torch import nn
from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

from sonar_slt.space.tokens import CONTROL_TOKENS, MAX_TOKENS

STOPS = Regex("[,.;:!?]")
"""Marks that are never merged into a word."""


def train_tokenizer(sentences: Iterable[str], languages: Sequence[str], *, size: int) -> NllbTokenizer:
    """A byte-pair tokenizer of NLLB's kind, one token per language; a word and the mark behind it stay apart."""
    learner = Tokenizer(models.BPE(unk_token="<unk>"))
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always"), pre_tokenizers.Split(STOPS, "isolated")]
    )
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(CONTROL_TOKENS), show_progress=False)
    learner.train_from_iterator(sentences, trainer)
    state = json.loads(learner.to_str())["model"]
    merges: Any = [tuple(merge) for merge in state["merges"]]
    return NllbTokenizer(
        vocab=state["vocab"],
        merges=merges,
        extra_special_tokens=list(languages),
        model_max_length=MAX_TOKENS,
    )


def new_model(
    tokenizer: Any,
    *,
    dim: int,
    layers: int,
    decoder_layers: int,
    heads: int,
    hidden: int,
    decoder_hidden: int,
    loudness: float = 1.0,
) -> Any:
    """An M2M100 of any size with random weights of standard deviation 1 / sqrt(dim).

    What reads the sentence vector in each decoder layer starts `loudness` times larger: a mean over a whole sentence
    is a small voice beside the decoder's own states, and is learnt late if it is not heard.
    """
    config = M2M100Config(
        vocab_size=len(tokenizer),
        d_model=dim,
        encoder_layers=layers,
        decoder_layers=decoder_layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=hidden,
        decoder_ffn_dim=decoder_hidden,
        max_position_embeddings=MAX_TOKENS,
        scale_embedding=True,
        activation_function="relu",
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        init_std=dim**-0.5,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
    )
    model: Any = M2M100ForConditionalGeneration(config)
    model.set_attn_implementation("sdpa")
    with torch.no_grad():
        for layer in model.model.decoder.layers:
            layer.encoder_attn.v_proj.weight.mul_(loudness)
    return model


@torch.no_grad()
def rescale(model: M2M100ForConditionalGeneration, factor: float) -> None:
    """Multiply every sentence vector by `factor` without changing any output of the decoder.

    The encoder's last layer norm grows by the factor, what reads the vector in each decoder layer shrinks by it.
    SONAR's vectors have elements of about 0.0075; a space of that scale lets loss weights mean what they mean there.
    """
    norm: nn.LayerNorm = model.model.encoder.layer_norm
    norm.weight.mul_(factor)
    norm.bias.mul_(factor)
    for layer in model.model.decoder.layers:
        layer.encoder_attn.v_proj.weight.div_(factor)
        layer.encoder_attn.k_proj.weight.div_(factor)
