"""Do a run again, with other values where you give some.

Examples:
    sonar-slt rerun last
    sonar-slt rerun 3f2a objective.ce.weight=0
    sonar-slt rerun 3f2a -m seed=2,3,4
    sonar-slt rerun 3f2a trainer.max_steps=500 --cfg job
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sonar_slt.cli.command.application import proceed
from sonar_slt.cli.command.arguments import Arguments, overrides
from sonar_slt.cli.command.outcome import WRONG_INPUT
from sonar_slt.cli.command.recomposition import Repeated, bridged, compared, repeated
from sonar_slt.config.automatic import AUTO, with_adapter
from sonar_slt.config.compose import Examined, examine, floorplan, stem
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed
from sonar_slt.errors import UserError
from sonar_slt.processes import rank
from sonar_slt.runs.difference.configs import Change, Difference, difference, words_of
from sonar_slt.runs.difference.origin import departures, origin_now, origin_of
from sonar_slt.runs.pinned import place
from sonar_slt.runs.registry import Record, all_runs, find

AGAIN = ("train", "evaluate")
"""The verbs whose runs can be done again."""
OWN = re.compile(r"(without|as_saved|paths(\.\w+)?)=")
"""Words of this verb; `paths` says where the run lies, and where the new one goes."""
HERE = re.compile(r"(without|as_saved)=")


def run_again(arguments: Arguments) -> int:
    """Compose the run anew with the further words, say what differs, and run it; the exit code of ``sonar-slt``."""
    own = _own(arguments)
    record = _named(own)
    config_dir = _config_dir(record, arguments)
    again = _Again(record, config_dir, arguments, own)
    words = again.composed()
    if again.today.problems:
        print(*again.today.problems, sep="\n", file=sys.stderr)
        return WRONG_INPUT
    if rank() == 0:
        again.tell()
    options = list(arguments.options)
    if config_dir is not None and arguments.config_dir is None:
        options += ["--config-dir", config_dir]
    call = Arguments(options, words, [], config_dir, arguments.given, rerun_of=place(record, again.root))
    return proceed(record.verb, call, words, again.today)


class _Again:
    """A run on the way to be done again."""

    def __init__(self, record: Record, config_dir: str | None, arguments: Arguments, own: Mapping[str, Any]) -> None:
        self.record, self.config_dir, self.own = record, config_dir, own
        self.multirun, self.complete = arguments.multirun, not arguments.only_shown
        self.root = Path(own["paths"]["runs"])
        self.examined: dict[tuple[Any, ...], Examined] = {}
        self.plan = floorplan(config_dir)
        typed = [word for word in arguments.overrides if not HERE.match(word)]
        new = overrides(record.verb, replace(arguments, overrides=typed, inputs=[]), self.plan)
        permit(allowed(new))
        rooms = self.plan.defaults(stem(record.verb))
        emptied = [word.removesuffix("=null") for word in typed if word.endswith("=null")]
        self.words = repeated(
            record,
            new,
            self.plan,
            without=own["without"],
            emptied=[room for room in emptied if room in rooms],
            alone=not self.multirun,
        )

    def composed(self) -> list[str]:
        """The words of the command that does it again; what they compose today is kept to be told."""
        whole, base = self.own["as_saved"], self._base()
        if not whole and _saved_none(self.record) and self._drift(base):
            whole = True
            told = f"{self.record.folder.name} saved no words: its config.yaml is repeated as it is."
            self.words = replace(self.words, told=(*self.words.told, told))
        without = self.own["without"]
        self.words = bridged(self.words, self.record, base.config, self.plan, whole=whole, without=without)
        self.base = self._base() if self.words.bridges else base
        found = self._whole(self.words)
        if found.problems:
            chosen = self._examine(self.words.choices, complete=False)
            fitting = self.words.fitting(chosen.config)
            if len(fitting.saved) < len(self.words.saved):
                self.words, found = fitting, self._whole(fitting)
        self.today = found
        return self.said

    def _base(self) -> Examined:
        """What the saved words compose today; those that no new word overrules, where one of the others cannot be."""
        found = self._examine(self.words.former)
        if found.problems and len(self.words.kept) < len(self.words.saved):
            found = self._examine([word.text for word in self.words.kept])
        if found.problems:
            saved = (*self.words.saved, *self.words.bridges)
            keys = dict.fromkeys(w.key for w in saved if any(_names(text, w.key) for text in found.problems))
            hint = f" Take words of it back by without=[{','.join(keys)}]." if keys else ""
            told = " ".join(found.problems)
            raise UserError(f"{self.record.folder.name} saved what cannot be used any more. {told}{hint}")
        return found

    def _examine(self, words: Sequence[str], *, complete: bool | None = None) -> Examined:
        wanted = self.complete if complete is None else complete
        asked = (*words, wanted)
        if asked not in self.examined:
            found = examine(self.record.verb, words, self.config_dir, multirun=self.multirun, complete=wanted)
            self.examined[asked] = found
        return self.examined[asked]

    def _whole(self, words: Repeated) -> Examined:
        """All words together; an adapter that is left open is chosen."""
        self.said = words.words
        known = self.examined.get((*self.said, self.complete))
        if not self.complete or (known and known.choices.get("adapter") != AUTO):
            return self._examine(self.said)
        self.said, found = with_adapter(self.record.verb, self.said, self.config_dir, multirun=self.multirun)
        return found

    def _drift(self, base: Examined) -> Difference:
        return difference(*compared(self.record, base.config))

    def tell(self) -> None:
        """What the new words change, what differs though no word asks for it, and what else is not as it was."""
        from rich.console import Console

        from sonar_slt.runs.difference.table import again_table

        swept = [word for word in self.words.new if word.sweeps]
        asked = difference(self.base.config, self.today.config)
        wanted = [change for change in (*asked.computed, *asked.apart) if change.key not in {w.key for w in swept}]
        wanted += [Change(word.key, _at(self.base.config, word.key), word.text.partition("=")[2]) for word in swept]
        keys = {change.key for change in wanted}
        drift = [change for change in self._drift(self.base).computed if change.key not in keys]
        runs = all_runs(self.root) if self.root.is_dir() else []
        origin = departures(origin_of(self.record), origin_now(self.record, runs))
        Console(stderr=True, highlight=False).print(
            again_table(self.record, asked=wanted, drift=drift, origin=origin, told=self.words.told)
        )


def _own(arguments: Arguments) -> dict[str, Any]:
    """The config of this verb."""
    words = Arguments(overrides=[word for word in arguments.overrides if OWN.match(word)], inputs=arguments.inputs)
    found = examine("rerun", overrides("rerun", words, floorplan()))
    if found.problems:
        raise UserError("\n".join(found.problems))
    return found.config


def _named(own: Mapping[str, Any]) -> Record:
    if len(own["inputs"]) != 1:
        what = "Which run?" if not own["inputs"] else f"One run at a time, not {len(own['inputs'])}."
        raise UserError(f"{what} `sonar-slt rerun last` or an id; `sonar-slt runs` lists them.")
    record = find(Path(own["paths"]["runs"]), own["inputs"][0])
    if record.status == "unreadable":
        raise UserError(f"{record.folder.name} cannot be done again: {record.reason}.")
    if record.verb not in AGAIN:
        raise UserError(f"{record.folder.name} is a run of {record.verb!r}; {' and '.join(AGAIN)} can be done again.")
    return record


def _config_dir(record: Record, arguments: Arguments) -> str | None:
    """The user's own folder of options: the one that is named now, or the one that the run had."""
    former = record.facts.get("config_dir")
    if arguments.config_dir is None and former and not Path(former).is_dir():
        raise UserError(f"{record.folder.name} had --config-dir {former}, which is gone: name where it lies now.")
    return arguments.config_dir or former


def _saved_none(record: Record) -> bool:
    """Whether a run of an older version kept none of its words."""
    return "config_dir" not in record.facts and not words_of(record)


def _names(problem: str, key: str) -> bool:
    """Whether a problem is about a key; the nearest name, which comes behind, is another one."""
    return key in re.findall(r"[\w.]*\w", problem.partition(" Did you mean")[0])


def _at(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node
