#!/usr/bin/env python3
"""Do the files that say one thing agree? Asks no network.

Every requirement of pyproject.toml is in requirements.lock, pinned to a version that it allows and with its hashes; no
index is named there. CITATION.cff and CHANGELOG.md tell the version of pyproject.toml.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def faults() -> Iterator[str]:
    """A line for each thing that two files say differently."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)==([^\s;]+)[^\\\n]*((?:\\\n\s+\S+ ?)*)$", lock, re.MULTILINE)
    pinned: dict[str, list[str]] = {}  # a package may have several pins, each for some machines
    for name, version, _ in entries:
        pinned.setdefault(canonical(name), []).append(version)
    yield from (f"{name}=={version} has no hash in requirements.lock" for name, version, has in entries if not has)

    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *(line for lines in extras.values() for line in lines)]:
        wanted = Requirement(text)
        if wanted.name == project["name"]:
            yield from (f"{text} names no extra {extra}" for extra in wanted.extras if extra not in extras)
        elif not any(version in wanted.specifier for version in pinned.get(canonical(wanted.name), [])):
            found = ", ".join(pinned.get(canonical(wanted.name), [])) or "nothing"
            yield f"pyproject.toml wants {text}, requirements.lock has {found}; `make lock` compiles it anew"
    if re.search(r"://|^\s*-(-index|-extra|-find|i|f)\b", lock, re.MULTILINE):
        yield "requirements.lock names an index"

    for name, told in {"CITATION.cff": r"^version: (.+)$", "CHANGELOG.md": r"^## ([\w.]+)"}.items():
        found = re.search(told, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        if found is None or found[1] != project["version"]:
            yield f"{name} tells version {found and found[1]}, pyproject.toml {project['version']}"


def canonical(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
