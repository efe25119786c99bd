"""Backbones of a few weights, clips for them, and the adapters of conf/ over such."""

from __future__ import annotations

from typing import Any

import torch

from sonar_slt.adapter import Adapter, Measure
from sonar_slt.config.build import build
from sonar_slt.config.compose import examine
from sonar_slt.data.layouts import OPENPOSE_137
from sonar_slt.data.track import Track
from sonar_slt.features.backbones.patch_vit import PatchVit
from sonar_slt.features.backbones.videomae import Videomae
from sonar_slt.features.backbones.vit import Vit

SIDE = 16
VIT = {"img_size": SIDE, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2}
VIDEOMAE = {
    "image_size": SIDE,
    "patch_size": 8,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def vit(**changes: Any) -> Vit:
    return Vit(model="vit_tiny_patch16_224", tag=None, **{"architecture": VIT, "pooling": "mean", **changes})


def patch_vit(**changes: Any) -> PatchVit:
    return PatchVit(**{"architecture": VIT, "narrow": 3, **changes})


def videomae(**changes: Any) -> Videomae:
    return Videomae(**{"architecture": VIDEOMAE, "pooling": "mean", **changes})


def pictures(*lengths: int, side: int = SIDE, seed: int = 0) -> Track:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    shape = (len(lengths), max(lengths), 3, side, side)
    values = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return Track(values * mask[..., None, None, None], mask)


def points(*lengths: int, seed: int = 0) -> Track:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    values = torch.rand(len(lengths), max(lengths), 137, 3, generator=torch.Generator().manual_seed(seed))
    return Track(values * mask[..., None, None], mask)


def tracks(*lengths: int, seed: int = 0) -> dict[str, Track]:
    return {"points": points(*lengths, seed=seed), "pictures": pictures(*lengths, seed=seed)}


def wider(track: Track, more: int, filled: int = 0) -> Track:
    """The same clips with more padding, of zeros or of something that is not to be seen."""
    padding = torch.full((len(track.mask), more, *track.values.shape[2:]), filled, dtype=track.values.dtype)
    values = torch.cat([track.values, padding], dim=1)
    mask = torch.cat([track.mask, torch.zeros(len(track.mask), more, dtype=torch.bool)], dim=1)
    return Track(
        torch.where(mask.view(*mask.shape, *[1] * (values.ndim - 2)), values, torch.full_like(values, filled)), mask
    )


def adapter(*words: str, measured: Measure | None = None) -> Adapter:
    """An adapter of conf/ with a tiny ViT and VideoMAE."""
    torch.manual_seed(0)
    found = examine("train", list(words))
    assert not found.problems, found.problems
    node = found.config["adapter"]
    for eye in (part for part in node.values() if isinstance(part, dict) and "backbone" in part):
        eye["backbone"]["architecture"] = VIT if eye["backbone"]["_target_"].endswith("Vit") else VIDEOMAE
    made: Adapter = build(node)(measure=measured or measure())
    return made


def measure(**samples: Track) -> Measure:
    return Measure(
        samples=samples or tracks(20, 30),
        roots=OPENPOSE_137.roots,
        vector_mean=torch.zeros(64),
        vector_std=torch.ones(64),
    )
