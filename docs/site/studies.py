"""The studies lie in `experiments/`, beside what makes them; this hook of MkDocs gives each a page on the site.

Links between both folders are turned from how they lie in the repository to how they lie on the site.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

STUDIES = "experiments"
SHOWN = (".md", ".svg", ".json")
FROM_DOCS = re.compile(rf"\]\((?:\.\./)((?:\.\./)*{STUDIES}/)")
FROM_STUDIES = re.compile(r"\]\(((?:\.\./)+)docs/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Every page, plot and table of a study, as if it lay below `docs/`; frozen tables stand in the pages already."""
    root = Path(config.docs_dir).parent
    for path in sorted((root / STUDIES).rglob("*")):
        if path.suffix in SHOWN and path.name != "table.md":
            files.append(File.generated(config, path.relative_to(root).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """`](../experiments/` of a page in docs loses the step out of it, `](../docs/` of a study the folder's name."""
    if page.file.src_uri.startswith(f"{STUDIES}/"):
        return FROM_STUDIES.sub(r"](\1", markdown)
    return FROM_DOCS.sub(r"](\1", markdown)
