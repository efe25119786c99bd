"""The verb ``convert``: from two raw files to a folder that ``check`` names, and what it refuses."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from torch import nn
from transformers import NllbTokenizer

from sonar_slt.cli import main
from sonar_slt.cli.command.arguments import quoted


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
    assert said.endswith("Next: sonar-slt check space=sonar space.source=outputs/spaces/sonar\n")
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


@pytest.mark.parametrize("output", ["my $HOME/it's [bold]a, b:bug:", "12", "null", "ä"])
def test_the_next_command_can_be_pasted(raw: list[str], capsys: pytest.CaptureFixture[str], output: str) -> None:
    assert main([*raw, f"output={quoted(output)}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Written: {output}" and Path(output, "config.json").is_file()
    words = shlex.split(lines[-1])
    assert words[:4] == ["Next:", "sonar-slt", "check", "space=sonar"] and len(words) == 5
    override = OverridesParser.create().parse_override(words[4])
    assert (override.key_or_group, override.value()) == ("space.source", output)


@pytest.mark.parametrize(("sent", "name"), [(signal.SIGINT, "Interrupted."), (signal.SIGTERM, "Terminated.")])
def test_one_that_is_stopped_leaves_nothing(
    raw: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    sent: signal.Signals,
    name: str,
) -> None:
    heard = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        patched.setattr(NllbTokenizer, "save_pretrained", lambda *_, **__: signal.raise_signal(sent))
        assert main(raw) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.endswith(f"{name}\n")
    assert [path.name for path in Path("outputs/spaces").iterdir()] == [".sonar.lock"]
    assert signal.getsignal(signal.SIGTERM) is heard
    assert main(raw) == 0
