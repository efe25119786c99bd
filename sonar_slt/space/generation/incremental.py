"""The decoder one token at a time, for several beams per sentence, each sentence reading one vector.

The cache of self-attention is never reordered: every beam's keys and values keep their slot, and a small mask, which
follows the beams, says whose slots a beam sees. Cross-attention is one constant per sentence and layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.errors import UserError

FIRST_SLOTS = 32
"""The cache's first size; it doubles when it is full."""


class IncrementalDecoder:
    """Decoder states of running sentences; `begin` once, then `step` token by token."""

    def __init__(self, decoder: Any, vectors: Tensor) -> None:
        self._decoder, self._layers = decoder, decoder.layers
        self._heads = decoder.layers[0].self_attn.num_heads
        # (layers, sentences, dim): with one memory vector the softmax of cross-attention is 1
        self._memory = torch.stack([_cross_attention(layer, vectors) for layer in self._layers])
        layers, self._sentences, dim = self._memory.shape
        shape = (layers, self._sentences, self._heads, 0, dim // self._heads)
        self._keys, self._values = vectors.new_empty(shape), vectors.new_empty(shape)
        self._seen = torch.empty(self._sentences, 1, 0, dtype=torch.bool, device=vectors.device)
        self._slots = self._positions = 0

    def begin(self, prefix: Tensor) -> Tensor:
        """Read the prefix (sentences, length); states after its last token (sentences, 1, dim)."""
        length = prefix.shape[1]
        states = self._embed(prefix)
        causal = torch.ones(length, length, dtype=torch.bool, device=prefix.device).tril()
        states = self._through_layers(states, causal.expand(self._sentences, -1, -1))
        self._positions += length
        self._seen = self._seen.new_ones(self._sentences, 1, length)
        if not torch.isfinite(states).all():
            raise UserError(
                "The decoder gives NaN or infinity: its weights are broken, or these are vectors of another scale."
            )
        return states[:, -1:]

    def step(self, ids: Tensor, parents: Tensor | None = None) -> Tensor:
        """Read one token per beam (sentences, beams); states after it (sentences, beams, dim).

        `parents` (sentences, beams) says which of the last step's beams each one continues; None where there is one.
        """
        sentences, beams = ids.shape
        states = self._embed(ids.reshape(-1, 1)).view(sentences, beams, -1)
        visible = None
        if parents is not None:
            history = self._seen.gather(1, parents.unsqueeze(2).expand(-1, -1, self._slots))
            own = torch.eye(beams, dtype=torch.bool, device=ids.device).expand(sentences, -1, -1)
            visible = self._seen = torch.cat([history, own], dim=2)
        states = self._through_layers(states, visible)
        self._positions += 1
        return states

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these sentences only, in this order, as `gaps_filled` gives it: only moved ones are copied."""
        moved = [place for place, row in enumerate(rows) if place != row]
        index = torch.tensor(rows, device=self._memory.device)
        if moved:
            self._keys[:, moved, :, : self._slots] = self._keys[:, index[moved], :, : self._slots]
            self._values[:, moved, :, : self._slots] = self._values[:, index[moved], :, : self._slots]
        self._memory, self._seen = self._memory[:, index], self._seen[index]
        self._sentences = len(rows)

    def _embed(self, ids: Tensor) -> Tensor:
        embedded = self._decoder.embed_tokens(ids)
        states: Tensor = embedded + self._decoder.embed_positions(ids, embedded, self._positions).to(embedded.dtype)
        return states

    def _through_layers(self, states: Tensor, visible: Tensor | None) -> Tensor:
        """`visible` (sentences, beams, slots) says which slots each new token sees; None means all."""
        width = states.shape[1]
        self._make_room(self._slots + width)
        self._slots += width
        mask = None
        if visible is not None:
            mask = torch.zeros(visible.shape, dtype=states.dtype, device=states.device)
            mask = mask.masked_fill_(~visible, float("-inf")).unsqueeze(1)
        for depth, layer in enumerate(self._layers):
            states = states + self._self_attention(depth, layer, states, mask)
            states = states + self._memory[depth].unsqueeze(1)
            states = states + layer.fc2(layer.activation_fn(layer.fc1(layer.final_layer_norm(states))))
        normalised: Tensor = self._decoder.layer_norm(states)
        return normalised

    def _self_attention(self, depth: int, layer: Any, states: Tensor, mask: Tensor | None) -> Tensor:
        sentences, width, dim = states.shape
        attention, states = layer.self_attn, layer.self_attn_layer_norm(states)

        def by_head(projected: Tensor) -> Tensor:  # (sentences, heads, width, head dim)
            return projected.view(sentences, width, self._heads, -1).transpose(1, 2)

        new = slice(self._slots - width, self._slots)
        self._keys[depth, :sentences, :, new] = by_head(attention.k_proj(states))
        self._values[depth, :sentences, :, new] = by_head(attention.v_proj(states))
        attended = functional.scaled_dot_product_attention(
            by_head(attention.q_proj(states)),
            self._keys[depth, :sentences, :, : self._slots],
            self._values[depth, :sentences, :, : self._slots],
            attn_mask=mask,
        )
        projected: Tensor = attention.out_proj(attended.transpose(1, 2).reshape(sentences, width, dim))
        return projected

    def _make_room(self, slots: int) -> None:
        room = self._keys.shape[3]
        if slots > room:
            grown = max(FIRST_SLOTS, 2 * room, slots)
            self._keys = self._grow(self._keys, grown)
            self._values = self._grow(self._values, grown)

    def _grow(self, cache: Tensor, room: int) -> Tensor:
        layers, _, heads, _, width = cache.shape
        larger = cache.new_empty(layers, self._sentences, heads, room, width)
        larger[:, :, :, : self._slots] = cache[:, : self._sentences, :, : self._slots]
        return larger


def gaps_filled(kept: Sequence[int]) -> list[int]:
    """The kept rows in an order that moves as few as possible: the last ones fill the places of those that left."""
    staying = [row for row in kept if row < len(kept)]
    movers = iter(row for row in kept if row >= len(kept))
    present = set(staying)
    return [place if place in present else next(movers) for place in range(len(kept))]


def _cross_attention(layer: Any, vectors: Tensor) -> Tensor:
    attended: Tensor = layer.encoder_attn.out_proj(layer.encoder_attn.v_proj(vectors))
    return attended
