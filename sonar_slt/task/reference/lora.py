"""The tools' LoRA: the pairs of matrices that change what the decoder says, and the scale that they count by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.space.student import DEAD_PROJECTIONS, LIVE_PROJECTIONS

USUAL_LORA = {"r": 16, "lora_alpha": 32}
"""What the tools themselves assume of a checkpoint that does not tell its LoRA."""
BEYOND = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""Settings of peft that would make other weights of the same matrices."""
LORA = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<letter>[AB])(?:\.\w+)?\.weight")
"""A LoRA matrix of peft, with or without the name of its adapter."""


def target_of(module: str) -> str:
    """What a target calls a projection: its name within a layer."""
    return re.sub(r".*\.layers\.\d+\.", "", module)


def place_of(target: str) -> tuple[int, str]:
    """Where a target stands in a list of them: as in the student's own, others behind."""
    known = LIVE_PROJECTIONS.index(target) if target in LIVE_PROJECTIONS else len(LIVE_PROJECTIONS)
    return known, target


def lora_pairs(theirs: Mapping[str, Tensor], path: Path) -> tuple[dict[str, tuple[Tensor, Tensor]], list[str]]:
    """The pairs of matrices that change what the decoder says, and what was dropped of the others."""
    pairs: dict[str, dict[str, Tensor]] = {}
    for name, weight in theirs.items():
        match = LORA.fullmatch(str(name))
        if match is None or weight.ndim != 2 or match["letter"] in pairs.get(match["module"], {}):
            raise UserError(f"'{path}' holds {name}, which is no matrix of one plain LoRA.")
        pairs.setdefault(match["module"], {})[match["letter"]] = weight
    if torn := [module for module, pair in pairs.items() if len(pair) < 2]:
        raise UserError(f"'{path}' holds one half of the LoRA of {torn[0]}.")
    encoder = [module for module in pairs if ".encoder." in f".{module}"]
    dead = [module for module in pairs if module.endswith(DEAD_PROJECTIONS) and module not in encoder]
    notes = [] if pairs else ["It has no LoRA: the decoder is the space's own."]
    if encoder:
        notes.append(f"Dropped: LoRA of {len(encoder)} projections of the encoder. No vector of a clip comes from it.")
    if dead:
        notes.append(
            f"Dropped: LoRA of {len(dead)} queries and keys of the cross-attention. With one memory vector its softmax "
            "is 1, so they never changed anything."
        )
    live = [module for module in pairs if module not in {*encoder, *dead}]
    return {name: (pairs[name]["A"].float().clone(), pairs[name]["B"].float().clone()) for name in live}, notes


def lora_scale(peft: Mapping[str, Any], lora: Mapping[str, tuple[Tensor, Tensor]], path: Path) -> dict[str, Any]:
    """Rank and alpha of the LoRA, as its settings and its matrices both have them."""
    if other := [key for key in BEYOND if peft.get(key)]:
        raise UserError(f"'{path}' has a LoRA with {other[0]}, which a LoRA student does not have.")
    ranks = {rank for a, b in lora.values() for rank in (a.shape[0], b.shape[-1])}
    rank, alpha = (peft.get(key, usual) for key, usual in USUAL_LORA.items())
    if ranks != {rank}:
        raise UserError(f"'{path}' says that its LoRA has rank {rank}, but its matrices have {sorted(ranks)}.")
    if not isinstance(alpha, int | float) or not alpha > 0:
        raise UserError(f"'{path}' has a LoRA with lora_alpha={alpha!r}: expected a number above 0.")
    return {"rank": rank, "alpha": alpha}
