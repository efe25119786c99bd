"""Backbones of a few thousand weights, pictures, and checkpoints as they are published."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sonar_slt.features import Backbone, ClipS2, Videomae, Vit, windows

VIT = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 4}
CLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 8,
    "image_size": 32,
}
VIDEOMAE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "patch_size": 16,
    "image_size": 32,
    "decoder_hidden_size": 16,
    "decoder_intermediate_size": 32,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 2,
}


def vit(**settings: Any) -> Vit:
    return Vit(**{"model": "vit_tiny_patch16_224", "tag": None, "architecture": VIT, **settings})


def clip(**settings: Any) -> ClipS2:
    return ClipS2(**{"architecture": CLIP, **settings})


def videomae(**settings: Any) -> Videomae:
    return Videomae(**{"architecture": VIDEOMAE, **settings})


ALL = {
    "vit": vit,
    "vit_mean": lambda **settings: vit(pooling="mean", **settings),
    "clip_s2": clip,
    "videomae": videomae,
    "videomae_mean": lambda **settings: videomae(pooling="mean", **settings),
}


def pictures(frames: int, size: int = 32, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (frames, 3, size, size), dtype=torch.uint8, generator=generator)


def items(backbone: Backbone, frames: int) -> Tensor:
    return torch.from_numpy(windows(frames, backbone.window, backbone.stride))


def photograph(height: int, width: int) -> NDArray[np.uint8]:
    """A smooth picture with edges and a little grain."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / 17 + shift) * np.cos(columns / 23 - shift) for shift in (0.0, 1.0, 2.0)]
    picture = np.stack(waves, axis=-1) * 90 + 128 + 40 * ((rows // 31 + columns // 41) % 2)[..., None]
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def stirred(model: Any, seed: int = 1) -> Any:
    """A model of which no weight is what it was made with, biases and norms too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
    return model.eval()
