"""Files in every wrapping, and every kind of damage: one sentence each, nothing run, nothing left behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sonar_slt.errors import UserError
from sonar_slt.space.fresh import train_tokenizer

pytestmark = pytest.mark.properties

SENTENCES = ["Am Montag gibt es in Bayern Regen.", "Heute Nebel, morgen Sonne."]


@pytest.mark.parametrize("wrapping", ["plain", "safetensors", "doubly", "old format"])
def test_other_wrappings_hold_the_same(foreign_files: Any, wrapping: str, caplog: pytest.LogCaptureFixture) -> None:
    layout = "fairseq" if wrapping == "doubly" else "fairseq2"
    files = foreign_files(layout, layout)
    expected = files.convert(output=files.folder / "expected").fingerprint
    for half in files.weights:
        files.path(half).unlink()
    given = {}
    for half, weights in files.weights.items():
        if wrapping == "plain":
            torch.save({**weights, "step": 3}, files.path(half))
        elif wrapping == "safetensors":
            own = {name: weight for name, weight in weights.items() if "final_proj" not in name}
            given[half] = files.path(half).with_suffix(".safetensors")
            save_file(own, given[half])
        elif wrapping == "doubly":
            torch.save({"model": files.content(half)}, files.path(half))
        else:
            files.write(half, _use_new_zipfile_serialization=False)
    assert files.convert(**given).fingerprint == expected
    assert ("in memory whole" in caplog.text) == (wrapping == "old format")


Break = Callable[[Any], Any]


def without(half: str, *gone: str) -> Break:
    return lambda f: [f.weights[half].pop(name) for name in gone]


def having(half: str, name: str, make: Callable[[dict[str, Tensor]], Tensor]) -> Break:
    return lambda f: f.weights[half].__setitem__(name, make(f.weights[half]))


def cut(half: str) -> Break:
    def breaking(f: Any) -> None:
        f.write(half)
        f.path(half).write_bytes(f.path(half).read_bytes()[:-3000])

    return breaking


def cut_old(f: Any) -> None:
    f.write("decoder", _use_new_zipfile_serialization=False)
    f.path("decoder").write_bytes(f.path("decoder").read_bytes()[:-3000])


def swapped(f: Any) -> None:
    f.write("encoder")
    f.write("decoder")
    f.path("encoder").rename(f.folder / "x")
    f.path("decoder").rename(f.path("encoder"))
    (f.folder / "x").rename(f.path("decoder"))


def other_rows(f: Any) -> None:
    table = f.weights["decoder"]["decoder_frontend.embed.weight"][[1, 3, 0, 2, *range(4, f.vocabulary)]]
    f.weights["decoder"] |= {"decoder_frontend.embed.weight": table, "final_proj.weight": table}


def in_itself(f: Any) -> None:
    whole: dict[str, Any] = {}
    whole["model"] = whole
    torch.save(whole, f.path("encoder"))


def no_parameters(f: Any) -> None:
    whole = f.content("encoder")
    vars(whole["embed_tokens"])["_parameters"] = ["weight"]
    torch.save(whole, f.path("encoder"))


def two_tables(f: Any, change: Callable[[Tensor], Tensor]) -> None:
    """A raw encoder with its table in the state dict as well as in the module beside it."""
    whole = f.content("encoder")
    whole["state_dict"]["embed_tokens.weight"] = change(whole["embed_tokens"].weight.detach())
    torch.save(whole, f.path("encoder"))


def spelt_twice(f: Any) -> None:
    encoder = f.weights["encoder"]
    encoder |= {f"layers.0.ffn.inner_proj.{kind}": encoder[f"layers.0.fc1.{kind}"] for kind in ("weight", "bias")}


TABLE2 = "decoder_frontend.embed.weight"
FFN = "decoder.layers.2.ffn.inner_proj.bias"
DAMAGE: dict[str, tuple[Break, str]] = {
    "missing": (without("decoder", FFN), rf"decoder.pt.* fairseq2: 1 missing \({FFN}\)\."),
    "missing layer": (without("encoder", *[f"layers.0.fc{i}.{k}" for i in (1, 2) for k in ("weight", "bias")]), "fc1"),
    "missing table": (without("decoder", TABLE2), f"1 missing .{TABLE2}"),
    "missing layers": (
        lambda f: [f.weights["decoder"].pop(n) for n in list(f.weights["decoder"]) if ".1." in n],
        "26 m",
    ),
    "unexpected": (having("encoder", "layers.0.adapter", lambda w: torch.zeros(1)), r"1 unexpected .layers.0.adapter"),
    "their name": (having("decoder", "decoder.layers.0.fc1.bias", lambda w: torch.zeros(28)), "1 unexpected"),
    "shape": (having("decoder", FFN, lambda w: torch.zeros(5)), r"1 of another shape .*\(5,\) instead of \(28,\)"),
    "other width": (having("decoder", TABLE2, lambda w: torch.zeros(80, 6)), r"\(80, 6\) instead of"),
    "no table": (having("encoder", "embed_tokens.weight", lambda w: torch.zeros(3, 12)), r"\(3, 12\); it needs rows"),
    "whole numbers": (having("decoder", FFN, lambda w: torch.zeros(28).long()), "no floating-point numbers"),
    "two precisions": (having("decoder", FFN, lambda w: w[FFN].half()), "float16 and float32: choose one with dtype="),
    "other tables": (other_rows, r"differ by up to [\d.]+ in 4 rows, the first 0"),
    "untied": (
        having("decoder", "final_proj.weight", lambda w: w[TABLE2] + 1),
        "holds final_proj.weight beside .* by up to 1 in",
    ),
    "nan": (having("decoder", FFN, lambda w: w[FFN] / 0), f"NaN or infinity in {FFN}"),
    "truncated": (cut("encoder"), "encoder.pt' is cut short"),
    "truncated decoder": (cut("decoder"), "decoder.pt' is cut short"),
    "truncated old file": (cut_old, "decoder.pt' is cut short"),
    "not there": (lambda f: (f.write("encoder"), f.path("decoder").mkdir()), "No checkpoint at '.*decoder.pt"),
    "web page": (lambda f: f.path("encoder").write_text("<html>404</html>"), "no checkpoint that torch can read"),
    "empty": (lambda f: f.path("encoder").touch(), "encoder.pt' is cut short"),
    "swapped": (swapped, "holds the decoder, not the encoder"),
    "another model": (lambda f: torch.save({"bert.x": torch.zeros(2)}, f.path("encoder")), r"1 tensors \(bert.x\)"),
    "a list": (lambda f: torch.save([torch.zeros(2)], f.path("decoder")), "holds a list"),
    "in itself": (in_itself, r"no SONAR text encoder .* 0 tensors \(none\)"),
    "no parameters": (no_parameters, "lacks embed_tokens.weight"),
    "two tables": (
        lambda f: two_tables(f, lambda w: w + (torch.arange(len(w)) == 5)[:, None]),
        "in 1 rows, the first 5",
    ),
    "spelt twice": (spelt_twice, r"2 unexpected .layers.0.ffn.inner_proj.weight, "),
}


@pytest.mark.parametrize("change", [lambda table: table, torch.clone], ids=["shared", "copied"])
def test_a_table_may_be_in_both_places(files: Any, change: Callable[[Tensor], Tensor]) -> None:
    expected = files.convert(output=files.folder / "expected").fingerprint
    two_tables(files, change)
    assert files.convert().fingerprint == expected


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_file_that_may_not_be_read_is_told_so(files: Any, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = files.folder / f"locked.{suffix}"
    path.touch()

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=r"locked.* cannot be read: Permission denied\.$"):
        files.convert(encoder=path)


@pytest.mark.parametrize(
    ("suffix", "reader"), [("pt", "torch.load"), ("safetensors", "sonar_slt.space.conversion.foreign.load_file")]
)
def test_a_disk_that_fails_is_told_so(files: Any, monkeypatch: pytest.MonkeyPatch, suffix: str, reader: str) -> None:
    path = files.folder / f"scratched.{suffix}"
    path.touch()

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(reader, fail)
    with pytest.raises(UserError, match=r"scratched.* cannot be read: Input/output error\.$"):
        files.convert(encoder=path)


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.filterwarnings("ignore:.*TypedStorage:UserWarning")
def test_damage_is_one_sentence_and_leaves_nothing(files: Any, name: str) -> None:
    breaking, said = DAMAGE[name]
    breaking(files)
    with pytest.raises(UserError, match=said) as told:
        files.convert()
    assert str(told.value).count("\n") == 0 and str(told.value).endswith(".")
    assert files.left() == []


def test_a_cut_safetensors_file_is_refused(foreign_files: Any) -> None:
    files = foreign_files("fairseq2", "fairseq2")
    path = files.folder / "encoder.safetensors"
    save_file(files.weights["encoder"], path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="cut short"):
        files.convert(encoder=path)
    assert files.left() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"heads": 5}, "heads=5 does not divide"),
        ({"dtype": "float8"}, "Unknown precision"),
        ({"tokenizer": "nowhere"}, "No tokenizer at 'nowhere'"),
        ({"tokenizer": "some-body/no-such-tokenizer"}, "no hub that is in reach has it"),
    ],
)
def test_wrong_options_are_one_sentence(files: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        files.convert(**options)
    assert files.left() == []


def test_tokenizers_that_do_not_fit_are_refused(files: Any, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match="its files cannot be read"):
        files.convert(tokenizer=tmp_path / "bare")
    train_tokenizer(SENTENCES, [], size=60).save_pretrained(tmp_path / "mute")
    with pytest.raises(UserError, match="no language tokens"):
        files.convert(tokenizer=tmp_path / "mute")
    train_tokenizer(SENTENCES, ["deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn", "tur_Latn"], size=60).save_pretrained(
        tmp_path / "large"
    )
    with pytest.raises(UserError, match="the checkpoints have"):
        files.convert(tokenizer=tmp_path / "large")
    assert files.left() == []


def test_a_module_in_the_old_format_is_refused(files: Any) -> None:
    files.write("encoder", _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match="a module in torch's old format"):
        files.convert()


class Hostile:
    """Unpickled freely, it would leave a file behind."""

    def __init__(self, call: Callable[..., Any], argument: str) -> None:
        self.call, self.argument = call, argument

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, (self.argument,)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("call", [os.mkdir, exec, Path.touch])
def test_code_in_a_pickle_is_refused_and_never_run(files: Any, call: Any, zipped: bool) -> None:
    mark = files.folder / "mark"
    argument = f"import os; os.mkdir({str(mark)!r})" if call is exec else str(mark)
    whole = files.content("encoder")
    whole["embed_tokens"] = Hostile(call, argument)
    torch.save(whole, files.path("encoder"), _use_new_zipfile_serialization=zipped)
    name = "exec" if call is exec else r"(posix|pathlib\S*)\.\w+"
    with pytest.raises(UserError, match=f"asks for {name}|getattr"):
        files.convert()
    assert not mark.exists() and files.left() == []
