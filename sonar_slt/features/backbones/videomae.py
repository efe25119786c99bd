"""Videomae: what moves, from 16 frames at a time; with `pooling: token` it is what SpaMo's `_overlap-8` files hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone, Pooling, require_pooling
from sonar_slt.features.backbones.weights import Weights, seeded
from sonar_slt.features.picture import Fit, Picture

OTHER = ("decoder.", "encoder_to_decoder.", "mask_token", "position_embeddings", "classifier.", "fc_norm.")
"""What a VideoMAE has beside its encoder: the decoder of its pre-training, or the head of a classifier."""

DECISIVE = ("hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps", "tubelet_size")

BIASES = {"q_bias": "query", "v_bias": "value"}
"""The names that published files have, and the projections of transformers that these biases belong to."""


class Videomae(Backbone):
    """A vector per window: the first token, or the mean of all.

    VideoMAE has no class token: its first token is the upper left patch of the first two frames. Pairs of
    frames become tokens once, however many windows share them.
    """

    track = "motion"
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    positions: Tensor  # (1, tokens of a window, width)

    def __init__(
        self,
        *,
        weights: str | None = None,
        pooling: Pooling = "token",
        stride: int = 8,
        fit: Fit = "crop",
        architecture: Mapping[str, Any] | None = None,
        seed: int = 0,
        option: str = "videomae",
    ) -> None:
        super().__init__()
        require_pooling(pooling)
        key = f"features.{option}"
        stored = Weights(weights, option=option) if weights else None
        self.model = _made(stored, dict(architecture or {}), seed, key=key)
        if stored:
            places = self.model.state_dict()
            tensors = stored.tensors(lambda name: _ours(name, places)) | _no_key_biases(places)
            stored.fill(self.model, tensors, sizes=f"{key}.architecture")
            verify_biases(self.model, stored)
        self._opened(self.model)
        self.config: Any = self.model.config
        self.pooling, self.width = pooling, self.config.hidden_size
        self.window, self.stride = self.config.num_frames, stride
        if not 1 <= stride <= self.window:
            raise UserError(f"{key}.stride={stride}: expected 1 to {self.window}, so that windows cover every frame.")
        self.picture = Picture(size=self.config.image_size, fit=fit, interpolation="bilinear")
        self.register_buffer("positions", self.model.embeddings.position_embeddings, persistent=False)
        if pooling == "token":
            self.model.encoder.layer[-1] = FirstToken(self.model.encoder.layer[-1])

    def forward(self, pictures: Tensor, windows: Tensor) -> Tensor:
        """`pictures` (frames, 3, size, size) of bytes, `windows` (items, window); returns (items, width)."""
        pairs, places = torch.unique(windows.reshape(-1, self.config.tubelet_size), dim=0, return_inverse=True)
        patches = self._patches(pictures, pairs)  # (pairs, patches, width)
        places = places.view(len(windows), -1)
        tokens = patches.shape[1] * places.shape[1]
        return torch.cat([self._embedded(patches[part]) for part in self._passes(places, tokens)])

    def _patches(self, pictures: Tensor, pairs: Tensor) -> Tensor:
        """Tokens of pairs of frames, without their places in a window.

        The convolution's kernels do not overlap: it is a matrix product, and as one it is faster.
        """
        projection, side = self.model.embeddings.patch_embeddings.projection, self.config.patch_size
        frames, places = torch.unique(pairs, return_inverse=True)
        normal = self._normalised(pictures[frames])
        cut = normal.view(len(frames), 3, normal.shape[-1] // side, side, -1, side)
        # (frames, 3, rows, side, columns, side) to (pairs, rows * columns, 3 * frames of a pair * side * side)
        blocks = cut[places].permute(0, 3, 5, 2, 1, 4, 6).flatten(3).flatten(1, 2)
        return functional.linear(blocks, projection.weight.flatten(1), projection.bias)

    def _embedded(self, patches: Tensor) -> Tensor:
        """Windows (items, pairs, patches, width) to (items, width)."""
        states = patches.flatten(1, 2)
        states = self.model.encoder(states + self.positions).last_hidden_state
        if self.model.layernorm is not None:
            states = self.model.layernorm(states)
        vectors: Tensor = states[:, 0] if self.pooling == "token" else states.mean(dim=1)
        return vectors

    def settings(self) -> dict[str, Any]:
        """The pooling, and what the shapes of the weights do not tell of the model."""
        return {"pooling": self.pooling, **{name: getattr(self.config, name) for name in DECISIVE}}


class FirstToken(nn.Module):
    """The last layer where only the first token is looked at: all keys and values, and its query alone."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer: Any = layer

    def forward(self, states: Tensor, **_: Any) -> Tensor:
        """(items, tokens, dim) to (items, 1, dim)."""
        layer, attention, first = self.layer, self.layer.attention.attention, states[:, :1]
        normed = layer.layernorm_before(states)
        query, key, value = (
            projected.unflatten(-1, (attention.num_attention_heads, -1)).transpose(1, 2)
            for projected in (attention.query(normed[:, :1]), attention.key(normed), attention.value(normed))
        )
        dropped = attention.dropout_prob if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped)
        first = first + layer.attention.output(seen.transpose(1, 2).flatten(2), first)
        out: Tensor = layer.output(layer.intermediate(layer.layernorm_after(first)), first)
        return out


@torch.no_grad()
def verify_biases(model: Any, stored: Weights) -> None:
    """The biases of all queries and values must be those of the file, and keys must have none.

    Some releases of transformers lose them without a word. They are put right here, and where that is not possible the
    model is refused.
    """
    written = stored.tensors(_published_bias)
    for number, layer in enumerate(model.encoder.layer):
        for name, projection in BIASES.items():
            wanted = written.get(f"{number}.{name}")
            bias = getattr(layer.attention.attention, projection).bias
            if wanted is None and bias is None:
                continue
            if wanted is None or bias is None or bias.shape != wanted.shape:
                raise UserError(_without_biases(f"{name} of layer {number}", stored))
            if not torch.equal(bias, wanted.to(bias)):
                bias.copy_(wanted)
        key = layer.attention.attention.key.bias
        if key is not None:
            key.zero_()  # adds the same to all scores of a query, which changes nothing


def _without_biases(what: str, stored: Weights) -> str:
    import transformers

    return (
        f"{what} of '{stored.path}' has no place in the VideoMAE of transformers {transformers.__version__}, or is "
        "missing in the file: install transformers>=5.23,<6, and see that the config.json beside the weights has "
        "qkv_bias as they were trained."
    )


def _published_bias(name: str) -> str | None:
    """Biases by layer and published name, of files that newer releases of transformers wrote too."""
    parts = name.removeprefix("videomae.").split(".")
    if parts[:2] != ["encoder", "layer"] or parts[3:5] != ["attention", "attention"]:
        return None
    newer = {f"{projection}.bias": bias for bias, projection in BIASES.items()}
    last = newer.get(".".join(parts[5:]), parts[-1])
    return f"{parts[2]}.{last}" if last in BIASES else None


def _ours(name: str, places: Mapping[str, Tensor]) -> str | None:
    """The name of a tensor in the encoder as it is built here; `verify_biases` speaks of those that have no place."""
    name = name.removeprefix("videomae.")
    for bias, projection in BIASES.items():
        name = name.replace(f".attention.{bias}", f".attention.{projection}.bias")
    without = name.startswith(OTHER) or (
        name.endswith(".bias") and ".attention.attention." in name and name not in places
    )
    return None if without else name


def _no_key_biases(places: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Zeros for the keys' biases, where this release of transformers has them: no published file does."""
    return {name: torch.zeros_like(value) for name, value in places.items() if name.endswith(".key.bias")}


def _made(stored: Weights | None, architecture: dict[str, Any], seed: int, *, key: str) -> Any:
    """The encoder with random weights, with the sizes of the config.json beside the weights, else of base."""
    from transformers import VideoMAEConfig, VideoMAEModel

    beside = (stored.config() if stored else None) or {}
    kind = beside.get("model_type", "videomae")
    if kind != "videomae":
        raise UserError(f"{key}.weights is a {kind} model: expected a VideoMAE, such as MCG-NJU/videomae-base.")
    sizes = beside or {"use_mean_pooling": False}  # with a last norm, as the published encoders have
    try:
        with seeded(seed):
            return VideoMAEModel(VideoMAEConfig(**{**sizes, **architecture, "attn_implementation": "sdpa"}))
    except Exception as error:  # whatever a config thinks of its values
        raise UserError(f"transformers cannot build {key}.architecture={architecture}: {error}") from error
