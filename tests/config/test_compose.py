"""A command examined: every fault at once, with the nearest name."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from sonar_slt.config.compose import Examined, examine
from sonar_slt.errors import UserError

pytestmark = pytest.mark.conf


def faults(*words: str, verb: str = "train", own: Path | None = None, multirun: bool = False) -> list[str]:
    return examine(verb, words, None if own is None else str(own), multirun=multirun).problems


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of the user with experiments."""
    files = {
        "typo": "objective:\n  mse:\n    wieght: 3\ntrainer:\n  max_stps: 3\n",
        "room": "defaults:\n  - override /adaptor: keypoint\n",
        "option": "defaults:\n  - override /adapter: keypont\n",
        "allow": "allow: [visitors]\n",
        "target": "adapter:\n  _target_: os.system\n",
        "text": "defaults:\n  - override /task: text_space\nseed: 5\ntrainer:\n  max_steps: 7\n",
        "adapted": "defaults:\n  - override /task: text_space\n  - override /adapter: keypoint\n",
        "sweep": "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      view: all,no_face\n      seed: range(2)\n",
        "badsweep": "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      view: all,no_fce\n      seed: 1,b\n",
        "top": "sead: 3\n",
        "folder/high": "defaults:\n  - /experiment/folder/low\n  - override /view: no_face\nseed: 5\n",
        "folder/low": "defaults:\n  - override /view: one_hand\nseed: 4\ntrainer:\n  max_steps: 7\n",
        "folder/flawed": "defaults:\n  - folder/worse\n",
        "folder/worse": "trainer:\n  max_stps: 7\n",
        "folder/lost": "defaults:\n  - folder/wors\n",
    }
    (tmp_path / "experiment" / "folder").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "experiment" / f"{name}.yaml").write_text(f"# @package _global_\n# A test.\n{text}")
    return tmp_path


def test_the_defaults_are_right_for_every_verb() -> None:
    for verb in ("train", "evaluate", "demo", "check", "runs"):
        assert faults(verb=verb) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("objective.mze.weight=1", "Unknown key objective.mze.weight. Did you mean objective.mse.weight?"),
        ("+trainer.max_stps=1", "Unknown key trainer.max_stps (Trainer). Did you mean trainer.max_steps?"),
        ("++trainer.max_stps=1", "Unknown key trainer.max_stps (Trainer). Did you mean trainer.max_steps?"),
        ("trainer.max_stps=1", "Unknown key trainer.max_stps. Did you mean trainer.max_steps?"),
        ("~trainer.max_stps", "Unknown key trainer.max_stps. Did you mean trainer.max_steps?"),
        ("sed=1", "Unknown key sed. Did you mean seed?"),
        ("++sed=1", "Unknown key sed. Did you mean seed?"),
        ("adaptr=keypoint", "Unknown key adaptr. Did you mean adapter?"),
        ("paths.outputz=x", "Unknown key paths.outputz. Did you mean paths.outputs?"),
        ("++paths.outputz=x", "Unknown key paths.outputz. Did you mean paths.outputs?"),
        ("seed=abc", "seed expects a whole number from 0 on, got 'abc'."),
        ("seed=true", "seed expects a whole number from 0 on, got True."),
        ("languages.targets=deu_Latn", "languages.targets expects a list of language codes, got 'deu_Latn'."),
        (
            "paths=3",
            "Unknown option paths=3. `sonar-slt train --help` lists them; yours are looked for in --config-dir.",
        ),
        ("objective.mse.weight=high", "objective.mse.weight expects float, got 'high'."),
        (
            "objective.mse.reduction=man",
            "objective.mse.reduction expects one of mean, sum, got 'man'. Did you mean mean?",
        ),
        ("seed=???", "Missing value: give seed=…"),
        ("resume=???", "Missing value: give resume=… (str | None)."),
        ("trainer.max_steps=???", "Missing value: give trainer.max_steps=…."),
        ("+seed=3", "seed is there already: write seed=3."),
        ("~resume", "Missing key resume: resume=… (str | None) has no default."),
        ("~seed", "batches.seed: Interpolation key 'seed' not found"),
        ("objective.denoising.weight=1", "Unknown key objective.denoising.weight: denoising is not chosen here; "),
        ("seed=1,2", "seed=1,2 is a sweep: add -m to run each value, or write seed=[1,2] for one list."),
        ("a=[1", "Cannot read a=[1: "),
        ("allow=[1,{}]", "allow expects list[str]"),
        ("objective=[mse,cosin]", "Unknown option objective=cosin. Did you mean cosine?"),
        ("seed=${nothing}", "seed: Interpolation key 'nothing' not found"),
        ("hydra.sweeep=1", "Could not override 'hydra.sweeep'."),
        ("runs=1", "Unknown key runs."),
    ],
)
def test_a_fault_has_its_sentence(word: str, said: str) -> None:
    told = faults(word)
    assert len(told) == 1 and told[0].startswith(said), told


def test_an_option_has_its_command() -> None:
    expected = "Unknown option adapter=keypont. Did you mean keypoint? `sonar-slt train --help` lists them."
    assert faults("adapter=keypont") == [expected]


def test_every_fault_of_a_command_is_told_at_once() -> None:
    told = faults("adapter=keypont", "objective.mze.weight=1", "seed=abc", "++trainer.max_stps=1", "b=[", "view=non")
    assert len(told) == 6
    assert all(line.count("\n") == 0 for line in told)


def test_a_broken_choice_does_not_blame_the_keys_below_it() -> None:
    assert len(faults("adapter=keypont", "adapter.whatever=3")) == 1


def test_a_key_that_only_the_signature_has_can_be_added() -> None:
    assert faults("+trainer.min_steps=3") == []
    assert faults("trainer.min_steps=3")[0].endswith("write +trainer.min_steps=3.")


def test_a_typo_in_an_experiment_names_the_file(own: Path) -> None:
    file = own / "experiment" / "typo.yaml"
    assert faults("experiment=typo", own=own) == [
        f"{file}: Unknown key objective.mse.wieght (MseTerm). Did you mean objective.mse.weight?",
        f"{file}: Unknown key trainer.max_stps (Trainer). Did you mean trainer.max_steps?",
    ]
    assert faults("experiment=top", own=own) == [
        f"{own / 'experiment' / 'top.yaml'}: Unknown key sead. Did you mean seed?"
    ]


def test_a_wrong_room_or_option_in_an_experiment_is_told(own: Path) -> None:
    assert "has no room adaptor. Did you mean adapter?" in faults("experiment=room", own=own)[0]
    assert "Unknown option adapter=keypont. Did you mean keypoint?" in faults("experiment=option", own=own)[0]
    told = faults("experiment=room", "sed=3", own=own)
    assert len(told) == 2 and told[1] == "Unknown key sed. Did you mean seed?"


def test_an_experiment_of_the_user_is_an_option_like_ours(own: Path) -> None:
    assert "Did you mean typo?" in faults("experiment=typpo", own=own)[0]


def test_an_experiment_may_lie_in_a_folder_and_build_on_another(own: Path) -> None:
    config = examine("train", ["experiment=folder/high"], str(own)).config
    assert (config["seed"], config["trainer"]["max_steps"]) == (5, 7)
    assert config["view"]["_target_"] == examine("train", ["view=no_face"]).config["view"]["_target_"]
    assert examine("train", ["experiment=folder/high", "seed=6"], str(own)).config["seed"] == 6
    assert faults("experiment=folder/high,folder/low", own=own, multirun=True) == []


def test_a_wrong_name_of_an_experiment_in_a_folder_is_told(own: Path) -> None:
    (told,) = faults("experiment=folder/hig", own=own)
    assert told.startswith("Unknown option experiment=folder/hig. Did you mean folder/high?")
    assert "Did you mean paper/phoenix_mono?" in faults("experiment=phoenix_mono")[0]
    inside = "folder/flawed, folder/high, folder/lost, folder/low, folder/worse"
    for word in ("experiment=folder", "experiment=folder/"):
        assert faults(word, own=own) == [f"{word} is a folder: choose one of {inside}."]
    (told,) = faults("experiment/folder=high", own=own)
    assert told == "train has no room experiment/folder. Did you mean experiment?"
    (told,) = faults("experiment=glob(folder/*)", own=own, multirun=True)  # as in Hydra, which looks into no folder
    assert told == "experiment=glob(folder/*) leaves nothing to sweep over."


def test_a_fault_of_what_an_experiment_builds_on_names_that_file(own: Path) -> None:
    (told,) = faults("experiment=folder/flawed", own=own)
    assert told.startswith(f"{own / 'experiment' / 'folder' / 'worse.yaml'}: Unknown key trainer.max_stps")
    (told,) = faults("experiment=folder/lost", own=own)
    assert told.startswith(str(own / "experiment" / "folder" / "lost.yaml")) and told.endswith(
        "There is no experiment/folder/wors.yaml to build on. Did you mean worse?"
    )


def test_the_task_chooses_for_the_rooms_an_experiment_over_it_and_the_words_over_both(own: Path) -> None:
    plain = examine("train", ["task=text_space"]).config
    assert plain["adapter"] is None and list(plain["objective"]) == ["translation", "mse", "denoising"]
    text = examine("train", ["experiment=text"], str(own)).config
    assert text["adapter"] is None and (text["seed"], text["trainer"]["max_steps"]) == (5, 7)
    over = examine("train", ["experiment=text", "seed=6", "adapter=keypoint", "objective=[mse]"], str(own)).config
    assert over["adapter"] is not None and list(over["objective"]) == ["mse"] and over["seed"] == 6
    assert examine("train", ["experiment=adapted"], str(own)).config["adapter"] is not None


def test_the_machines_own_settings_come_last_but_for_the_words(own: Path) -> None:
    (own / "local").mkdir()
    (own / "local" / "default.yaml").write_text("seed: 41\n")
    assert examine("train", ["experiment=text"], str(own)).config["seed"] == 41
    assert examine("train", ["seed=6"], str(own)).config["seed"] == 6


def test_allow_counts_on_the_command_line_only(own: Path) -> None:
    told = faults("experiment=allow", own=own)
    assert len(told) == 1 and "it counts on the command line only" in told[0]
    assert faults("allow=[visitors]") == []


def test_a_forbidden_target_is_refused_before_anything_is_imported(own: Path) -> None:
    told = faults("experiment=target", own=own)
    assert any("os.system may not be built" in line and "allow=[my_package]" in line for line in told)


def test_a_class_that_is_not_there_is_told() -> None:
    assert (
        "sonar_slt.adapter has no Keypiont"
        in faults("adapter=keypoint", "adapter._target_=sonar_slt.adapter.Keypiont")[0]
    )


def test_values_of_a_sweep_are_all_looked_at() -> None:
    words = ("adapter=keypoint", "seed=1,b", "view=all,no_fce", "adapter.dim=64,2.5", "trainer.max_steps=range(1,3)")
    told = faults(*words, multirun=True)
    assert [line.partition(".")[0] for line in told] == [
        "Unknown option view=no_fce",
        "seed expects a whole number from 0 on, got 'b'",
        "adapter",
    ]
    assert faults("view=glob(*)", "seed=choice(1,2)", "objective=[mse],[mse,ce]", multirun=True) == []
    assert faults("view=glob(z*)", multirun=True) == ["view=glob(z*) leaves nothing to sweep over."]


def test_a_sweep_in_a_yaml_is_looked_at(own: Path) -> None:
    assert faults("experiment=sweep", own=own) == []
    assert faults("experiment=sweep", "seed=7", own=own) == []
    told = faults("experiment=badsweep", own=own)
    assert any("view=no_fce" in line for line in told) and "seed expects a whole number from 0 on, got 'b'." in told
    assert faults("experiment=badsweep", "seed=7", "view=all", own=own) == []


def test_the_config_is_plain_typed_and_resolved() -> None:
    found: Examined = examine("train", ["name=2024", "paths.outputs=here", "~adapter"])
    assert found.config["name"] == "2024" and found.config["paths"]["runs"] == "here/runs"
    assert found.config["adapter"] is None and "hydra" not in found.config
    assert type(found.config["objective"]) is dict and type(found.config["languages"]["targets"]) is list


def test_missing_values_pass_where_a_config_is_only_shown() -> None:
    assert examine("train", ["seed=???"], complete=False).problems == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        examine("train", [], str(tmp_path / "nowhere"))


def test_another_conf_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "inputs: []\nallow: []\nhydra: {}\npaths: {outputs: a, runs: b, spaces: c, corpora: d, cache: e}\n"
    (tmp_path / "runs.yaml").write_text(dedent(text))
    monkeypatch.setenv("SONAR_SLT_CONF", str(tmp_path))
    assert examine("runs", []).config["paths"]["runs"] == "b"
    monkeypatch.setenv("SONAR_SLT_CONF", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="SONAR_SLT_CONF"):
        examine("runs", [])


def test_every_fault_of_an_experiment_is_told_beside_an_option_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "experiment" / "mine.yaml"
    file.parent.mkdir()
    file.write_text("# @package _global_\ndefaults:\n  - override /adapter: keypont\nsed: 3\ntrainer:\n  max_stps: 4\n")
    found = examine("train", ["experiment=mine"], str(tmp_path)).problems
    assert len(found) == 3 and all(line.startswith(f"{file}: Unknown ") for line in found)
    assert "Did you mean keypoint?" in found[0] and any("trainer.max_steps?" in line for line in found)


def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "experiment" / "mine.yaml"
    file.parent.mkdir()
    file.write_text("# @package _global_\nseed: [1\n")
    (found,) = examine("train", ["experiment=mine"], str(tmp_path)).problems
    assert found.startswith(f"{file}, line 3: this is no yaml:")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("launcher.cpus=3", "Unknown key launcher.cpus: it belongs to launcher=slurm."),
        ("adapter.foo=3", "Unknown key adapter.foo. It has dim, dropout, "),
        ("view.every=2", "Unknown key view.every. view has no keys of its own."),
        ("objective.denoisng.weight=1", "Did you mean objective.denoising.weight?"),
        ("trainer.precision=bf17", "got 'bf17'. Did you mean bf16?"),
        ("+callbacks.x._target_=pytorch_lightning.callbacks.EarlyStoping", "Did you mean EarlyStopping?"),
        ("+callbacks.x._target_=sonar_slt.task.callbacks.ema.Emma", "has no Emma. Did you mean Ema?"),
        (
            "+callbacks.x={_target_:pytorch_lightning.callbacks.DeviceStatsMonitor,cpu_stat:true}",
            "callbacks.x.cpu_stats?",
        ),
        ("eval_every=0", "eval_every expects a whole number from 1 on, got 0."),
        ("threads=0", "threads expects a whole number from 1 on or null, got 0."),
        ("objective=[]", "objective=[] leaves none: choose at least one;"),
    ],
)
def test_a_wrong_word_is_answered_with_what_would_be_right(word: str, said: str) -> None:
    (found,) = examine("train", ["adapter=keypoint", word]).problems
    assert said in found


def test_an_option_lies_where_its_room_reads_it(tmp_path: Path) -> None:
    def told(room: str, first: str) -> list[str]:
        (tmp_path / room).mkdir(exist_ok=True)
        text = f"{first}_target_: sonar_slt.objective.MseTerm\nweight: 1.0\n"
        (tmp_path / room / "mine.yaml").write_text(text, encoding="utf-8")
        found = examine(
            "train", [f"{room}=mine", "adapter=keypoint"] if room != "adapter" else ["adapter=mine"], str(tmp_path)
        )
        return [problem for problem in found.problems if "mine.yaml" in problem]

    assert "its first line should be `# @package objective.mine`" in told("objective", "")[0]
    assert "no `# @package` here: adapter is one thing" in told("adapter", "# @package adapter.mine\n")[0]
    assert told("objective", "# @package objective.mine\n") == []
