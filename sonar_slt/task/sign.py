"""Training a sign student: clips to vectors that land where the teacher puts their sentences, and say them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.adapter import Adapter, Measure
from sonar_slt.augment import Augmentations
from sonar_slt.data.batch import ClipBatch
from sonar_slt.data.clips import Clips
from sonar_slt.data.track import Track
from sonar_slt.objective import Landing, Objective
from sonar_slt.space.spread import mean_and_spread
from sonar_slt.space.student import Student
from sonar_slt.space.tokens import stack
from sonar_slt.task.evaluation import evaluate
from sonar_slt.task.journal import is_due
from sonar_slt.task.optimiser import adamw
from sonar_slt.task.schedule import Schedule


class SignTranslation(pl.LightningModule):
    """An adapter that learns to land in the space, a student decoder over the frozen base, and their loss."""

    def __init__(
        self,
        *,
        data: Clips,
        adapter: Callable[..., Adapter],
        student: Callable[..., Student],
        objective: Objective,
        schedule: Schedule,
        augment: Augmentations | None = None,
        learning_rate: float = 2e-3,
        student_rate: float = 1e-3,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__()
        self.data = data
        self.adapter = adapter(measure=measured(data))
        self.student = student(space=data.space)
        self.objective, self.schedule = objective, schedule
        self.augment = augment or Augmentations({})
        self.rates = {"adapter": learning_rate, "student": student_rate}
        self.weight_decay = weight_decay
        self.pad = data.space.tokens.pad

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """What the adapter reads of some clips to vectors (batch, dim)."""
        vectors: Tensor = self.adapter(tracks)
        return vectors

    def training_step(self, batch: ClipBatch, number: int) -> Tensor:
        """One step: land, decode, weigh."""
        return self._step(batch, "train")

    def validation_step(self, batch: ClipBatch, number: int) -> Tensor:
        """The same sum on held-out clips."""
        return self._step(batch, "dev")

    def configure_optimizers(self) -> Any:
        """AdamW with one rate for the adapter and one for the student's LoRA."""
        return adamw(self, schedule=self.schedule, rates=self.rates, weight_decay=self.weight_decay)

    def conclude(self, folder: Path, *, split: str | None, tell: Callable[[str], None] = print) -> dict[str, Any]:
        """Translate one split into every language that it has references in, and write what was said."""
        if split is None:
            return {}
        self.to(
            self.data.space.device
        )  # Lightning has moved what it owns to the CPU, and the frozen base is not its own
        languages = self.data.scorable(split)
        evaluation = evaluate(self.adapter, self.student, self.data, split=split, languages=languages, tell=tell)
        evaluation.write(folder)
        return evaluation.metrics

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what learns and nothing else: the frozen base never enters a checkpoint."""
        learning = {name for name, weight in self.named_parameters() if weight.requires_grad}
        kept = learning | {name for name, _ in self.named_buffers()}
        checkpoint["state_dict"] = {name: w for name, w in checkpoint["state_dict"].items() if name in kept}

    def _step(self, batch: ClipBatch, split: str) -> Tensor:
        progress = self.trainer.global_step / max(1, self.trainer.max_steps)
        z = self(self._augmented(batch) if split == "train" else batch.tracks)
        loss: Tensor
        loss, values = self.objective(Landing(z, batch.target.vectors, self.nll(batch, z, progress)), progress)
        if split == "dev" or is_due(self.trainer):
            named = {f"{split}/{name}": value for name, value in {"loss": loss.detach(), **values}.items()}
            self.log_dict(named, on_step=split == "train", on_epoch=split == "dev", batch_size=len(batch.ids))
        return loss

    def _augmented(self, batch: ClipBatch) -> Mapping[str, Track]:
        """The tracks of a batch as they are shown at this step: the same again when a training goes on from here."""
        return self.augment(batch.tracks, seed=self.data.seed, step=self.trainer.fit_loop.epoch_loop.total_batch_idx)

    def nll(self, batch: ClipBatch, z: Tensor, progress: float) -> dict[str, Tensor]:
        """What the decoder makes of the students' vectors (`ce`) and of the teacher's (`ae`), in one pass."""
        active = self.objective.active(progress)
        spoken = {"ce": (z, batch.target.tokens), "ae": (batch.anchor.vectors, batch.anchor.tokens)}
        spoken = {name: both for name, both in spoken.items() if name in active}
        if not spoken:
            return {}
        vectors = torch.cat([vector for vector, _ in spoken.values()])
        nll = self.student.nll(vectors, stack([tokens for _, tokens in spoken.values()], self.pad))
        return dict(zip(spoken, torch.split(nll, [len(vector) for vector, _ in spoken.values()]), strict=True))


def measured(data: Clips) -> Measure:
    """What an adapter of this data is made to the measure of; of the space it knows training sentences alone."""
    return Measure(samples=data.samples(), roots=data.roots, space=data.space, **mean_and_spread(data.train_vectors))
