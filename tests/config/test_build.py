"""The one place that builds, and what it refuses."""

import functools
import sys
from pathlib import Path

import pytest

from sonar_slt.config import permission
from sonar_slt.config.build import build, resolve
from sonar_slt.errors import UserError


def test_plain_values_lists_and_dicts_are_themselves() -> None:
    assert build(None) is None
    assert build({"a": [1, {"b": None}], "c": "x"}) == {"a": [1, {"b": None}], "c": "x"}


def test_nodes_are_built_from_the_inside(visitors: Path) -> None:
    inner = {"_target_": "visitors.shapes.Point", "x": 1}
    made = build({"_target_": "visitors.shapes.Square", "side": 2.0, "children": [inner, inner]}, pooling="max")
    assert (made.side, made.pooling, [child.x for child in made.children]) == (2.0, "max", [1, 1])


def test_partial_waits_for_the_rest(visitors: Path) -> None:
    made = build({"_target_": "visitors.shapes.Point", "_partial_": True, "y": 3}, x=1)
    assert isinstance(made, functools.partial) and made().x == 1 and made(x=2).y == 3


def test_classmethods_of_allowed_classes_are_built(visitors: Path) -> None:
    assert build({"_target_": "visitors.Box.unit"}).side == 1.0


def test_a_dict_of_nodes_is_a_dict_of_objects() -> None:
    made = build(
        {
            "mse": {"_target_": "sonar_slt.objective.MseTerm", "weight": 2.0},
            "ce": {"_target_": "sonar_slt.objective.CeTerm", "weight": 1.0},
            "ae": None,
        }
    )
    assert made["mse"].weight == 2.0 and made["ae"] is None


@pytest.mark.parametrize(
    "node",
    [
        {"_partial_": True, "a": 1},
        {"_target_": "torch.nn.GELU", "_partial_": "yes"},
        {"_target_": "torch.nn.GELU", "_args_": [1]},
        {"_target_": "torch.nn.GELU", "_recursive_": False},
    ],
)
def test_other_marks_are_refused(node: dict[str, object]) -> None:
    with pytest.raises(UserError):
        build(node)


def test_what_the_program_decides_is_not_set_twice(visitors: Path) -> None:
    with pytest.raises(UserError, match="decided by the program"):
        build({"_target_": "visitors.shapes.Point", "x": 1}, x=2)


def test_parts_without_a_target_are_our_own_fault() -> None:
    with pytest.raises(TypeError):
        build({"a": 1}, x=2)


REFUSED = [
    "os.system",
    "subprocess.Popen",
    "builtins.eval",
    "eval",
    "",
    "sonar_slt",
    "sonar_slt.",
    ".sonar_slt.objective.MseTerm",
    "sonar_slt..objective.MseTerm",
    "sonar_slt.objective.MseTerm.",
    "sonar_slt_evil.Thing",
    "torch.load",
    "torch.hub.load",
    "torch.jit.load",
    "torch.nnx.Linear",
    "torch.nn.functional.relu",
    "torch.nn.Module.load_state_dict",
    "torch.nn.Module.__init__",
    "torch.nn.modules.module.torch.load",
    "torch.nn.modules.module.functools.partial",
    "torch.nn.modules.module.OrderedDict",
    "torch.optim.lr_scheduler._LRScheduler",
    "torch.optim._functional.adam",
    "pytorch_lightning.LightningModule",
    "pytorch_lightning.LightningModule.load_from_checkpoint",
    "pytorch_lightning.Trainer.fit",
    "pytorch_lightning.loggers.wandb.os.system",
    "pytorch_lightning.callbacks.model_checkpoint.shutil.rmtree",
    "peft.PeftModel.from_pretrained",
    "peft.LoraConfig.from_pretrained",
    "peft.tuners.lora.LoraConfig",
    "transformers.AutoModel.from_pretrained",
    "sonar_slt.config.build.build",
    "sonar_slt.config.build.importlib.import_module",
    "sonar_slt.config.build.functools.partial",
    "sonar_slt.config.source.Path",
    "sonar_slt.config.source._Aliases",
    "sonar_slt.config.source.Signature.__class__",
    "sonar_slt.config.permission.permit",
    "sonar_slt.config.source.Path.cwd",
    "sonar_slt.cli.main",
    "sonar_slt.cli.command.outcome.os.system",
    "sonar_slt.errors.UserError.with_traceback",
    "sonar_slt.objective.MseTerm.mro",
    "sonar_slt.objective.MseTerm.forward",
    "sonar_slt.objective.mse.functional.mse_loss",
    "sonar_slt.task.TextSpace.load_from_checkpoint",
    "sonar_slt.task.text_space.TextSpace.load_from_checkpoint",
    "sonar_slt.objective.Nothing",
    "sonar_slt.nowhere.Nothing",
    "visitors.shapes.Square",
]


@pytest.mark.parametrize("target", REFUSED)
def test_only_public_classes_of_the_short_list_are_built(target: str) -> None:
    with pytest.raises(UserError):
        resolve(target)


@pytest.mark.parametrize("target", [None, 3, ["torch.nn.GELU"], {"a": 1}])
def test_a_target_is_a_name(target: object) -> None:
    with pytest.raises(UserError):
        build({"_target_": target})


@pytest.mark.parametrize(
    "target",
    [
        "torch.nn.GELU",
        "torch.optim.AdamW",
        "torch.optim.lr_scheduler.LinearLR",
        "pytorch_lightning.Trainer",
        "pytorch_lightning.callbacks.ModelCheckpoint",
        "pytorch_lightning.loggers.CSVLogger",
        "pytorch_lightning.strategies.DDPStrategy",
        "peft.LoraConfig",
        "sonar_slt.space.SentenceSpace.from_pretrained",
    ],
)
def test_the_short_list_is_built(target: str) -> None:
    assert callable(resolve(target))


def test_nothing_is_imported_for_a_refused_name() -> None:
    for module in ("turtle", "antigravity"):
        sys.modules.pop(module, None)
        with pytest.raises(UserError):
            resolve(f"{module}.Turtle")
        assert module not in sys.modules


def test_an_allowed_package_opens_its_own_classes_only(visitors: Path) -> None:
    assert resolve("visitors.shapes.Square").__name__ == "Square"
    for target in ("visitors.shapes.Alias", "visitors.os.system", "visitors.shapes.area", "visitors.shapes._Hidden"):
        with pytest.raises(UserError):
            resolve(target)


def test_a_package_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_named", {"no_such_visitors"})
    with pytest.raises(UserError, match="no no_such_visitors to import"):
        resolve("no_such_visitors.Thing")


@pytest.mark.parametrize("name", ["a b", "", "../x", "a;b", 3])
def test_allow_takes_package_names(name: str) -> None:
    with pytest.raises(UserError):
        permission.permit([name])
