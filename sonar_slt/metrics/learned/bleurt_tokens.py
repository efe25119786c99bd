"""A reference and a hypothesis as BLEURT reads them: `[CLS] reference [SEP] hypothesis [SEP]`.

BLEURT-20 takes the pieces of a sentencepiece model, the older checkpoints, which are plain BERTs, WordPieces.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sonar_slt.errors import UserError

PIECES, WORDS = "spm.model", "vocab.txt"
"""Where a checkpoint keeps its vocabulary: a sentencepiece model, or WordPieces, one in a line."""

LONGEST_WORD = 200
"""A word with more letters is unknown to BLEURT's WordPieces; the tokenizers library would stop at 100."""


class Vocabulary(Protocol):
    """Words as ids."""

    begin: int  # the id of [CLS]
    border: int  # and of [SEP]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts, without [CLS] and [SEP]."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """The ids of a pair, how many of them are the reference's, and whether something had to be cut off."""

    ids: list[int]
    reference: int  # the first so many ids have type 0, [CLS] and [SEP] included; the others have type 1
    cut: bool


def framed(reference: Sequence[int], said: Sequence[int], words: Vocabulary, most: int) -> PairRow:
    """A pair in at most `most` ids: what is too long loses ids at its end, the longer side first.

    Of two sides that are equally long the hypothesis loses one.
    """
    left, right = len(reference), len(said)
    while left + right > most - 3:
        if left > right:
            left -= 1
        else:
            right -= 1
    ids = [words.begin, *reference[:left], words.border, *said[:right], words.border]
    return PairRow(ids, left + 2, left + right < len(reference) + len(said))


def require_vocabulary(folder: Path) -> Path:
    """The file of the vocabulary, once what reads it is installed."""
    path = next((folder / name for name in (PIECES, WORDS) if (folder / name).is_file()), None)
    if path is None:
        raise UserError(f"metrics.bleurt.folder={folder}: it has neither {PIECES} nor {WORDS}; copy the folder again.")
    if path.name == PIECES and importlib.util.find_spec("sentencepiece") is None:
        raise UserError(f"'{path}' needs sentencepiece: install it with `pip install sonar-slt[bleurt]`.")
    return path


def open_vocabulary(folder: Path) -> tuple[Vocabulary, str]:
    """The vocabulary of a checkpoint, and a hash of it."""
    path = require_vocabulary(folder)
    lower = _lower(folder)
    found: Vocabulary = SentencePieces(path) if path.name == PIECES else WordPieces(path, lower=lower)
    content = path.read_bytes() + (b"" if path.name == PIECES else str(lower).encode())
    return found, hashlib.sha256(content).hexdigest()[:16]


def _lower(folder: Path) -> bool:
    """Whether WordPieces are of small letters alone, as BERT's English ones are unless the folder says otherwise."""
    try:
        said = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(said.get("do_lower_case", True)) if isinstance(said, dict) else True


class SentencePieces:
    """The pieces of RemBERT: case counts, and `[SEP]` within a text is text."""

    def __init__(self, path: Path) -> None:
        import sentencepiece

        try:
            self._model: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except Exception as error:  # sentencepiece tells of broken files by errors of several kinds
            raise UserError(f"'{path}' is cut short or is no sentencepiece model: copy it again.") from error
        self.begin, self.border = (self._model.piece_to_id(name) for name in ("[CLS]", "[SEP]"))
        if self._model.unk_id() in (self.begin, self.border):
            raise UserError(f"'{path}' has no [CLS] or no [SEP]; expected the sentencepiece model of a BLEURT.")

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts."""
        found: list[list[int]] = self._model.encode(list(texts))
        return found


class WordPieces:
    """The WordPieces of BERT."""

    def __init__(self, path: Path, *, lower: bool) -> None:
        from tokenizers import Tokenizer
        from tokenizers.models import WordPiece
        from tokenizers.normalizers import BertNormalizer
        from tokenizers.pre_tokenizers import BertPreTokenizer

        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
        known = {word: number for number, word in enumerate(lines) if word}
        if missing := [name for name in ("[CLS]", "[SEP]", "[UNK]") if name not in known]:
            raise UserError(f"'{path}' has no {missing[0]}; expected BERT's vocabulary, one word in a line.")
        self.begin, self.border = known["[CLS]"], known["[SEP]"]
        model = WordPiece(known, unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD)
        self._tokenizer: Any = Tokenizer(model)
        self._tokenizer.normalizer = BertNormalizer(lowercase=lower)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of texts."""
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]
