"""How a sentence of many states becomes one vector: SONAR's mean, and the choices that papers compare it with.

Every pooling takes states (batch, length, dim) and a mask (batch, length), True where there is a token, and gives
vectors (batch, dim), at least in float32.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from sonar_slt.errors import UserError


class Pooling(nn.Module, ABC):
    """One vector from many states."""

    needs_decoder = False
    """Whether `adopt` takes layers of the decoder, so that a space opened without it will not do."""

    @property
    def title(self) -> str:
        """What a file or folder may call it."""
        return type(self).__name__.removesuffix("Pooling").lower()

    def adopt(self, model: Any) -> None:
        """Take what is needed from the model whose states are pooled; most poolings need nothing."""

    @abstractmethod
    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """States (batch, length, dim) to vectors (batch, dim)."""


class MeanPooling(Pooling):
    """SONAR's: the plain mean over all real positions, language token and `</s>` included."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """The mean of the real states."""
        return mean_pool(states, mask)


class MaxPooling(Pooling):
    """The largest value of each dimension; it leaves the range that a decoder of mean vectors knows."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """The maximum of the real states."""
        return _wide(states).masked_fill(~mask.unsqueeze(-1), float("-inf")).amax(dim=1)


class EosPooling(Pooling):
    """The state of the last real position, which is `</s>`."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """The last real state of each row; padding stands on the right."""
        rows = torch.arange(len(states), device=states.device)
        return _wide(states[rows, mask.sum(dim=1) - 1])


class AttentionPooling(Pooling):
    """A shallow decoder that reads `</s>` alone, looks at all states, and whose output is the vector.

    The SONAR-SLT paper starts it from the checkpoint's first three decoder layers (`take="first"`); the reference
    tools run the last four (`take="last", layers=4`). A decoder with fewer gives all it has. The layers are copies:
    training them moves nothing else.
    """

    needs_decoder = True

    def __init__(self, *, layers: int = 3, take: str = "first") -> None:
        super().__init__()
        if layers < 1 or take not in ("first", "last"):
            raise UserError(f"layers={layers} take={take}: at least one layer, from the 'first' or the 'last'.")
        self.count, self.take = layers, take

    @property
    def title(self) -> str:
        """Its name with what it is made of."""
        return f"attention{self.count}{self.take}"

    def adopt(self, model: Any) -> None:
        """Copy layers, final norm and the reading of `</s>` from the model's decoder."""
        decoder = model.model.decoder
        if not len(decoder.layers):
            raise UserError("Attention pooling is made of decoder layers, and the space was opened with only=encoder.")
        self.count = min(self.count, len(decoder.layers))
        chosen = decoder.layers[: self.count] if self.take == "first" else decoder.layers[-self.count :]
        self.layers, self.norm = copy.deepcopy(chosen), copy.deepcopy(decoder.layer_norm)
        end = torch.tensor([[model.config.eos_token_id]], device=model.device)
        with torch.no_grad():
            embedded = decoder.embed_tokens(end)
            question = embedded + decoder.embed_positions(end, embedded, 0).to(embedded.dtype)
        self.register_buffer("question", question, persistent=False)  # (1, 1, dim)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """What the shallow decoder says at its only position."""
        hidden: Tensor = self.get_buffer("question").expand(len(states), -1, -1)
        seen = torch.zeros(mask.shape, dtype=states.dtype, device=states.device)
        seen = seen.masked_fill(~mask, torch.finfo(states.dtype).min)[:, None, None, :]  # (batch, 1, 1, length)
        for layer in self.layers:
            given = layer(hidden, encoder_hidden_states=states, encoder_attention_mask=seen, use_cache=False)
            hidden = given[0] if isinstance(given, tuple) else given
        pooled: Tensor = self.norm(hidden)[:, 0]
        return _wide(pooled)


POOLINGS: Mapping[str, type[Pooling]] = MappingProxyType(
    {"mean": MeanPooling, "max": MaxPooling, "eos": EosPooling, "attention": AttentionPooling}
)
"""What `pooling=` may say; anything else is built by its class."""


def pooling_of(choice: str | Pooling) -> Pooling:
    """A pooling by its name, or as it was built."""
    if isinstance(choice, Pooling):
        return choice
    if choice not in POOLINGS:
        raise UserError(f"Unknown pooling '{choice}': choose one of {', '.join(POOLINGS)}.")
    return POOLINGS[choice]()


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """The mean over real positions; states (batch, length, dim), mask (batch, length), result (batch, dim)."""
    states = _wide(states)
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)


def _wide(states: Tensor) -> Tensor:
    """Half precisions as float32: a sum of many states would lose what tells two sentences apart."""
    return states.float() if states.dtype in (torch.float16, torch.bfloat16) else states
