"""Make features of a corpus' pictures: by frozen backbones, as skeletons, or small pictures; killed, it goes on.

The corpus is prepared first where it is not yet. Shards are jobs of their own: a multirun spreads them over a cluster.

Examples:
    sonar-slt extract data=toy features=vit_tiny_random
    sonar-slt extract data=phoenix14t data.root=/data/PHOENIX-2014-T features=[clip_s2,videomae_large]
    sonar-slt extract -m data=how2sign data.root=/data/How2Sign features=vit shard=1/4,2/4,3/4,4/4
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.errors import UserError
from sonar_slt.runs.record import Terminated, ended_by_sigterm

if TYPE_CHECKING:
    import torch
    from rich.console import Console

    from sonar_slt.features.extraction.job import Extracted
    from sonar_slt.features.extraction.made import Feature, Filmed

MOST = 8
"""Processes that read pictures unless told otherwise: more feed no one GPU."""


def run(config: dict[str, Any], asked: Asked) -> None:
    """Extract every feature that is asked for and say what was made."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=True)
    shard = _shard(config["shard"])
    _checked(config)
    try:
        with ended_by_sigterm():
            for corpus in corpora(config):
                for name, node in config["features"].items():
                    show(console, extracted(config, corpus, name, node, shard=shard), shard, asked.overrides)
    except (KeyboardInterrupt, Terminated):
        console.print("Stopped. The same command goes on from here.")
        raise


def corpora(config: Mapping[str, Any]) -> list[Filmed]:
    """The corpus, or the parts of a mixed one, prepared."""
    from sonar_slt.config.assembly import corpus_of

    corpus = corpus_of(config)
    corpus.prepare()
    return list(corpus.parts.values())


def extracted(
    config: Mapping[str, Any], corpus: Filmed, name: str, node: Mapping[str, Any], *, shard: tuple[int, int] = (1, 1)
) -> Extracted:
    """One kind of feature of one corpus, made unless it is there."""
    from sonar_slt.config.build import build
    from sonar_slt.features.extraction.job import extract

    built = build(node)
    feature = _on_device(config, built)
    workers = config.get("workers")
    return extract(
        corpus,
        feature,
        name=name,
        plan=feature.plan() if hasattr(feature, "plan") else {},
        shard=shard,
        workers=cores() if workers is None else workers,
    )


def _on_device(config: Mapping[str, Any], built: Any) -> Feature:
    """A backbone with the device and the precision that it works in; anything else makes clips by itself."""
    import torch

    from sonar_slt.features import Backbone
    from sonar_slt.features.extraction.batched import Batched
    from sonar_slt.task.fitting import best_device

    if not isinstance(built, Backbone):
        return built  # type: ignore[no-any-return]
    device = best_device()
    asked = config.get("precision") or ("bfloat16" if device.type == "cuda" else "float32")
    precision: torch.dtype = getattr(torch, asked)
    return Batched(built, device=device, precision=precision, pictures=config.get("pictures", 64))


def _checked(config: Mapping[str, Any]) -> None:
    if not config.get("features"):
        raise UserError("features=[]: nothing to extract; `sonar-slt extract --help` lists the features.")
    if config["precision"] not in (None, "float32", "bfloat16"):
        raise UserError(f"precision={config['precision']}: choose float32 or bfloat16, or null.")
    if config["workers"] is not None and config["workers"] < 0:
        raise UserError(f"workers={config['workers']}: a number of processes, 0 for none, null for one a core.")
    if config["pictures"] < 1:
        raise UserError(f"pictures={config['pictures']}: a backbone is given at least one at a time.")


def _shard(asked: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})/(\d{1,5})", asked)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f"shard={asked}: a part of so many was expected, counted from 1, such as shard=3/64.")
    return int(match[1]), int(match[2])


def cores() -> int:
    """How many processes read pictures where nobody says."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, cores)


def show(console: Console, found: Extracted, shard: tuple[int, int], overrides: Sequence[str]) -> None:
    """What a shard holds, what was wrong, and what comes next."""
    said = found.summary
    console.print(
        f"{'Extracted' if found.made else 'There already'}: {said['name']}, {said['track']}, {said['clips']:,} clips, "
        f"{said['frames']:,} frames in {found.folder}"
    )
    if said["faults"]:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in said["faults"].items())
        console.print(f"Faults: {kinds}; {said['left_out']} clips left out. By id: {found.faults}")
    if shard[1] > 1:
        console.print(f"Shard {shard[0]} of {shard[1]}; they are read once all are there.")
    kept = [word for word in overrides if re.split(r"[.=@]", word.lstrip("+~"), maxsplit=1)[0] in ("data", "paths")]
    if said["track"] == "points":
        told = shlex.join(["sonar-slt", "prepare", *kept, f"data.poses={found.folder.parent}"])
        console.print(f"Next: {told}")
    else:
        adapter = "visual" if said["track"] == "pictures" else "spamo"
        console.print(f"Next: {shlex.join(['sonar-slt', 'train', *kept, f'adapter={adapter}'])}")
