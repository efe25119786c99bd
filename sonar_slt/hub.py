"""Checkpoints as hubs of models give them: what may be asked of a hub, and what an index of several files says.

Nothing is fetched that lies in the hub's local cache, and nothing pickled where there is anything else.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from sonar_slt.errors import UserError

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""What may be asked of a hub; anything else is a path, and no network is needed to see that it is not there."""


class OutOfReach(Exception):
    """A hub did not give what was asked of it; the text says why."""


def fetched(hub_id: str, files: Sequence[str], *, pickled: Sequence[str] = (), revision: str | None = None) -> Path:
    """The folder of a hub id in the local cache, with the files of these patterns.

    Where no weights are among them as safetensors, `pickled` ones come too.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(files)))
        if pickled and not any(folder.glob("model*.safetensors")):
            folder = Path(snapshot_download(hub_id, revision=revision, allow_patterns=[*files, *pickled]))
    except (OSError, ValueError) as error:  # the hub's errors are either
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        offline = os.environ.get("HF_HUB_OFFLINE", "0") not in ("0", "")
        raise OutOfReach(
            "the hub is switched off by HF_HUB_OFFLINE" if offline else "the hub has it not, or cannot be reached"
        ) from error
    return folder


def indexed(path: Path) -> list[Path]:
    """The files of weights that an index names, all beside it."""
    try:
        names = sorted(set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()))
        if not names or any(Path(name).name != name for name in names):
            raise ValueError("names of other folders, or none")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"'{path}' is no index of files of weights.") from error
    return [path.with_name(name) for name in names]
