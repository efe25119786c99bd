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

from sonar_slt.data.layouts import by_points
from sonar_slt.errors import UserError
from sonar_slt.task.reference.adapter import adapter_weights
from sonar_slt.task.reference.lora import lora_pairs, lora_scale, place_of, target_of

STATE = "training_state.pt"
"""The file in the folder that the tools go on with; it has all that `adapter_stepNNNNNN.pt` beside it has."""
RUNNING = ("optimizer", "scheduler", "scaler", "nce_queue")


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


def read_reference(path: str | Path) -> Imported:
    """Read `adapter_stepNNNNNN.pt`, `adapter_final.pt`, or the folder or file of a training's state."""
    path = Path(path).expanduser()
    path = path / STATE if path.is_dir() else path
    content = _content(path)
    adapter, sizes = adapter_weights(content["adapter"], content["bridge"], path)
    lora, notes = lora_pairs(content.get("lora") or {}, path)
    halves = {f"{name}.{letter}": half for name, pair in lora.items() for letter, half in zip("AB", pair, strict=True)}
    _require_numbers({**adapter, **halves}, path)
    told, peft = (content[key] if isinstance(content.get(key), dict) else {} for key in ("config", "lora_config"))
    settings = {**_plain(told), **(lora_scale(peft, lora, path) if lora else {})}
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


def _plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the checkpoint says of its training that is of use here."""
    known = {key: told.get(key) for key in ("T", "clip_frames", "model_name", "tgt_lang")}
    return {key: value for key, value in known.items() if isinstance(value, int | str)}


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
