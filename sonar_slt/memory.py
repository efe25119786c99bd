"""Memory that a process has finished with but still holds: given back to the system, it is nobody's cost any more."""

from __future__ import annotations

import ctypes
import gc


def settle() -> None:
    """Give back what is free: what counts as taken is then in use, and workers that are forked inherit no more."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # another C library keeps less
