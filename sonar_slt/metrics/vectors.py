"""Scores of vectors: how near a student's are to its teacher's, and whether a sentence finds its translation.

`xsim` and `xsim_plus_plus` count errors of margin-based search as LASER defines them, in fp32 and on copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from sonar_slt.errors import UserError

Margin = Literal["ratio", "distance", "absolute"]
BLOCK = 2048
"""Queries compared with the whole pool at a time: 2,048 by 50,000 similarities are 400 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """What a search of each of `n` vectors in a pool found.

    `predictions` is the index that each vector found, Tensor[n]; `kinds` counts the errors by kind (xsim++ only).
    """

    errors: int
    n: int
    predictions: Tensor
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Errors per hundred."""
        return 100 * self.errors / self.n


def xsim(x: Tensor, y: Tensor, k: int = 4, margin: Margin = "ratio", texts: Sequence[str] | None = None) -> Alignment:
    """Search each row of `x` in `y`, where row i of both says the same; x, y: (n, dim).

    `texts` are the sentences of `y`. With them, finding another row with the same sentence is no error.
    """
    if len(x) != len(y):
        raise UserError(f"xsim compares pairs: {len(x)} vectors against {len(y)}.")
    if texts is not None and len(texts) != len(y):
        raise UserError(f"xsim needs one text for each vector: {len(texts)} texts for {len(y)} vectors.")
    found = _search(x, y, k, margin)
    return Alignment(errors=len(_wrong(found, texts)), n=len(x), predictions=found)


def xsim_plus_plus(
    x: Tensor,
    y: Tensor,
    augmented: Tensor,
    k: int = 4,
    margin: Margin = "ratio",
    texts: Sequence[str] | None = None,
    augmented_texts: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
) -> Alignment:
    """Search each row of `x` among `y` and further vectors of sentences that nearly say the same.

    x, y: (n, dim); augmented: (m, dim). `kinds` names the change in each augmented sentence; the result counts errors
    by it, with `misaligned` for those that found another row of `y`.
    """
    if len(x) != len(y):
        raise UserError(f"xsim++ compares pairs: {len(x)} vectors against {len(y)}.")
    if (texts is None) != (augmented_texts is None):
        raise UserError("xsim++ compares texts only when both `texts` and `augmented_texts` are given.")
    lengths = {len(given) for given in (augmented_texts, kinds) if given is not None}
    if (texts is not None and len(texts) != len(y)) or not lengths <= {len(augmented)}:
        raise UserError(f"xsim++ needs one text and one kind for each vector: {len(y)} and {len(augmented)} augmented.")
    found = _search(x, torch.cat([y, augmented.to(y)]), k, margin)
    wrong = _wrong(found, None if texts is None else [*texts, *(augmented_texts or ())])
    told: Counter[str] = Counter()
    for row in wrong:
        index = int(found[row]) - len(y)
        told["misaligned" if index < 0 else kinds[index] if kinds else "augmented"] += 1
    return Alignment(errors=len(wrong), n=len(x), predictions=found, kinds=dict(told))


def cosine(z: Tensor, s: Tensor) -> Tensor:
    """Cosine of each row of `z` with the same row of `s`, in fp32: (n, dim), (n, dim) -> (n,)."""
    return F.cosine_similarity(z.detach().float(), s.detach().float(), dim=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Retrieval:
    """The rank (n,) that each vector's own sentence has among all of a pool, 1 being the nearest."""

    ranks: Tensor

    def at(self, k: int) -> float:
        """Per cent of vectors whose own sentence is among their `k` nearest."""
        return 100 * float((self.ranks <= k).double().mean())

    @property
    def median(self) -> float:
        """The median rank; of an even number the mean of the middle two."""
        return float(self.ranks.double().quantile(0.5))


def retrieval(z: Tensor, s: Tensor, center: Tensor | None = None, texts: Sequence[str] | None = None) -> Retrieval:
    """Where each row of `z` finds its own row of `s` by cosine; z, s: (n, dim).

    `center` (dim,), the mean of the training vectors, is taken from both first: raw sentence vectors share one
    direction that says nothing. With `texts`, another row with the same sentence counts as their own. Of rows that are
    equally near the first counts as nearer, so that vectors that are all alike find next to nothing.
    """
    if len(z) != len(s):
        raise UserError(f"retrieval compares pairs: {len(z)} vectors against {len(s)}.")
    z, s = _unit(_centred(z, center)), _unit(_centred(s, center))
    own = torch.tensor(_same(texts, len(s)), device=z.device)  # rows that say the same share a number
    places = torch.arange(len(s), device=z.device)
    ranks = []
    for first in range(0, len(z), BLOCK):
        near = z[first : first + BLOCK] @ s.T  # (block, n)
        mine = own[first : first + BLOCK, None] == own[None]
        best, at = near.masked_fill(~mine, -2.0).max(dim=1, keepdim=True)
        before = (near > best) | ((near == best) & (places < at))
        ranks.append(1 + (before & ~mine).sum(dim=1))
    return Retrieval(torch.cat(ranks).cpu())


def retrieval_at_1(z: Tensor, s: Tensor, center: Tensor | None = None, texts: Sequence[str] | None = None) -> float:
    """Per cent of rows of `z` (n, dim) whose nearest row of `s` is their own, as `retrieval` tells."""
    return retrieval(z, s, center, texts).at(1)


def nearest(z: Tensor, pool: Tensor, k: int, center: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Cosines and indices of the `k` rows of `pool` that are nearest to each row of `z`, best first: (n, k) both."""
    k = min(k, len(pool))
    cosines, indices = _nearest(_unit(_centred(z, center)), _unit(_centred(pool, center)), k)
    return cosines.cpu(), indices.cpu()


def plane(z: Tensor, s: Tensor) -> tuple[Tensor, Tensor, tuple[float, float]]:
    """Both on the two main axes of `s`, (n, 2) each, and the shares of the spread of `s` that the axes hold."""
    z, s = z.detach().double().cpu(), s.detach().double().cpu()
    center = s.mean(dim=0)
    _, sizes, axes = torch.linalg.svd(s - center, full_matrices=False)
    axes = axes[:2] * torch.where(axes[:2].sum(dim=1, keepdim=True) < 0, -1.0, 1.0)  # the sign of an axis is free
    shares = (sizes**2 / (sizes**2).sum().clamp_min(1e-30))[:2].tolist()
    flat = [_two(points @ axes.T) for points in (z - center, s - center)]
    return flat[0], flat[1], (shares[0], shares[1] if len(shares) > 1 else 0.0)


def _two(points: Tensor) -> Tensor:
    """Two columns, the second of zeros where a single clip or dimension left one."""
    return F.pad(points, (0, 2 - points.shape[1]))


def _centred(vectors: Tensor, center: Tensor | None) -> Tensor:
    return vectors if center is None else vectors.float() - center.to(vectors).float()


def _same(texts: Sequence[str] | None, n: int) -> list[int]:
    """A number for each row, the same for rows of the same text."""
    if texts is None:
        return list(range(n))
    numbers: dict[str, int] = {}
    return [numbers.setdefault(text, len(numbers)) for text in texts]


def _search(x: Tensor, pool: Tensor, k: int, margin: Margin) -> Tensor:
    """The index in `pool` that each row of `x` finds: the best of its k nearest by margin, the first among equals."""
    x, pool = _unit(x), _unit(pool)
    if margin == "absolute":
        return _nearest(x, pool, 1)[1][:, 0].cpu()
    if margin not in ("ratio", "distance"):
        raise UserError(f"No margin {margin!r}: choose ratio, distance or absolute.")
    if not 1 <= k <= min(len(x), len(pool)):
        raise UserError(f"A search with k={k} needs at least {max(k, 1)} vectors on both sides, and k at least 1.")
    near, candidates = _nearest(x, pool, k)  # (n, k)
    around_x = near.mean(1, keepdim=True)  # (n, 1)
    around_pool = _nearest(pool, x, k)[0].mean(1)  # (len(pool),)
    around = (around_x + around_pool[candidates]) / 2  # (n, k)
    scores = near / around if margin == "ratio" else near - around
    return candidates.gather(1, scores.argmax(1, keepdim=True))[:, 0].cpu()


def _nearest(queries: Tensor, pool: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Similarities and indices of the k nearest, best first and equal ones by index: (n, k), (n, k)."""
    values, indices = [], []
    for first in range(0, len(queries), BLOCK):
        value, index = (queries[first : first + BLOCK] @ pool.T).topk(k, dim=1)
        order = index.argsort(1)
        value, index = value.gather(1, order), index.gather(1, order)
        order = value.argsort(dim=1, descending=True, stable=True)
        values.append(value.gather(1, order))
        indices.append(index.gather(1, order))
    return torch.cat(values), torch.cat(indices)


def _unit(vectors: Tensor) -> Tensor:
    """A copy in fp32 with rows of length 1."""
    if vectors.ndim != 2 or not len(vectors):
        raise UserError(f"Vectors must come as a matrix with at least one row, not as {tuple(vectors.shape)}.")
    vectors = vectors.detach().float()
    if not bool(torch.isfinite(vectors).all()):
        raise UserError("The vectors hold NaN or infinite numbers: they cannot be compared.")
    return F.normalize(vectors, dim=-1)


def _wrong(found: Tensor, texts: Sequence[str] | None) -> list[int]:
    """The rows that found something else than themselves, or than their own text."""
    pairs = enumerate(found.tolist())
    if texts is None:
        return [row for row, index in pairs if row != index]
    return [row for row, index in pairs if texts[row] != texts[index]]
