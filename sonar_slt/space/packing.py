"""Sentences of many lengths without their padding: one row for each real position, sentence after sentence.

Everything in a transformer but its self-attention works on positions by themselves, so that is all that padding meets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Packing:
    """Where the real positions of a padded batch lie: what is packed has one row for each, sentence after sentence."""

    shape: tuple[int, int]  # (batch, length)
    places: Tensor  # (tokens,) in the padded batch, read row by row
    owners: Tensor  # (tokens,) the sentence of each

    @classmethod
    def of(cls, mask: Tensor) -> Packing:
        """The packing of a mask (batch, length)."""
        batch, length = mask.shape
        places = mask.flatten().nonzero().squeeze(1)
        return cls((batch, length), places, places // max(1, length))

    def padded(self, packed: Tensor) -> Tensor:
        """(tokens, …) to (batch, length, …), zero where there is no token."""
        size = self.shape[0] * self.shape[1]
        if len(packed) < size:
            packed = packed.new_zeros(size, *packed.shape[1:]).index_copy(0, self.places, packed)
        return packed.view(*self.shape, *packed.shape[1:])

    def packed(self, padded: Tensor) -> Tensor:
        """(batch, length, …) to (tokens, …)."""
        rows = padded.flatten(0, 1)
        return rows if len(rows) == len(self.places) else rows.index_select(0, self.places)

    def heads(self, attention: Any, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (batch, heads, length, head dim) of packed states, zero where there is no token."""
        shape = (*self.shape, attention.num_heads, attention.head_dim)
        query, key, value = (
            self.padded(project(states)).view(shape).transpose(1, 2)
            for project in (attention.q_proj, attention.k_proj, attention.v_proj)
        )
        return query, key, value


def positions(half: Any, ids: Tensor, packing: Packing) -> Tensor:
    """Position vectors (tokens, dim) as transformers counts them: `<pad>` has none, wherever it stands."""
    pad = half.embed_positions.padding_idx
    real = ids != pad
    probe = ids.new_full((1, ids.shape[1] + 1), pad + 1)  # no pad but the first: every place there is
    probe[0, 0] = pad
    table: Tensor = half.embed_positions(probe, None, 0)[0]
    numbers = real.cumsum(dim=1) * real
    return table.to(half.embed_tokens.weight.dtype)[packing.packed(numbers)]
