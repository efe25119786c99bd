"""The verb ``convert``: from two raw files to a folder that ``check`` names, and what it refuses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sonar_slt.cli import main


@pytest.fixture
def raw(space: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The micro space as raw fairseq files, in an empty working folder; the words that convert it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sonar-slt"])
    model = space.model.model
    table = model.shared.weight.detach().clone()
    encoder = {name: w for name, w in model.encoder.state_dict().items() if "embed" not in name}
    decoder = {name: w for name, w in model.decoder.state_dict().items() if "embed" not in name}
    beside = nn.Embedding(*table.shape, padding_idx=1, _weight=table)
    torch.save({"state_dict": encoder, "embed_tokens": beside}, "encoder.pt")
    torch.save(
        {"state_dict": {**decoder, "embed_tokens.weight": table, "output_projection.weight": table}}, "decoder.pt"
    )
    space.tokens.tokenizer.save_pretrained("nllb")
    heads = space.model.config.encoder_attention_heads
    return ["convert", "encoder=encoder.pt", "decoder=decoder.pt", "tokenizer=nllb", f"heads={heads}"]


def test_the_space_comes_back(raw: list[str], space: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(raw) == 0
    said = capsys.readouterr().out
    assert "outputs/spaces/sonar" in said and space.fingerprint in said
    assert "Next: sonar-slt check space=sonar space.source=" in said
    again = type(space).from_pretrained("outputs/spaces/sonar")
    assert again.fingerprint == space.fingerprint, "the same names, shapes and bits"
    texts = ["Am Montag gibt es Regen.", "Heute Nebel."]
    torch.testing.assert_close(again.encode(texts, "deu_Latn"), space.encode(texts, "deu_Latn"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("encoder=null", "convert needs encoder=FILE"),
        ("decoder=null", "convert needs decoder=FILE"),
        ("decoder=nowhere.pt", "No checkpoint at 'nowhere.pt'"),
        ("decoder=encoder.pt", "holds the encoder, not the decoder"),
        ("tokenizer=nowhere", "No tokenizer at 'nowhere'"),
        ("heads=7", "heads=7 does not divide"),
        ("dtype=float8", "Unknown precision 'float8'"),
        ("output=nllb", "'nllb' is not empty"),
    ],
)
def test_wrong_input_ends_with_2_and_a_line(
    raw: list[str], capsys: pytest.CaptureFixture[str], changed: str, said: str
) -> None:
    assert main([*raw, changed]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not Path("outputs").exists()
