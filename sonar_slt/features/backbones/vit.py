"""Vit: any vision transformer of timm, frame by frame; the paper's is ViT-B/16 of ImageNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone, Pooling, distinct, require_pooling
from sonar_slt.features.backbones.weights import Weights, seeded
from sonar_slt.features.picture import Fit, Picture

NAMES = """`python -c "import timm; print(*timm.list_models('*vit*', pretrained=True))"` lists the names"""
FITS: dict[str, Fit] = {"center": "crop", "squash": "squeeze", "border": "pad"}
"""timm's names of the ways to fit a picture."""

TRAINED_WITH = ("mean", "std", "crop_pct", "interpolation", "crop_mode")
"""What timm remembers of the pictures that a model was trained with."""


class Vit(Backbone):
    """A vector per frame: the class token behind the last norm, or the mean of the patches.

    Mean, std, crop and interpolation are those that the weights were trained with, as timm has them for `model` and
    `tag`, or as the config.json beside the weights says.
    """

    track = "spatial"

    def __init__(
        self,
        *,
        model: str = "vit_base_patch16_224",
        tag: str | None = "augreg_in21k_ft_in1k",
        weights: str | None = None,
        pooling: Pooling = "token",
        fit: Fit | None = None,
        architecture: Mapping[str, Any] | None = None,
        seed: int = 0,
        option: str = "vit",
    ) -> None:
        super().__init__()
        require_pooling(pooling)
        self.pooling, self.timm_name = pooling, f"{model}.{tag}" if tag else model
        self.architecture = dict(architecture or {})
        stored = Weights(weights, option=option) if weights else None
        self.model = _made(self.timm_name, self.architecture, seed, key=f"features.{option}")
        if stored:
            tensors = stored.tensors(lambda name: None if name.startswith(("head.", "head_dist.")) else name)
            stored.fill(self.model, tensors, sizes=f"{stored.key}.model or {stored.key}.architecture")
        self._opened(self.model)
        self.width, self.prefix = self.model.num_features, self.model.num_prefix_tokens
        self._look(_trained_with(self.model, stored), fit)
        if pooling == "token":
            if not self.prefix:
                raise UserError(f"{model} has no class token: set features.{option}.pooling=mean.")
            if _is_plain(self.model.blocks[-1]):
                self.model.blocks[-1] = FirstToken(self.model.blocks[-1])

    def _look(self, trained_with: Mapping[str, Any], fit: Fit | None) -> None:
        self.mean = cast(tuple[float, ...], tuple(trained_with["mean"]))
        self.std = cast(tuple[float, ...], tuple(trained_with["std"]))
        self.picture = Picture(
            size=self.model.patch_embed.img_size[0],
            fit=fit or FITS.get(trained_with["crop_mode"], "crop"),
            share=trained_with["crop_pct"],
            interpolation="bilinear" if trained_with["interpolation"] == "bilinear" else "bicubic",
        )

    def forward(self, pictures: Tensor, windows: Tensor) -> Tensor:
        """`pictures` (frames, 3, size, size) of bytes, `windows` (items, 1); returns (items, width)."""
        frames, places = distinct(windows)
        tokens = self.model.patch_embed.num_patches + self.prefix
        return torch.cat([self._embedded(pictures[part]) for part in self._passes(frames, tokens)])[places]

    def _embedded(self, pictures: Tensor) -> Tensor:
        states = self.model.forward_features(self._normalised(pictures))  # (frames, tokens, width)
        pooled = states[:, 0] if self.pooling == "token" else states[:, self.prefix :].mean(dim=1)
        vectors: Tensor = self.model.fc_norm(pooled)
        return vectors

    def settings(self) -> dict[str, Any]:
        """The model of timm, what is changed of it, and the pooling."""
        return {"model": self.timm_name, "architecture": self.architecture, "pooling": self.pooling}


class FirstToken(nn.Module):
    """The last block of a model of which only the first token is looked at: all keys and values, and its query alone.

    The same numbers, but for rounding, for a quarter of the work.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block: Any = block

    def forward(self, states: Tensor) -> Tensor:
        """(frames, tokens, dim) to (frames, 1, dim)."""
        block, attention = self.block, self.block.attn
        mixed = attention.qkv(block.norm1(states)).unflatten(-1, (3, attention.num_heads, -1))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)  # each (frames, heads, tokens, dim of a head)
        query, key = attention.q_norm(query[:, :, :1]), attention.k_norm(key)
        dropped = attention.attn_drop.p if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped).transpose(1, 2).flatten(2)
        seen = attention.proj_drop(attention.proj(attention.norm(seen)))
        first = states[:, :1] + block.drop_path1(block.ls1(seen))
        out: Tensor = first + block.drop_path2(block.ls2(block.mlp(block.norm2(first))))
        return out


def _is_plain(block: nn.Module) -> bool:
    """Whether a block is the usual one, whose parts `FirstToken` knows."""
    from timm.layers.attention import Attention
    from timm.models.vision_transformer import Block

    attention = getattr(block, "attn", None)
    return type(block) is Block and type(attention) is Attention and getattr(attention, "gate", None) is None


def _made(name: str, architecture: dict[str, Any], seed: int, *, key: str) -> Any:
    """A model of timm with random weights."""
    import timm
    from timm.models.eva import Eva
    from timm.models.vision_transformer import VisionTransformer

    try:
        with seeded(seed):
            model = timm.create_model(name, pretrained=False, num_classes=0, **architecture)
    except (TypeError, AssertionError, ValueError) as error:  # whatever a constructor thinks of its arguments
        raise UserError(f"timm cannot build {name} with {key}.architecture={architecture}: {error}.") from error
    except RuntimeError as error:
        raise UserError(f"{key}.model and {key}.tag: timm knows no {name}; {NAMES}.") from error
    if not isinstance(model, VisionTransformer | Eva):
        raise UserError(f"{key}.model={name} is no vision transformer; {NAMES}.")
    return model


def _trained_with(model: nn.Module, stored: Weights | None) -> dict[str, Any]:
    """What pictures the weights know: by the file beside them, else by the name of the model."""
    from timm.data.config import resolve_model_data_config

    resolve: Any = resolve_model_data_config  # without annotations
    found: dict[str, Any] = resolve(model)
    beside = (stored.config() or {}).get("pretrained_cfg") if stored else None
    if isinstance(beside, dict):
        found |= {name: beside[name] for name in TRAINED_WITH if beside.get(name) is not None}
    return found
