"""A sequence-to-sequence model as it lies in a folder or at a hub: tokenizer, weights, and a hash of all of it.

Nothing but tensors is read from its weights, and no code that comes with it is run.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer

from sonar_slt.errors import UserError
from sonar_slt.hub import HUB_ID, OutOfReach, fetched
from sonar_slt.space.opening import FILES, WORDS, Model, silent

SAFE, PICKLED = "model*.safetensors", "pytorch_model*.bin"
"""Weights in the form that is preferred, and in the one that `torch.load` reads with `weights_only`."""

DECIDING = ("config.json", "tokenizer_config.json", "special_tokens_map.json", *WORDS)
"""The files that decide a translation beside the weights."""


class Checkpoint:
    """A folder or a hub id of one `revision`; `key` is the word of the command line that named it."""

    def __init__(self, source: str | Path, *, key: str, revision: str | None = None) -> None:
        self.source, self.key, self.revision = str(source), key, revision
        self.folder = self._located()

    @cached_property
    def fingerprint(self) -> str:
        """A hash of every file that decides what the model says."""
        digest = hashlib.sha256()
        there = [self.folder / name for name in DECIDING if (self.folder / name).is_file()]
        for path in [*there, *self._weights()]:
            with path.open("rb") as stream:
                digest.update(f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()[:16]

    def tokenizer(self) -> Any:
        """The tokenizer."""
        wanted = f"{self.key}={self.source}: expected a transformers folder with tokenizer and weights"
        if not any((self.folder / name).is_file() for name in WORDS):
            raise UserError(f"{wanted}; '{self.folder}' has no {WORDS[0]}.")
        try:
            return AutoTokenizer.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
        except Exception as error:  # the tokenizers library raises plain `Exception` for a file that it cannot parse
            raise UserError(f"{wanted}; the tokenizer of '{self.folder}' cannot be read.") from error

    def model(self, *, precision: torch.dtype, device: torch.device | str) -> Model:
        """The model, frozen; refused unless every weight of it is in the files."""
        self.require_model()
        with silent(warnings=False):
            model, told = self._opened(precision)
        if lacking := sorted(told["missing_keys"]):
            raise UserError(
                f"{self.key}={self.source}: '{self.folder}' lacks {len(lacking)} of the weights that its config.json "
                f"describes; the first is {lacking[0]}."
            )
        model.requires_grad_(False)
        return model.to(device).eval()

    def require_model(self) -> Any:
        """Its config; what is no sequence-to-sequence model with weights is refused, and nothing is loaded."""
        try:
            config: Any = AutoConfig.from_pretrained(self.folder, trust_remote_code=False, local_files_only=True)
        except Exception as error:  # a config that is wrong in itself is told by errors of many kinds
            raise UserError(f"{self.key}={self.source}: '{self.folder}' has no readable config.json.") from error
        if type(config) not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING:
            raise UserError(
                f"{self.key}={self.source}: it is a {config.model_type} model; one from text to text was expected, "
                "such as NLLB's m2m_100."
            )
        self._weights()
        return config

    def _opened(self, precision: torch.dtype) -> tuple[Model, dict[str, Any]]:
        try:
            model, told = AutoModelForSeq2SeqLM.from_pretrained(
                self.folder,
                dtype=precision,
                trust_remote_code=False,
                weights_only=True,
                local_files_only=True,
                output_loading_info=True,
            )
        except Exception as error:  # files that are cut short, or of another shape, are told by errors of many kinds
            raise UserError(
                f"{self.key}={self.source}: the weights in '{self.folder}' cannot be read or do not fit its "
                "config.json; copy the folder again."
            ) from error
        return model, told

    def _weights(self) -> list[Path]:
        """The files of the weights: safetensors where there are any."""
        found = sorted(self.folder.glob(SAFE)) or sorted(self.folder.glob(PICKLED))
        if not found:
            raise UserError(
                f"{self.key}={self.source}: '{self.folder}' has no weights; expected model.safetensors, or "
                "pytorch_model.bin with nothing but tensors."
            )
        return found

    def _located(self) -> Path:
        folder = Path(self.source).expanduser()
        if self.source and folder.is_dir():
            if self.revision:
                raise UserError(f"{self.key}={self.source} is a folder; a revision is of a hub id: leave it out.")
            return folder
        unknown = f"{self.key}={self.source}: expected a transformers folder or a hub id"
        if not HUB_ID.fullmatch(self.source):
            raise UserError(f"{unknown}, and no such folder is there.")
        try:
            return fetched(self.source, FILES, pickled=[PICKLED], revision=self.revision)
        except OutOfReach as error:
            raise UserError(f"{unknown}; no such folder is there, and {error}.") from error
