"""One self-contained html file out of its parts: data, and the style sheets and scripts of whoever shows it.

What is shown travels as json that no browser runs; the page's own scripts put it on screen as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template
from typing import Any, Literal

from sonar_slt.files import plain

Theme = Literal["light", "dark"]
KIT = ("kit.js", "charts.js")
"""What the scripts of every page may use; they come first."""
STYLE = ("style.css",)
EARLY = "early.js"
"""Chooses light or dark before anything is painted."""


def assembled(
    title: str,
    contents: Mapping[str, Any],
    *,
    package: str,
    scripts: Sequence[str],
    styles: Sequence[str] = (),
    bulk: Mapping[str, Any] | None = None,
    theme: Theme | None = None,
    media: bool = False,
) -> str:
    """The text of a page that shows `contents` by `scripts`, which follow the kit; `styles` follow its style sheet.

    Both lie in `package`; what is not there is one of ours, such as `stage.js`, on which skeletons move.
    `bulk` lies apart from the rest, so that a page is drawn before that is read. Without `theme` the page is light or
    dark as the reader's system is. With `media` the page may play videos that lie beside it.
    """
    theirs = resources.files(package)
    early = _text(EARLY)
    script = "\n".join([*map(_text, KIT), *(_text(name, theirs) for name in scripts)])
    style = "\n".join([*map(_text, STYLE), *(_text(name, theirs) for name in styles)])
    return Template(_text("page.html")).substitute(
        title=escape(title),
        theme=f' data-theme="{theme}"' if theme else "",
        style=style,
        # Only these very scripts may run: markup that slipped in could do nothing.
        allowed=f"{_digest(early)} {_digest(script)}",
        media=" media-src 'self' file:;" if media else "",
        early=early,
        data=_element("data", contents),
        bulk=_element("bulk", bulk) if bulk else "",
        script=script,
    )


def _text(name: str, theirs: Traversable | None = None) -> str:
    there = theirs is not None and theirs.joinpath(name).is_file()
    return (theirs if there and theirs else resources.files(__package__)).joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """How a content security policy names a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


def _element(name: str, value: Mapping[str, Any]) -> str:
    # Inside a script element only "<" could end it; as an escape it is the same json. Half of a surrogate pair, which
    # a damaged file may hold, cannot be written as utf-8.
    text = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return f'<script type="application/json" id="{name}">{text}</script>'
