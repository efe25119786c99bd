"""A record's json where the metrics are most of it: they are parsed only once somebody looks at them.

A thousand records are listed in a fraction of a second so, straight from the files and without an index beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

START, END = b'\n  "metrics": {\n', b"\n  }"
"""How a record is indented: no line inside the metrics begins with so few blanks."""


class Unparsed(Mapping[str, Any]):
    """A json object as text, read at the first look. One that turns out to be damaged is empty."""

    __slots__ = ("_text", "_values")

    def __init__(self, text: bytes) -> None:
        """Keep the text of an object, braces included."""
        self._text: bytes | None = text
        self._values: dict[str, Any] = {}

    @property
    def damaged(self) -> bool:
        """Whether the text is no json object."""
        try:
            return not isinstance(json.loads(self._text or b"{}"), dict)
        except ValueError:
            return True

    def _read(self) -> dict[str, Any]:
        if self._text is not None:
            try:
                values = json.loads(self._text)
            except ValueError:
                values = None
            self._values, self._text = values if isinstance(values, dict) else {}, None
        return self._values

    def __getitem__(self, key: str) -> Any:
        """The value of a key."""
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        """The keys in the order of the file."""
        return iter(self._read())

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._read())

    def __repr__(self) -> str:
        """As a dict shows itself."""
        return repr(self._read())


def read_fields(text: bytes) -> Any:
    """What a record's json says, its metrics left `Unparsed`; text that is indented otherwise is parsed whole."""
    head, found, rest = text.partition(START)
    metrics, closed, tail = rest.partition(END)
    if not found or not closed:
        return json.loads(text)
    fields = json.loads(head + b'\n  "metrics": null' + tail)
    fields["metrics"] = Unparsed(b"{" + metrics + b"}")
    return fields
