"""The file that a word such as `output=FILE` names: its folders are made; what cannot be is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

from sonar_slt.files import permitted, write_atomically


def write_output(name: str, text: str, *, key: str = "output") -> Path:
    """Put `text` where the word `key=name` says; the path."""
    target = Path(name).expanduser()
    with permitted(lambda why: f"{key}={name} cannot be written ({why}): expected a file."):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text)
    return target
