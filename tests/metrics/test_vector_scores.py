"""Scores of vectors agree with a slow, independent computation in numpy."""

import numpy as np
import pytest
import torch

from sonar_slt.errors import UserError
from sonar_slt.metrics import cosine, retrieval, retrieval_at_1, xsim, xsim_plus_plus
from sonar_slt.metrics.vectors import nearest, plane


def pairs(n: int = 60, dim: int = 6, noise: float = 0.8, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    y = torch.randn(n, dim, generator=rng)
    return y + noise * torch.randn(n, dim, generator=rng), 3 * y


def slow_search(x: np.ndarray, pool: np.ndarray, k: int, margin: str) -> list[int]:
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    pool = pool / np.linalg.norm(pool, axis=1, keepdims=True)
    similar = [[float(a @ b) for b in pool] for a in x]
    found = []
    for i in range(len(x)):
        candidates = sorted(range(len(pool)), key=lambda j: -similar[i][j])[:k]
        around_i = sum(similar[i][j] for j in candidates) / k
        best, best_score = -1, -np.inf
        for j in candidates:
            around_j = sum(sorted((similar[m][j] for m in range(len(x))), reverse=True)[:k]) / k
            around = (around_i + around_j) / 2
            score = {
                "ratio": similar[i][j] / around, "distance": similar[i][j] - around, "absolute": similar[i][j]
            }[margin]  # fmt: skip
            if score > best_score:
                best, best_score = j, score
        found.append(best)
    return found


@pytest.mark.parametrize("margin", ["ratio", "distance", "absolute"])
@pytest.mark.parametrize("k", [1, 4, 7])
def test_xsim_is_the_slow_search(margin: str, k: int) -> None:
    x, y = pairs()
    expected = slow_search(x.double().numpy(), y.double().numpy(), k, margin)
    result = xsim(x, y, k=k, margin=margin)  # type: ignore[arg-type]
    assert result.predictions.tolist() == expected
    assert result.errors == sum(i != j for i, j in enumerate(expected)) and result.n == 60
    assert 0 < result.rate == 100 * result.errors / 60 < 100


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = pairs(50)
    whole = xsim(x, y).predictions
    monkeypatch.setattr("sonar_slt.metrics.vectors.BLOCK", 7)
    assert torch.equal(xsim(x, y).predictions, whole)


def test_inputs_stay_as_they_were_and_scale_says_nothing() -> None:
    x, y = pairs()
    before = x.clone(), y.clone()
    assert torch.equal(xsim(x, y).predictions, xsim(0.01 * x, 100 * y).predictions)
    assert torch.equal(x, before[0]) and torch.equal(y, before[1])


def test_a_perfect_and_a_shifted_space() -> None:
    _, y = pairs()
    assert xsim(y, y).rate == 0 and retrieval_at_1(y, y) == 100
    assert xsim(y.roll(1, 0), y).rate == 100 and retrieval_at_1(y.roll(1, 0), y) == 0


def test_the_same_sentence_twice_is_no_error_with_texts() -> None:
    _, y = pairs(20)
    y[11] = y[3]
    texts = [f"sentence {i}" for i in range(20)]
    texts[11] = texts[3]
    assert xsim(y, y).errors == 1 and xsim(y, y, texts=texts).errors == 0
    assert retrieval_at_1(y, y) == 95 and retrieval_at_1(y, y, texts=texts) == 100


def test_xsim_plus_plus_searches_the_larger_pool() -> None:
    x, y = pairs(noise=0.3)
    rng = torch.Generator().manual_seed(5)
    augmented = y.repeat(2, 1) + 1.5 * torch.randn(120, 6, generator=rng)
    kinds = ["number"] * 60 + ["negation"] * 60
    expected = slow_search(x.double().numpy(), torch.cat([y, augmented]).double().numpy(), 4, "ratio")
    result = xsim_plus_plus(x, y, augmented, kinds=kinds)
    assert result.predictions.tolist() == expected and result.errors >= xsim(x, y).errors
    assert sum(result.kinds.values()) == result.errors > 0
    negations = sum(index >= 120 for index in expected)
    assert result.kinds.get("negation", 0) == negations
    same = [f"{i}" for i in range(60)]
    by_text = xsim_plus_plus(x, y, augmented, texts=same, augmented_texts=same * 2)
    assert by_text.errors == sum(i != j % 60 for i, j in enumerate(expected))


def test_the_centre_takes_away_the_common_direction() -> None:
    z, s = pairs(noise=0.1)
    s = s / 3
    common = torch.full((6,), 50.0)
    assert retrieval_at_1(z + common, s + common, center=common) > 80
    assert retrieval_at_1(z, s) == pytest.approx(retrieval_at_1(z + common, s + common, center=common))
    assert torch.allclose(cosine(2 * z, z), torch.ones(60), atol=1e-6) and cosine(z, s).shape == (60,)


def test_a_collapsed_space_finds_nothing() -> None:
    z = torch.ones(50, 4)
    assert retrieval_at_1(z, torch.randn(50, 4, generator=torch.Generator().manual_seed(1))) == pytest.approx(2)
    assert xsim(z, z).errors == 49


@pytest.mark.parametrize("block", [7, 2048])
def test_ranks_are_those_of_a_plain_sort(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonar_slt.metrics.vectors.BLOCK", block)
    z, s = pairs(50, noise=1.5)
    s[20], s[30] = s[3], s[3]  # three clips of one sentence
    texts = [f"sentence {3 if i in (20, 30) else i}" for i in range(50)]
    similar = torch.nn.functional.normalize(z, dim=1) @ torch.nn.functional.normalize(s, dim=1).T
    expected = []
    for i, row in enumerate(similar.tolist()):
        order = sorted(range(50), key=lambda j: (-row[j], j))
        own = next(place for place, j in enumerate(order) if texts[j] == texts[i])
        expected.append(own + 1)
    found = retrieval(z, s, texts=texts)
    assert found.ranks.tolist() == expected and max(expected) > 1
    assert found.median == float(np.median(expected))
    assert [found.at(k) for k in (1, 5, 50)] == [100 * np.mean(np.array(expected) <= k) for k in (1, 5, 50)]
    cosines, indices = nearest(z, s, 3)
    assert torch.allclose(cosines, similar.topk(3, dim=1).values, atol=1e-6) and indices.shape == (50, 3)
    assert nearest(z, s[:2], 5)[1].shape == (50, 2)


def test_the_map_keeps_what_lies_in_its_plane() -> None:
    rng = torch.Generator().manual_seed(3)
    axes = torch.linalg.qr(torch.randn(6, 2, generator=rng)).Q
    flat = torch.randn(40, 2, generator=rng).double() * torch.tensor([3.0, 1.0])
    s = flat @ axes.double().T + 5
    z_map, s_map, shares = plane(s, s)
    assert torch.equal(z_map, s_map) and sum(shares) == pytest.approx(1, abs=1e-9) and shares[0] > 0.8
    assert torch.allclose(torch.cdist(s_map, s_map), torch.cdist(flat, flat), atol=1e-4)
    lonely, _, shares = plane(s[:1], s[:1])
    assert lonely.tolist() == [[0.0, 0.0]] and shares == (0.0, 0.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_are_compared_in_fp32(dtype: torch.dtype) -> None:
    x, y = pairs()
    x, y = x.to(dtype), y.to(dtype)
    assert torch.equal(xsim(x, y).predictions, xsim(x.float(), y.float()).predictions)


def test_what_cannot_be_compared_is_refused() -> None:
    x, y = pairs(5)
    for call in (
        lambda: xsim(x, y[:4]),
        lambda: xsim(x[:3], y[:3]),
        lambda: xsim(x, y, k=0),
        lambda: xsim(x, y, margin="cosine"),  # type: ignore[arg-type]
        lambda: xsim(x, y, texts=["a"]),
        lambda: xsim(x * float("nan"), y),
        lambda: xsim(x[0], y[0]),
        lambda: xsim_plus_plus(x, y, y, texts=["a"] * 5),
        lambda: xsim_plus_plus(x, y, y, kinds=["a"]),
        lambda: retrieval_at_1(x, y[:2]),
        lambda: retrieval_at_1(x[:0], y[:0]),
    ):
        with pytest.raises(UserError):
            call()
