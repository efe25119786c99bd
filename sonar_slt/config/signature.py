"""What a ``_target_`` takes: our classes are read from source, those of libraries from ``signatures.json`` beside this.

The table keeps a typo's answer fast (no library is imported for it). Refresh it after raising a dependency:
``python -m sonar_slt.config.signature --refresh``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from sonar_slt.config import permission
from sonar_slt.config.source import (
    Definition,
    Foreign,
    NotFound,
    Signature,
    bound,
    collects,
    file_of,
    find,
    lineage,
)
from sonar_slt.errors import did_you_mean

TABLE = Path(__file__).with_name("signatures.json")
LIBRARY_CLASSES = {
    "pytorch_lightning": "Trainer",
    "pytorch_lightning.callbacks": "EarlyStopping GradientAccumulationScheduler LearningRateMonitor ModelCheckpoint "
    "ModelSummary RichModelSummary RichProgressBar StochasticWeightAveraging Timer TQDMProgressBar",
    "pytorch_lightning.loggers": "CSVLogger TensorBoardLogger WandbLogger",
    "pytorch_lightning.strategies": "DDPStrategy FSDPStrategy SingleDeviceStrategy",
    "torch.optim": "Adam AdamW RAdam SGD",
    "torch.optim.lr_scheduler": "CosineAnnealingLR LinearLR OneCycleLR ReduceLROnPlateau StepLR",
    "torch.nn": "Dropout GELU Identity LayerNorm Linear Module RMSNorm ReLU SiLU Tanh",
    "peft": "LoraConfig",
}
BUILTIN = {"int", "float", "bool", "str", "None", "list", "dict", "tuple", "set", "object", "type"}


def signature(target: str) -> Signature | None:
    """What ``target`` takes, None where nothing is known about it; NotFound when it is not there or is no class."""
    root = target.partition(".")[0]
    if root != permission.FIRST_PARTY and root not in {name.partition(".")[0] for name in permission.permitted()}:
        return table().get(target) or _of_library(target)
    found = find(target)
    if isinstance(found, Foreign):
        raise NotFound(f"{target} is {found.target}; a class of {root} is expected")
    return of_definition(found, target)


def _of_library(target: str) -> Signature | None:
    """What a class beside the table takes, read from its source; None where its module collects names by a star."""
    try:
        found = find(target)
    except NotFound:
        module = target.rpartition(".")[0]
        if file_of(module) is None or collects(module):
            return None
        known = [name.rpartition(".")[2] for name in table() if name.rpartition(".")[0] == module]
        name = target.rpartition(".")[2]
        raise NotFound(f"{module} has no {name}.{did_you_mean(name, known)}".rstrip(".")) from None
    return of_definition(found, target) if isinstance(found, Definition) else None


@cache
def table() -> dict[str, Signature]:
    """The committed signatures of library classes."""
    entries = json.loads(TABLE.read_text(encoding="utf-8"))
    return {name: Signature(entry["parameters"], entry["open"]) for name, entry in entries.items()}


def of_definition(found: Definition, target: str) -> Signature | None:
    """The signature of a class or classmethod from its source."""
    node = found.node
    if isinstance(node, ast.ClassDef):
        return _of_class(found)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if "classmethod" not in _decorators(node):
            raise NotFound(f"{target} is a function; a class or a classmethod is expected")
        return _of_function(found.module, node)
    return None


def _of_class(owner: Definition) -> Signature:
    for base in lineage(owner):
        if isinstance(base, Foreign):
            return table().get(base.target, Signature({}, open=True))
        assert isinstance(base.node, ast.ClassDef)
        for node in base.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                return _of_function(base.module, node)
        if _decorators(base.node) & {"dataclass", "dataclasses.dataclass"}:
            return Signature(_fields(base))
    return Signature({})


def _of_function(module: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Signature:
    named = [*node.args.posonlyargs, *node.args.args][1:] + node.args.kwonlyargs
    parameters = {argument.arg: _annotation(module, argument.annotation) for argument in named}
    return Signature(parameters, open=node.args.kwarg is not None)


def _fields(owner: Definition) -> dict[str, str]:
    """The fields of a dataclass, those of its bases first."""
    fields: dict[str, str] = {}
    for base in reversed([base for base in lineage(owner) if isinstance(base, Definition)]):
        for node in base.node.body if isinstance(base.node, ast.ClassDef) else []:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_argument(node):
                fields[node.target.id] = _annotation(base.module, node.annotation)
    return fields


def _is_argument(node: ast.AnnAssign) -> bool:
    held_back = isinstance(node.value, ast.Call) and any(
        word.arg == "init" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in node.value.keywords
    )
    return not held_back and "ClassVar" not in ast.unparse(node.annotation)


def _decorators(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list}


def _annotation(module: str, node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(_Aliases(module).visit(node))


class _Aliases(ast.NodeTransformer):
    """Writes out the type aliases of a module, so that ``Pooling`` becomes ``Literal['mean', 'max']``."""

    def __init__(self, module: str) -> None:
        self.module = module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name that stands for a union or a literal by what it stands for."""
        if node.id in BUILTIN:
            return node
        try:
            found = bound(self.module, node.id)
        except NotFound:
            return node
        meaning = getattr(found.node, "value", None) if isinstance(found, Definition) else None
        if not isinstance(found, Definition) or not isinstance(meaning, ast.Subscript | ast.BinOp):
            return node
        written: ast.expr = _Aliases(found.module).visit(meaning)
        return written


def installed(target: str) -> Signature:
    """The signature of a library class as it is installed here; imports the library."""
    module, _, name = target.rpartition(".")
    parameters: dict[str, str] = {}
    takes_more = False
    for item in list(inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()):
        if item.kind is item.VAR_KEYWORD:
            takes_more = True
        elif item.kind is not item.VAR_POSITIONAL:
            parameters[item.name] = "" if item.annotation is item.empty else _written(item.annotation)
    return Signature(parameters, takes_more)


def _written(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation).replace("typing.", "")


def refresh() -> None:
    """Write the table anew from the installed libraries."""
    targets = [f"{module}.{name}" for module, names in LIBRARY_CLASSES.items() for name in names.split()]
    entries = {target: vars(installed(target)) for target in sorted(targets)}
    TABLE.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--refresh"]:
        sys.exit("usage: python -m sonar_slt.config.signature --refresh")
    refresh()
