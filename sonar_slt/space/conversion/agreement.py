"""Do two foreign files and a tokenizer make one model? Names and shapes, the tables that will be tied, the tokens.

Each question is asked before anything is written, and its answer is one sentence about the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from sonar_slt.errors import UserError
from sonar_slt.hub import HUB_ID
from sonar_slt.languages import LANGUAGES
from sonar_slt.space.conversion.foreign import ForeignCheckpoint, table_pieces
from sonar_slt.space.conversion.shards import Shapes
from sonar_slt.space.tokens import CONTROL_TOKENS, MAX_TOKENS
from sonar_slt.space.weights import STORED_PRECISIONS, TABLE

SHOWN = 3
"""How many of many names a sentence shows."""


def check_names(halves: Iterable[ForeignCheckpoint], shapes: Shapes) -> None:
    """Every weight of the model must be in one of the files in its shape, and nothing else."""
    for half in halves:
        own = {name: s for name, s in shapes.items() if name == TABLE or name.startswith(f"model.{half.half}.")}
        faults = _faults(half, {half.called(name): shape for name, shape in own.items()}, shapes[TABLE])
        told = "; ".join(f"{len(names)} {fault} ({_some(names)})" for fault, names in faults.items() if names)
        if told:
            raise UserError(f"'{half.path}' is no whole {half.half} in the layout of {half.layout}: {told}.")


def _faults(half: ForeignCheckpoint, wanted: Shapes, table: tuple[int, ...]) -> dict[str, list[str]]:
    here, wanted = half.weights, {**wanted, **dict.fromkeys(half.copies, table)}
    return {
        "missing": [name for name in wanted if name not in here],
        "unexpected": [name for name in here if name not in wanted],
        "of another shape": [
            f"{name} {tuple(here[name].shape)} instead of {shape}"
            for name, shape in wanted.items()
            if name in here and tuple(here[name].shape) != shape
        ],
        "no floating-point numbers": [name for name, t in here.items() if t.dtype not in STORED_PRECISIONS.values()],
    }


def check_tables(halves: Iterable[ForeignCheckpoint], tolerance: float) -> None:
    """All tables of word vectors, the output projection among them, must be one, for they will be tied."""
    encoder, decoder = halves
    for half in (encoder, decoder):
        for name in half.copies:
            copy = table_pieces(half.weights[name], half.layout)
            far, rows, first = apart(half.pieces(TABLE), copy)
            if rows:
                raise UserError(
                    f"'{half.path}' holds {name} beside {half.called(TABLE)}: they differ by up to {far:.3g} in "
                    f"{rows:,} rows, the first {first}, and cannot be tied."
                )
    far, rows, first = apart(encoder.pieces(TABLE), decoder.pieces(TABLE))
    if rows and not far <= tolerance:
        raise UserError(
            f"The word vectors of '{encoder.path}' and '{decoder.path}' differ by up to {far:.3g} in {rows:,} rows, "
            f"the first {first}, and cannot be tied; tolerance={tolerance:g} is what is let pass."
        )


def apart(left: Iterable[Tensor], right: Iterable[Tensor]) -> tuple[float, int, int]:
    """The largest difference of two tables, how many rows differ, and the first that does."""
    far, rows, first, seen = 0.0, 0, -1, 0
    for a, b in zip(left, right, strict=True):
        if a.dtype != b.dtype or not torch.equal(a, b):
            gaps = (a.double() - b.double()).abs().amax(dim=1).nan_to_num(math.inf)
            differing = gaps.nonzero().flatten().tolist()
            first = seen + differing[0] if differing and first < 0 else first
            far, rows = max(far, float(gaps.max())), rows + len(differing)
        seen += len(a)
    return far, rows, first


def read_tokenizer(source: str | Path) -> Any:
    """An NLLB tokenizer, from a folder or the hub, that puts the language token in front as SONAR does."""
    folder = Path(source).expanduser()
    if not folder.is_dir() and not HUB_ID.fullmatch(str(source)):
        raise UserError(f"No tokenizer at '{source}': expected a folder or a hub id of an NLLB tokenizer.")
    try:
        tokens: Any = AutoTokenizer.from_pretrained(folder if folder.is_dir() else source, legacy_behaviour=False)
    except Exception as error:  # the tokenizers library raises plain `Exception` for a file that it cannot parse
        reason = "its files cannot be read" if folder.is_dir() else "no such folder, and no hub that is in reach has it"
        raise UserError(f"No tokenizer at '{source}': {reason}; an NLLB tokenizer is expected.") from error
    if not any(code in tokens.get_vocab() for code in LANGUAGES):
        raise UserError(f"The tokenizer of '{source}' has no language tokens such as deu_Latn; expected one of NLLB's.")
    found = tokens.convert_tokens_to_ids(list(CONTROL_TOKENS))
    if found != list(range(len(CONTROL_TOKENS))):
        raise UserError(f"The tokenizer of '{source}' has {CONTROL_TOKENS} at {found}; NLLB's has them at 0 to 3.")
    tokens.model_max_length = MAX_TOKENS  # for those who ask transformers to truncate
    return tokens


def spare_rows(tokens: Any, rows: int, source: str | Path) -> int:
    """How many rows of the table have no token; NLLB's tokenizer leaves two of SONAR's."""
    size = max(tokens.get_vocab().values()) + 1
    if size > rows:
        raise UserError(f"The tokenizer of '{source}' has {size:,} tokens; the checkpoints have {rows:,} word vectors.")
    return int(rows - size)


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
