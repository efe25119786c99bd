"""SentenceSpace: one frozen space of sentence vectors that many written languages go in and out of.

It wraps any M2M100/NLLB-shaped checkpoint in transformers format whose decoder reads one vector (SONAR's port, or the
toy space, which is an ordinary folder of the same kind).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional

from sonar_slt.errors import UserError
from sonar_slt.files import replacing
from sonar_slt.progress import counted
from sonar_slt.space.encoder import encoded
from sonar_slt.space.generation import Search, Shortlist, generate
from sonar_slt.space.generation.plain import plain_generate
from sonar_slt.space.inputs import languages_of, require_languages, require_room, require_vectors, sentences
from sonar_slt.space.likelihood import sets_nll
from sonar_slt.space.opening import (
    HALVES,
    Model,
    configuration,
    device_of,
    evaluating,
    located,
    open_model,
    precision_of,
    require_own,
    silent,
    tokenizer_of,
)
from sonar_slt.space.pooling import Pooling, pooling_of
from sonar_slt.space.random_space import random_model, random_tokenizer
from sonar_slt.space.tokens import MAX_TOKENS, SentenceTokens, TokenBatch, by_length, pad_rows
from sonar_slt.space.weights import OpenedFiles, fingerprint

log = logging.getLogger(__name__)

LAYOUT = ("encoder_attention_heads", "scale_embedding", "activation_function", "pad_token_id")
"""What of a config decides a vector beside the weights and their shapes."""

DECODING_BYTES = 4 * 2**30
"""What a batch may take while it is decoded, were all its sentences as long as allowed."""

MOST_TOGETHER = 256
"""How many vectors are decoded together at most, however small the vocabulary."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A sentence that was decoded, and its score as `Search` defines it."""

    text: str
    score: float


class SentenceSpace:
    """Encode sentences to vectors, decode vectors to sentences, and score sentences given vectors.

    Vectors are SONAR's unless another pooling is chosen: the raw mean over all encoder states of `[lang] X </s>`.
    """

    def __init__(
        self,
        model: Model,
        tokenizer: Any,
        *,
        name: str = "space",
        pooling: str | Pooling = "mean",
        normalize: bool = False,
        identity: Callable[[], str] | None = None,
    ) -> None:
        self.model, self.name, self.normalize = model, name, normalize
        self.tokens = SentenceTokens(tokenizer)
        self.languages = languages_of(tokenizer, name)
        self.has_encoder, self.has_decoder = bool(model.config.encoder_layers), bool(model.config.decoder_layers)
        self.pooling = pooling_of(pooling)
        self.pooling.adopt(model)
        self.pooling.requires_grad_(False).eval()
        known = None if identity else fingerprint(dict(model.named_parameters()))  # before adapters rename weights
        self._identity = identity or (lambda: str(known))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "float32",
        pooling: str | Pooling = "mean",
        normalize: bool = False,
        only: str | None = None,
    ) -> Self:
        """Open a transformers folder or a hub id (of one `revision`); weights are safetensors and never a pickle.

        `only="decoder"` leaves the encoder out of memory, `only="encoder"` the decoder.
        """
        precision, device = precision_of(dtype), device_of(device)
        folder = located(source, revision)
        config = configuration(folder, only)
        tokenizer = tokenizer_of(folder)
        require_room(tokenizer, config.vocab_size, str(source))
        identity = OpenedFiles(folder).fingerprint
        model = open_model(folder, config, precision=precision, device=device)
        return cls(
            model,
            tokenizer,
            name=f"{source}@{revision}" if revision else str(source),
            pooling=pooling,
            normalize=normalize,
            identity=identity,
        )

    @classmethod
    def at_random(
        cls,
        *,
        dim: int = 1024,
        layers: int = 24,
        heads: int = 16,
        hidden: int = 8192,
        vocabulary: int = 256206,
        seed: int = 0,
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "float32",
        pooling: str | Pooling = "mean",
        normalize: bool = False,
        only: str | None = None,
    ) -> Self:
        """A space of SONAR's sizes that has learnt nothing: for speed and memory, where weights are not at hand."""
        model = random_model(
            dim=dim,
            layers=layers,
            heads=heads,
            hidden=hidden,
            vocabulary=vocabulary,
            seed=seed,
            precision=precision_of(dtype),
            device=device,
            only=only,
        )
        name = f"random, {dim} wide, {layers} layers, {heads} heads, {hidden} hidden, {vocabulary} words, seed {seed}"
        return cls(
            model,
            random_tokenizer(vocabulary),
            name=name,
            pooling=pooling,
            normalize=normalize,
            identity=lambda: hashlib.sha256(name.encode()).hexdigest()[:16],  # the same whichever half is made
        )

    @property
    def dim(self) -> int:
        """The width of a sentence vector."""
        return int(self.model.config.d_model)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return torch.device(self.model.device)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the whole checkpoint's weights; the same whichever half, precision or pooling is opened."""
        return self._identity()

    @property
    def vector_id(self) -> str:
        """A name for everything that decides a sentence's vector."""
        parts = [self.fingerprint, self._reading, self.pooling.title, str(self.model.dtype).removeprefix("torch.")]
        return "-".join([*parts, "unit"] if self.normalize else parts)

    @cached_property
    def _reading(self) -> str:
        """A hash of what else decides a vector: how text becomes tokens, how the encoder is laid out, what pools."""
        layout = {name: getattr(self.model.config, name) for name in LAYOUT}
        learnt = fingerprint(dict(self.pooling.named_parameters()))
        said = json.dumps([self.tokens.described(), layout, learnt], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    def renew(self) -> None:
        """Take a new fingerprint after the weights were changed: what was known of the old ones holds no more."""
        known = fingerprint(dict(self.model.named_parameters()))
        self.__dict__.pop("fingerprint", None)
        self._identity = lambda: known

    def save(self, folder: str | Path) -> None:
        """Write an ordinary transformers folder (safetensors, config, tokenizer), which appears whole or not at all."""
        for half in HALVES:
            self._need(half, "saved")
        if any("lora_" in name for name, _ in self.model.named_parameters()):
            raise UserError(f"The space '{self.name}' has a LoRA student: save the student, or merge it first.")
        folder = Path(folder)
        require_own(folder)
        with replacing(folder) as draft:
            with silent():
                self.model.save_pretrained(draft)
            self.tokens.tokenizer.save_pretrained(draft)

    # --- text to vectors ----------------------------------------------------------------------------------------

    def encode(
        self,
        texts: Sequence[str],
        lang: str | Sequence[str],
        *,
        batch_tokens: int = 8192,
        normalize: bool | None = None,
        differentiable: bool = False,
        progress: bool = False,
    ) -> Tensor:
        """Vectors (N, dim) of sentences in one language, or in one language per sentence.

        Batches hold about `batch_tokens` tokens after sorting by length; the order of the result is the order given.
        """
        self._need("encoder", "encoded")
        rows = self._rows(texts, lang)
        vectors = self.encode_rows(rows, batch_tokens=batch_tokens, differentiable=differentiable, progress=progress)
        if bad := (~torch.isfinite(vectors).all(dim=1)).nonzero().flatten().tolist():
            raise UserError(
                f"The space '{self.name}' gives NaN or infinity for {len(bad)} of {len(rows)} sentences, such as "
                f"'{texts[bad[0]][:60]}': its weights are broken, or want dtype=float32."
            )
        unit = self.normalize if normalize is None else normalize
        return functional.normalize(vectors, dim=1) if unit else vectors

    def encode_rows(
        self,
        rows: Sequence[Sequence[int]],
        *,
        batch_tokens: int = 8192,
        differentiable: bool = False,
        progress: bool = False,
    ) -> Tensor:
        """Vectors (N, dim) of rows `[lang] X </s>` of ids, never normalised."""
        if not isinstance(batch_tokens, int) or batch_tokens < 1:
            raise UserError(f"batch_tokens={batch_tokens}: a whole number of tokens, at least 1.")
        vectors: list[Tensor] = [torch.empty(0)] * len(rows)
        with torch.set_grad_enabled(differentiable), counted("encoding", len(rows), shown=progress) as advance:
            for batch in by_length(rows, batch_tokens):
                found = self.embed(pad_rows([rows[i] for i in batch], self.tokens.pad).to(self.device))
                for i, vector in zip(batch, found, strict=True):
                    vectors[i] = vector
                advance(len(batch))
        return torch.stack(vectors)

    def embed(self, tokens: TokenBatch) -> Tensor:
        """Vectors (batch, dim) of rows of ids, never normalised; gradients flow if they are switched on."""
        pooled: Tensor = self.pooling(encoded(self.model.model.encoder, tokens), tokens.mask)
        return pooled

    # --- vectors to text ----------------------------------------------------------------------------------------

    def decode(self, vectors: Tensor, lang: str | Sequence[str], **options: Any) -> list[str]:
        """The best sentence of each of the vectors (N, dim), in one language or in one language per vector.

        `options` are those of `hypotheses`: the knobs of `Search` (`num_beams=5`, `max_new_tokens=128`, …) among them.
        """
        return [best[0].text for best in self.hypotheses(vectors, lang, **options)]

    @torch.inference_mode()
    def hypotheses(
        self,
        vectors: Tensor,
        lang: str | Sequence[str],
        *,
        batch_size: int | None = None,
        shortlist: Shortlist | None = None,
        plain: bool = False,
        progress: bool = False,
        **knobs: Any,
    ) -> list[list[Hypothesis]]:
        """The `n_best` sentences of each of the vectors (N, dim) with their scores, best first.

        Generation starts from `</s> [lang]`, exactly as in training. `plain` goes through transformers' `generate`.
        """
        self._need("decoder", "decoded")
        require_vectors(vectors, self.dim)
        search, codes = self._search(knobs, shortlist, plain=plain), self.codes(lang, len(vectors))
        size = self._together(search) if batch_size is None else batch_size
        if not isinstance(size, int) or size < 1:
            raise UserError(f"batch_size={batch_size}: a whole number of vectors, at least 1, is decoded at a time.")
        ids = torch.tensor([self.tokens.language_id(code) for code in codes], device=self.device)
        vectors = vectors.to(self.device, self.model.dtype)
        said: list[list[Hypothesis]] = []
        with evaluating(self.model), counted("decoding", len(vectors), shown=progress) as advance:
            for start in range(0, len(vectors), size):
                part, languages = vectors[start : start + size], ids[start : start + size]
                seed = None if search.seed is None else (search.seed + start) % 2**63
                drawn = replace(search, seed=seed)
                if plain:
                    found = plain_generate(self.model, part, languages, drawn)
                else:
                    found = generate(self.model, part, languages, drawn, shortlist=shortlist)
                texts = iter(self.tokens.text([one.ids for best in found for one in best]))
                said.extend([Hypothesis(next(texts), one.score) for one in best] for best in found)
                advance(len(part))
        return said

    def _search(self, knobs: dict[str, Any], shortlist: Shortlist | None, *, plain: bool) -> Search:
        """The search that the knobs describe, if this space can make it."""
        search = Search.of(**knobs)
        if 2 * search.num_beams > self.model.config.vocab_size:
            raise UserError(f"num_beams={search.num_beams}: the vocabulary has {self.model.config.vocab_size:,} words.")
        if not isinstance(shortlist, Shortlist | None):
            raise UserError(f"A shortlist is made by Shortlist.of_texts; this is a {type(shortlist).__name__}.")
        if plain and shortlist is not None:
            raise UserError("A shortlist is for the fast way of decoding: leave out plain=True.")
        return search

    # --- likelihood ---------------------------------------------------------------------------------------------

    def log_likelihood(self, vectors: Tensor, texts: Sequence[str], lang: str | Sequence[str]) -> Tensor:
        """Mean log-probability per token (N,) of each text given its vector; teacher-forced and differentiable.

        Several sets of vectors of the same texts, shape (sets, N, dim), go through in one pass and give (sets, N).
        """
        self._need("decoder", "scored")
        sentences(texts)
        sets = vectors if isinstance(vectors, Tensor) and vectors.ndim == 3 and len(vectors) else [vectors]
        for one in sets:
            require_vectors(one, self.dim)
            if len(one) != len(texts):
                raise UserError(f"{len(one)} vectors for {len(texts)} sentences: give one for each.")
        tokens = pad_rows(self._rows(texts, lang), self.tokens.pad).to(self.device)
        stacked = torch.stack([*sets])
        scores = -sets_nll(self.model, stacked.to(self.device), tokens)
        return scores if vectors.ndim == 3 else scores[0]

    # --- checks -------------------------------------------------------------------------------------------------

    def codes(self, lang: str | Sequence[str], size: int) -> list[str]:
        """One language code per sentence, each checked against the languages of the space."""
        if not isinstance(lang, Sequence):
            raise UserError(f"A language is a code such as deu_Latn, or a list of codes, not {type(lang).__name__}.")
        codes = [lang] * size if isinstance(lang, str) else list(lang)
        if len(codes) != size:
            raise UserError(f"{len(codes)} languages for {size} sentences: give one language, or one per sentence.")
        self.require(codes)
        return codes

    def require(self, codes: Sequence[str]) -> None:
        """Refuse languages that the space lacks."""
        require_languages(codes, self.languages, self.name)

    def _rows(self, texts: Sequence[str], lang: str | Sequence[str]) -> list[list[int]]:
        """Rows of ids, after every check; sentences that are too long are cut and counted."""
        codes = self.codes(lang, len(sentences(texts)))
        before = self.tokens.truncated
        rows = self.tokens.rows(texts, codes)
        if cut := self.tokens.truncated - before:
            log.warning("%d of %d sentences were longer than %d tokens and were cut", cut, len(rows), MAX_TOKENS)
        return rows

    def _need(self, half: str, act: str) -> None:
        if not getattr(self, f"has_{half}"):
            other = "decoder" if half == "encoder" else "encoder"
            raise UserError(
                f"The space '{self.name}' was opened with only='{other}': nothing can be {act} without its {half}."
            )

    def _together(self, search: Search) -> int:
        """How many vectors are decoded at once: as many as their next words' scores and their past leave room for."""
        config, rows = self.model.config, search.n_best if search.do_sample else search.num_beams
        slots = 2 + rows * search.max_new_tokens
        past = 2 * int(config.decoder_layers) * self.dim * int(self.model.dtype.itemsize) * slots
        together = DECODING_BYTES // (4 * int(config.vocab_size) * rows + past)
        return max(1, min(MOST_TOGETHER, together))
