"""NLLB: one model that translates between 202 languages, named by the codes that are used here throughout.

It reads `[source] text </s>` and is made to begin with the token of the target language; beams find the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from transformers import GenerationConfig

from sonar_slt.errors import UserError
from sonar_slt.languages import nearest
from sonar_slt.space.inputs import languages_of, require_room
from sonar_slt.space.opening import Model, device_of, precision_of
from sonar_slt.space.tokens import SentenceTokens, by_length, pad_rows
from sonar_slt.translator.checkpoint import Checkpoint

MOST_BEAMS = 64
"""More have never helped anybody, and a slip of the finger should not fill the memory."""


class NllbTranslator:
    """NLLB-200 of any size, or any model with NLLB's language tokens.

    Checked when it is made; the weights are loaded once something is to be translated.
    """

    def __init__(
        self,
        *,
        source: str,
        revision: str | None = None,
        dtype: str = "float32",
        num_beams: int = 5,
        max_tokens: int = 256,
        batch_tokens: int = 2048,
        device: torch.device | str = "cpu",
    ) -> None:
        if not 1 <= num_beams <= MOST_BEAMS:
            raise UserError(f"translator.num_beams={num_beams}: expected 1 (greedy) to {MOST_BEAMS}.")
        for key, value in {"max_tokens": max_tokens, "batch_tokens": batch_tokens}.items():
            if value < 1:
                raise UserError(f"translator.{key}={value}: expected a number of tokens, at least 1.")
        self.precision, self.device = precision_of(dtype), device_of(device)
        self.num_beams, self.max_tokens, self.batch_tokens = num_beams, max_tokens, batch_tokens
        self.checkpoint = Checkpoint(source, key="translator.source", revision=revision)
        self.tokens = SentenceTokens(self.checkpoint.tokenizer())
        self.languages = languages_of(self.tokens.tokenizer, source)
        require_room(self.tokens.tokenizer, self.checkpoint.require_model().vocab_size, source)

    @cached_property
    def model(self) -> Model:
        """The weights, on their device."""
        return self.checkpoint.model(precision=self.precision, device=self.device)

    def described(self) -> Mapping[str, Any]:
        """Everything that decides what is said, in plain values."""
        return {
            "model": self.checkpoint.source,
            "fingerprint": self.checkpoint.fingerprint,
            "num_beams": self.num_beams,
            "max_tokens": self.max_tokens,
            "dtype": str(self.precision).removeprefix("torch."),
        }

    @property
    def identity(self) -> str:
        """A hash of the same; a folder that was moved or renamed says what it said before."""
        said = {key: value for key, value in self.described().items() if key != "model"}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def require(self, codes: Sequence[str]) -> None:
        """Refuse languages that the model has no token of."""
        for code in codes:
            if code not in self.languages:
                near = [found.code for found in nearest(code) if found.code in self.languages]
                known = ", ".join(self.languages) if len(self.languages) <= 12 else f"{len(self.languages)} languages"
                raise UserError(
                    f"translator.source={self.checkpoint.source} has no language '{code}'"
                    f"{f': did you mean {near[0]}?' if near else '.'} It has {known}."
                )

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> Iterator[dict[int, str]]:
        """Batch after batch, longest first: the sentence that was found for each text, by the text's number.

        What stands beside a text in a batch changes roundings alone.
        """
        self.require([source, target])
        rows = self.tokens.rows(texts, [source] * len(texts))
        search = self._search(target)
        for batch in by_length(rows, self.batch_tokens):
            yield dict(zip(batch, self._said([rows[number] for number in batch], search), strict=True))

    @torch.inference_mode()
    def _said(self, rows: Sequence[Sequence[int]], search: GenerationConfig) -> list[str]:
        batch = pad_rows(rows, self.tokens.pad).to(self.device)
        found = self.model.generate(input_ids=batch.ids, attention_mask=batch.mask.long(), generation_config=search)
        return self.tokens.text(found)

    def _search(self, target: str) -> GenerationConfig:
        """How a sentence is looked for: what a folder's own generation_config.json says counts for nothing."""
        config = self.model.config
        start = config.decoder_start_token_id
        made: Any = GenerationConfig
        self.model.generation_config = made()
        search: GenerationConfig = made(
            num_beams=self.num_beams,
            do_sample=False,
            max_new_tokens=self.max_tokens,
            length_penalty=1.0,
            early_stopping=False,
            use_cache=True,
            forced_bos_token_id=self.tokens.language_id(target),
            decoder_start_token_id=self.tokens.end if start is None else start,
            bos_token_id=config.bos_token_id,
            eos_token_id=self.tokens.end,
            pad_token_id=self.tokens.pad,
        )
        return search
