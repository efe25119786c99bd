"""SentenceSpace: one frozen space of sentence vectors that many written languages go in and out of.

It wraps any M2M100/NLLB-shaped checkpoint in transformers format whose decoder reads one vector (SONAR's port, or the
toy space, which is an ordinary folder of the same kind).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer, M2M100ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging as hf_logging

from sonar_slt.errors import UserError
from sonar_slt.languages import LANGUAGES
from sonar_slt.space.likelihood import sentence_nll
from sonar_slt.space.pooling import mean_pool
from sonar_slt.space.tokens import MAX_TOKENS, SentenceTokens, TokenBatch, pad_rows

Model = Any
"""An `M2M100ForConditionalGeneration`; transformers' own annotations do not describe what its models do."""


log = logging.getLogger(__name__)

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""What may be asked of a hub; anything else is a folder, and no network is needed to see that it is not there."""


class SentenceSpace:
    """Encode sentences to vectors, decode vectors to sentences, and score sentences given vectors.

    Vectors are SONAR's: the raw, unnormalised mean over all encoder states of `[lang] X </s>`.
    """

    def __init__(self, model: Model, tokenizer: Any, *, name: str = "space") -> None:
        self.model = model
        self.tokens = SentenceTokens(tokenizer)
        self.name = name
        self.languages = _languages_of(tokenizer, name)
        self.fingerprint = _fingerprint(model)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, device: str | torch.device = "cpu", dtype: str | torch.dtype = "float32"
    ) -> Self:
        """Open a transformers folder or a hub id; weights are read from safetensors and never from a pickle."""
        precision = _precision(dtype)
        if not Path(source).is_dir() and not HUB_ID.fullmatch(str(source)):
            raise UserError(f"No sentence space at '{source}': expected a transformers folder or a hub id.")
        try:
            config = AutoConfig.from_pretrained(source)
            tokenizer = AutoTokenizer.from_pretrained(source)
        except (OSError, ValueError) as error:
            raise UserError(f"No sentence space at '{source}': expected a transformers folder or a hub id.") from error
        if config.model_type != "m2m_100":
            raise UserError(f"'{source}' holds a {config.model_type} model; a sentence space needs an m2m_100 one.")
        try:
            with _without_bars():
                model: Model = M2M100ForConditionalGeneration.from_pretrained(
                    source, dtype=precision, use_safetensors=True, attn_implementation="sdpa"
                )
        except OSError as error:
            raise UserError(f"The weights of '{source}' cannot be read: {_first_line(error)}") from error
        return cls(freeze(model.to(device)), tokenizer, name=str(source))

    @property
    def dim(self) -> int:
        """The width of a sentence vector."""
        return int(self.model.config.d_model)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return torch.device(self.model.device)

    def save(self, folder: Path) -> None:
        """Write an ordinary transformers folder (safetensors, config, tokenizer)."""
        with _without_bars():
            self.model.save_pretrained(folder)
        self.tokens.tokenizer.save_pretrained(folder)

    # --- text to vectors ----------------------------------------------------------------------------------------

    def encode(
        self, texts: Sequence[str], lang: str | Sequence[str], *, batch_tokens: int = 8192, differentiable: bool = False
    ) -> Tensor:
        """Vectors (N, dim) of sentences in one language, or in one language per sentence.

        Batches hold about `batch_tokens` tokens after sorting by length; the order of the result is the order given.
        """
        codes = self.codes(lang, len(texts))
        before = self.tokens.truncated
        rows = self.tokens.rows(texts, codes)
        if cut := self.tokens.truncated - before:
            log.warning("%d of %d sentences were longer than %d tokens and were cut", cut, len(rows), MAX_TOKENS)
        vectors: list[Tensor] = [torch.empty(0)] * len(rows)
        with torch.set_grad_enabled(differentiable):
            for batch in _by_length(rows, batch_tokens):
                encoded = self.embed(pad_rows([rows[i] for i in batch], self.tokens.pad).to(self.device))
                for i, vector in zip(batch, encoded, strict=True):
                    vectors[i] = vector
        return torch.stack(vectors) if vectors else torch.empty(0, self.dim, device=self.device)

    def embed(self, tokens: TokenBatch) -> Tensor:
        """Vectors (batch, dim) of rows of ids; gradients flow if they are switched on."""
        states = self.model.model.encoder(input_ids=tokens.ids, attention_mask=tokens.mask.long())[0]
        return mean_pool(states, tokens.mask)

    # --- vectors to text ----------------------------------------------------------------------------------------

    @torch.inference_mode()
    def decode(
        self,
        vectors: Tensor,
        lang: str | Sequence[str],
        *,
        num_beams: int = 5,
        max_new_tokens: int = 128,
        batch_size: int = 256,
        **options: Any,
    ) -> list[str]:
        """One sentence per vector, in one language or in one language per vector.

        Generation starts from `</s> [lang]`, exactly as in training. `options` go to transformers' `generate`.
        """
        self._check_vectors(vectors)
        codes = self.codes(lang, len(vectors))
        training = self.model.training
        self.model.eval()
        sentences: list[str] = []
        for start in range(0, len(vectors), batch_size):
            part = vectors[start : start + batch_size].to(self.device, self.model.dtype)
            ids = [self.tokens.language_id(code) for code in codes[start : start + batch_size]]
            prefix = torch.tensor([[self.tokens.end, code] for code in ids], device=self.device)
            generated = self.model.generate(
                encoder_outputs=BaseModelOutput(last_hidden_state=part.unsqueeze(1)),
                decoder_input_ids=prefix,
                num_beams=num_beams,
                max_new_tokens=max_new_tokens,
                **{"do_sample": False, **options},
            )
            sentences.extend(self.tokens.text(generated[:, 2:]))
        self.model.train(training)
        return sentences

    # --- likelihood ---------------------------------------------------------------------------------------------

    def log_likelihood(self, vectors: Tensor, texts: Sequence[str], lang: str | Sequence[str]) -> Tensor:
        """Mean log-probability per token (N,) of each text given its vector; teacher-forced and differentiable."""
        self._check_vectors(vectors)
        tokens = self.tokens.batch(texts, self.codes(lang, len(texts))).to(self.device)
        return -sentence_nll(self.model, vectors.to(self.device), tokens)

    # --- checks -------------------------------------------------------------------------------------------------

    def codes(self, lang: str | Sequence[str], size: int) -> list[str]:
        """One language code per sentence, each checked against the languages of the space."""
        codes = [lang] * size if isinstance(lang, str) else list(lang)
        if len(codes) != size:
            raise UserError(f"{len(codes)} languages for {size} sentences: give one language, or one per sentence.")
        self.require(codes if codes or not isinstance(lang, str) else [lang])
        return codes

    def require(self, codes: Sequence[str]) -> None:
        """Refuse languages that the space lacks."""
        for code in dict.fromkeys(codes):
            if code not in self.languages:
                known = ", ".join(self.languages) if len(self.languages) <= 12 else f"{len(self.languages)} languages"
                raise UserError(
                    f"The space '{self.name}' has no language '{code}'; it has {known}. "
                    "`python -m sonar_slt.languages` names all languages."
                )

    def _check_vectors(self, vectors: Tensor) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise UserError(f"Vectors of shape {tuple(vectors.shape)}: this space needs (N, {self.dim}).")
        if not torch.isfinite(vectors).all():
            bad = int((~torch.isfinite(vectors).all(dim=1)).sum())
            raise UserError(f"{bad} of {len(vectors)} vectors hold NaN or infinity; nothing was decoded.")


def freeze(model: Model) -> Model:
    """Weights that no optimiser moves, in eval mode, and no attention dropout: it would drop the only key."""
    model.requires_grad_(False)
    for module in model.modules():
        if hasattr(module, "encoder_attn"):
            module.encoder_attn.dropout = 0.0
    return model.eval()


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without transformers' bars for what takes no time here."""
    bars: Any = hf_logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _languages_of(tokenizer: Any, name: str) -> tuple[str, ...]:
    vocabulary = tokenizer.get_vocab()
    languages = tuple(code for code in LANGUAGES if code in vocabulary)
    if not languages:
        raise UserError(
            f"The tokenizer of '{name}' has no language tokens such as deu_Latn; it cannot name a language."
        )
    return languages


def _fingerprint(model: Model) -> str:
    """A hash of the weights: every name, shape, type and bit; tied weights count once."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.named_parameters()):
        digest.update(f"{name}{tuple(weight.shape)}{weight.dtype}".encode())
        digest.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def _by_length(rows: Sequence[Sequence[int]], batch_tokens: int) -> list[list[int]]:
    """Indices in batches of similar length whose padded size stays within the token budget."""
    batches: list[list[int]] = []
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: -len(rows[i])):
        if batch and len(rows[batch[0]]) * (len(batch) + 1) > batch_tokens:
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch] if batch else batches


def _precision(dtype: str | torch.dtype) -> torch.dtype:
    if isinstance(dtype, torch.dtype):
        return dtype
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
    if dtype not in known:
        raise UserError(f"Unknown precision '{dtype}': choose one of {', '.join(known)}.")
    return known[dtype]


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
