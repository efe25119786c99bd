"""The page of a run in a real browser: it opens at once and alone, is searched, played, shared, and read on a phone."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.data.skeleton import places_of
from sonar_slt.page.browser import Browser, installed
from sonar_slt.runs.report import write_report

pytestmark = pytest.mark.skipif(installed() is None, reason="no Chromium is installed to open the page")

OPENED = 2.0
"""Seconds in which a page of a thousand samples opens on an idle machine."""
CLIPS = 60


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pretend_run: Any) -> Path:
    made: Path = pretend_run(tmp_path_factory.mktemp("runs"), clips=CLIPS, frames=30, films=1)
    write_report(made)
    return made


@pytest.fixture
def open_page(browser: Browser, folder: Path) -> Any:
    """Opens the page of the folder with what stands behind the #."""

    def opened(
        hash: str = "", *, width: int = 1280, height: int = 900, still: bool = True, theme: Any = "light"
    ) -> Browser:
        browser.call("Page.navigate", url="about:blank")
        browser.resize(width, height)
        browser.prefer(theme=theme, still=still)
        browser.open(folder / "report.html", hash)
        return browser

    return opened


def listed(browser: Browser) -> list[str]:
    """Ids of the samples that fit the filters, in their order."""
    found: list[str] = browser.run("browser.found.map((sample) => sample.id)")
    return found


def type_into(browser: Browser, place: str, text: str) -> None:
    browser.run(f"document.querySelector({json.dumps(place)}).focus()")
    browser.call("Input.insertText", text=text)


def choose(browser: Browser, label: str, value: str) -> None:
    browser.run(
        f"(() => {{ const one = document.querySelector('select[aria-label=\"{label}\"]'); one.value = '{value}';"
        " one.dispatchEvent(new Event('change')); })()"
    )


def test_it_opens_without_an_error_and_asks_for_nothing(open_page: Any) -> None:
    page = open_page()
    titles = page.run("[...document.querySelectorAll('h2')].map((one) => one.textContent)")
    assert {
        "Scores",
        "Diagnosis",
        "Samples",
        "Where it is good",
        "In the space",
        "Learning",
        "Where it came from",
    } <= set(titles)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.run("new Promise((done) => setTimeout(done, 200))")
    told = [one["method"] for one in page.events]
    assert not {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"} & set(told)
    asked = [one["params"]["request"]["url"] for one in page.events if one["method"] == "Network.requestWillBeSent"]
    assert [url[:5] for url in asked if not url.startswith("data:")] == ["file:"]
    assert "cannot be shown" not in page.run("document.body.innerText")


def test_our_policy_stops_what_is_not_ours(open_page: Any) -> None:
    page = open_page()
    page.run("document.body.append(h('script', {}, 'window.slipped = 1'))")
    page.run("(() => { const one = h('div'); one.setAttribute('onclick', 'window.slipped = 1'); one.click(); })()")
    assert page.run("window.slipped") is None
    with pytest.raises(RuntimeError):
        page.run("fetch('data:,x').then((one) => one.text())")


def test_a_search_ignores_case_and_accents(open_page: Any, folder: Path) -> None:
    page = open_page()
    lines = [json.loads(line) for line in (folder / "hypotheses" / "test.deu_Latn.jsonl").read_text().splitlines()]
    type_into(page, "input[type=search]", "SUDEN")
    wanted = {line["id"] for line in lines if "Süden" in " ".join([line["hypothesis"], *line["references"]])}
    found = listed(page)
    assert wanted <= set(found) and 0 < len(found) < CLIPS and "q=SUDEN" in page.run("location.hash")
    assert page.run("document.querySelector('.counted').textContent") == f"{len(found)} of {CLIPS} samples"
    type_into(page, "input[type=search]", " nothing has this")
    assert listed(page) == [] and "No sample fits" in page.run("document.querySelector('.list').textContent")


def test_samples_are_sorted_and_filtered(open_page: Any, folder: Path) -> None:
    page = open_page()
    lines = [json.loads(line) for line in (folder / "hypotheses" / "test.fra_Latn.jsonl").read_text().splitlines()]
    choose(page, "Language of the list", "fra_Latn")
    choose(page, "Sort by", "bleu")
    assert listed(page) == [line["id"] for line in sorted(lines, key=lambda line: line["scores"]["bleu"])]
    choose(page, "Signer", "Signer03")
    choose(page, "Sentence", "no")
    assert set(listed(page)) == {line["id"] for line in lines if line["signer"] == "Signer03" and not line["known"]}
    page.run("[...document.querySelectorAll('.filters button')].find((one) => one.textContent === 'Clear').click()")
    choose(page, "Translation", "empty")
    assert set(listed(page)) == {line["id"] for line in lines if not line["hypothesis"]}


def test_the_address_brings_a_view_back(open_page: Any, folder: Path) -> None:
    page = open_page("sort=-chrf&lang=tur_Latn&min=40&max=90&known=yes&sample=test-00012")
    lines = [json.loads(line) for line in (folder / "hypotheses" / "test.tur_Latn.jsonl").read_text().splitlines()]
    wanted = [line for line in lines if 40 <= line["scores"]["chrf"] <= 90 and line["known"]]
    assert listed(page) == [line["id"] for line in sorted(wanted, key=lambda line: -line["scores"]["chrf"])]
    assert page.run("document.querySelector('.detail h3').textContent") == "test-00012"
    assert page.run("document.querySelector('.pair.current').dataset.language") == "tur_Latn"
    page.run("location.hash = 'q=test-00007'")
    page.run("new Promise((done) => setTimeout(done, 50))")
    assert listed(page) == ["test-00007"]


def test_keys_walk_search_and_tell_themselves(open_page: Any) -> None:
    page = open_page()
    shown = "document.querySelector('.detail h3').textContent"
    for key, then in (("j", "test-00001"), ("ArrowRight", "test-00002"), ("k", "test-00001")):
        page.press(key)
        assert page.run(shown) == then
    page.press("/")
    assert page.run("document.activeElement.type") == "search"
    page.press("j")
    assert page.run("document.activeElement.value") == "j" and page.run(shown) == "test-00001"
    page.press("Escape")
    page.press("?")
    assert page.run("document.querySelector('dialog').open") is True


def test_the_long_list_holds_only_what_is_seen(open_page: Any) -> None:
    page = open_page()
    assert page.run("document.querySelectorAll('.item').length") < 30
    page.run("document.querySelector('.list').scrollTop = 1e6")
    page.run("new Promise((done) => setTimeout(done, 100))")
    assert page.run("[...document.querySelectorAll('.item')].pop().dataset.id") == f"test-{CLIPS - 1:05d}"


def pixels(page: Browser) -> Any:
    return page.run("document.querySelector('.detail canvas').toDataURL()")


@pytest.mark.parametrize("sample", ["test-00003", "test-00000"], ids=["skeleton", "film"])
def test_a_sample_is_played(open_page: Any, sample: str) -> None:
    page = open_page(f"sample={sample}")
    page.run("document.querySelector('.browser').scrollIntoView()")
    page.run("new Promise((done) => setTimeout(done, 300))")
    before = pixels(page)
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert pixels(page) == before, "who wants no motion sees none"
    page.press(" ")
    page.run("new Promise((done) => setTimeout(done, 400))")
    assert pixels(page) != before and len(before) > 2000
    page.press(" ")
    page.run("new Promise((done) => setTimeout(done, 100))")
    stopped = pixels(page)
    page.press(".")
    assert pixels(page) != stopped


def test_a_packed_skeleton_is_unpacked_as_python_packed_it(open_page: Any, folder: Path) -> None:
    page = open_page()
    clip = json.loads((folder / "skeletons.json").read_text())["clips"]["test-00004"]
    unpacked = page.run("bytesOf(clipOf('test-00004')).then((bytes) => btoa(String.fromCharCode(...bytes)))")
    there = np.frombuffer(base64.b64decode(unpacked), np.uint8).reshape(clip["frames"], clip["points"], 2)
    assert (there == places_of(clip)).all() and (there == 255).any()


def test_it_is_dark_where_the_system_is_and_turned_by_hand(open_page: Any) -> None:
    page = open_page(theme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    light_of = lambda colour: sum(map(int, re.findall(r"\d+", colour)[:3])) / 3  # noqa: E731
    assert light_of(page.run(ground)) < 40
    page.run("document.querySelector('.masthead .round').click()")
    assert light_of(page.run(ground)) > 220
    assert page.run("document.documentElement.dataset.theme") == "light"


def test_a_phone_shows_all_of_its_width_and_a_sample_on_a_sheet(open_page: Any) -> None:
    page = open_page(width=380, height=800)
    assert page.run("document.documentElement.scrollWidth") == 380
    assert page.run("getComputedStyle(document.querySelector('.detail')).display") == "none"
    page.run("document.querySelectorAll('.item')[2].click()")
    assert page.run("document.querySelector('.detail').getBoundingClientRect().width") == 380
    assert page.run("document.querySelector('.detail').scrollWidth") <= 380
    page.run("document.querySelector('.detail .close').click()")
    assert page.run("getComputedStyle(document.querySelector('.detail')).display") == "none"


def test_a_point_of_the_map_opens_its_sample(open_page: Any) -> None:
    page = open_page()
    page.run("document.querySelector('.map').scrollIntoView({ block: 'center' })")
    box = page.run("(({ left, top, width, height }) => [left, top, width, height])"
                   "(document.querySelector('.map').getBoundingClientRect())")  # fmt: skip
    space = page.run("data.space")
    points = np.array(space["z"] + space["s"])
    low, high = points.min(0), points.max(0)
    far = int(np.argmax(points[: len(space["z"])] @ [1, 1]))
    x, y = (points[far] - low) / (high - low)
    place = {"x": box[0] + ((x - 0.5) * 0.92 + 0.5) * box[2], "y": box[1] + ((0.5 - y) * 0.9 + 0.5) * box[3]}
    page.call("Input.dispatchMouseEvent", type="mouseMoved", **place)
    assert space["sentences"][far] in page.run("document.querySelector('.tip').textContent")
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
    assert page.run("document.querySelector('.detail h3').textContent") == space["ids"][far]


def test_a_thousand_samples_open_at_once(tmp_path: Path, folder: Path, browser: Browser, pretend_run: Any) -> None:
    large = pretend_run(tmp_path, clips=1000, frames=2)
    few = json.loads((folder / "skeletons.json").read_text())["clips"]
    skeletons = json.loads((large / "skeletons.json").read_text())
    clips = [clip for clip in few.values() if clip.get("kind") != "film"]
    skeletons["clips"] = {key: clips[i % len(clips)] for i, key in enumerate(skeletons["clips"])}
    (large / "skeletons.json").write_text(json.dumps(skeletons))
    page = write_report(large)
    assert page.stat().st_size < 15_000_000
    browser.open(page)
    seconds = browser.run("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") / 1000
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert len(listed(browser)) == 1000 and seconds < OPENED * 2 * busy


def test_a_run_of_an_older_version_opens_too(tmp_path: Path, browser: Browser, pretend_run: Any) -> None:
    folder = pretend_run(tmp_path, clips=4, frames=4)
    for name in ("space.json", "breakdown.json"):
        (folder / name).unlink()
    old = ("id", "language", "hypothesis", "references", "seen", "cosine")
    for path in (folder / "hypotheses").iterdir():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({key: line[key] for key in old}) + "\n" for line in lines))
    record = json.loads((folder / "record.json").read_text())
    record.pop("corpus")
    kept = ("language", "name", "seen", "bleu", "chrf", "ceiling", "ae", "n", "ids_hash", "references")
    scores = [{key: row[key] for key in kept} for row in record["metrics"]["scores"]]
    record["metrics"] = {"split": "test", "scores": scores, "retrieval_at_1": 50.0}
    (folder / "record.json").write_text(json.dumps(record))
    browser.open(write_report(folder))
    titles = browser.run("[...document.querySelectorAll('h2')].map((one) => one.textContent)")
    assert titles == ["Scores", "Samples", "Learning", "What it said on the way", "Where it came from"]
    choose(browser, "Sort by", "overlap")
    assert len(listed(browser)) == 4 and "cannot be shown" not in browser.run("document.body.innerText")


def test_the_browser_goes_and_leaves_nothing(tmp_path: Path) -> None:
    with Browser(width=300, height=300) as one:
        profile, pid = Path(one._profile), one._pid
        assert profile.is_dir() and one.picture().startswith(b"\x89PNG")
        with pytest.raises(RuntimeError, match="ReferenceError"):
            one.run("nothing.like_this")
    assert not profile.exists()
    running = [path for path in Path("/proc").glob("[0-9]*/stat") if _in_group(path, pid)]
    assert not running


def _in_group(stat: Path, group: int) -> bool:
    """Whether a process of that group runs; one that has ended and waits to be noticed does not."""
    try:
        state, _, number = stat.read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return False
    return int(number) == group and state not in "ZX"
