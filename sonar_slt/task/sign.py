"""Training a sign student: clips to vectors that land where the teacher puts their sentences, and say them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.adapter import Adapter, Measure
from sonar_slt.adapter.attention import TransformerLayer
from sonar_slt.adapter.context import SonarContext
from sonar_slt.augment import Augmentations
from sonar_slt.data.batches.batch import ClipBatch
from sonar_slt.data.clips import Clips
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.features.backbones.backbone import Backbone
from sonar_slt.files import read_lines
from sonar_slt.objective import Landing, Objective
from sonar_slt.runs.folder import log_of
from sonar_slt.space.spread import mean_and_spread
from sonar_slt.space.student import Student
from sonar_slt.space.tokens import stack
from sonar_slt.task.checkpoint import kept, require_whole
from sonar_slt.task.journal import is_due, journal_of
from sonar_slt.task.judging.dev_look import DevLook
from sonar_slt.task.judging.evaluation import evaluate, land
from sonar_slt.task.optimiser import adamw
from sonar_slt.task.parallel import sharding
from sonar_slt.task.parallel.helping import led
from sonar_slt.task.parallel.ranks import ALONE, Ranks
from sonar_slt.task.parallel.weighing import Weighed, nothing, remember, weighed
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
        self.adapter = adapter(measure=measure_of(data, samples))
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
        self.look = DevLook(data=data, judged=judged)
        self.ranks: Ranks = ALONE  # the processes that train together
        self.skipped = Skipped()
        self.samples: list[dict[str, Any]] = []  # of the last look at the dev split

    def forward(self, tracks: Mapping[str, Track]) -> Tensor:
        """What the adapter reads of some clips to vectors (batch, dim)."""
        vectors: Tensor = self.adapter(tracks)
        return vectors

    # --- training -----------------------------------------------------------------------------------------------

    def training_step(self, batch: ClipBatch, number: int) -> Tensor | dict[str, Any] | None:
        """One step: land, decode, weigh. None where no clip gives a finite loss; `total` is that of all processes."""
        seen = self.step(batch.shown(self._augmented(batch)))
        if seen.total is not None and is_due(self.trainer):
            self.log("train/loss", seen.total)
            self.log_dict({f"train/{name}": value for name, value in seen.outcome.values.items()})
            self.log("train/lr", self._rate())
        if not self.ranks.many:
            return seen.outcome.loss
        loss = nothing(self.device) if seen.outcome.loss is None else seen.outcome.loss  # Lightning wants one of each
        return {"loss": loss, "total": seen.total}

    def step(self, batch: ClipBatch) -> Weighed:
        """What a batch costs; clips whose vector is not finite are left out, told, and the others stepped again."""
        progress = self._progress()
        landing = self._landed(batch, progress)
        seen = weighed(self.objective, landing, progress, self.ranks, counts=batch.counts)
        if seen.broken:
            self._tell({name: [batch.ids[row] for row in rows] for name, rows in seen.outcome.broken.items()})
            whole = landing.z.isfinite().all(dim=1) & batch.counts
            kept, lost = self.ranks.total(torch.stack([whole.sum(), (~whole).sum() * batch.counts])).tolist()
            if kept and lost:
                return self.step(batch.rows(whole) if whole.any() else batch.emptied())
        if seen.outcome.loss is not None:
            remember(self.objective, landing, seen, progress, self.ranks)
            self.skipped.stepped(batch.ids if batch.counts else ())
        return seen

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """The length of the gradient into the log; one that is not finite moves nothing."""
        learning = (weight for group in optimizer.param_groups for weight in group["params"])
        if sharding.is_sharded(self.trainer):
            sharding.average_whole(self.parameters(), self.ranks)
        gradients = [weight.grad for weight in learning if weight.grad is not None]
        norm = sharding.length(gradients) if sharding.is_cut(gradients) else torch.nn.utils.get_total_norm(gradients)
        if not norm.isfinite() and not str(self.trainer.precision).startswith("16"):  # its scaler knows what to do
            self._tell({"gradient": list(self.skipped.batch)})
            optimizer.zero_grad(set_to_none=True)
        elif is_due(self.trainer):
            self.log("train/gradient", norm)
        self.skipped.batch.clear()

    def configure_optimizers(self) -> Any:
        """AdamW with a rate each for the adapter, the backbones in it, and the student's LoRA."""
        configured = adamw(self, schedule=self.schedule, rates=self.rates, weight_decay=self.weight_decay)
        return sharding.apart(configured) if sharding.is_sharded(self.trainer) else configured

    def configure_model(self) -> None:
        """Cut the adapter's weights over all processes where `trainer=fsdp` says so."""
        if sharding.is_sharded(self.trainer) and not sharding.is_cut(self.adapter.parameters()):
            sharding.shard(self.adapter, self.device_mesh)

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Shorten the gradient as Lightning does, which cannot where some weights are cut and others are not."""
        if sharding.is_sharded(self.trainer) and gradient_clip_val:
            sharding.clip(self.parameters(), float(gradient_clip_val))
        else:
            super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)

    # --- held-out clips -----------------------------------------------------------------------------------------

    def validation_step(self, batch: ClipBatch, number: int) -> None:
        """Where held-out clips land, and what that costs; their sum is taken when all are there."""
        landing = self._landed(batch, self._progress())
        rows = self.objective.rows(landing, self._progress(), collective=False)
        self.look.add(batch.ids if batch.counts else (), landing, rows)

    def on_validation_epoch_end(self) -> None:
        """Every term over the whole split, and what is really said of some of its clips."""
        self.look.collect(self.ranks)
        look = partial(self.look.taken, self.objective, self._progress(), tell=self._note)
        values, samples = led(self.ranks, self.student, look)
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
        vectors = land(self.adapter, self.data, split, ranks=self.ranks)

        def judged(student: Student) -> dict[str, Any]:
            languages = self.data.scorable(split)
            looks = list(read_lines(folder / log_of("dev")))
            found = evaluate(
                self.adapter,
                student,
                self.data,
                split=split,
                languages=languages,
                vectors=vectors,
                dev=looks,
                tell=tell,
            )
            found.write(folder)
            return found.metrics

        return {**led(self.ranks, self.student, judged), **facts}

    # --- checkpoints --------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what learns, what was taken over, and nothing else: the frozen base never enters a checkpoint."""
        names = kept(self)
        checkpoint["state_dict"] = {name: w for name, w in checkpoint["state_dict"].items() if name in names}
        checkpoint["skipped"] = dict(self.skipped.counts)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse what does not fit before anything is loaded."""
        if "state_dict" in checkpoint:  # of weights that are cut Lightning takes care before
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
        drawn = partial(self.augment, seed=self.data.seed, step=self.trainer.fit_loop.epoch_loop.total_batch_idx)
        share = batch.share
        if share is None or not self.augment.parts:
            return drawn(batch.tracks)
        shown = drawn({name: share.widened(track, name) for name, track in batch.tracks.items()})
        return {name: share.own(shown[name], track.mask.shape[1]) for name, track in batch.tracks.items()}

    def _progress(self) -> float:
        """The fraction of the training that is done."""
        return self.trainer.global_step / max(1, self.trainer.max_steps)

    def _rate(self) -> float:
        """The learning rate of the first group, the adapter's unless it is frozen."""
        optimiser = self.optimizers()
        assert not isinstance(optimiser, list)
        return float(optimiser.param_groups[0]["lr"])

    def _tell(self, broken: Mapping[str, Sequence[str]]) -> None:
        """Count what is not finite in any process, and write which clips it was of."""
        theirs = self.ranks.everyone({name: list(ids) for name, ids in broken.items()})
        names = dict.fromkeys(name for one in theirs for name in one)
        self._note({name: [id for one in theirs for id in one.get(name, ())] for name in names})

    def _note(self, broken: Mapping[str, Sequence[str]]) -> None:
        self.skipped.count(broken)
        if journal := journal_of(self.trainer):
            for name, ids in broken.items():
                journal.run.note("skipped", step=self.trainer.global_step, term=name, ids=list(ids))


def measure_of(data: Clips, samples: Mapping[str, Track]) -> Measure:
    """What an adapter of this data is made to the measure of; of the space it knows training sentences alone."""
    return Measure(samples=samples, roots=data.roots, space=data.space, **mean_and_spread(data.train_vectors))
