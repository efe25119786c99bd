"""Training a sentence space from text: translation through one vector, alignment of translations, denoising."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from sonar_slt.data.bitext import Bitext, PairBatch
from sonar_slt.metrics.space import space_scores
from sonar_slt.objective import Landing, Objective, Outcome
from sonar_slt.space.fresh import new_model, rescale
from sonar_slt.space.likelihood import sentence_nll
from sonar_slt.space.opening import freeze
from sonar_slt.space.pooling import mean_pool
from sonar_slt.space.sentence_space import SentenceSpace
from sonar_slt.space.tokens import TokenBatch, stack
from sonar_slt.task.journal import is_due
from sonar_slt.task.optimiser import adamw
from sonar_slt.task.schedule import Schedule


class TextSpace(pl.LightningModule):
    """SONAR's objective on a small or large M2M100: translation, MSE between translations, denoising."""

    def __init__(
        self,
        *,
        data: Bitext,
        objective: Objective,
        schedule: Schedule,
        dim: int = 128,
        layers: int = 1,
        decoder_layers: int = 1,
        heads: int = 4,
        hidden: int = 256,
        decoder_hidden: int = 1024,
        loudness: float = 4.0,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.01,
        noise: float = 0.2,
        noised: float = 0.125,
        element: float | None = 0.0075,
        judged: int = 500,
    ) -> None:
        super().__init__()
        self.data = data
        self.model = new_model(
            data.tokenizer,
            dim=dim,
            layers=layers,
            decoder_layers=decoder_layers,
            heads=heads,
            hidden=hidden,
            decoder_hidden=decoder_hidden,
            loudness=loudness,
        )
        self.tokenizer, self.pad = data.tokenizer, int(data.tokenizer.pad_token_id)
        self.objective, self.schedule = objective, schedule
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.noise, self.noised, self.element, self.judged = noise, noised, element, judged

    def training_step(self, batch: PairBatch, number: int) -> Tensor | None:
        """Both sides of every pair are encoded once, and each is decoded from the vector of the other."""
        progress = self.trainer.global_step / max(1, self.trainer.max_steps)
        size = len(batch.source)
        said = stack([batch.target, batch.source], self.pad)
        damaged = self._damaged(said) if "denoising" in self.objective.active(progress) else None
        vectors = self._encoded(said, damaged)
        turned = vectors[: 2 * size].roll(size, dims=0)  # the vector of the other side
        restored = said.rows(slice(0, len(damaged))) if damaged else None
        nll = sentence_nll(
            self.model,
            torch.cat([turned, vectors[2 * size :]]),
            stack([said, restored], self.pad) if restored else said,
        )
        landing = Landing(
            vectors[size : 2 * size], vectors[:size], {"translation": nll[: 2 * size], "denoising": nll[2 * size :]}
        )
        outcome: Outcome = self.objective(landing, progress)
        if outcome.loss is not None and is_due(self.trainer):
            self.log_dict({"loss": outcome.loss.detach(), **outcome.values})
        return outcome.loss

    def configure_optimizers(self) -> Any:
        """AdamW with SONAR's betas."""
        return adamw(self, schedule=self.schedule, rates={"": self.learning_rate}, weight_decay=self.weight_decay)

    def conclude(self, folder: Path, **_: Any) -> dict[str, Any]:
        """Bring the space to SONAR's scale, save it as `space/`, and say how good it is on held-out sentences."""
        space = SentenceSpace(freeze(self.model), self.tokenizer, name="trained")
        held_out = self.data.corpus.held_out(self.judged)
        vectors = torch.cat(
            [space.encode([ways[0] for ways in rows], code) for code, rows in held_out.references.items()]
        )
        if self.element is not None:
            rescale(self.model, self.element / float((vectors - vectors.mean(dim=0)).std()))
        space.save(folder / "space")
        return {"space": space_scores(space, held_out)}

    def _encoded(self, said: TokenBatch, damaged: TokenBatch | None) -> Tensor:
        together = stack([said, damaged], self.pad) if damaged else said
        states = self.model.model.encoder(input_ids=together.ids, attention_mask=together.mask.long())[0]
        return mean_pool(states, together.mask)

    def _damaged(self, tokens: TokenBatch) -> TokenBatch:
        """The first rows with words replaced by `<unk>`; language tokens and `</s>` stay."""
        rows = max(1, round(self.noised * len(tokens)))
        ids, mask = tokens.ids[:rows].clone(), tokens.mask[:rows]
        hit = (torch.rand(ids.shape, device=ids.device) < self.noise) & mask & (ids != self.tokenizer.eos_token_id)
        hit[:, 0] = False
        ids[hit] = self.tokenizer.unk_token_id
        return TokenBatch(ids, mask)
