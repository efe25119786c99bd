"""Training a sign student: clips to vectors that land where the teacher puts their sentences, and say them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.adapter import Adapter, Measure
from sonar_slt.adapter.attention import TransformerLayer
from sonar_slt.adapter.context import SonarContext
from sonar_slt.augment import Augmentations
from sonar_slt.data.batch import ClipBatch
from sonar_slt.data.clips import Clips
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.features.backbone import Backbone
from sonar_slt.objective import Landing, Objective, Outcome
from sonar_slt.runs.files import read_lines
from sonar_slt.space.spread import mean_and_spread
from sonar_slt.space.student import Student
from sonar_slt.space.tokens import stack
from sonar_slt.task.checkpoints import kept, require_whole
from sonar_slt.task.evaluation import evaluate
from sonar_slt.task.journal import is_due, journal_of
from sonar_slt.task.looks import DevLook
from sonar_slt.task.optimiser import adamw
from sonar_slt.task.schedule import Schedule
from sonar_slt.task.skipped import Skipped
from sonar_slt.task.start import freeze_parts


class SignTranslation(pl.LightningModule):
    """An adapter that learns to land in the space, a student decoder over the frozen base, and their loss.

    `frozen` names parts that stay as they are; what they hold is saved with the rest, for it may come from another run.
    """

    strict_loading = (
        False  # Lightning's own check would want the weights that no checkpoint holds; `kept` says which do
    )

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
        backbone_rate: float | None = None,
        weight_decay: float = 0.01,
        frozen: Sequence[str] = (),
        label_smoothing: float = 0.0,
        checkpointing: bool = False,
        judged: int | None = 100,
    ) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise UserError(f"task.label_smoothing={label_smoothing}: expected a number from 0 and below 1.")
        self.data = data
        samples = data.samples()
        self.adapter = adapter(measure=measured(data, samples))
        self.student = student(space=data.space)
        self.objective, self.schedule = objective, schedule
        objective.fit(dim=data.space.dim)
        self.augment = augment or Augmentations({})
        self.augment.fit(layout=data.layout, samples=samples)
        backbone = learning_rate if backbone_rate is None else backbone_rate
        eyes = [name for name, module in self.named_modules() if isinstance(module, Backbone)]
        self.rates = {"adapter": learning_rate, "student": student_rate, **dict.fromkeys(eyes, backbone)}
        self.weight_decay, self.label_smoothing, self.checkpointing = weight_decay, label_smoothing, checkpointing
        for module in self.modules():
            if isinstance(module, TransformerLayer | SonarContext):
                module.recomputed = checkpointing
        self.frozen = freeze_parts(self, frozen)
        self.pad = data.space.tokens.pad
        self.look = DevLook(data=data, student=self.student, judged=judged)
        self.skipped = Skipped()
        self.samples: list[dict[str, Any]] = []  # of the last look at the dev split

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """What the adapter reads of some clips to vectors (batch, dim)."""
        vectors: Tensor = self.adapter(tracks)
        return vectors

    # --- training -----------------------------------------------------------------------------------------------

    def training_step(self, batch: ClipBatch, number: int) -> Tensor | None:
        """One step: land, decode, weigh. None where no clip gives a finite loss."""
        outcome = self.step(batch.shown(self._augmented(batch)))
        if outcome.loss is not None and is_due(self.trainer):
            self.log("train/loss", outcome.loss.detach())
            self.log_dict({f"train/{name}": value for name, value in outcome.values.items()})
            self.log("train/lr", self._rate())
        return outcome.loss

    def step(self, batch: ClipBatch) -> Outcome:
        """What a batch costs; clips whose vector is not finite are left out, told, and the others stepped again."""
        progress = self._progress()
        landing = self._landed(batch, progress)
        outcome: Outcome = self.objective(landing, progress)
        if outcome.broken:
            self._tell({name: [batch.ids[row] for row in rows] for name, rows in outcome.broken.items()})
            whole = landing.z.isfinite().all(dim=1)
            if whole.any() and not whole.all():
                return self.step(batch.rows(whole))
        if outcome.loss is not None:
            self.objective.remember(landing, progress)
            self.skipped.stepped(batch.ids)
        return outcome

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """The length of the gradient into the log; one that is not finite moves nothing."""
        gradients = [weight.grad for weight in self.parameters() if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not norm.isfinite() and not str(self.trainer.precision).startswith("16"):  # its scaler knows what to do
            self._tell({"gradient": list(self.skipped.batch)})
            optimizer.zero_grad(set_to_none=True)
        elif is_due(self.trainer):
            self.log("train/gradient", norm)
        self.skipped.batch.clear()

    def configure_optimizers(self) -> Any:
        """AdamW with a rate each for the adapter, the backbones in it, and the student's LoRA."""
        return adamw(self, schedule=self.schedule, rates=self.rates, weight_decay=self.weight_decay)

    # --- held-out clips -----------------------------------------------------------------------------------------

    def validation_step(self, batch: ClipBatch, number: int) -> None:
        """Where held-out clips land, and what that costs; their sum is taken when all are there."""
        landing = self._landed(batch, self._progress())
        self.look.add(batch.ids, landing, self.objective.rows(landing, self._progress(), collective=False))

    def on_validation_epoch_end(self) -> None:
        """Every term over the whole split, and what is really said of some of its clips."""
        values, samples = self.look.taken(self.objective, self._progress(), tell=self._tell)
        self.log_dict({f"dev/{name}": value for name, value in values.items()})
        self.samples = samples
        if journal := journal_of(self.trainer):
            journal.run.show(self.trainer.global_step, samples)

    def conclude(self, folder: Path, *, split: str | None, tell: Callable[[str], None] = print) -> dict[str, Any]:
        """Translate one split into every language that it has references in, and write what was said."""
        facts = {"skipped": self.skipped.counts} if self.skipped.counts else {}
        if split is None:
            return facts
        self.to(
            self.data.space.device
        )  # Lightning has moved what it owns to the CPU, and the frozen base is not its own
        languages = self.data.scorable(split)
        looks = list(read_lines(folder / "dev_log.jsonl"))
        about = {"split": split, "languages": languages, "dev": looks, "tell": tell}
        evaluation = evaluate(self.adapter, self.student, self.data, **about)
        evaluation.write(folder)
        return {**evaluation.metrics, **facts}

    # --- checkpoints --------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what learns, what was taken over, and nothing else: the frozen base never enters a checkpoint."""
        names = kept(self)
        checkpoint["state_dict"] = {name: w for name, w in checkpoint["state_dict"].items() if name in names}
        checkpoint["skipped"] = dict(self.skipped.counts)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse what does not fit before anything is loaded."""
        require_whole(self, checkpoint["state_dict"], "The checkpoint to go on from")
        self.skipped.counts.update(checkpoint.get("skipped", {}))

    # --- inside -------------------------------------------------------------------------------------------------

    def _landed(self, batch: ClipBatch, progress: float) -> Landing:
        z = self(batch.tracks)
        return Landing(z, batch.target.vectors, self.nll(batch, z, progress))

    def nll(self, batch: ClipBatch, z: Tensor, progress: float = 1.0) -> dict[str, Tensor]:
        """What the decoder makes of the students' vectors (`ce`) and of the teacher's (`ae`), in one pass."""
        active = self.objective.active(progress)
        spoken = {"ce": (z, batch.target.tokens), "ae": (batch.anchor.vectors, batch.anchor.tokens)}
        spoken = {name: both for name, both in spoken.items() if name in active}
        if not spoken:
            return {}
        vectors = torch.cat([vector for vector, _ in spoken.values()])
        nll = self.student.nll(
            vectors,
            stack([tokens for _, tokens in spoken.values()], self.pad),
            smoothing=self.label_smoothing if self.training else 0.0,
            recomputed=self.checkpointing,
        )
        return dict(zip(spoken, torch.split(nll, [len(vector) for vector, _ in spoken.values()]), strict=True))

    def _augmented(self, batch: ClipBatch) -> Mapping[str, Track]:
        """The tracks of a batch as they are shown at this step: the same again when a training goes on from here."""
        return self.augment(batch.tracks, seed=self.data.seed, step=self.trainer.fit_loop.epoch_loop.total_batch_idx)

    def _progress(self) -> float:
        """The fraction of the training that is done."""
        return self.trainer.global_step / max(1, self.trainer.max_steps)

    def _rate(self) -> float:
        """The learning rate of the first group, the adapter's unless it is frozen."""
        optimiser = self.optimizers()
        assert not isinstance(optimiser, list)
        return float(optimiser.param_groups[0]["lr"])

    def _tell(self, broken: Mapping[str, Sequence[str]]) -> None:
        """Count what is not finite, and write which clips it was of."""
        self.skipped.count(broken)
        if journal := journal_of(self.trainer):
            for name, ids in broken.items():
                journal.run.note("skipped", step=self.trainer.global_step, term=name, ids=list(ids))


def measured(data: Clips, samples: Mapping[str, Track]) -> Measure:
    """What an adapter of this data is made to the measure of; of the space it knows training sentences alone."""
    return Measure(samples=samples, roots=data.roots, space=data.space, **mean_and_spread(data.train_vectors))
