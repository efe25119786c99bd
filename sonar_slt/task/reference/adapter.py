"""The tools' keypoint adapter and its bridge as the weights of a ReferenceAdapter, complete and of the right shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from sonar_slt.adapter import Measure, ReferenceAdapter
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

HEADS = 8
"""Of both transformers there; no option, and no shape tells it."""

PLACES = {
    "kp_enc.proj.": "frame.",
    "kp_enc.temporal.encoder.layers.": "narrow.layers.",
    "kp_enc.temporal.layer_norm.": "narrow.norm.",
    "kp_proj.": "widen.",
    "fusion.encoder.layers.": "wide.layers.",
    "fusion.layer_norm.": "wide.norm.",
    "out_norm.": "norm.",
    "out_proj.": "project.",
}
IN_A_LAYER = {
    ".self_attn.in_proj_": ".attention.mix.",
    ".self_attn.out_proj.": ".attention.out.",
    ".norm1.": ".before_attention.",
    ".norm2.": ".before_hidden.",
    ".linear1.": ".hidden.0.",
    ".linear2.": ".hidden.2.",
}
"""Names there to names in `ReferenceAdapter`, by how they begin and by what is in them."""
SEEING = ("vit.", "videomae.", "fusion.key_proj.", "fusion.modality_embeddings")
"""How names of the tools' other adapter begin, which also sees pictures."""


def adapter_weights(
    theirs: Mapping[str, Tensor], bridge: Mapping[str, Tensor], path: Path
) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The weights by the names that they have here, and the sizes of the adapter that has them."""
    if any(name.startswith(SEEING) for name in theirs):
        raise UserError(
            f"'{path}' is of the tools' adapter that reads keypoints and video: only the one for keypoints alone has a "
            "counterpart here, adapter=reference."
        )
    found = {_renamed(name): weight.to(torch.float32, copy=True) for name, weight in theirs.items()}
    found |= {f"bridge.{name}": weight.to(torch.float32, copy=True) for name, weight in bridge.items()}
    sizes, expected = _expected(found, path)
    for name, shape in expected.items():
        if name not in found:
            raise UserError(f"'{path}' lacks {name}, as it is called here: it is no whole checkpoint.")
        if found[name].shape != shape:
            raise UserError(f"'{path}' holds {name} as {tuple(found[name].shape)}, expected was {tuple(shape)}.")
    if extra := sorted(found.keys() - expected.keys()):
        raise UserError(f"'{path}' holds {extra[0]}, which the tools' adapter for keypoints has not.")
    found["widen.bias"] += found.pop("keypoint_bias")  # it is only ever added to what has this bias already
    dim = len(found["bridge.weight"])
    return {**found, "vector_mean": torch.zeros(dim), "vector_std": torch.ones(dim)}, sizes


def _renamed(name: str) -> str:
    for theirs, ours in PLACES.items():
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
            break
    for theirs, ours in IN_A_LAYER.items():
        name = name.replace(theirs, ours)
    return name


def _expected(found: Mapping[str, Tensor], path: Path) -> tuple[dict[str, int], dict[str, torch.Size]]:
    """The sizes that the weights tell, and the names and shapes of an adapter of these."""
    entry, last = found.get("frame.1.weight"), found.get("bridge.weight")
    if entry is None or entry.ndim != 2 or entry.shape[1] % 3 or last is None or last.ndim != 2:
        raise UserError(f"'{path}' is no checkpoint of the reference tools: it has no entry for points of 3 numbers.")
    layers = {
        half: len({name.split(".")[2] for name in found if name.startswith(f"{half}.layers.")})
        for half in ("narrow", "wide")
    }
    sizes = {"frame_dim": entry.shape[0], "frame_layers": layers["narrow"], "frame_heads": HEADS}
    sizes |= {"dim": last.shape[1], "layers": layers["wide"], "heads": HEADS}
    points = Track(torch.zeros(1, 1, entry.shape[1] // 3, 3), torch.ones(1, 1, dtype=torch.bool))
    zeros = torch.zeros(last.shape[0])
    measure = Measure(samples={"points": points}, vector_mean=zeros, vector_std=zeros)
    with torch.device("meta"):
        like = ReferenceAdapter(measure=measure, positions=False, dropout=0.0, **sizes)
    return sizes, {name: weight.shape for name, weight in like.named_parameters()} | {"keypoint_bias": last.shape[1:]}
