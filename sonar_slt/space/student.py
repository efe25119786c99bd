"""The student decoder: the frozen base, and LoRA weights over it that adapt it to vectors of a new modality.

Teacher and student share one copy of the base: with the adapters off it is the teacher, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from sonar_slt.space.likelihood import sentence_nll
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
"""What LoRA may adapt: the cross-attention's query and key are dead with one memory vector and left out."""


class Student(nn.Module):
    """The decoder of a space as it is: nothing adapts, so vectors must land where the teacher's do."""

    def __init__(self, *, space: SentenceSpace) -> None:
        super().__init__()
        self._space = (space,)  # in a tuple: the frozen base is no weight of the student and is not saved with it

    @property
    def space(self) -> SentenceSpace:
        """The space whose decoder this is."""
        return self._space[0]

    def nll(self, vectors: Tensor, tokens: TokenBatch) -> Tensor:
        """Mean negative log-likelihood per token of each sentence (batch,); differentiable in vectors and weights."""
        return sentence_nll(self.space.model, vectors, tokens)

    def decode(self, vectors: Tensor, lang: str | Sequence[str], **options: Any) -> list[str]:
        """One sentence per vector."""
        return self.space.decode(vectors, lang, **options)

    @contextmanager
    def as_teacher(self) -> Iterator[SentenceSpace]:
        """The space without what the student learnt, for as long as the block lasts."""
        yield self.space


class LoraStudent(Student):
    """LoRA over the decoder of a space; owns and saves the small matrices only."""

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
        names = "|".join(target.replace(".", r"\.") for target in targets)
        config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=rf".*decoder\..*({names})")
        inject_adapter_in_model(config, space.model)
        self.adapters = nn.ModuleDict(
            {
                name.replace(".", "/"): nn.ModuleDict(
                    {
                        "a": layer.lora_A["default"],
                        "b": layer.lora_B["default"],
                        "dropout": layer.lora_dropout["default"],
                    }
                )
                for name, layer in space.model.named_modules()
                if isinstance(layer, LoraLayer)
            }
        )

    @contextmanager
    def as_teacher(self) -> Iterator[SentenceSpace]:
        """The space with the adapters off."""
        layers = [layer for layer in self.space.model.modules() if isinstance(layer, LoraLayer)]
        for layer in layers:
            layer.enable_adapters(False)
        try:
            yield self.space
        finally:
            for layer in layers:
                layer.enable_adapters(True)
