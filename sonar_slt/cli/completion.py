"""Shell completion: Hydra's own, one word to the right, for the first word is a verb.

The options of a room are told by us: Hydra knows none that lies in a folder of the room.
"""

from __future__ import annotations

import os

from sonar_slt.cli.arguments import separate
from sonar_slt.config.floorplan import Floorplan
from sonar_slt.config.location import conf_folder
from sonar_slt.errors import UserError


def complete(words: list[str], verbs: list[str]) -> int:
    """Answer ``-sc install=SHELL``, ``-sc uninstall=SHELL`` or the ``-sc query=SHELL`` that the shell asks itself."""
    from sonar_slt.cli.application import show

    if len(words) != 2 or words[1].partition("=")[0] not in ("install", "uninstall", "query"):
        raise UserError("-sc takes install=SHELL or uninstall=SHELL, where SHELL is bash, zsh or fish.")
    verb = verbs[0]
    if words[1].startswith("query="):
        line = os.environ.get("COMP_LINE", "")
        program, *typed = line.split()
        if not typed or (len(typed) == 1 and not line.endswith(" ")):
            print(" ".join(verb for verb in verbs if verb.startswith("".join(typed))))
            return 0
        verb, *rest = typed
        if verb not in verbs:
            return 0
        if (options := _options(rest[-1] if rest and not line.endswith(" ") else "")) is not None:
            print("\n".join(options))
            return 0
        os.environ["COMP_LINE"] = " ".join([program, *rest]) + (" " if line.endswith(" ") else "")
    return show(verb, separate(verb, words), [words[1]])


def _options(word: str) -> list[str] | None:
    """What ``room=part`` may become, None where the word is no choice in a room."""
    room, chosen, part = word.partition("=")
    plan = Floorplan([conf_folder()])
    group = room.lstrip("+").partition("@")[0]
    if not chosen or not plan.is_group(group):
        return None
    return [f"{room}={option}" for option in plan.options(group) if option.startswith(part)]
