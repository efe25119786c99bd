"""The page of a sweep in a browser: it opens without an error, sorts, narrows, is brushed, and follows the figure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonar_slt.cli import main
from sonar_slt.page.browser import Browser, installed
from sonar_slt.runs.sweeps.page.contents import sweep_page
from sonar_slt.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.swept import OBJECTIVES, SEEDS, WEIGHTS, Folder

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 18 runs that count, one that failed for a hostile reason, and one that was done again."""
    folder = Folder(tmp_path_factory.mktemp("sweep") / "runs")
    for (terms, one), (weight, two), (seed, three) in itertools.product(
        OBJECTIVES.items(), WEIGHTS.items(), SEEDS.items()
    ):
        words = (f"objective={terms}", f"objective.mse.weight={weight}")
        run = folder.add(*words, seed=seed, bleu=50 + one + two + three)
        folder.log(run, "dev", bleu=[10.0, 30.0, 50.0 + one], loss=[3.0, 2.0, 1.0])
        (run / "report.html").write_text("the page of one run")
    folder.add("objective=[mse]", "objective.mse.weight=0.01", seed=9, status="failed", reason=HOSTILE)
    folder.add("objective=[mse]", "objective.mse.weight=0.01", seed=1, bleu=49.0)
    path = folder.root.parent / "a folder" / "report.html"
    path.parent.mkdir()
    path.write_text(sweep_page(Sweep.read(folder.root, "last"), path.parent), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all questions."""
    if installed() is None:
        pytest.skip("no Chromium is installed")
    with Browser(width=1280, height=1000) as one:
        one.prefer(still=True)
        yield one


@pytest.fixture
def opened(browser: Browser, written: Path) -> Browser:
    """The page, freshly opened; whatever it complained about fails the test."""
    browser.resize(1280, 1000)
    browser.open(written)
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert not complaints(browser)
    return browser


def complaints(browser: Browser) -> list[object]:
    return [event for event in browser.events if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")]


def rows(browser: Browser) -> list[str]:
    """The figures of the rows that are shown, in order."""
    found: list[str] = browser.run(
        "[...document.querySelectorAll('#runs tbody tr:not(.off) td.figure b')].map((cell) => cell.textContent)"
    )
    return found


def enter(browser: Browser, place: str, value: str, event: str) -> None:
    """Put a value where a person would choose or type it."""
    browser.run(f"document.querySelector('{place}').value = '{value}'")
    browser.run(f"document.querySelector('{place}').dispatchEvent(new Event('{event}'))")


def test_the_page_tells_the_effects(opened: Browser) -> None:
    text = opened.run("document.body.innerText")
    for word in ("[mse,ce,ae]", "objective.mse.weight", "eta squared", "19 finished", "1 failed", "sonar-slt train"):
        assert word in text
    assert opened.run("document.title").startswith("terms") and HOSTILE in text
    assert opened.run("document.querySelectorAll('#parallel path.run').length") == 20
    assert opened.run("document.querySelectorAll('#effects .dot[data-run]').length") == 2 * 18
    assert opened.run("document.querySelectorAll('#pivot td.heat').length") == 6
    links = opened.run("[...document.querySelectorAll('#runs a')].map((link) => link.href)")
    assert len(links) == 18 and all(link.startswith("file:///") and link.endswith("report.html") for link in links)
    assert opened.run("document.documentElement.scrollWidth <= innerWidth")


def test_rows_are_sorted_and_narrowed(opened: Browser) -> None:
    best = rows(opened)
    assert len(best) == 19 and best[:18] == sorted(best[:18], reverse=True)  # what does not count comes last
    opened.run("document.querySelector('th[data-column=figure] button').click()")
    assert rows(opened)[:18] == sorted(best[:18])
    assert opened.run("document.activeElement.closest('th').getAttribute('aria-sort')") == "ascending"
    enter(opened, "#runs input", "ce,ae", "input")
    assert len(rows(opened)) == 6 and "6 of 20 runs" in opened.run("document.querySelector('.tools').innerText")
    opened.run("document.querySelector('.tools button').click()")
    assert len(rows(opened)) == 19 and opened.run("document.querySelector('#runs input').value") == ""


def test_dragging_along_an_axis_holds_the_runs_that_pass(opened: Browser) -> None:
    opened.run("document.querySelector('#parallel').scrollIntoView({behavior: 'instant', block: 'center'})")
    grip = "document.querySelector('[data-axis=\"objective.mse.weight\"]')"
    box = opened.run(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))({grip}.getBoundingClientRect())")
    middle = box["x"] + box["width"] / 2
    drag(opened, middle, box["y"] + 8, box["y"] + box["height"] * 0.4)  # the upper part: weight 1
    held = rows(opened)
    assert len(held) == 9 and min(map(float, held)) >= 52.0
    assert opened.run("document.querySelectorAll('#parallel path.run.off').length") == 11
    drag(opened, middle, box["y"] + box["height"] / 2, box["y"] + box["height"] / 2)  # a click lets go
    assert len(rows(opened)) == 19 and not complaints(opened)


def drag(browser: Browser, x: float, start: float, end: float) -> None:
    """Press the mouse, move it down in three steps, and let it go."""

    def mouse(kind: str, y: float) -> None:
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    mouse("mousePressed", start)
    for part in (0.3, 0.7, 1.0):
        mouse("mouseMoved", start + part * (end - start))
    mouse("mouseReleased", end)


def test_another_figure_changes_every_part(opened: Browser) -> None:
    enter(opened, "#figure", "bleu/unseen", "change")
    assert max(map(float, rows(opened))) == 49.0  # ten less than the best in the trained ones
    assert "49.0" in opened.run("document.querySelector('.masthead').innerText")
    enter(opened, "#effects .effect select", "[mse,ce]", "change")
    assert "−4.0" in opened.run("document.querySelector('#effects .level').innerText") and not complaints(opened)


def test_a_phone_needs_no_sideways_scrolling(opened: Browser) -> None:
    opened.resize(390, 844)
    opened.run("new Promise((done) => setTimeout(done, 100))")
    assert opened.run("document.documentElement.scrollWidth") <= 390 and not complaints(opened)


def test_the_verb_writes_beside_the_sweep_and_prints_the_effects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    folder = Folder(tmp_path / "outputs" / "runs")
    runs = [folder.add(f"objective={terms}", seed=seed, bleu=50 + seed) for terms in OBJECTIVES for seed in SEEDS]
    assert main(["report", "sweep=last", "target=bleu/unseen"]) == 0
    said = capsys.readouterr().out
    assert "[mse,ce,ae]" in said and "BLEU, unseen languages, 42.0" in said
    assert (tmp_path / "outputs" / "sweeps" / str(folder.sweep) / "report.html").is_file()
    assert main(["report", runs[0].name, runs[3].name, "output=deep/two.html"]) == 0
    assert "2 of 2 runs" in capsys.readouterr().out and Path("deep/two.html").is_file()
    for words, told in (
        (["sweep=last", "target=blue"], "target=blue"),
        (["sweep=last", runs[0].name], "names its runs itself"),
    ):
        assert main(["report", *words]) == 2 and told in capsys.readouterr().err


def test_a_large_sweep_stays_small_and_links_from_anywhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "runs")
    for i in range(40):
        run = folder.add(f"rate={1e-5 * 1.2**i:g}", seed=i % 3, bleu=40 + i % 7)
        folder.log(run, "train", loss=[1.0 / (k + 1) for k in range(400)], ce=[1.0] * 400)
        (run / "report.html").write_text("")
    page = sweep_page(Sweep.read(folder.root, "last"), tmp_path / "elsewhere", target="bleu")
    contents = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert len(page) < 1_500_000 and len(contents["keys"][0]["levels"]) == 4
    assert contents["runs"][0]["link"].startswith("./../runs/2026-11-28_10-00-01")
