"""The toy world as RWTH-PHOENIX-Weather 2014 T is released: folders of png, and tables separated by bars.

The tables know no quoting, and name pictures in a folder `1` that is not there.
"""

from __future__ import annotations

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, Style
from sonar_slt.data.corpora.toy.written.numbered import write_pictures
from sonar_slt.data.corpora.toy.written.traps import FOLDERS, LABELS, Trap, row_of, styled

LANGUAGE, FPS = "deu_Latn", 25.0
SIZE = (210, 260)
HEADER = ("name", "video", "start", "end", "speaker", "orth", "translation")
_USUAL = Style("|", "\n")


def _table(clip: Clip) -> str:
    return f"PHOENIX-2014-T.{clip.split}.corpus.csv"


TRAPS = {
    **LABELS,
    **FOLDERS,
    "bad_row": Trap("a row of three fields", "bad_row", row_of("{}", "torn", "-1"), named=_table),
    "bom": Trap("a byte order mark", "", styled(Style("|", "\n", bom=True)), split="test", named=_table),
    "crlf": Trap("the line ends of Windows", "", styled(Style("|", "\r\n")), split="dev", named=_table),
}
"""The last of these are of whole tables."""


def write(draft: Draft) -> None:
    """Pictures, then the three tables."""
    for clip in draft.clips:
        if clip.filmed:
            folder = draft.root / "features" / "fullFrame-210x260px" / clip.split / clip.id
            write_pictures(draft, clip, folder, "images{:04d}.png", SIZE, first=1, compress_level=1)
    tables = draft.root / "annotations" / "manual"
    tables.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        style = draft.styles.get(split, _USUAL)
        rows = [HEADER, *map(_row, draft.labelled(split)), *draft.rows.get(split, [])]
        (tables / f"PHOENIX-2014-T.{split}.corpus.csv").write_bytes(style.bare(rows))


def _row(clip: Clip) -> tuple[str, ...]:
    speaker, orth = f"Signer{clip.signer:02d}", clip.entry.gloss or ""
    return clip.id, f"{clip.id}/1/*.png", "-1", "-1", speaker, orth, clip.text
