"""The student decoder: the frozen base, and LoRA weights over it that adapt it to vectors of a new modality.

Teacher and student share one copy of the base: with the adapters off it is the teacher, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from sonar_slt.errors import UserError
from sonar_slt.space.adapter_files import FINGERPRINT, PREFIX, read_adapters, require_fit, write_adapters
from sonar_slt.space.likelihood import sentence_nll
from sonar_slt.space.lora_options import require_options
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.tokens import TokenBatch

LIVE_PROJECTIONS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "encoder_attn.v_proj",
    "encoder_attn.out_proj",
)
"""What LoRA adapts unless told otherwise; `fc1` and `fc2` may be added."""

DEAD_PROJECTIONS = ("encoder_attn.q_proj", "encoder_attn.k_proj")
"""With one memory vector the cross-attention's softmax is 1: nothing that these do changes any output."""

ENCODER = r"(?:.*\.)?encoder\..*"
"""The names of modules of the encoder, which no adapter touches."""


class Student(nn.Module):
    """The decoder of a space as it is: nothing adapts, so vectors must land where the teacher's do."""

    def __init__(self, *, space: SentenceSpace) -> None:
        super().__init__()
        self._space = (space,)  # in a tuple: the frozen base is no weight of the student and is not saved with it

    @property
    def space(self) -> SentenceSpace:
        """The space whose decoder this is."""
        return self._space[0]

    def nll(self, vectors: Tensor, tokens: TokenBatch, **options: Any) -> Tensor:
        """Mean negative log-likelihood per token of each sentence (batch,); differentiable in vectors and weights.

        `options` are those of `sentence_nll`: `smoothing`, `recomputed`.
        """
        return sentence_nll(self.space.model, vectors, tokens, **options)

    def decode(self, vectors: Tensor, lang: str | Sequence[str], **options: Any) -> list[str]:
        """One sentence for each of the vectors (N, dim)."""
        return self.space.decode(vectors, lang, **options)

    def log_likelihood(self, vectors: Tensor, texts: Sequence[str], lang: str | Sequence[str]) -> Tensor:
        """Mean log-probability per token (N,) of each text given its vector."""
        return self.space.log_likelihood(vectors, texts, lang)

    @contextmanager
    def as_teacher(self) -> Iterator[SentenceSpace]:
        """The space without what the student learnt, for as long as the block lasts."""
        yield self.space


class LoraStudent(Student):
    """LoRA over the decoder of a space; owns and saves the small matrices only, in float32 whatever the base is in."""

    def __init__(
        self,
        *,
        space: SentenceSpace,
        rank: int = 16,
        alpha: int = 32,
        dropout: float = 0.0,
        targets: Sequence[str] = LIVE_PROJECTIONS,
    ) -> None:
        super().__init__(space=space)
        if not space.has_decoder:
            raise UserError(f"The space '{space.name}' was opened without its decoder, which a student adapts.")
        require_options("A LoRA student", rank=rank, alpha=alpha, dropout=dropout, targets=targets)
        adapter_shapes(space, targets, rank)  # what is wrong is said before anything is touched
        self._config = LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=dropout,
            target_modules=list(targets),
            exclude_modules=ENCODER,
        )
        inject_adapter_in_model(self._config, space.model)
        self.adapters = nn.ModuleDict(
            {
                name.replace(".", "/"): nn.ModuleDict(
                    {
                        "a": layer.lora_A["default"],
                        "b": layer.lora_B["default"],
                        "dropout": layer.lora_dropout["default"],
                    }
                )
                for name, layer in _layers(space)
            }
        )
        self.adapters.to(torch.promote_types(space.model.lm_head.weight.dtype, torch.float32))

    @contextmanager
    def as_teacher(self) -> Iterator[SentenceSpace]:
        """The space with the adapters off."""
        self._require_adapters("it has no teacher any more")
        layers = [layer for _, layer in _layers(self.space) if not layer.disable_adapters]
        for layer in layers:
            _switch(layer, on=False)
        try:
            yield self.space
        finally:
            for layer in layers:
                _switch(layer, on=True)

    def save(self, folder: str | Path) -> None:
        """Write the adapters alone in peft's own format; the folder is whole or not there."""
        self._require_adapters("it has no adapters to save")
        write_adapters(Path(folder), self._config, self._weights(), self.space)

    @classmethod
    def load(cls, folder: str | Path, *, space: SentenceSpace, same_base: bool = True) -> Self:
        """The student of a saved folder, every weight as it was; over another base only if `same_base` is off."""
        settings, weights = read_adapters(Path(folder))
        learnt_over = (settings.get("auto_mapping") or {}).get(FINGERPRINT)
        if same_base and learnt_over not in (None, space.fingerprint):
            raise UserError(
                f"The adapters of '{folder}' were learnt over '{settings.get('base_model_name_or_path')}' "
                f"({learnt_over}), not over '{space.name}' ({space.fingerprint}): open that, or say same_base=False."
            )
        rank, targets = settings["r"], sorted(settings["target_modules"])
        require_fit(Path(folder), weights, adapter_shapes(space, targets, rank))
        student = cls(
            space=space, rank=rank, alpha=settings["lora_alpha"], dropout=settings["lora_dropout"], targets=targets
        )
        with torch.no_grad():
            for name, weight in student._weights().items():
                weight.copy_(weights[name])
        return student

    def merge(self) -> SentenceSpace:
        """Fold the adapters into the base for good: its space is an ordinary one again, under a new fingerprint.

        Exact but for one rounding of each weight in the base's precision.
        """
        self._require_adapters("it has no adapters to merge")
        broken = [name for name, weight in self._weights().items() if not weight.isfinite().all()]
        if broken:
            raise UserError(f"{len(broken)} adapter weights hold NaN or infinity ({broken[0]}): nothing was merged.")
        model = self.space.model
        for name, layer in _layers(self.space):
            layer.merge()
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, layer.base_layer)
        del model.peft_config
        self.adapters = nn.ModuleDict()
        self.space.name += " with adapters merged in"  # no one may take it for the base that it was
        self.space.renew()
        return self.space

    def _require_adapters(self, lost: str) -> None:
        if not self.adapters:
            raise UserError(f"This student was merged into its base: {lost}. Open the space again for a new one.")

    def _weights(self) -> dict[str, Tensor]:
        """The small matrices by peft's names."""
        return {
            f"{PREFIX}{name.replace('/', '.')}.lora_{letter.upper()}.weight": pair.get_parameter(f"{letter}.weight")
            for name, pair in self.adapters.items()
            for letter in ("a", "b")
        }


def adapter_shapes(space: SentenceSpace, targets: Sequence[str], rank: int) -> dict[str, tuple[int, int]]:
    """The weights of a student with these options, by peft's names; options that make no student are refused."""
    if any(_layers(space)):
        raise UserError(f"The space '{space.name}' has a LoRA student already: merge it, or open the space again.")
    linear = {name: layer for name, layer in space.model.named_modules() if isinstance(layer, nn.Linear)}
    shapes: dict[str, tuple[int, int]] = {}
    for target in targets:
        met = [name for name in linear if ".decoder." in name and name.endswith(f".{target}")]
        if not met:
            raise UserError(
                f"LoRA target '{target}' is no projection of the decoder: choose among {', '.join(LIVE_PROJECTIONS)}, "
                "fc1, fc2."
            )
        if any(name.endswith(DEAD_PROJECTIONS) for name in met):
            raise UserError(
                f"LoRA target '{target}' means the cross-attention's query or key, which are dead with one memory "
                f"vector: choose among {', '.join(LIVE_PROJECTIONS)}, fc1, fc2."
            )
        for name in met:
            shapes[f"{PREFIX}{name}.lora_A.weight"] = (rank, linear[name].in_features)
            shapes[f"{PREFIX}{name}.lora_B.weight"] = (linear[name].out_features, rank)
    return shapes


def _switch(layer: Any, *, on: bool) -> None:
    """The adapters of a layer on or off; peft alone would also change which of them learn."""
    learning = [(weight, weight.requires_grad) for weight in layer.parameters()]
    layer.enable_adapters(on)
    for weight, learns in learning:
        weight.requires_grad_(learns)


def _layers(space: SentenceSpace) -> list[tuple[str, Any]]:
    return [(name, layer) for name, layer in space.model.named_modules() if isinstance(layer, LoraLayer)]
