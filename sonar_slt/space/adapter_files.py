"""A student's adapters as a folder in peft's own format: `adapter_config.json` and `adapter_model.safetensors`.

peft reads it over the same base (`PeftModel.from_pretrained`), and nothing of the base is in it but a name and a hash.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import LoraConfig
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.files import replacing
from sonar_slt.space.lora_options import require_options
from sonar_slt.space.sentence_space import SentenceSpace

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

PREFIX = "base_model.model."
"""What peft puts before the base's own names of its modules."""

FINGERPRINT = "base_fingerprint"
"""The key of the base's hash in the one part of peft's config that is free, `auto_mapping`."""

OURS = (
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "exclude_modules",
    "auto_mapping",
    "base_model_name_or_path",
    "revision",
    "task_type",
    "peft_type",
    "peft_version",
    "inference_mode",
    "init_lora_weights",
)
"""Settings of peft that we read, or that change no vector of weights that fit; the others must be at their default."""

HARMLESS_STARTS = (True, False, "gaussian")
"""How the small matrices may have begun; some of peft's other ways change the base."""


def write_adapters(folder: Path, config: LoraConfig, weights: Mapping[str, Tensor], base: SentenceSpace) -> None:
    """Write weights, by the names of `adapter_shapes`, so that the folder is whole or not there."""
    require_own("Adapters are a folder of their own", folder, {CONFIG, WEIGHTS})
    with replacing(folder) as draft:
        save_file({name: weight.detach().contiguous() for name, weight in weights.items()}, draft / WEIGHTS)
        saved = copy.copy(config)
        saved.base_model_name_or_path, saved.inference_mode = base.name, True  # as peft saves what it will only run
        kind = type(base.model)
        mapping = {
            "base_model_class": kind.__name__,
            "parent_library": kind.__module__,
            FINGERPRINT: base.fingerprint,
        }
        saved.save_pretrained(str(draft), auto_mapping_dict=mapping)


def require_own(rule: str, folder: Path, names: set[str]) -> None:
    """Refuse to write over anything but files of these names; `rule` begins the sentence."""
    foreign = sorted({path.name for path in folder.iterdir()} - names) if folder.is_dir() else []
    if foreign or folder.is_file():
        raise UserError(f"{rule}, but '{folder}' holds {foreign or 'a file'} already.")


def read_adapters(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The settings and the weights of a folder, refused where they are broken or say what we do not know."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise UserError(f"No adapters at '{folder}': it has no {name}.")
    try:
        settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        weights = load_file(folder / WEIGHTS)
    except (ValueError, SafetensorError) as error:
        raise UserError(f"The adapters of '{folder}' cannot be read: {error}.") from error
    _require_lora(folder / CONFIG, settings)
    return settings, weights


def _require_lora(path: Path, settings: Any) -> None:
    """Refuse settings that are no LoRA, or one with more to it than a LoRA student has."""
    settings = settings if isinstance(settings, dict) else {}
    lacking = {"r", "lora_alpha", "lora_dropout", "target_modules"} - settings.keys()
    if lacking or settings.get("peft_type") != "LORA" or not isinstance(settings["target_modules"], list):
        raise UserError(f"'{path}' describes no LoRA with a rank, an alpha, a dropout and a list of target modules.")
    if not isinstance(settings.get("auto_mapping") or {}, dict):
        raise UserError(f"'{path}' has auto_mapping={settings['auto_mapping']!r}: expected names and values.")
    usual = vars(LoraConfig())
    other = [name for name, value in settings.items() if name not in OURS and value and value != usual.get(name)]
    if settings.get("init_lora_weights", True) not in HARMLESS_STARTS:
        other.append("init_lora_weights")
    if other:
        told = ", ".join(f"{name}={settings[name]!r}" for name in other)
        raise UserError(f"'{path}' sets {told}, which a LoRA student does not have.")
    require_options(
        f"'{path}'",
        rank=settings["r"],
        alpha=settings["lora_alpha"],
        dropout=settings["lora_dropout"],
        targets=settings["target_modules"],
    )


def require_fit(folder: Path, weights: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse weights that are not exactly those of a student: one that is missing, too many or of another shape."""
    lacking, extra = sorted(shapes.keys() - weights.keys()), sorted(weights.keys() - shapes.keys())
    if lacking or extra:
        raise UserError(
            f"The adapters of '{folder}' do not fit: {len(lacking)} weights are missing ({_first(lacking)}) "
            f"and {len(extra)} are too many ({_first(extra)})."
        )
    for name, shape in shapes.items():
        if tuple(weights[name].shape) != shape:
            raise UserError(f"'{name}' in '{folder}' has shape {tuple(weights[name].shape)}, expected {shape}.")


def _first(names: list[str]) -> str:
    return names[0] if names else "none"
