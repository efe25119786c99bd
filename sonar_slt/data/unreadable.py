"""A file of a clip that cannot be read; the clip bears it as a fault, the corpus goes on."""

from __future__ import annotations


class Unreadable(ValueError):
    """A file that is cut short or is not what its name says; the message is one sentence that names it."""
