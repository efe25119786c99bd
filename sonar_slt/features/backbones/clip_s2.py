"""ClipS2: CLIP's picture tower at two scales, which is what SpaMo's `_s2wrapping` files hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone, distinct
from sonar_slt.features.backbones.weights import Weights, seeded
from sonar_slt.features.picture import Fit, Picture

LARGE = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
    "image_size": 224,
}
"""The picture tower of CLIP ViT-L/14."""

OTHER = ("text_model.", "visual_projection.", "text_projection.", "logit_scale")
"""What a CLIP has beside its picture tower."""

DECISIVE = ("hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps", "patch_size")


class ClipS2(Backbone):
    """A vector per frame: for every scale the class token of the last hidden state, side by side.

    At scale 2 the picture is enlarged to twice its size, cut into four tiles, and the tokens of the tiles are averaged.
    The last hidden state is the one before the tower's last norm, as in SpaMo.
    """

    track = "spatial"
    mean = (0.48145466, 0.4578275, 0.40821073)
    std = (0.26862954, 0.26130258, 0.27577711)

    def __init__(
        self,
        *,
        weights: str | None = None,
        scales: Sequence[int] = (1, 2),
        fit: Fit = "crop",
        architecture: Mapping[str, Any] | None = None,
        seed: int = 0,
        option: str = "clip_s2",
    ) -> None:
        super().__init__()
        if not scales or any(not isinstance(scale, int) or scale < 1 for scale in scales):
            raise UserError(f"features.{option}.scales={list(scales)}: expected whole numbers from 1, such as [1, 2].")
        self.scales = tuple(scales)
        stored = Weights(weights, option=option) if weights else None
        self.model = _made(stored, dict(architecture or {}), seed, key=f"features.{option}")
        if stored:
            stored.fill(self.model, stored.tensors(_ours), sizes=f"{stored.key}.architecture")
        self._opened(self.model)
        self.config: Any = self.model.config
        self.width = len(self.scales) * self.config.hidden_size
        self.picture = Picture(size=self.config.image_size, fit=fit)
        self.model.encoder.layers[-1] = FirstToken(self.model.encoder.layers[-1])

    def forward(self, pictures: Tensor, windows: Tensor) -> Tensor:
        """`pictures` (frames, 3, size, size) of bytes, `windows` (items, 1); returns (items, width)."""
        frames, places = distinct(windows)
        tokens = self.model.embeddings.num_positions * sum(scale**2 for scale in self.scales)
        return torch.cat([self._embedded(pictures[part]) for part in self._passes(frames, tokens)])[places]

    def _embedded(self, pictures: Tensor) -> Tensor:
        tiles = [
            tiled(self._normalised(pictures), scale) for scale in self.scales
        ]  # each (frames, tiles, 3, size, size)
        states = self.model(torch.cat(tiles, dim=1).flatten(0, 1)).last_hidden_state[:, 0]
        tokens = states.unflatten(0, (len(pictures), -1)).split([scale**2 for scale in self.scales], dim=1)
        return torch.cat([token.mean(dim=1) for token in tokens], dim=-1)

    def settings(self) -> dict[str, Any]:
        """The scales, and what the shapes of the weights do not tell of the model."""
        return {"scales": list(self.scales), **{name: getattr(self.config, name) for name in DECISIVE}}


class FirstToken(nn.Module):
    """The last layer where only the first token is looked at: all keys and values, and its query alone."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer: Any = layer

    def forward(self, states: Tensor, *_: Any, **__: Any) -> Tensor:
        """(tiles, tokens, dim) to (tiles, 1, dim); no position is masked in a picture."""
        attention, first = self.layer.self_attn, states[:, :1]
        normed = self.layer.layer_norm1(states)
        query, key, value = (
            projected.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
            for projected in (attention.q_proj(normed[:, :1]), attention.k_proj(normed), attention.v_proj(normed))
        )
        dropped = attention.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped)
        first = first + attention.out_proj(seen.transpose(1, 2).flatten(2))
        out: Tensor = first + self.layer.mlp(self.layer.layer_norm2(first))
        return out


def tiled(pictures: Tensor, scale: int) -> Tensor:
    """Pictures (frames, 3, size, size), enlarged, as tiles of the old size: (frames, scale², 3, size, size)."""
    if scale == 1:
        return pictures.unsqueeze(1)
    frames, colours, size, _ = pictures.shape
    enlarged = functional.interpolate(pictures.float(), size=(scale * size, scale * size), mode="bicubic")
    tiles = enlarged.to(pictures.dtype).view(frames, colours, scale, size, scale, size)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(frames, scale**2, colours, size, size)


def _ours(name: str) -> str | None:
    if name.startswith(OTHER) or name.endswith("position_ids"):
        return None
    return name.removeprefix("vision_model.")


def _made(stored: Weights | None, architecture: dict[str, Any], seed: int, *, key: str) -> Any:
    """The tower with random weights, of the sizes that the config.json beside the weights has, else of ViT-L/14."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    beside = (stored.config() if stored else None) or {}
    kind = beside.get("model_type", "clip_vision_model")
    if kind not in ("clip", "clip_vision_model"):
        raise UserError(
            f"{key}.weights is a {kind} model: expected one of CLIP, such as openai/clip-vit-large-patch14."
        )
    sizes = beside.get("vision_config", beside) if beside else LARGE
    try:
        with seeded(seed):
            return CLIPVisionModel(CLIPVisionConfig(**{**sizes, **architecture, "attn_implementation": "sdpa"}))
    except Exception as error:  # whatever a config thinks of its values
        raise UserError(f"transformers cannot build {key}.architecture={architecture}: {error}") from error
