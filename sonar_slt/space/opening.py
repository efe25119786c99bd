"""From a folder or a hub id to a frozen model: checks first, then the weights, one tensor at a time.

Half of a model can be opened alone. Decoding and training on cached vectors need no encoder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, M2M100ForConditionalGeneration
from transformers.utils import logging as hf_logging

from sonar_slt.errors import UserError
from sonar_slt.hub import HUB_ID, OutOfReach, fetched
from sonar_slt.space.weights import TABLE, StoredTensor, stored_weights

Model = Any
"""An `M2M100ForConditionalGeneration`; transformers' own annotations do not describe what its models do."""

FILES = ("*.json", "*.safetensors", "*.model", "*.txt")
"""What is fetched from a hub: nothing that would have to be unpickled."""

WORDS = ("tokenizer.json", "sentencepiece.bpe.model")
"""Where an NLLB tokenizer keeps its words."""

OWN = re.compile(
    r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|recipe)\.json|model.*safetensors.*"
)
"""The files of a space."""

HALVES = ("encoder", "decoder")
DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}


def located(source: str | Path, revision: str | None = None) -> Path:
    """The folder of a checkpoint; a hub id is fetched unless it lies in the local hub cache."""
    if not isinstance(source, str | Path) or not str(source):
        raise UserError(f"No sentence space at {source!r}: expected a transformers folder or a hub id.")
    folder = Path(source).expanduser()
    if folder.is_dir():
        if revision:
            raise UserError(f"revision={revision} is of a hub id; '{source}' is a folder.")
        return folder
    unknown = f"No sentence space at '{source}': expected a transformers folder or a hub id."
    if not HUB_ID.fullmatch(str(source)):
        raise UserError(unknown)
    try:
        return fetched(str(source), FILES, revision=revision)
    except OutOfReach as error:
        raise UserError(f"{unknown[:-1]}; no such folder, and {error}.") from error


def configuration(folder: Path, only: str | None = None) -> Any:
    """The config of a checkpoint, without the layers of the half that is left out."""
    if only not in (None, *HALVES):
        raise UserError(f"only='{only}': a space opens whole, or only its encoder or its decoder.")
    try:
        config: Any = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # a config that is wrong in itself is told by errors of many kinds
        raise UserError(f"No sentence space in '{folder}': its config.json is missing or cannot be read.") from error
    if config.model_type != "m2m_100":
        raise UserError(f"'{folder}' holds a {config.model_type} model; a sentence space needs an m2m_100 one.")
    if not config.tie_word_embeddings:
        raise UserError(f"'{folder}' has a head of its own; a sentence space shares one table of word vectors.")
    if only == "decoder":
        config.encoder_layers = 0
    elif only == "encoder":
        config.decoder_layers = 0
    return config


def tokenizer_of(folder: Path) -> Any:
    """The tokenizer of a checkpoint."""
    if not any((folder / name).is_file() for name in WORDS):
        raise UserError(f"No sentence space in '{folder}': it has no tokenizer.json.")
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # the tokenizers library raises plain `Exception` for a file that it cannot parse
        raise UserError(f"No sentence space in '{folder}': its tokenizer is missing or cannot be read.") from error


def open_model(folder: Path, config: Any, *, precision: torch.dtype, device: str | torch.device = "cpu") -> Model:
    """The model of a checkpoint, frozen; nothing is allocated before every tensor is known to be there."""
    stored = needed(stored_weights(folder), config)
    if config.d_model % config.encoder_attention_heads or config.d_model % config.decoder_attention_heads:
        raise UserError(f"'{folder}' has {config.d_model} dimensions, which its attention heads do not divide.")
    with torch.device("meta"):
        model: Model = M2M100ForConditionalGeneration(config)
    expected = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    wrong = [name for name, shape in expected.items() if name not in stored or stored[name].shape != shape]
    if wrong:
        raise UserError(
            f"'{folder}' lacks {len(wrong)} of the {len(expected)} weights that its config.json describes, or has them "
            f"in another shape; the first is {wrong[0]}."
        )
    weights = {name: stored[name].read().to(device, precision) for name in expected}
    return filled(model, weights)


def needed(stored: Mapping[str, StoredTensor], config: Any) -> dict[str, StoredTensor]:
    """Those of a checkpoint's tensors that a model of this config has."""
    left_out = [half for half in HALVES if getattr(config, f"{half}_layers") == 0]
    return {
        name: tensor
        for name, tensor in stored.items()
        if not any(name.startswith(f"model.{half}.layers.") for half in left_out)
    }


def weight_bytes(
    source: str | Path, *, revision: str | None = None, dtype: str | torch.dtype = "float32", only: str | None = None
) -> int:
    """What the weights of a checkpoint, or of half of it, take in memory; nothing is loaded."""
    folder = located(source, revision)
    stored = needed(stored_weights(folder), configuration(folder, only))
    return sum(tensor.size for tensor in stored.values()) * precision_of(dtype).itemsize


def filled(model: Model, weights: Mapping[str, Tensor]) -> Model:
    """A model made on the meta device with these weights in it, tied, frozen, its positions computed."""
    for name, weight in weights.items():
        owner, _, last = name.rpartition(".")
        setattr(model.get_submodule(owner), last, nn.Parameter(weight, requires_grad=False))
    table = model.get_parameter(TABLE)
    model.lm_head.weight = table
    for half in (model.model.encoder, model.model.decoder):
        half.embed_tokens.weight = table
        positions, made_for = half.embed_positions, model.config.max_position_embeddings
        half.embed_positions = type(positions)(made_for, model.config.d_model, model.config.pad_token_id)
        half.embed_positions.to(table.device, table.dtype)
    model.generation_config = GenerationConfig.from_model_config(model.config)
    model.set_attn_implementation("sdpa")
    return freeze(model)


def freeze(model: Model) -> Model:
    """Weights that no optimiser moves, in eval mode, and no attention dropout: it would drop the only key."""
    model.requires_grad_(False)
    for module in model.modules():
        if hasattr(module, "encoder_attn"):
            module.encoder_attn.dropout = 0.0
    return model.eval()


def device_of(device: str | torch.device) -> torch.device:
    """A device by its name, if this machine has it."""
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UserError(f"Unknown device {device!r}: expected cpu, cuda or cuda:1.") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device={device}: torch sees no GPU here; expected cpu.")
    return found


def require_own(folder: Path) -> None:
    """Refuse to write a space over anything but a space."""
    foreign = sorted(path.name for path in folder.iterdir() if not OWN.fullmatch(path.name)) if folder.is_dir() else []
    if folder.is_file() or foreign:
        raise UserError(
            f"A space is a folder of its own, but '{folder}' {f'holds {foreign[0]}' if foreign else 'is a file'}."
        )


@contextmanager
def evaluating(model: Model) -> Iterator[None]:
    """In eval mode for as long as the block lasts; then every module, a student's dropout too, as it was."""
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, was in training:
            module.training = was


@contextmanager
def silent(*, warnings: bool = True) -> Iterator[None]:
    """Without transformers' bars for what takes no time, and without its warnings if asked."""
    told: Any = hf_logging
    shown, verbosity = told.is_progress_bar_enabled(), told.get_verbosity()
    told.disable_progress_bar()
    if not warnings:
        told.set_verbosity_error()
    try:
        yield
    finally:
        told.set_verbosity(verbosity)
        if shown:
            told.enable_progress_bar()


def precision_of(dtype: str | torch.dtype) -> torch.dtype:
    """A torch precision by its name."""
    if isinstance(dtype, torch.dtype):
        dtype = str(dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise UserError(f"Unknown precision '{dtype}': choose one of {', '.join(DTYPES)}.")
    return DTYPES[dtype]
