"""How a command ends: the exit code, and what is said about an error."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator

from sonar_slt.errors import UserError
from sonar_slt.processes import rank

DONE, FAILED, WRONG_INPUT = 0, 1, 2
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = ("No space left on device", "PytorchStreamWriter failed writing")  # where a library hides the number


def complain(error: BaseException) -> int:
    """Say on stderr what went wrong and return the exit code for it."""
    if isinstance(error, UserError):
        _say(" ".join(str(error).split()))
        return WRONG_INPUT
    if isinstance(error, KeyboardInterrupt):
        _say("Interrupted.")
    elif isinstance(error, SystemExit):
        _say("Terminated.")
    elif isinstance(error, BrokenPipeError):
        # The reader of a pipe has left: nothing to say, and nothing may be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif full := next((cause for cause in _causes(error) if _is_full(cause)), None):
        where = getattr(full, "filename", None)
        _say(f"The disk is full{f' ({where})' if where else ''}: make room and give the command again.")
    else:
        traceback.print_exception(error)
    return FAILED


def _say(sentence: str) -> None:
    if rank():  # the first of several processes that were given this command says it for all
        return
    sys.stdout.flush()
    print(sentence, file=sys.stderr, flush=True)


def _is_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in FULL) or any(word in str(error) for word in FULL_WORDS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
