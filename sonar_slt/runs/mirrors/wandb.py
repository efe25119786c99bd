"""A run in Weights & Biases, online or offline: one W&B run per run, always finished, the same one when gone on with.

The step is the optimiser's. No key is read or written here: wandb finds its own (`wandb login`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from sonar_slt.errors import UserError
from sonar_slt.files import plain
from sonar_slt.runs.mirrors.mirror import Ending, Facts, Former

EXIT_CODES = {"finished": 0, "failed": 1, "killed": 130}
KEPT = ("id", "verb", "name", "started", "parent", "git", "lock_hash", "versions", "seed", "choices", "sweep", "job")
"""Fields of the record that stand in the config there, under `record`."""


class WandbMirror:
    """The W&B run; its files lie in the run folder too. At the end an upload is waited for `patience` seconds."""

    def __init__(
        self,
        *,
        mode: Literal["online", "offline"] = "online",
        project: str = "sonar-slt",
        entity: str | None = None,
        tags: Sequence[str] = (),
        patience: float = 300.0,
    ) -> None:
        if patience <= 0:
            raise UserError(f"logger.wandb.patience={patience}: expected a number of seconds above 0.")
        if not project:
            raise UserError("logger.wandb.project=: expected the name of a project.")
        self.mode, self.project, self.entity, self.tags, self.patience = mode, project, entity, tuple(tags), patience
        self._run: Any = None
        self._folders: list[Path] = []

    def open(self, facts: Facts, former: Sequence[Former]) -> Mapping[str, Any]:
        """Begin a W&B run under the id of the nearest run that this one goes on with, else under one of its own."""
        import wandb

        wandb.setup(settings=wandb.Settings(silent=True))
        if self.mode == "online" and not wandb.login(prompt=False):
            raise UserError("no account is known here: `wandb login`, or logger=wandb_offline")
        before = [one for one in former if one.noted.get("id")]  # one that could not be opened has none
        key = str(before[0].noted["id"]) if before else facts.folder.name
        home = facts.folder.resolve()  # its service process has a working folder of its own
        self._run = wandb.init(
            mode=self.mode,
            project=self.project,
            entity=self.entity,
            dir=home,
            id=key,
            resume="allow",
            name=f"{facts.name} {facts.id}",
            group=facts.group,
            job_type=facts.verb,
            tags=list(dict.fromkeys((*facts.tags, *self.tags))),
            config={**plain(facts.config), "record": plain({name: facts.record.get(name) for name in KEPT})},
            settings=self._settings(),
        )
        own = Path(self._run.settings.sync_dir)
        self._folders = [*_unsent(before), own]
        noted = {"id": key, "mode": self.mode, "folder": str(own.relative_to(home))}
        return noted if self.mode == "offline" else {**noted, "url": self._run.url}

    def log(self, split: str, step: int, values: Mapping[str, float]) -> None:
        """Figures as `split/name`. Steps that were sent before the run was cut off are there already."""
        if step >= self._run.step:
            self._run.log({f"{split}/{name}": value for name, value in values.items()}, step=step)

    def samples(self, title: str, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """A table, new at each look."""
        import wandb

        columns: list[str | int] = list(dict.fromkeys(name for row in rows for name in row))
        data = [[_cell(row.get(str(name))) for name in columns] for row in rows]
        self._run.log(
            {title: wandb.Table(columns=columns, data=data, allow_mixed_types=True)}, step=max(step, self._run.step)
        )

    def finish(self, status: Ending, summary: Mapping[str, Any]) -> str | None:
        """Put the final scores and the status into the summary and end the run; offline, say how it is sent."""
        if self._run is None:
            return None
        run, self._run = self._run, None
        send = shlex.join(["wandb", "sync", *map(str, self._folders)])
        run.summary.update({**plain(summary), "status": status})
        try:
            run.finish(exit_code=EXIT_CODES[status])
        except TimeoutError:
            raise UserError(f"not all was sent in {self.patience:g} s; the rest by: {send}") from None
        return f"To send this run to W&B: {send}" if self.mode == "offline" else None

    def _settings(self) -> Any:
        import wandb

        return wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,  # the record names the commit; a diff of the working tree is nobody's business
            disable_code=True,
            save_code=False,
            reinit="create_new",
            finish_timeout=self.patience,
            finish_timeout_raises=True,
        )


def _unsent(former: Sequence[Former]) -> list[Path]:
    """The folders of what this run goes on with that were kept offline, the first one first."""
    kept = [one for one in reversed(former) if one.noted.get("mode") == "offline"]
    places = [one.folder.resolve() / str(one.noted.get("folder")) for one in kept]
    return [place for place in places if place.is_dir()]


def _cell(value: Any) -> Any:
    return " / ".join(map(str, value)) if isinstance(value, list | tuple) else value
