"""The page on extending, done: its code blocks in a folder outside the repository, trained with all together."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from sonar_slt.adapter import Measure
from sonar_slt.augment import Augmentations
from sonar_slt.cli import main
from sonar_slt.cli.command.arguments import overrides, separate
from sonar_slt.config import permission
from sonar_slt.config.compose import examine, floorplan
from sonar_slt.data.manifest import Manifest
from sonar_slt.data.normalise import BySigner
from sonar_slt.data.preparation import Preparation
from sonar_slt.data.track import Track
from sonar_slt.errors import UserError
from sonar_slt.files import read_lines
from sonar_slt.objective import Landing
from sonar_slt.runs.registry import Record, all_runs

pytestmark = pytest.mark.smoke

PAGE = (Path(__file__).parents[1] / "docs" / "add-your-own.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^sonar-slt (.*)", PAGE, re.MULTILINE)
REFUSALS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)

OWN = ["--config-dir", "conf", "allow=[my_signs]"]
MICRO = ["recipe=null", "batches.size=4", "adapter.dim=16", "threads=1", "trainer.accelerator=cpu", "eval_every=3"]
SHORT = ["trainer.max_steps=3", "trainer.log_every_n_steps=1", "task.judged=2", "conclude=null"]
OFTEN = "augment.freeze.probability=1"
SENTENCES = {
    "monday": ["der wind ist kalt", "morgen kommt regen", "heute ist es warm", "im norden nebel"],
    "tuesday": ["am abend schnee", "die sonne kommt", "es regnet nicht", "sehr kalt heute"],
    "friday": ["heute kommt regen", "morgen ist es kalt"],
    "sunday": ["am morgen nebel", "der abend ist warm"],
}
SECONDS, RATE = 1, 25


@dataclass(frozen=True)
class Home:
    """A user's folder, what was run in it, and whether each call of the augmentation changed a clip."""

    folder: Path
    trained: Record
    evaluated: Record
    frozen: list[bool]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, space_folder: Path) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("user")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "recordings").mkdir()
    for name, sentences in SENTENCES.items():
        record(folder / "recordings" / name, sentences)
    with pytest.MonkeyPatch.context() as patch, chdir(folder):
        patch.syspath_prepend(folder)
        patch.setattr(permission, "_named", set())
        frozen = watched(patch)
        words = ["experiment=mine", "data.root=recordings", f"space.source={space_folder}", *MICRO, *SHORT, OFTEN]
        assert main(["train", *OWN, *words]) == 0
        assert main(["evaluate", "last", "allow=[my_signs]", "num_beams=1", "resamples=0"]) == 0
        runs = {run.verb: run for run in all_runs(folder / "outputs" / "runs")}
        yield Home(folder, runs["train"], runs["evaluate"], frozen)
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_signs"]:
        del sys.modules[name]


def record(stem: Path, sentences: list[str]) -> None:
    """A recording of somebody who fidgets, a second for each sentence, and one annotation more that has no times."""
    random = np.random.default_rng(len(stem.name))
    points = np.ones((len(sentences) * SECONDS * RATE, 102, 3), np.float32)
    points[..., :2] = 300 + 50 * random.standard_normal((1, 102, 2)) + random.standard_normal((len(points), 102, 2))
    np.savez(stem.with_suffix(".npz"), points=points, fps=RATE)
    slots = [f'<TIME_SLOT TIME_SLOT_ID="t{n}" TIME_VALUE="{1000 * SECONDS * n}"/>' for n in range(len(sentences) + 1)]
    said = [annotation(f"t{n}", f"t{n + 1}", text) for n, text in enumerate(sentences)] + [annotation("t0", "u", "äh")]
    order = f'<TIME_ORDER>{"".join(slots)}<TIME_SLOT TIME_SLOT_ID="u"/></TIME_ORDER>'
    tier = (
        f'<TIER TIER_ID="translation">{"".join(said)}</TIER><TIER TIER_ID="gloss">{annotation("t0", "t1", "NO")}</TIER>'
    )
    document = f"<ANNOTATION_DOCUMENT>{order}{tier}</ANNOTATION_DOCUMENT>"
    stem.with_suffix(".eaf").write_text(document, encoding="utf-8")


def annotation(start: str, end: str, text: str) -> str:
    times = f'TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}"'
    value = f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>"
    return f"<ANNOTATION><ALIGNABLE_ANNOTATION {times}>{value}</ALIGNABLE_ANNOTATION></ANNOTATION>"


def watched(patch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the clips of a batch came out of the augmentation changed, call after call."""
    Freeze, changed = import_module("my_signs.freeze").Freeze, []
    really = Freeze.__call__

    def noted(self: Any, track: Track, name: str, random: torch.Generator) -> Track:
        shown = really(self, track, name, random)
        assert shown.values.shape == track.values.shape and torch.equal(shown.mask, track.mask)
        assert not shown.values[~track.mask].any(), "the padding stays 0"
        changed.append(not torch.equal(shown.values, track.values))
        return shown

    patch.setattr(Freeze, "__call__", noted)
    return changed


def test_the_record_names_all_four(home: Home) -> None:
    config = yaml.safe_load((home.trained.folder / "config.yaml").read_text(encoding="utf-8"))
    named = [config["adapter"], config["objective"]["huber"], config["augment"]["freeze"], config["data"]]
    assert [node["_target_"].partition(".")[0] for node in named] == ["my_signs"] * 4
    assert home.trained.status == home.evaluated.status == "finished"


def test_the_term_is_in_the_log_by_its_name(home: Home) -> None:
    for split, name in (("train", "train_log.jsonl"), ("dev", "dev_log.jsonl")):
        lines = [line for line in read_lines(home.trained.folder / name) if line.get("split") == split]
        assert lines and all(line["huber"] > 0 for line in lines), name


def test_the_weights_of_the_adapter_learn_and_are_kept(home: Home) -> None:
    checkpoint = torch.load(home.trained.checkpoints / "last.ckpt", weights_only=True)
    weight = checkpoint["state_dict"]["adapter.gru.weight_ih_l0_reverse"]
    assert weight.shape == (3 * 16, 3 * 102)
    momenta = [state["exp_avg"] for state in checkpoint["optimizer_states"][0]["state"].values()]
    assert sum(one.shape == weight.shape and bool(one.any()) for one in momenta) == 2, "one of each direction"


def test_the_augmentation_changed_clips_while_training_and_none_elsewhere(home: Home) -> None:
    assert len(home.frozen) == 3, "one call a step, none for dev and test"
    assert all(home.frozen)


def test_the_sentences_are_those_of_the_recordings(home: Home) -> None:
    (prepared,) = (home.folder / "outputs" / "corpora").glob("elan-*")
    rows = list(Manifest(prepared / "manifest.jsonl"))
    assert [(row.id, row.split) for row in rows][:3] == [
        ("friday-1", "dev"),
        ("friday-2", "dev"),
        ("monday-1", "train"),
    ]
    assert {row.frames for row in rows} == {SECONDS * RATE}
    assert [row.texts["deu_Latn"] for row in rows if row.split == "test"] == [(text,) for text in SENTENCES["sunday"]]
    faults = list(read_lines(prepared / "faults.jsonl"))
    assert sum(fault["kind"] == "bad_row" and "has no times" in fault["told"] for fault in faults) == len(SENTENCES)
    (file,) = (home.evaluated.folder / "hypotheses").glob("*deu_Latn*.jsonl")
    judged = {line["id"]: line["references"] for line in read_lines(file)}
    assert judged == {f"sunday-{n}": [text] for n, text in enumerate(SENTENCES["sunday"], 1)}


def test_the_adapter_keeps_its_promises(home: Home) -> None:
    values, mask = torch.rand(2, 9, 102, 3) + 0.1, torch.ones(2, 9, dtype=torch.bool)
    measure = Measure(
        samples={"points": Track(values, mask)},
        roots=tuple(range(102)),
        vector_mean=torch.zeros(8),
        vector_std=torch.ones(8),
    )
    adapter = import_module("my_signs.gru").GruAdapter(measure=measure, dim=4)
    plain = adapter({"points": Track(values, mask)})
    padding = (0, 0, 0, 0, 0, 5)
    pad = torch.nn.functional.pad
    longer = Track(pad(values, padding), pad(mask, (0, 5)))
    torch.testing.assert_close(adapter({"points": longer}), plain)
    assert not torch.allclose(adapter({"points": Track(values.flip(1), mask)}), plain)


def test_the_term_is_a_square_and_then_a_line(home: Home) -> None:
    term = import_module("my_signs.huber").HuberTerm(weight=1.0, knee=0.1)
    near, far, farther = term(Landing(torch.tensor([[0.05], [1.0], [2.0]]), torch.zeros(3, 1)))
    assert near == pytest.approx(0.05**2 / 2) and farther - far == pytest.approx(0.1)


def test_the_augmentation_freezes_every_track_of_a_clip_alike(home: Home) -> None:
    augment = Augmentations({"freeze": import_module("my_signs.freeze").Freeze(probability=1.0, longest=1.0)})
    moments = torch.arange(40.0).expand(8, 40)
    tracks = {name: Track(moments.unsqueeze(2), torch.ones(8, 40, dtype=torch.bool)) for name in ("points", "spatial")}
    shown = augment(tracks, seed=1, step=1)
    assert torch.equal(shown["points"].values, shown["spatial"].values)
    steps = shown["points"].values.squeeze(2).diff(dim=1)
    assert (steps >= 0).all() and (steps == 0).any(dim=1).sum() > 4


def test_without_allow_it_is_refused_in_one_sentence(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["train", *OWN[:2], "adapter=gru"], ["evaluate", home.trained.id]):
        monkeypatch.setattr(permission, "_named", set())
        capsys.readouterr()
        assert main(words) == 2
        (told,) = capsys.readouterr().err.splitlines()
        assert "may not be built" in told and "allow=[my_signs]" in told, told


def test_every_command_of_the_page_is_understood(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_named", {"my_signs"})
    assert len(COMMANDS) > 3
    for verb, *rest in map(shlex.split, COMMANDS):
        arguments = separate(verb, rest)
        plan = floorplan(arguments.config_dir)
        found = examine(verb, overrides(verb, arguments, plan), arguments.config_dir, multirun=arguments.multirun)
        assert not found.problems, found.problems
        if "sweep=knees" in rest:
            assert found.params == {"objective.huber.knee": "0.003,0.01,0.03"}


def test_a_set_of_languages_says_what_differs(home: Home) -> None:
    found = examine("train", ["languages=german_turkish"], "conf")
    assert not found.problems
    assert found.config["languages"]["targets"] == ["deu_Latn", "tur_Latn"]
    assert found.config["languages"]["unseen"] == ["eng_Latn"] and found.config["languages"]["weights"] is None


def test_the_page_says_what_is_said(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml_file, right = home.folder / "conf" / "adapter" / "gru.yaml", FILES["conf/adapter/gru.yaml"]
    monkeypatch.setattr(permission, "_named", set())
    said = examine("train", ["adapter=gru"], "conf").problems
    monkeypatch.setattr(permission, "_named", {"my_signs", "no_signs"})
    said += examine(
        "train", ["adapter=gru", "adapter.layer=2", "adapter.layers=two", "augment=[freez]"], "conf"
    ).problems
    for mistake in (right.replace("GruAdapter", "GruAdaptor"), right.replace("my_signs", "no_signs")):
        yaml_file.write_text(mistake, encoding="utf-8")
        said += examine("train", ["adapter=gru"], "conf").problems
    yaml_file.write_text(right, encoding="utf-8")
    term = home.folder / "conf" / "objective" / "huber.yaml"
    term.write_text(FILES["conf/objective/huber.yaml"].partition("\n")[2], encoding="utf-8")
    said += examine("train", ["objective=[huber,ce]"], "conf").problems
    term.write_text(FILES["conf/objective/huber.yaml"], encoding="utf-8")
    (tmp_path / "friday.eaf").write_bytes((home.folder / "recordings" / "friday.eaf").read_bytes())
    np.savez(tmp_path / "friday.npz", points=np.ones((50, 102, 3), np.float32))  # of any speed
    corpus = import_module("my_signs.elan").Elan(
        root=tmp_path, folder=tmp_path, language="deu_Latn", preparation=Preparation(normalise=BySigner())
    )
    with pytest.raises(UserError) as refused:
        corpus.prepare()
    told = "\n".join([*said, str(refused.value)]).replace("no_signs", "my_signs")
    assert len(REFUSALS) > 6
    assert [row for row in REFUSALS if row.rstrip("… ") not in told] == []
