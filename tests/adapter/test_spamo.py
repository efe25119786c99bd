"""The spamo adapter by itself: what it makes of features, and what its configs promise."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from sonar_slt.adapter import Measure
from sonar_slt.adapter.spamo import Stream
from sonar_slt.config.build import build
from sonar_slt.config.compose import examine
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError

pytestmark = pytest.mark.properties


def composed(*words: str) -> dict[str, Any]:
    found = examine("train", list(words), complete=False)
    assert found.problems == []
    return found.config


def test_features_of_any_scale_are_standardised_by_the_real_rows_of_a_sample() -> None:
    values = 300 * torch.randn(5, 40, 3, generator=torch.Generator().manual_seed(2)) - 1000
    values[..., 2] = 7.0  # it never changes in the sample
    mask = torch.arange(40) < torch.tensor([40, 30, 20, 10, 1]).unsqueeze(1)
    stream = Stream(sample=Track(values.masked_fill(~mask.unsqueeze(-1), 0.0), mask), dim=3, dropout=0.0)
    stream.project = torch.nn.Identity()
    seen = stream(Track(values, mask)).values[mask]
    torch.testing.assert_close(seen.mean(dim=0), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(seen.std(dim=0, correction=0)[:2], torch.ones(2), rtol=0, atol=0.02)
    unheard = stream(Track(torch.full((1, 1, 3), 1e9), torch.ones(1, 1).bool())).values
    assert unheard.abs().max() < 10


def test_a_corpus_without_features_is_told_how_to_come_by_them() -> None:
    points = {"points": Track(torch.zeros(1, 2, 5, 3), torch.ones(1, 2).bool())}
    measure = Measure(samples=points, vector_mean=torch.zeros(8), vector_std=torch.ones(8))
    with pytest.raises(UserError, match=r"spamo reads spatial.*only points.*extract"):
        build(composed("adapter=spamo")["adapter"])(measure=measure)


def test_the_keys_of_inner_rooms_can_be_changed() -> None:
    node = composed("adapter=spamo", "adapter.context.layers=3", "fusion@adapter.fusion=concatenated")["adapter"]
    assert node["context"]["layers"] == 3
    assert node["fusion"]["_target_"].endswith("Concatenated")
    assert examine("train", ["adapter=spamo", "adapter.context.layres=3"], complete=False).problems


def test_the_papers_experiment_is_what_the_paper_says() -> None:
    config = composed("experiment=paper/architecture", "space=toy", "data=toy")
    adapter, weights = config["adapter"], {name: term["weight"] for name, term in config["objective"].items()}
    stems = [adapter[room]["_target_"].rpartition(".")[2] for room in ("fusion", "context", "pooling")]
    assert stems == ["PerStep", "SonarContext", "ShallowDecoderPool"]
    assert (adapter["context"]["rank"], adapter["context"]["alpha"], adapter["pooling"]["layers"]) == (16, 32, 3)
    assert (config["student"]["rank"], config["student"]["alpha"]) == (16, 32)
    assert weights == {"semantic": 1, "mse": 7000, "cosine": 2.7, "ce": 0.1, "ae": 0.2}
    assert config["sampling"]["_target_"].endswith("All")
