"""Checkpoints of the reference tools (GatDeguin/SLT_v2) as weights of `adapter=reference` and of the LoRA student.

What those files hold beside that, and what could change no vector and no sentence here, is dropped and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sonar_slt.adapter import Measure, ReferenceAdapter
from sonar_slt.data.layouts import by_points
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.space.student import DEAD_PROJECTIONS, LIVE_PROJECTIONS

STATE = "training_state.pt"
"""The file in the folder that the tools go on with; it has all that `adapter_stepNNNNNN.pt` beside it has."""
HEADS = 8
"""Of both transformers there; no option, and no shape tells it."""
USUAL_LORA = {"r": 16, "lora_alpha": 32}
"""What the tools themselves assume of a checkpoint that does not tell its LoRA."""
BEYOND = ("use_rslora", "use_dora", "rank_pattern", "alpha_pattern")
"""Settings of peft that would make other weights of the same matrices."""
RUNNING = ("optimizer", "scheduler", "scaler", "nce_queue")

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
LORA = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<letter>[AB])(?:\.\w+)?\.weight")
"""A LoRA matrix of peft, with or without the name of its adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A checkpoint under our names; `notes` are sentences on what was dropped, and on what was different there."""

    path: Path
    adapter: Mapping[str, Tensor]  # of a ReferenceAdapter
    sizes: Mapping[str, int]  # of that adapter, by its keys
    lora: Mapping[str, tuple[Tensor, Tensor]]  # by module of the space: A (rank, in) and B (out, rank)
    settings: Mapping[str, Any]  # rank, alpha, T, clip_frames, model_name, tgt_lang, num_landmarks, d_model
    notes: Sequence[str]

    @property
    def targets(self) -> list[str]:
        """What the LoRA adapts, as `student.targets` has it."""
        return sorted({target_of(module) for module in self.lora}, key=place_of)


def target_of(module: str) -> str:
    """What a target calls a projection: its name within a layer."""
    return re.sub(r".*\.layers\.\d+\.", "", module)


def place_of(target: str) -> tuple[int, str]:
    """Where a target stands in a list of them: as in the student's own, others behind."""
    known = LIVE_PROJECTIONS.index(target) if target in LIVE_PROJECTIONS else len(LIVE_PROJECTIONS)
    return known, target


def read_reference(path: str | Path) -> Imported:
    """Read `adapter_stepNNNNNN.pt`, `adapter_final.pt`, or the folder or file of a training's state."""
    path = Path(path).expanduser()
    path = path / STATE if path.is_dir() else path
    content = _content(path)
    adapter, sizes = _adapter(content, path)
    lora, notes = _lora(content.get("lora") or {}, path)
    halves = {f"{name}.{letter}": half for name, pair in lora.items() for letter, half in zip("AB", pair, strict=True)}
    _require_numbers({**adapter, **halves}, path)
    told, peft = (content[key] if isinstance(content.get(key), dict) else {} for key in ("config", "lora_config"))
    settings = {**_plain(told), **(_scale(peft, lora, path) if lora else {})}
    settings |= {"num_landmarks": len(adapter["frame.0.weight"]) // 3, "d_model": len(adapter["bridge.weight"])}
    if isinstance(targets := peft.get("target_modules"), list | tuple | set) and "o_proj" in targets:
        notes.append("Its LoRA never adapted an output projection: o_proj, its target, is called out_proj here.")
    if running := [name for name in RUNNING if content.get(name) is not None]:
        notes.append(f"Dropped: {', '.join(running)}. A training starts with these weights, it does not go on.")
    notes += _differences(settings)
    return Imported(path=path, adapter=adapter, sizes=sizes, lora=lora, settings=settings, notes=tuple(notes))


def _require_numbers(weights: Mapping[str, Tensor], path: Path) -> None:
    if unhealthy := [name for name, weight in weights.items() if not weight.isfinite().all()]:
        raise UserError(f"'{path}' holds NaN or infinity in {len(unhealthy)} of its weights ({unhealthy[0]}).")


def _content(path: Path) -> dict[str, Any]:
    """What `torch.save` wrote, by torch's restricted unpickler; what is not taken over stays in the file."""
    if not path.is_file():
        raise UserError(
            f"No checkpoint of the reference tools at '{path}': expected adapter_final.pt, adapter_stepNNNNNN.pt, or "
            f"a folder with {STATE}."
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except MemoryError:
        raise
    except Exception as error:  # a broken file fails in whatever way its bytes lead to
        if named := re.search(r"GLOBAL (\S+)", str(error)):
            raise UserError(
                f"'{path}' was not read: it asks for {named[1]}, which could run code; expected tensors and "
                "plain values."
            ) from error
        raise UserError(f"'{path}' is cut short or is no checkpoint that torch can read: copy it again.") from error
    if not isinstance(content, dict) or not all(_is_state(content.get(key)) for key in ("adapter", "bridge")):
        raise UserError(f"'{path}' is no checkpoint of the reference tools: expected weights as adapter and as bridge.")
    if content.get("lora") and not _is_state(content["lora"]):
        raise UserError(f"'{path}' holds something else than weights as lora.")
    return content


def _is_state(value: object) -> bool:
    """Whether this is weights by their names, at least one."""
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(name, str) and isinstance(weight, Tensor) for name, weight in value.items())


def _adapter(content: Mapping[str, Any], path: Path) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The weights of a ReferenceAdapter and its sizes, complete and of the right shapes."""
    theirs: dict[str, Tensor] = content["adapter"]
    if any(name.startswith(SEEING) for name in theirs):
        raise UserError(
            f"'{path}' is of the tools' adapter that reads keypoints and video: only the one for keypoints alone has a "
            "counterpart here, adapter=reference."
        )
    found = {_renamed(name): weight.to(torch.float32, copy=True) for name, weight in theirs.items()}
    found |= {f"bridge.{name}": weight.to(torch.float32, copy=True) for name, weight in content["bridge"].items()}
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


def _lora(theirs: Mapping[str, Tensor], path: Path) -> tuple[dict[str, tuple[Tensor, Tensor]], list[str]]:
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


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the checkpoint says of its training that is of use here."""
    known = {key: told.get(key) for key in ("T", "clip_frames", "model_name", "tgt_lang")}
    return {key: value for key, value in known.items() if isinstance(value, int | str)}


def _scale(peft: Mapping[str, Any], lora: Mapping[str, tuple[Tensor, Tensor]], path: Path) -> dict[str, Any]:
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


def _differences(settings: Mapping[str, Any]) -> Iterator[str]:
    """What must be the same as there for the vectors to be, and what never is."""
    layout = by_points(settings["num_landmarks"])
    words = ["adapter.positions=false", "normalise=frame"]
    words += [f"preparation.layout={layout.name}"] if layout else []
    words += [f"sampling=uniform sampling.frames={settings['T']}"] if "T" in settings else []
    words += [f"languages=[{settings['tgt_lang']}]"] if "tgt_lang" in settings else []
    yield f"These weights were learnt with {' '.join(words)}."
    yield (
        "They were drawn towards states of the decoder's last layers, not towards sentence vectors: mse and cosine "
        "begin high, while what the decoder says is what it said there."
    )
