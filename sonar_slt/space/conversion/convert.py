"""SONAR's encoder and decoder files of fairseq or fairseq2 into one transformers folder.

Every name and shape is checked before anything is written, weights pass through a few megabytes at a time, and the
folder appears in one step when it is whole and on the disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, M2M100Config, M2M100ForConditionalGeneration

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES
from sonar_slt.progress import counted
from sonar_slt.space.conversion.agreement import check_names, check_tables, read_tokenizer, spare_rows
from sonar_slt.space.conversion.draft import drafted, vacant
from sonar_slt.space.conversion.foreign import ForeignCheckpoint, open_checkpoint
from sonar_slt.space.conversion.shards import SHARD_BYTES, Shapes, planned, write_index, write_shard
from sonar_slt.space.opening import precision_of
from sonar_slt.space.tokens import CONTROL_TOKENS, MAX_TOKENS
from sonar_slt.space.weights import STORED_PRECISIONS, TABLE, fingerprint, stored_weights

SONAR_HEADS = 16


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written."""

    folder: Path
    layouts: tuple[str, str]  # of the encoder's file and of the decoder's
    parameters: int
    size: int  # in bytes, weights alone
    precision: str
    languages: int
    spare_rows: int  # rows of the table that no token of the tokenizer has
    fingerprint: str


def convert(
    encoder: str | Path,
    decoder: str | Path,
    tokenizer: str | Path,
    output: str | Path,
    *,
    heads: int = SONAR_HEADS,
    dtype: str | torch.dtype | None = None,
    tolerance: float = 0.0,
    shard_bytes: int = SHARD_BYTES,
    progress: bool = False,
) -> Converted:
    """Write a folder that transformers and `SentenceSpace.from_pretrained` open.

    `dtype` is that of the files unless given. The two tables of word vectors may differ by `tolerance`; the encoder's
    is kept, so that sentence vectors are upstream's.
    """
    final = vacant(output)
    halves = [open_checkpoint(encoder, "encoder"), open_checkpoint(decoder, "decoder")]
    precision = _precision(halves, dtype)
    config = configuration(halves, heads, precision)
    shapes = expected(config)
    check_names(halves, shapes)
    tokens = read_tokenizer(tokenizer)  # fetched, if need be, once the files are known to be right
    spare = spare_rows(tokens, config.vocab_size, tokenizer)
    check_tables(halves, tolerance)
    layouts = (halves[0].layout, halves[1].layout)
    size = sum(math.prod(shape) for shape in shapes.values()) * precision.itemsize
    with drafted(final) as draft:
        with counted("Converting", len(shapes), shown=progress) as done:
            shards = _write(halves, draft, shapes, precision, shard_bytes, done)
        write_index(draft, shards, size)
        config.save_pretrained(draft)
        GenerationConfig.from_model_config(config).save_pretrained(draft)
        tokens.save_pretrained(draft)
        hashed = _read_back(draft, shapes)
    return Converted(
        folder=final,
        layouts=layouts,
        parameters=size // precision.itemsize,
        size=size,
        precision=str(precision).removeprefix("torch."),
        languages=sum(code in tokens.get_vocab() for code in LANGUAGES),
        spare_rows=spare,
        fingerprint=hashed,
    )


# --- what the model is ----------------------------------------------------------------------------------------------


def configuration(halves: Iterable[ForeignCheckpoint], heads: int, precision: torch.dtype) -> M2M100Config:
    """The model's config, its sizes read from the shapes; the number of heads cannot be seen there."""
    encoder, decoder = halves
    table = _found(encoder, TABLE)
    if table.ndim != 2 or len(table) <= len(CONTROL_TOKENS):
        raise UserError(f"'{encoder.path}' has a table of word vectors of shape {tuple(table.shape)}; it needs rows.")
    rows, dim = table.shape
    if heads < 1 or dim % heads:
        raise UserError(f"heads={heads} does not divide the model's width of {dim} evenly.")
    return M2M100Config(
        vocab_size=rows,
        d_model=dim,
        encoder_layers=encoder.layers,
        decoder_layers=decoder.layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=_found(encoder, "model.encoder.layers.0.fc1.weight").shape[:1].numel(),
        decoder_ffn_dim=_found(decoder, "model.decoder.layers.0.fc1.weight").shape[:1].numel(),
        max_position_embeddings=MAX_TOKENS,  # sinusoids: transformers computes further ones when they are needed
        scale_embedding=True,
        activation_function="relu",
        dropout=0.1,
        activation_dropout=0.1,
        attention_dropout=0.0,  # SONAR says 0.1, which would drop the only key of the cross-attention
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        tie_word_embeddings=True,
        dtype=precision,
        architectures=["M2M100ForConditionalGeneration"],
    )


def expected(config: M2M100Config) -> Shapes:
    """Name and shape of every weight that transformers will look for; what is tied counts once."""
    with torch.device("meta"):
        model: Any = M2M100ForConditionalGeneration(config)
    return {name: tuple(weight.shape) for name, weight in model.named_parameters()}


def _precision(halves: Iterable[ForeignCheckpoint], dtype: str | torch.dtype | None) -> torch.dtype:
    if dtype is not None:
        return precision_of(dtype)
    found = {weight.dtype for half in halves for weight in half.weights.values()} & set(STORED_PRECISIONS.values())
    if len(found) > 1:
        names = sorted(str(precision).removeprefix("torch.") for precision in found)
        raise UserError(f"The files hold weights in {' and '.join(names)}: choose one with dtype=.")
    return next(iter(found), torch.float32)


def _found(half: ForeignCheckpoint, name: str) -> Tensor:
    if half.called(name) not in half.weights:
        raise UserError(f"'{half.path}' lacks {half.called(name)}, from which the size of the model is read.")
    return half.weights[half.called(name)]


# --- writing --------------------------------------------------------------------------------------------------------


def _write(
    halves: list[ForeignCheckpoint],
    folder: Path,
    shapes: Shapes,
    precision: torch.dtype,
    limit: int,
    done: Callable[[int], None],
) -> dict[str, Shapes]:
    """Write all shards; `halves` is emptied, so that the pages of the encoder's file are let go before the decoder's.

    The decoder can be opened without the encoder's shards, and the other way round.
    """
    groups = [_part(shapes, prefix) for prefix in (TABLE, "model.encoder.", "model.decoder.")]
    shards = planned(groups, precision, limit=limit)
    while halves:
        source = halves.pop(0)
        for file, own in shards.items():
            if all(name.startswith("model.decoder.") for name in own) == (source.half == "decoder"):
                write_shard(folder / file, own, precision, _converted(source, precision, done))
        del source
    return shards


def _converted(
    source: ForeignCheckpoint, precision: torch.dtype, done: Callable[[int], None]
) -> Callable[[str], Iterator[Tensor]]:
    def pieces(name: str) -> Iterator[Tensor]:
        for piece in source.pieces(name):
            converted = piece.to(precision)
            if not torch.isfinite(converted).all():
                kept = "" if piece.dtype == precision else f" as {str(precision).removeprefix('torch.')}"
                raise UserError(f"'{source.path}' holds NaN or infinity in {source.called(name)}{kept}.")
            yield converted
        done(1)

    return pieces


def _part(shapes: Shapes, prefix: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if name.startswith(prefix)}


def _read_back(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The fingerprint of what lies on disk now; a fault of ours if that is not what was to be written."""
    stored = stored_weights(folder)
    if {name: tensor.shape for name, tensor in stored.items()} != dict(shapes):
        raise ValueError(f"{folder} does not hold the weights that were written")
    return fingerprint(stored)
