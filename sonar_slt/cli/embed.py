"""Fill the cache of sentence vectors: for a training and its evaluation, or for files of sentences.

Examples:
    sonar-slt embed
    sonar-slt embed space=sonar languages=german
    sonar-slt embed sentences.txt more.txt language=deu_Latn output=vectors.npy
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.training.recipe import ensure_space
from sonar_slt.errors import UserError
from sonar_slt.languages import language
from sonar_slt.runs.record import ended_by_sigterm

if TYPE_CHECKING:
    from sonar_slt.space import SentenceSpace
    from sonar_slt.space.cache import CachedVectors, VectorCache

NAMED = 10
"""So many line numbers are named at most."""


def run(config: dict[str, Any], asked: Asked) -> None:
    """Compute what the cache lacks and say how much that was."""
    texts = _checked(config)
    output = _writable(config["output"]) if config["output"] else None
    ensure_space(config, asked.config_dir)
    with ended_by_sigterm():  # what is in the cache by then stays
        cache, sentences = _of_files(config, texts) if texts else _of_data(config)
        filled = cache.fill([text for _, text in sentences], [code for code, _ in sentences])
        if output:
            _save(filled.vectors, output)
    rate = f", {filled.computed / max(filled.seconds, 1e-3):,.0f} a second" if filled.computed else ""
    print(
        f"{len(sentences):,} sentences, {filled.distinct:,} of them distinct: {filled.there:,} were there, "
        f"{filled.computed:,} computed in {filled.seconds:.1f} s{rate}."
    )
    if others := filled.distinct - filled.there - filled.computed:
        print(f"Another process computed {others:,} meanwhile.")
    print(f"Cache: {cache.folder}")
    if output:
        print(f"Vectors ({len(filled.vectors):,}, {filled.vectors.dim}) of the files: {output}")


def _checked(config: Mapping[str, Any]) -> list[str]:
    """The sentences of the files, if there are files; every fault of the words is told before anything is loaded."""
    if not config.get("space"):
        raise UserError("`sonar-slt embed` needs a space whose vectors are wanted: choose one, such as space=toy.")
    if not config["inputs"]:
        if lone := [key for key in ("language", "output") if config[key]]:
            raise UserError(f"{lone[0]}= goes with files: `sonar-slt embed sentences.txt language=deu_Latn`.")
        return []
    if not config["language"]:
        raise UserError("In which language are the files? Add language=deu_Latn or another code.")
    language(config["language"])
    return [sentence for name in config["inputs"] for sentence in read_sentences(Path(name))]


def _writable(name: str) -> Path:
    """The file that the vectors will go to, tried before they are computed; `~` is the user's home."""
    output = Path(os.path.expanduser(name))
    if os.path.isdir(output):
        raise UserError(f"output='{output}' is a folder; a .npy file was expected.")
    there = next(folder for folder in output.absolute().parents if os.path.lexists(folder))
    if not os.path.isdir(there):
        raise UserError(f"output='{output}' cannot be written: '{there}' is no folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"output='{output}' cannot be written: nothing may be put into the folder '{there}'.")
    return output


def _save(vectors: CachedVectors, output: Path) -> None:
    try:
        vectors.save(output)
    except (PermissionError, FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        why = f"'{output}' cannot be written: {error.strerror}"
        raise UserError(f"{why}; the vectors are in the cache, so name another output= and try again.") from error


def _of_files(config: Mapping[str, Any], texts: Sequence[str]) -> tuple[VectorCache, list[tuple[str, str]]]:
    from sonar_slt.space.cache import VectorCache

    space = _space(config)
    space.require([config["language"]])
    folder = (config.get("batches") or {}).get("cache") or Path(config["paths"]["cache"]) / "vectors"
    return VectorCache(folder=folder, space=space), [(config["language"], text) for text in texts]


def _of_data(config: Mapping[str, Any]) -> tuple[VectorCache, list[tuple[str, str]]]:
    """What the data asks for, and the cache that it asks."""
    from sonar_slt.config.assembly import batches_of

    data = batches_of(config, _space(config))
    return data.cache, data.sentences()


def _space(config: Mapping[str, Any]) -> SentenceSpace:
    """The encoder alone, unless the pooling is made of decoder layers: nothing is decoded here."""
    from sonar_slt.config.build import build
    from sonar_slt.space.pooling import pooling_of
    from sonar_slt.task.fitting import best_device

    choice = config["space"].get("pooling", "mean")
    needs_decoder = not isinstance(choice, str) or pooling_of(choice).needs_decoder
    half = {"only": None if needs_decoder else "encoder"} if "only" in config["space"] else {}
    space: SentenceSpace = build({**config["space"], **half}, device=best_device())
    return space


def read_sentences(path: Path) -> list[str]:
    """The lines of a text file; blank ones are left out and named on stderr."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror}; a text file was expected.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UserError(f"Line {line} of '{path}' is not utf-8: save the file as utf-8 and try again.") from error
    lines = [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    sentences = [line for line in lines if line.strip()]
    if not sentences:
        raise UserError(f"'{path}' holds no sentence: one per line was expected.")
    if blank := [str(number) for number, line in enumerate(lines, start=1) if not line.strip()]:
        named = ", ".join(blank[:NAMED]) + (f" and {len(blank) - NAMED} more" if len(blank) > NAMED else "")
        print(f"{path}: skipped {len(blank)} blank line{'s' if len(blank) > 1 else ''}: {named}.", file=sys.stderr)
    return sentences
