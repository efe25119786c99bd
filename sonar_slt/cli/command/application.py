"""The one way into a verb: its command is examined, and then shown, searched over, or carried out.

Nothing that it takes to run a verb is loaded before the command is known to be right.
"""

from __future__ import annotations

import sys

from sonar_slt.cli.command.arguments import Arguments, overrides
from sonar_slt.cli.command.hydra_app import SETTINGS, failed, through_hydra
from sonar_slt.cli.command.outcome import DONE, WRONG_INPUT
from sonar_slt.cli.command.sweeping import require_one_process
from sonar_slt.config.automatic import with_adapter
from sonar_slt.config.compose import Examined, examine, floorplan
from sonar_slt.config.permission import permit
from sonar_slt.config.words import allowed

OF_HYDRA = {"--info", "--hydra-help", "--shell-completion"}
"""Options that are about Hydra, whatever the words are."""


def launch(verb: str, arguments: Arguments) -> int:
    """Examine the command of a verb, then do what it asks for; the exit code of ``sonar-slt``."""
    words = overrides(verb, arguments, floorplan(arguments.config_dir))
    permit(allowed(words))
    if OF_HYDRA & set(arguments.options):
        return shown_by_hydra(verb, arguments, words)
    if arguments.only_shown:
        found = examine(verb, words, arguments.config_dir, multirun=arguments.multirun, complete=False)
    else:
        words, found = with_adapter(verb, words, arguments.config_dir, multirun=arguments.multirun)
    return proceed(verb, arguments, words, found)


def proceed(verb: str, arguments: Arguments, words: list[str], found: Examined) -> int:
    """Do what the sorted words of an examined command ask for; the exit code of ``sonar-slt``."""
    if found.problems:
        print(*found.problems, sep="\n", file=sys.stderr)
        return WRONG_INPUT
    if arguments.only_shown:
        return shown_by_hydra(verb, arguments, words)
    if arguments.multirun:
        require_one_process(found.config)
    if found.config.get("sweeper"):
        from sonar_slt.cli.command.searching import is_search, search

        if is_search(words):
            return search(verb, arguments, words, found)
    from sonar_slt.cli.command.calls import carry_out

    return carry_out(verb, arguments, words, found.config)


def shown_by_hydra(verb: str, arguments: Arguments, words: list[str]) -> int:
    """Let Hydra print what an option asks for: the config, where it comes from, or its own help."""
    own = [] if "--shell-completion" in arguments.options else [*SETTINGS, f"hydra.job.name={verb}"]
    try:
        through_hydra(verb, [*arguments.options, *own, *words], lambda config: None)
    except Exception as error:
        return failed(error)
    return DONE
