"""The toy world as CSL-Daily is released: folders of jpg, a pickle of labels, and lists separated by bars.

The pickle holds lists, dicts, strings and numbers alone, as the true one does.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, Style
from sonar_slt.data.corpora.toy.written.numbered import write_pictures
from sonar_slt.data.corpora.toy.written.traps import CLAIMED, FOLDERS, LABELS, Trap, listed

LANGUAGE, FPS = "deu_Latn", 30.0
SIZE = (512, 512)
KNOWN_BAD, INSTEAD = "S000005_P0004_T00", "S000007_P0003_T00"
"""The id that the list of splits has without a clip, and the clip that is in no split."""

TRAPS = {
    **LABELS,
    **FOLDERS,
    "length_differs": CLAIMED,
    "missing_split": Trap("a clip that is in no split", "missing_split", listed("")),
    "known_bad": Trap("the id that is no clip", "known_bad", listed(KNOWN_BAD, INSTEAD), named=lambda _: KNOWN_BAD),
}


def write(draft: Draft) -> None:
    """Pictures, then the pickle and the two lists."""
    for clip in draft.clips:
        if clip.filmed:
            folder = draft.root / "sentence" / "frames_512x512" / clip.id
            write_pictures(draft, clip, folder, "{:06d}.jpg", SIZE, quality=85)
    labels = draft.root / "sentence_label"
    labels.mkdir(parents=True)
    rows = [clip for split in ("train", "dev", "test") for clip in draft.labelled(split)]
    info = [_info(clip) for clip in rows]
    maps = {f"{kind}_map": _numbered(info, f"label_{kind}") for kind in ("gloss", "char", "word", "postag")}
    (labels / "csl2020ct_v2.pkl").write_bytes(pickle.dumps({"info": info, **maps}, protocol=4))
    once = dict.fromkeys((clip.id if clip.listed is None else clip.listed, clip.split) for clip in rows)
    _write_list(draft, "split_1.txt", ["name", "split"], [pair for pair in once if pair[0]])
    header = ["index", "name", "length", "gloss", "char", "word", "postag"]
    _write_list(draft, "video_map.txt", header, [_mapped(number, row) for number, row in enumerate(info)])


def _info(clip: Clip) -> dict[str, Any]:
    words = clip.text.split()
    return {
        "name": clip.id,
        "length": clip.frames if clip.told is None else clip.told,
        "signer": clip.signer,
        "label_gloss": (clip.entry.gloss or "").split(),
        "label_char": list(clip.text),
        "label_word": words,
        "label_postag": ["x"] * len(words),
    }


def _numbered(info: Sequence[dict[str, Any]], key: str) -> dict[str, int]:
    """The number of every token, in order of first use."""
    return {token: number for number, token in enumerate(dict.fromkeys(t for row in info for t in row[key]))}


def _mapped(number: int, row: dict[str, Any]) -> list[str]:
    tokens = [" ".join(row[f"label_{kind}"]) for kind in ("gloss", "char", "word", "postag")]
    return [str(number), row["name"], str(row["length"]), *tokens]


def _write_list(draft: Draft, name: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    (draft.root / "sentence_label" / name).write_bytes(Style("|", "\n").bare([header, *rows]))
