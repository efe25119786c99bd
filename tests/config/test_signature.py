"""Signatures from source and from the table."""

import sys
from pathlib import Path

import pytest

from sonar_slt.config.signature import LIBRARY_CLASSES, installed, signature, table
from sonar_slt.config.source import NotFound


def parameters(target: str) -> dict[str, str]:
    found = signature(target)
    assert found is not None
    return found.parameters


def test_source_is_read_and_nothing_is_imported(visitors: Path) -> None:
    assert parameters("visitors.shapes.Square") == {
        "side": "float",
        "pooling": "Literal['mean', 'max']",
        "children": "list[int] | None",
    }
    assert "visitors" not in sys.modules


def test_names_are_followed_through_imports_bases_and_methods(visitors: Path) -> None:
    assert "side" in parameters("visitors.Box")
    assert parameters("visitors.Circle") == {"colour": "str"}
    assert parameters("visitors.Box.unit") == {"pooling": "Literal['mean', 'max']"}
    assert parameters("visitors.shapes.Square.Corner") == {"angle": "int"}


def test_dataclass_fields_count_with_those_of_the_base(visitors: Path) -> None:
    assert parameters("visitors.shapes.Pixel") == {"x": "int", "y": "int", "grey": "float"}


def test_further_keywords_leave_a_signature_open(visitors: Path) -> None:
    found = signature("visitors.shapes.Open")
    assert found is not None and found.open and found.parameters == {"first": "int"}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("visitors.shapes", "is a module"),
        ("visitors.shapes.Triangle", "has no Triangle"),
        ("visitors.shapes.area", "is a function"),
        ("visitors.shapes.Square.grow", "is a function"),
        ("visitors.os.system", "is os.system"),
        ("visitors.shapes.subprocess.Popen", "is subprocess.Popen"),
        ("sonar_slt.nowhere.Thing", "has no nowhere"),
    ],
)
def test_what_is_no_class_is_told(visitors: Path, target: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        signature(target)


def test_our_rooms_are_read_through_their_front_doors() -> None:
    assert "source" in parameters("sonar_slt.space.SentenceSpace.from_pretrained")
    assert "weight" in parameters("sonar_slt.objective.MseTerm")
    assert "weight" in parameters("sonar_slt.objective.ce.CeTerm")


@pytest.mark.parametrize("target", sorted(table()))
def test_the_table_holds_no_name_that_the_installed_library_lacks(target: str) -> None:
    now = installed(target)
    assert now.open or set(table()[target].parameters) <= set(now.parameters)


def test_the_table_is_complete() -> None:
    wanted = {f"{module}.{name}" for module, names in LIBRARY_CLASSES.items() for name in names.split()}
    assert set(table()) == wanted
