"""A space of any size that has learnt nothing, for measuring speed and memory where SONAR's weights are not at hand.

Its tokenizer has one token per character, and as many more as the vocabulary has rows, so that whatever its random
decoder says can be written down.
"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor
from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES
from sonar_slt.space.opening import Model, filled
from sonar_slt.space.tokens import CONTROL_TOKENS, MAX_TOKENS
from sonar_slt.space.weights import TABLE

CHARACTERS = range(0x21, 0x2000)  # the alphabets of the west and of the middle east, and the signs of India


def random_model(
    *,
    dim: int,
    layers: int,
    heads: int,
    hidden: int,
    vocabulary: int,
    seed: int,
    precision: torch.dtype,
    device: str | torch.device = "cpu",
    only: str | None = None,
) -> Model:
    """An M2M100 with normal weights of standard deviation 1 / sqrt(dim), the same for a seed in each half."""
    config = M2M100Config(
        vocab_size=vocabulary,
        d_model=dim,
        encoder_layers=0 if only == "decoder" else layers,
        decoder_layers=0 if only == "encoder" else layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=hidden,
        decoder_ffn_dim=hidden,
        max_position_embeddings=MAX_TOKENS,
        attention_dropout=0.0,
    )
    with torch.device("meta"):
        model: Model = M2M100ForConditionalGeneration(config)
    names = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    weights = {name: _weight(name, shape, seed).to(device, precision) for name, shape in names.items()}
    return filled(model, weights)


def random_tokenizer(vocabulary: int) -> NllbTokenizer:
    """Characters as tokens, every language of SONAR, and `▁number` for each further row of the vocabulary."""
    room = vocabulary - len(LANGUAGES) - 1  # transformers adds `<mask>` before the languages
    words = [*CONTROL_TOKENS, "▁", *(chr(code) for code in CHARACTERS)]
    if room < len(words):
        raise UserError(
            f"vocabulary={vocabulary}: a random space needs {len(words) + len(LANGUAGES) + 1:,} rows at least."
        )
    words += [f"▁{number}" for number in range(len(words), room)]
    return NllbTokenizer(
        vocab={word: row for row, word in enumerate(words)},
        merges=[],
        extra_special_tokens=list(LANGUAGES),
        model_max_length=MAX_TOKENS,
    )


def _weight(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Norms that change nothing, small biases, and products that keep the size of what they are given."""
    if name.endswith("norm.weight"):
        return torch.ones(shape)
    generator = torch.Generator().manual_seed(seed + zlib.crc32(name.encode()))
    deviation = 0.02 if len(shape) == 1 else shape[-1] ** -0.5
    weight = torch.empty(shape).normal_(std=deviation, generator=generator)
    if name == TABLE:
        weight[1] = 0.0  # padding
    return weight
