"""A training that starts with a checkpoint of the reference tools: whether it fits, and which weight goes where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from sonar_slt.adapter import ReferenceAdapter
from sonar_slt.data.layouts import by_points
from sonar_slt.errors import UserError
from sonar_slt.space import LoraStudent
from sonar_slt.task.reference.checkpoint import Imported, read_reference
from sonar_slt.task.reference.lora import place_of, target_of
from sonar_slt.task.start import take

if TYPE_CHECKING:
    from sonar_slt.task.sign import SignTranslation


def start_from_reference(task: SignTranslation, path: Path, parts: Sequence[str]) -> list[str]:
    """Take over what `parts` name from a file of the tools; sentences on what was dropped, and what differs there."""
    imported = read_reference(path)
    take(task, weights_for(task, imported, parts), parts, said=f"init_from={path}")
    return list(imported.notes)


def weights_for(
    task: SignTranslation, imported: Imported, parts: Sequence[str] = ("adapter", "student")
) -> dict[str, Tensor]:
    """All weights of the adapter and of the student, by the task's own names; those that `parts` names, or a part of.

    What does not fit is refused, with the words that would make it fit. A LoRA counts as alpha / rank, there and here,
    so both must be the checkpoint's. Targets that only the task adapts are given as they are, which changes nothing.
    """
    wanted = {part.partition(".")[0] for part in parts}
    weights: dict[str, Tensor] = {}
    amiss: list[str] = []
    if "adapter" in wanted:
        amiss += _adapter_amiss(task, imported)
        weights |= {f"adapter.{name}": weight for name, weight in imported.adapter.items()}
    if "student" in wanted:
        amiss += _student_amiss(task, imported) if imported.lora else ()
        weights |= {name: weight for name, weight in task.state_dict().items() if name.startswith("student.")}
        for module, pair in imported.lora.items():
            named = f"student.adapters.{module.replace('.', '/')}"
            weights |= {f"{named}.{letter}.weight": weight for letter, weight in zip("ab", pair, strict=True)}
    if amiss:
        raise UserError(f"init_from={imported.path} does not fit this training, it wants {', '.join(amiss)}.")
    return weights


def _adapter_amiss(task: SignTranslation, imported: Imported) -> Iterator[str]:
    """Words that would make the adapter fit, each with what it is here."""
    adapter, points, dim = task.adapter, imported.settings["num_landmarks"], imported.settings["d_model"]
    if not isinstance(adapter, ReferenceAdapter):
        yield "adapter=reference"
        return
    if adapter.points != points:
        layout = by_points(points)
        yield f"preparation.layout={layout.name if layout else 'null'} (its points are {points}, here {adapter.points})"
    if len(adapter.vector_mean) != dim:
        yield f"{_space(imported)} (its vectors have {dim} numbers, here {len(adapter.vector_mean)})"
    for key, size in imported.sizes.items():
        if adapter.sizes[key] != size:
            yield f"adapter.{key}={size} (here {adapter.sizes[key]})"


def _student_amiss(task: SignTranslation, imported: Imported) -> Iterator[str]:
    """Words that would make the student fit, each with what it is here."""
    student, rank, alpha = task.student, imported.settings["rank"], imported.settings["alpha"]
    if not isinstance(student, LoraStudent):
        yield f"student=lora student.rank={rank} student.alpha={alpha} student.targets=[{','.join(imported.targets)}]"
        return
    layers = {
        name.replace("/", "."): student.space.model.get_submodule(name.replace("/", ".")) for name in student.adapters
    }
    adapted = set(map(target_of, layers))
    lacking = [target for target in imported.targets if target not in adapted]
    if lacking:
        together = sorted(adapted.union(lacking), key=place_of)
        yield f"student.targets=[{','.join(together)}] (here without {', '.join(lacking)})"
    shapes = {name: (layer.in_features, layer.out_features) for name, layer in layers.items()}
    theirs = {name: (a.shape[1], b.shape[0]) for name, (a, b) in imported.lora.items()}
    alike = {name: shape for name, shape in shapes.items() if target_of(name) in imported.targets}
    if not lacking and alike != theirs:
        yield f"{_space(imported)} (its decoder has other layers)"
    here = next(iter(layers.values()))
    for key, wanted, got in (("rank", rank, here.r["default"]), ("alpha", alpha, here.lora_alpha["default"])):
        if wanted != got:
            yield f"student.{key}={wanted} (here {got})"


def _space(imported: Imported) -> str:
    source = imported.settings.get("model_name")
    return "space=sonar" + (f" space.source={source}" if source else "")
