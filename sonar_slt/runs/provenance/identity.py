"""What a run computes, apart from where and how it is carried out: the part of its config that its id is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sonar_slt.files import plain

NOT_COMPUTED = frozenset(
    {
        ("paths",), ("logger",), ("name",), ("output",), ("hydra",), ("launcher",), ("sweeper",), ("again",),
        ("trainer", "devices"), ("trainer", "accelerator"), ("trainer", "num_nodes"), ("trainer", "strategy"),
        ("trainer", "enable_progress_bar"), ("trainer", "logger"), ("trainer", "default_root_dir"),
    }
)  # fmt: skip
"""Keys that say where and how a run is carried out, not what it computes."""


def identity(verb: str, config: Mapping[str, Any]) -> str:
    """Eight hex digits of what a run computes: equal for the same work on another machine or under another name."""
    text = json.dumps([verb, computed(config)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def computed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a config that decides what is computed, in plain values."""
    tree = plain(config)
    # A path that was interpolated into another section differs between machines: its part from `paths` is left out.
    folders = sorted((v for v in (tree.get("paths") or {}).values() if isinstance(v, str) and v), key=len, reverse=True)
    kept: dict[str, Any] = _computed(tree, folders)
    return kept


def _computed(value: Any, folders: list[str], above: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if (*above, key) not in NOT_COMPUTED}
        return {key: _computed(item, folders, (*above, key)) for key, item in kept.items()}
    if isinstance(value, list):
        return [_computed(item, folders, (*above, "[]")) for item in value]
    if isinstance(value, str):
        folder = next((f for f in folders if value == f or value.startswith(f.rstrip("/") + "/")), "")
        return value[len(folder) :]
    return value
