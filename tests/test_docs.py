"""Every command in the README and in docs/ is one that the command line understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonar_slt.cli.arguments import overrides, separate
from sonar_slt.config.compose import examine, floorplan
from sonar_slt.config.location import verbs

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "experiments").glob("**/*.md"))]
CODE = re.compile(r"^```\w*\n(.*?)^```|((?:^ {4}\S.*\n(?:^ {4}.*\n)*)+)", re.MULTILINE | re.DOTALL)
REPEATED = ("rerun",)
"""Verbs whose words are those of another verb, which the run that they name decides."""


def commands(page: Path) -> Iterator[str]:
    """The commands of a page's code blocks, each in one line; what stands before `sonar-slt` is the shell's."""
    for fenced, indented in CODE.findall(page.read_text(encoding="utf-8")):
        for line in (fenced or indented).replace("\\\n", " ").splitlines():
            if (found := re.search(r"(?:^|\s)sonar-slt (.*)", line)) and not re.match(r"\s*(#|pip |hf )", line):
                yield found[1].strip()


def found() -> dict[str, str]:
    """Each command with the first page that has it."""
    return {line: page.relative_to(ROOT).as_posix() for page in reversed(PAGES) for line in commands(page)}


def test_the_pages_have_commands() -> None:
    assert {"README.md", "docs/sweeps.md", "docs/clusters.md", "docs/scores.md"} <= set(found().values())
    assert len(found()) > 100


@pytest.mark.conf
@pytest.mark.parametrize("line", found())
def test_a_documented_command_is_understood(line: str) -> None:
    words = shlex.split(re.split(r"\s(?:\||&&|>|2>)\s", line)[0], comments=True)
    if not words or words[0].startswith("-"):
        return
    verb, *rest = words
    assert verb in verbs(), line
    arguments = separate(verb, [word.replace("…", "") for word in rest if word not in ("…", "...")])
    if verb in REPEATED or arguments.help or "VERB" in line:
        return
    problems = examine(verb, overrides(verb, arguments, floorplan()), multirun=arguments.multirun).problems
    assert not problems, (line, problems)
