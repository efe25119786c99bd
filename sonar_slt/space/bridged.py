"""BridgedStudent: a LoRA student whose decoder reads vectors of another kind through one learnt matrix.

The reference tools aim at the state of a shallow decoder (`pooling=attention`), which SONAR's decoder never read, and
leave it to LoRA to read it as it is. A matrix between the two learns that many times faster.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sonar_slt.errors import UserError
from sonar_slt.files import replacing
from sonar_slt.space.adapter_files import require_own
from sonar_slt.space.pooling import MeanPooling
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.student import LIVE_PROJECTIONS, LoraStudent
from sonar_slt.space.tokens import TokenBatch

ADAPTERS, BRIDGE = "adapters", "bridge.safetensors"
"""What a saved student is made of: peft's folder, and the matrix beside it."""


class BridgedStudent(LoraStudent):
    """LoRA over the decoder of a space, which reads `loudness * bridge(vector)`; both learn, and both are saved.

    The bridge begins as any new weight. `loudness` stays as it is: it brings a decoder's states, of elements near 1, to
    the size of the encoder's, so that the decoder hears what it is used to and the bridge learns at LoRA's rate.
    """

    def __init__(
        self,
        *,
        space: SentenceSpace,
        rank: int = 16,
        alpha: int = 32,
        dropout: float = 0.0,
        targets: Sequence[str] = LIVE_PROJECTIONS,
    ) -> None:
        super().__init__(space=space, rank=rank, alpha=alpha, dropout=dropout, targets=targets)
        precision = torch.promote_types(space.model.lm_head.weight.dtype, torch.float32)
        self.bridge = nn.Linear(space.dim, space.dim, bias=False, device=space.device, dtype=precision)
        self.loudness = _loudness(space)

    def nll(self, vectors: Tensor, tokens: TokenBatch, **options: Any) -> Tensor:
        """Mean negative log-likelihood per token of each sentence (batch,), read through the bridge."""
        return super().nll(self.crossed(vectors), tokens, **options)

    @torch.no_grad()
    def decode(self, vectors: Tensor, lang: str | Sequence[str], **options: Any) -> list[str]:
        """One sentence for each of the vectors (N, dim), read through the bridge."""
        return super().decode(self.crossed(vectors), lang, **options)

    def log_likelihood(self, vectors: Tensor, texts: Sequence[str], lang: str | Sequence[str]) -> Tensor:
        """Mean log-probability per token (N,) of each text, read through the bridge."""
        return super().log_likelihood(self.crossed(vectors), texts, lang)

    def crossed(self, vectors: Tensor) -> Tensor:
        """Vectors (batch, dim) as the decoder reads them."""
        crossed: Tensor = self.loudness * self.bridge(vectors.to(self.bridge.weight))
        return crossed

    def save(self, folder: str | Path) -> None:
        """Write adapters and bridge; the folder is whole or not there."""
        folder = Path(folder)
        require_own("A student is a folder of its own", folder, {ADAPTERS, BRIDGE})
        with replacing(folder) as draft:
            super().save(draft / ADAPTERS)
            loudness = torch.tensor(self.loudness, dtype=torch.float64)
            save_file({"weight": self.bridge.weight.detach().contiguous(), "loudness": loudness}, draft / BRIDGE)

    @classmethod
    def load(cls, folder: str | Path, *, space: SentenceSpace, same_base: bool = True) -> Self:
        """The student of a saved folder, every weight as it was; over another base only if `same_base` is off."""
        saved = _bridge(Path(folder) / BRIDGE, space.dim)
        student = super().load(Path(folder) / ADAPTERS, space=space, same_base=same_base)
        with torch.no_grad():
            student.bridge.weight.copy_(saved["weight"])
        student.loudness = float(saved["loudness"])
        return student

    def merge(self) -> SentenceSpace:
        """Fold adapters and bridge into the base for good: the space's own decoder reads the vectors then.

        The vectors' pooling stays as it was made, but a space that is saved and opened again would make another one of
        the merged layers: encode sentences with the base.
        """
        if not self.bridge.weight.isfinite().all():
            raise UserError("The bridge holds NaN or infinity: nothing was merged.")
        space = super().merge()
        bridge = self.loudness * self.bridge.weight.detach().double()
        with torch.no_grad():
            for layer in space.model.model.decoder.layers:
                reader = layer.encoder_attn.v_proj.weight
                reader.copy_(reader.double() @ bridge)
            nn.init.eye_(self.bridge.weight)
        self.loudness = 1.0
        space.renew()
        return space


def readable(space: SentenceSpace, vectors: Tensor, texts: Sequence[str], lang: str) -> Tensor | None:
    """The vectors (N, dim) of these texts that the space's own decoder was trained to read: their plain means.

    `vectors` are what the space's pooling made of them. None where that is no mean and there is no encoder to ask.
    """
    if isinstance(space.pooling, MeanPooling):
        return vectors
    if not space.has_encoder:
        return None
    plain = copy.copy(space)
    plain.pooling = MeanPooling()
    return plain.encode(texts, lang)


def _loudness(space: SentenceSpace) -> float:
    """How loud the encoder's states are beside the vectors: told by the norms behind which both come out."""
    if not space.pooling.needs_decoder:
        return 1.0
    model = space.model.model
    return float(model.encoder.layer_norm.weight.norm() / model.decoder.layer_norm.weight.norm())


def _bridge(path: Path, dim: int) -> dict[str, Tensor]:
    """The matrix and the loudness of a saved student, refused where they are broken or of another width."""
    if not path.is_file():
        raise UserError(f"No bridged student at '{path.parent}': it has no {path.name}.")
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise UserError(f"The bridge '{path}' cannot be read: {error}.") from error
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    if shapes != {"weight": (dim, dim), "loudness": ()}:
        raise UserError(f"The bridge '{path}' holds {shapes}: expected a weight of {dim} by {dim}, and its loudness.")
    return weights
