"""The command line: one thin module per verb, each a Hydra app over ``conf/<verb>.yaml``.

Nothing here imports torch; a verb does, once it really runs.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence

from sonar_slt.errors import UserError

__all__ = ["main"]

TERMINATED = {128 + number for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``sonar-slt`` with these words; the exit code is 0, 2 where the input is wrong, 1 for anything else."""
    words = list(sys.argv[1:] if argv is None else argv)
    gc.disable()  # composing a config makes many small objects and no garbage worth looking for
    from sonar_slt.cli.command.outcome import complain

    try:
        return _dispatch(words)
    except (Exception, KeyboardInterrupt) as error:
        return complain(error)
    except SystemExit as ended:
        if ended.code in TERMINATED:
            return complain(ended)
        raise
    finally:
        gc.enable()


def _dispatch(words: list[str]) -> int:
    from sonar_slt.cli.command.help import overview, page, version
    from sonar_slt.config.location import verbs
    from sonar_slt.errors import did_you_mean

    known = verbs()
    if words and words[0] in ("-sc", "--shell-completion"):
        from sonar_slt.cli.command.completion import complete

        return complete(words, known)
    if not words or words[0] in ("--help", "-h"):
        print(overview(known))
        return 0
    if words[0] == "--version":
        print(version())
        return 0
    verb, *rest = words
    if verb not in known:
        raise UserError(f"Unknown verb {verb}.{did_you_mean(verb, known)} `sonar-slt --help` lists them.")
    from sonar_slt.cli.command.arguments import separate

    arguments = separate(verb, rest)
    if arguments.help:
        print(page(verb, arguments.config_dir))
        return 0
    if verb == "rerun":  # whose words are another verb's
        from sonar_slt.cli.rerun import run_again

        return run_again(arguments)
    from sonar_slt.cli.command.application import launch

    return launch(verb, arguments)
