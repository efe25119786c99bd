"""The pages themselves: short, linked without a gap, nothing said twice, and a site that is built without a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STUDIES = sorted((ROOT / "experiments").glob("**/README.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("**/*.md")), *STUDIES]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
LOGS = ("CHANGELOG.md", "docs/decisions.md")
"""Pages that grow by an entry at a time."""
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]+src=["']?https?:|<link[^>]+href=["']?https?:|@import|url\(["']?https?:"""
)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What the headings of a page are linked by."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def pieces(page: Path) -> Iterator[str]:
    """Paragraphs, list items and rows of tables, each on one line."""
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-|]|\d+\. ))", prose(page)):
        yield " ".join(block.split())


def leaves(nav: object) -> Iterator[str]:
    """The pages of a navigation, however it is nested."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, list | dict):
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(part)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_short(page: Path) -> None:
    name = page.relative_to(ROOT).as_posix()
    limit = 100 if name == "README.md" else 150
    assert name in LOGS or len(prose(page).splitlines()) <= limit


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.is_file(), target
        assert anchor in ("", "only-light", "only-dark") or anchor in anchors(place), target


def test_every_page_is_in_the_navigation() -> None:
    named = list(leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    assert len(named) == len(set(named))
    assert set(named) == {page.relative_to(DOCS).as_posix() for page in DOCS.glob("**/*.md")} | {
        "experiments/README.md"
    }


def test_the_table_of_studies_names_every_study() -> None:
    home = ROOT / "experiments"
    linked = {(home / link).resolve() for link in LINK.findall(prose(home / "README.md"))}
    assert {page.resolve() for page in STUDIES if page.parent != home} <= linked


def test_nothing_is_said_twice() -> None:
    seen: dict[str, str] = {}
    for page, name in zip(PAGES, NAMES, strict=True):
        for piece in pieces(page):
            if len(WORD.findall(piece)) >= 25:
                assert piece not in seen, (name, seen[piece], piece)
                seen[piece] = name


@pytest.mark.smoke
def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(
        words, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    files = [file for file in (tmp_path / "site").rglob("*") if file.suffix in (".html", ".css")]
    assert len(files) >= len(PAGES) - 3
    for file in files:
        assert not FETCHED.search(file.read_text(encoding="utf-8")), file.name
    assert "unpkg" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "site" / "search" / "search_index.js").is_file()  # searched from disk, too
