"""The toy world written out as released corpora are: the same clips in each true layout, with what is wrong in those.

Nothing here is shared with the readers, so that a mistake of one is not made again by the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sonar_slt.data.corpora.toy.written import csl_daily, how2sign, lsa_t, phoenix14t
from sonar_slt.data.corpora.toy.written.clip import Clip, Draft, Planted, World, clips_of
from sonar_slt.data.corpora.toy.written.traps import Trap, plant, told
from sonar_slt.errors import UserError
from sonar_slt.files import alone, replace_folder, write_json
from sonar_slt.progress import counted

__all__ = ["LANGUAGES", "LAYOUTS", "OPTIONS", "RATES", "TRAPS", "WRITTEN", "Planted", "Trap", "World", "write_release"]

_WRITERS = {"phoenix14t": phoenix14t, "how2sign": how2sign, "csl_daily": csl_daily, "lsa_t": lsa_t}
LAYOUTS = tuple(_WRITERS)
"""The layouts that the toy world can be written in, called like the readers."""
TRAPS: Mapping[str, Mapping[str, Trap]] = MappingProxyType({name: each.TRAPS for name, each in _WRITERS.items()})
"""For each layout its traps by name."""
LANGUAGES: Mapping[str, str] = MappingProxyType({name: each.LANGUAGE for name, each in _WRITERS.items()})
"""For each layout the language of its sentences."""
RATES: Mapping[str, float | None] = MappingProxyType({name: each.FPS for name, each in _WRITERS.items()})
"""For each layout the frame rate that all of its clips have, None where videos tell their own."""
OPTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "phoenix14t": {},
        "how2sign": {},
        "csl_daily": {"language": csl_daily.LANGUAGE},
        "lsa_t": {"splits": lsa_t.SPLITS},
    }
)
"""For each layout what its reader must be told, since the world's language or splits are not the corpus' own."""
WRITTEN = "written.json"
"""The file that says that a folder was written here, and what was planted in it."""


def write_release(
    layout: str, world: World, root: Path, *, traps: Sequence[str] = (), shown: bool = True
) -> list[Planted]:
    """Write the clips of `world` under `root` in the layout of a corpus, with some traps of `TRAPS[layout]`.

    Each clip has the first of its sentences in the corpus' language. The folder appears whole or not at all; one that
    was not written here is never replaced. What is given back, and stands in `written.json`, is all that is wrong.
    """
    if layout not in _WRITERS:
        raise UserError(f"write_as={layout}: the toy world can be written as {', '.join(LAYOUTS)}.")
    root = root.resolve()
    _require_ours(root)
    writer, clips = _WRITERS[layout], clips_of(world, LANGUAGES[layout])
    _require_rate(layout, clips)
    draft = Draft(root=root.with_name(f".{root.name}.draft"), world=world, clips=clips)
    chosen = plant(draft, TRAPS[layout], traps)
    busy = f"Another process is writing '{root}': wait for its end, or choose another folder."
    with alone(root, busy=busy, unwritable=partial(_unwritable, root)):
        shutil.rmtree(draft.root, ignore_errors=True)  # of a writing that was killed
        try:
            draft.root.mkdir()
            with counted(f"Writing as {layout}", sum(clip.filmed for clip in clips), shown=shown) as draft.advance:
                writer.write(draft)
            for damage in draft.later:
                damage()
            planted = told(chosen)
            faults = [{"id": fault.id, "kind": fault.kind, "trap": fault.trap} for fault in planted]
            write_json(draft.root / WRITTEN, {"layout": layout, "clips": len(clips), "planted": faults})
            replace_folder(draft.root, root)
        except OSError as error:
            raise _unwritable(root, error) from error
        finally:
            shutil.rmtree(draft.root, ignore_errors=True)
    return planted


def _unwritable(root: Path, error: OSError) -> UserError:
    return UserError(f"'{root}' could not be written: {error.strerror or error}.")


def _require_ours(root: Path) -> None:
    if root.is_file() or (root.is_dir() and any(root.iterdir()) and not (root / WRITTEN).is_file()):
        raise UserError(f"'{root}' is there already and was not written by this command: choose another folder.")


def _require_rate(layout: str, clips: Sequence[Clip]) -> None:
    rate = RATES[layout]
    other = next((clip for clip in clips if rate is not None and clip.fps != rate), None)
    if other is not None:
        raise UserError(
            f"{layout} has {rate:g} frames a second throughout, and {other.id} of the toy world has {other.fps:g}: "
            f"give data.fps={rate:g}."
        )
