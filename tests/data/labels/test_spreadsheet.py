"""Numbers that a spreadsheet damaged: the digits lead back to the time, or nothing is claimed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonar_slt.data.clock import seconds
from sonar_slt.data.labels.spreadsheet import readings, span
from sonar_slt.data.release import Span

pytestmark = pytest.mark.properties
FUZZ = settings(max_examples=150, deadline=None, derandomize=True)
TIMES = st.decimals(min_value=1, max_value=9_999, places=3, allow_nan=False).map(float)


def damaged(time: float) -> str:
    """The number as a spreadsheet leaves it: from three decimals on their point is taken for one between thousands.

    Of the digits fifteen are kept, and every third is dotted. Numbers below 1 stay as they are.
    """
    if time < 1 or len(repr(time).partition(".")[2]) < 3:
        return repr(time)
    digits = repr(time).replace(".", "")
    kept = int(digits[:15].ljust(len(digits), "0"))
    return f"{kept:,}".replace(",", ".")


@pytest.mark.parametrize(
    "written, value",
    [
        ("142.0", 142.0),
        ("143.40800000000002", 143.40800000000002),
        (" 7 ", 7.0),
        ("0.0479999999999922", 0.0479999999999922),
        ("145,984", 145.984),
        ("1.234,567", 1234.567),
        ("1e3", 1000.0),
        ("-2.5", -2.5),
    ],
)
def test_a_whole_number_has_one_reading(written: str, value: float) -> None:
    assert readings(written) == [value]


@pytest.mark.parametrize(
    "written", ["", "x", "nan", "inf", "1..2", "1.23.456", "1:20", "٣.٥", "--1", "1,2,3", "9" * 40]
)
def test_what_is_no_number_has_none(written: str) -> None:
    assert readings(written) == []


@FUZZ
@given(time=TIMES, dust=st.sampled_from([0.0, 3e-13, 5e-12]))
def test_the_true_value_is_among_the_readings(time: float, dust: float) -> None:
    written = damaged(time + dust)
    assert any(abs(value - time) < 1e-6 for value in readings(written)) or written.count(".") == 1


@FUZZ
@given(start=TIMES, length=TIMES, hurt=st.sampled_from([(True, False), (False, True), (True, True)]))
def test_known_times_lead_back(start: float, length: float, hurt: tuple[bool, bool]) -> None:
    end = start + length
    found = span(
        *(damaged(t) if bad else repr(t) for t, bad in zip((start, end), hurt, strict=True)), "", [(start, end)]
    )
    assert isinstance(found, Span)
    assert found.start == pytest.approx(start, abs=0.01) and found.end == pytest.approx(end, abs=0.01)


@FUZZ
@given(start=TIMES, length=st.floats(0.5, 30), factor=st.floats(0.6, 1.8), whole=st.booleans())
def test_the_duration_leads_to_the_truth_or_to_nothing(start: float, length: float, factor: float, whole: bool) -> None:
    end = round(start + length, 3)
    duration = repr((end - start) * factor) if whole else damaged(1 + (end - start) * factor)
    found = span(damaged(start), damaged(end), duration, [])
    if isinstance(found, Span):
        assert found.start == pytest.approx(start, abs=1e-3) and found.end == pytest.approx(end, abs=1e-3)


@pytest.mark.parametrize(
    "start, end, duration, pieces, expected",
    [
        ("71.262.000.000.000.000", "715.5", "2.879.999.999.999.990", [(712.6200000000001, 715.5)], (712.62, 715.5)),
        ("71.262.000.000.000.000", "715.5", "2.88", [], (712.62, 715.5)),
        (
            "1.234.567",
            "1.245.678",
            "8.123.999.999.999.880",
            [(1234.567, 1240.5), (1240.5, 1245.678)],
            (1234.567, 1245.678),
        ),
        ("142.0", "145.984", "36.990.000.000.000.200", [], (142.0, 145.984)),
        ("1887.26", "1.888.635", "2.890.625.000.000.000", [], (1887.26, 1888.635)),
        ("12.345", "2.0", "", [(1.2345, 2.0)], (1.2345, 2.0)),  # 12345 and 12.345 are written alike
        ("12.345", "20.0", "", [(12.345, 20.0)], (12.345, 20.0)),
        ("12.345", "20.5", "8.0", [], (12.345, 20.5)),
        ("12.345", "20.5", "", [], (12.345, 20.5)),
        ("12.345", "20.0", "2.5", [(12.345, 20.0)], (12.345, 20.0)),  # its parts say more than its duration
        ("12.5", "20.0", "", [(11.5, 20.0)], (12.5, 20.0)),  # undamaged: the column holds
        ("3,588E+16", "40.0", "4.2", [], (35.88, 40.0)),
        ("5.0", "4.0", "1.0", [], (5.0, 4.0)),  # in the wrong order, but written so
    ],
)
def test_spans(
    start: str, end: str, duration: str, pieces: list[tuple[float, float]], expected: tuple[float, float]
) -> None:
    found = span(start, end, duration, pieces)
    assert isinstance(found, Span), found
    assert (found.start, found.end) == pytest.approx(expected)


@pytest.mark.parametrize(
    "start, end, duration, pieces, told",
    [
        ("1.234.567", "1.245.678", "", [], "nothing tells"),
        ("1.234.567", "1.245.678", "8.123.999.999.999.880", [], "nothing tells"),
        ("1.234.567", "1.245.678", "", [(20.0, 30.0)], "start '1.234.567'"),
        ("12.345", "12.400", "5.5", [], "do not fit its duration '5.5'"),
        ("12.345", "20.0", "2.5", [], "do not fit its duration"),
        ("12.345", "2.012.345", "", [], "nothing tells"),
        ("", "3.0", "", [], "start ''"),
        ("1.0", "soon", "", [(1.0, 2.0)], "end 'soon'"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(
    start: str, end: str, duration: str, pieces: list[tuple[float, float]], told: str
) -> None:
    found = span(start, end, duration, pieces)
    assert isinstance(found, str) and told in found


@FUZZ
@given(written=st.text(alphabet="0123456789.,:eE+- ", max_size=24), other=st.text(max_size=6))
def test_any_text_is_read_or_not(written: str, other: str) -> None:
    assert all(isinstance(value, float) for value in readings(written))
    assert isinstance(span(written, other, written, []), Span | str)
    assert seconds(written) is None or isinstance(seconds(written), float)


@pytest.mark.parametrize(
    "written, expected",
    [
        ("12.34", 12.34),
        ("12,34", 12.34),
        ("0:12.34", 12.34),
        ("00:01:02,500", 62.5),
        ("1:00:00", 3600.0),
        ("-3", -3.0),
        *((wrong, None) for wrong in ("", "1:60", "1:2:3:4", "1.000.000", "nan", "0:99:01")),
    ],
)
def test_times_on_a_clock(written: str, expected: float | None) -> None:
    assert seconds(written) == pytest.approx(expected) if expected is not None else seconds(written) is None
