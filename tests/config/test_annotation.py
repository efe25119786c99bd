"""Values against annotations."""

import pytest

from sonar_slt.config.annotation import Mismatch, fit, wanted

FITS = [
    (3, "int"),
    (3, "float"),
    (0.5, "float"),
    (True, "bool"),
    (None, "int | None"),
    ("a", "Literal['a', 'b']"),
    ([1, 2], "list[int]"),
    ([1, 2], "Sequence[int]"),
    ([0.9, 0.98], "tuple[float, float]"),
    ([1, 2, 3], "tuple[int, ...]"),
    ({"a": 1}, "Mapping[str, int]"),
    ({"_target_": "sonar_slt.adapter.KeypointAdapter"}, "int"),
    ("???", "int"),
    ("x", "str | torch.device"),
    ("x", "Anything"),
    (3, "Optional[int]"),
    (None, "Union[int, NoneType]"),
    (3, "'int'"),
    (object(), ""),
]
FAILS = [
    ("3", "int"),
    (True, "int"),
    (1.5, "int"),
    (1, "bool"),
    (None, "int"),
    ("c", "Literal['a', 'b']"),
    (["a"], "list[int]"),
    ("ab", "list[str]"),
    ([1], "tuple[int, int]"),
    ({"a": "b"}, "dict[str, float]"),
    ("a", "int | float | None"),
    ({"a": 1}, "str"),
]


@pytest.mark.parametrize(("value", "annotation"), FITS)
def test_fitting_values_come_back_as_they_are(value: object, annotation: str) -> None:
    assert fit(value, annotation) == value


@pytest.mark.parametrize(("value", "annotation"), FAILS)
def test_other_values_are_refused(value: object, annotation: str) -> None:
    with pytest.raises(Mismatch):
        fit(value, annotation)


def test_a_number_becomes_text_only_where_nothing_else_takes_it() -> None:
    assert fit(7, "str | None") == "7"
    assert fit(7, "str | int") == 7
    assert fit([1, "a"], "list[str]") == ["1", "a"]


def test_choices_are_listed() -> None:
    assert wanted("Literal['mean', 'sum']") == "one of mean, sum"
    assert wanted("int | None") == "int | None"
