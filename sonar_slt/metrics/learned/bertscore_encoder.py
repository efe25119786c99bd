"""The encoder behind BERTScore: sentences to ids, ids to unit vectors of one layer, and two sentences to an F1.

Of a folder only config, tokenizer and tensors are read; no code that comes with it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoTokenizer

from sonar_slt.errors import UserError
from sonar_slt.space.opening import silent
from sonar_slt.space.tokens import pad_rows
from sonar_slt.space.weights import fingerprint

LOCAL: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
UNUSED = "pooler"
"""Weights that a folder may lack: what they compute is no layer's."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a batch of pairs."""

    vectors: Tensor  # (batch, length, dim), each of length 1
    mask: Tensor  # (batch, length) bool, where there is a token
    weights: Tensor  # (batch, length), 0 for padding and for [CLS] and [SEP]
    empty: Tensor  # (batch,) bool, sentences without a word


class Encoder:
    """The first `layer` layers of the model in a folder."""

    def __init__(self, folder: Path, *, layer: int) -> None:
        self.key = f"metrics.bertscore.folder={folder}"
        config = self._config(folder)
        if layer > config.num_hidden_layers:
            raise UserError(
                f"metrics.bertscore.layer={layer}: '{folder}' has {config.num_hidden_layers} layers; expected one of "
                "them, 9 of 12 and 17 of 24 are usual."
            )
        config.num_hidden_layers = layer
        self.tokenizer = self._tokenizer(folder)
        self.special = {self.tokenizer.cls_token_id, self.tokenizer.sep_token_id}
        self.most = longest(self.tokenizer.model_max_length, config.max_position_embeddings)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = self._model(folder, config).requires_grad_(False).eval().to(self.device)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the weights that are used."""
        return fingerprint(self.model.state_dict())

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """`[CLS] text [SEP]` of each text, cut at the longest that the model reads."""
        backend = self.tokenizer.backend_tokenizer.pre_tokenizer
        # Such a tokenizer knows a word by the space before it, and there is none before the first.
        before = " " if isinstance(backend, ByteLevel) else ""
        stripped = [text.strip() for text in texts]
        given = [before + text if text else text for text in stripped]
        found: list[list[int]] = self.tokenizer(given, truncation=True, max_length=self.most)["input_ids"]
        return found

    @torch.inference_mode()
    def side(self, rows: Sequence[Sequence[int]], weight: Callable[[int], float]) -> Side:
        """The vectors of sentences, in fp32 whatever the caller computes in, and what each token counts."""
        batch = pad_rows(rows, self.tokenizer.pad_token_id).to(self.device)
        with torch.autocast(self.device.type, enabled=False):
            seen = self.model(input_ids=batch.ids, attention_mask=batch.mask.long()).last_hidden_state
        weights = torch.zeros(batch.ids.shape)
        for number, row in enumerate(rows):
            weights[number, : len(row)] = torch.tensor([0.0 if i in self.special else weight(i) for i in row])
        empty = torch.tensor([self.special.issuperset(row) for row in rows])
        return Side(functional.normalize(seen, dim=2), batch.mask, weights.to(self.device), empty.to(self.device))

    def _config(self, folder: Path) -> Any:
        try:
            config: Any = AutoConfig.from_pretrained(folder, **LOCAL)
        except Exception as error:  # a config that is wrong in itself is told by errors of many kinds
            raise UserError(f"{self.key}: its config.json cannot be read, or is of no known model.") from error
        if config.is_encoder_decoder or not getattr(config, "max_position_embeddings", 0):
            raise UserError(f"{self.key}: it is a {config.model_type} model; expected an encoder such as xlm-roberta.")
        return config

    def _tokenizer(self, folder: Path) -> Any:
        try:
            found: Any = AutoTokenizer.from_pretrained(folder, **LOCAL)
        except Exception as error:  # the tokenizers library raises plain `Exception` for a file that it cannot parse
            raise UserError(f"{self.key}: its tokenizer is missing or cannot be read.") from error
        if len(found) <= len(found.all_special_ids):  # transformers makes an empty one where there is no file
            raise UserError(f"{self.key}: its tokenizer is missing; copy the folder again.")
        if None in (found.cls_token_id, found.sep_token_id, found.pad_token_id) or not found.is_fast:
            raise UserError(f"{self.key}: its tokenizer has no [CLS], [SEP] or [PAD]; expected an encoder's.")
        return found

    def _model(self, folder: Path, config: Any) -> Any:
        try:
            with silent(warnings=False):  # the layers that are left out would be listed as not used
                model, told = AutoModel.from_pretrained(
                    folder,
                    config=config,
                    dtype=torch.float32,
                    weights_only=True,
                    output_loading_info=True,
                    **LOCAL,
                )
        except Exception as error:  # files that are cut short, or of another shape, are told by errors of many kinds
            raise UserError(
                f"{self.key}: its weights are missing, cannot be read, hold more than tensors or do not fit its "
                "config.json; copy the folder again."
            ) from error
        if lacking := sorted(name for name in told["missing_keys"] if UNUSED not in name):
            raise UserError(f"{self.key}: it lacks {len(lacking)} weights, the first is {lacking[0]}; copy it again.")
        return model


def longest(said: int, positions: int) -> int:
    """How many tokens a model reads: what its tokenizer says, else its positions but two, which some keep back."""
    return said if said <= positions else positions - 2


def f1(reference: Side, said: Side) -> list[float]:
    """Of each pair the harmonic mean of how well each side finds itself in the other."""
    near = said.vectors @ reference.vectors.transpose(1, 2)  # (batch, said, reference)
    precision = _mean(near.masked_fill(~reference.mask[:, None], -torch.inf).amax(2), said.weights)
    recall = _mean(near.masked_fill(~said.mask[:, :, None], -torch.inf).amax(1), reference.weights)
    total = precision + recall
    found = torch.where(total == 0, 0.0, 2 * precision * recall / torch.where(total == 0, 1.0, total))
    scores: list[float] = found.masked_fill(reference.empty | said.empty, 0.0).tolist()
    return scores


def _mean(found: Tensor, weights: Tensor) -> Tensor:
    """Weighted means (batch,); 0 where nothing counts."""
    total = weights.sum(1)
    mean: Tensor = (found * weights).sum(1) / torch.where(total == 0, 1.0, total)
    return mean
