"""What the table of a sweep is drawn as: each format is read back to the numbers that went in."""

from __future__ import annotations

import csv
import io
import itertools
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from rich.console import Console

from sonar_slt.page.svg import ticks
from sonar_slt.runs.sweeps.baseline import against
from sonar_slt.runs.sweeps.comparison import Comparison, compare
from sonar_slt.runs.sweeps.formats.csv import as_csv
from sonar_slt.runs.sweeps.formats.latex import as_latex, escaped
from sonar_slt.runs.sweeps.formats.markdown import as_markdown
from sonar_slt.runs.sweeps.formats.plot import as_svg
from sonar_slt.runs.sweeps.formats.screen import SweepTable
from sonar_slt.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.swept import Folder

REASON = "CUDA | <b> 50% of $x_1$ & *more* is gone"


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    """Three rows against the first: one of two seeds, one of which a seed failed, and one that failed whole."""
    folder = Folder(tmp_path / "runs")
    for terms, seed in itertools.product(("[mse]", "[mse,ce]"), (1, 2)):
        if (terms, seed) == ("[mse,ce]", 2):
            folder.add(f"objective={terms}", seed=seed, status="failed", reason=REASON)
        else:
            folder.add(f"objective={terms}", seed=seed, bleu=50.25 + seed + 4 * (terms == "[mse,ce]"), code=f"{seed}")
    folder.add("objective=a_b", seed=1, status="killed", reason="gone")
    return against(compare(Sweep.read(folder.root, "last")), "objective=[mse]")


def test_csv_holds_plain_numbers(found: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [row["objective"] for row in rows] == ["[mse]", "[mse,ce]", "a_b"]
    assert [float(row["bleu mean"]) for row in rows[:2]] == [51.75, 55.25]
    assert float(rows[0]["bleu std"]) == pytest.approx(0.5**0.5) and rows[1]["bleu std"] == rows[2]["bleu mean"] == ""
    assert [(row["runs"], row["counted"], row["bleu n"]) for row in rows] == [
        ("2",) * 3,
        ("2", "1", "1"),
        ("1", "0", "0"),
    ]
    assert float(rows[1]["bleu difference"]) == 4.0 and rows[1]["bleu pairs"] == "1" and rows[1]["bleu low"] == ""
    assert [row["baseline"] for row in rows] == ["1", "0", "0"] and rows[1]["note"] == f"seed 2: failed: {REASON}"


def test_markdown_has_a_cell_for_each_head_and_keeps_reasons_whole(found: Comparison) -> None:
    text = as_markdown(found)
    heads, line, *rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line[:1] == "|"
    ]
    assert heads[:4] == ["objective", "n", "BLEU", "difference in BLEU"] and heads[-1] == "note"
    assert {len(cells) for cells in (line, *rows)} == {len(heads)} and len(rows) == 3
    assert rows[0][2] == "51.8 ± 0.7" and rows[1][2:4] == ["**55.2**", "+4.0"] and rows[1][1] == "1 of 2"
    note = re.sub(r"\\(.)", r"\1", rows[1][-1])
    assert note == f"seed 2: failed: {REASON}" and rows[0][-1] == "baseline" and rows[2][-1] == "seed 1: killed: gone"
    assert "- Warning: The code was changed" in text and "Differences are to objective=[mse]" in text


def test_latex_has_as_many_cells_as_columns(found: Comparison, tmp_path: Path) -> None:
    text = as_latex(found)
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    body = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert columns and {len(re.split(r"(?<!\\)&", line)) for line in body} == {len(columns[1])}
    assert [text.count(rule) for rule in ("\\toprule", "\\midrule", "\\bottomrule")] == [1, 1, 1]
    assert r"\textbf{55.2}" in text and r"51.8 $\pm$ 0.7" in text and r"{\footnotesize +4.0}" in text
    assert r"50\% of \$x\_1\$ \& *more* is gone" in text and "{[mse,ce]}" in text and r"a\_b" in text
    assert escaped("{a}\\~^") == r"\{a\}\textbackslash{}\textasciitilde{}\textasciicircum{}"
    if latex := shutil.which("pdflatex"):
        whole = ["\\documentclass{article}", "\\usepackage{booktabs}", "\\begin{document}", text, "\\end{document}"]
        (tmp_path / "t.tex").write_text("\n".join(whole))
        command = [latex, "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_the_plot_has_a_dot_for_each_run_at_its_place(found: Comparison) -> None:
    root = ElementTree.fromstring(as_svg(found))
    space = "{http://www.w3.org/2000/svg}"
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter(f"{space}circle")]
    assert len(dots) == 3 * len(found.targets)
    (first, y), (second, same), (third, below) = dots[:3]  # of BLEU: 51.25, 52.25, 55.25
    assert y == same < below and (third - first) / (second - first) == pytest.approx(4, abs=0.05)
    words = [text.text or "" for text in root.iter(f"{space}text")]
    assert words.count("no figure") == len(found.targets) and "objective=[mse,ce]" in words
    assert any(REASON in text for text in words) and "Dashed: the mean of objective=[mse]." in words
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    assert all(0 < x < width and 0 < y < height for x, y in dots)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_screen_is_never_wider_than_the_terminal(found: Comparison, width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(SweepTable(found))
    text = console.export_text()
    assert max(map(len, map(str.rstrip, text.splitlines()))) <= width
    for head in ("BLEU", "BLEU unseen", "retrieval@1"):
        assert head in text
    flat = " ".join(text.split())
    assert f"! objective=[mse,ce]: seed 2: failed: {REASON}" in flat and "killed" in flat and "+4.0" in flat
    assert "! The code was changed between the runs" in flat and flat.startswith("terms: 5 runs of 3 settings")


def test_ticks_are_round_and_few() -> None:
    assert ticks(0, 1) == [0, 0.5, 1] and ticks(49.2, 58.1) == [50, 52, 54, 56, 58] and ticks(3, 3) == [3]
    for low, high in ((0.001, 0.0042), (-3, 90), (1e5, 3e6)):
        found = ticks(low, high)
        assert 2 <= len(found) <= 5 and all(low <= one <= high for one in found)
