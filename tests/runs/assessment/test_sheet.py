"""A sheet in a browser: filled in by keyboard alone, kept over a reload, saved as a file that the key joins back."""

import base64
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.page.browser import Browser, installed
from sonar_slt.runs.assessment.key import read_key
from sonar_slt.runs.assessment.ratings import read_ratings
from sonar_slt.runs.assessment.sheet import write_sheets
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, read

pytestmark = pytest.mark.skipif(installed() is None, reason="no Chromium is installed")
EVIL = "</script><img src=x onerror=document.title='evil'>"
CODES = {"Tab": 9, "Enter": 13, "End": 35, "ArrowLeft": 37}


def evaluated(root: Path, name: str) -> Record:
    with Run.start(root, verb="evaluate", name=name, config={"name": name}, overrides=[]) as run:
        (run.folder / "hypotheses").mkdir()
        lines = [
            {"id": f"clip{i}", "hypothesis": f"{name} says {i} {EVIL}", "references": [f"sentence {i} of it all"]}
            for i in range(4)
        ]
        (run.folder / "hypotheses" / "test.deu_Latn.jsonl").write_text("\n".join(map(json.dumps, lines)))
        rng = random.Random(0)
        clip = {"fps": 12.5, "frames": 20, "points": 3, "data": base64.b64encode(rng.randbytes(120)).decode()}
        clips = {f"clip{i}": clip for i in range(4)}
        (run.folder / "skeletons.json").write_text(json.dumps({"edges": [[0, 1]], "parts": None, "clips": clips}))
    return read(run.folder)


def press(browser: Browser, key: str, *, shift: bool = False) -> None:
    """A key as a hand presses it, with all that the browser's own behaviour hangs on."""
    words: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": CODES.get(key, ord(key[0]))}
    words |= {"modifiers": 8 if shift else 0}
    text = {"Enter": "\r"}.get(key, key if len(key) == 1 else None)
    browser.call(
        "Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **words, **({"text": text} if text else {})
    )
    browser.call("Input.dispatchKeyEvent", type="keyUp", **words)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(width=390, height=844) as opened:
        yield opened


def test_a_sheet_is_filled_in_by_keyboard_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    records = [evaluated(tmp_path / "runs", name) for name in ("one", "two")]
    page, path = write_sheets(
        records, tmp_path / "out", languages=None, clips=4, judges=1, together=True, controls=0.25, video=None, seed=1
    )
    key = read_key(path)
    items = list(key.sheets[0].items)
    browser.open(page)
    assert browser.run("document.title") != "evil"
    assert browser.run("document.documentElement.lang") == "de"
    press(browser, "Enter")
    assert "von 5" in browser.run("page.querySelector('.top').textContent")
    assert browser.run("page.querySelectorAll('main img').length") == 0
    press(browser, "Enter")  # nothing is rated yet: one stays
    assert browser.run("state.at") == 0
    expected: dict[str, int | None] = {}
    for number, screen in enumerate(browser.run("screens.map((screen) => screen.items.map((item) => item.id))")):
        for place, item in enumerate(screen):
            while browser.run("document.activeElement.id") != f"scale-{item}":
                press(browser, "Tab")
            value = (3 * number + 2 * place) % 10
            press(browser, str(value))
            expected[item] = 10 * value
        if number == 1:  # from the end of the scale one point back, on the last sentence of the second clip
            press(browser, "End")
            press(browser, "ArrowLeft")
            expected[screen[-1]] = 99
            browser.run("new Promise((done) => setTimeout(done, 500))")  # the old page's process writes it down
            browser.open(page)
            press(browser, "Enter")
            assert browser.run("state.at") == 2
            press(browser, "Enter", shift=True)
            assert browser.run(f"document.getElementById('scale-{screen[-1]}').value") == "99"
        if number == 2:
            browser.run("document.getElementById('cannot').click()")
            expected |= dict.fromkeys(screen)
            browser.run("document.activeElement.blur()")
        press(browser, "Enter")
    assert browser.run("state.at") == 5
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    downloads = tmp_path / "downloads"
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
    press(browser, "Enter")  # which saves, for that button has the focus now
    file = downloads / "ratings-1.deu_Latn.json"
    until = time.monotonic() + 10
    while not file.is_file() and time.monotonic() < until:
        time.sleep(0.02)
    table = browser.run("asTable()")
    fetched = [
        event["params"]["request"]["url"] for event in browser.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in fetched if url.startswith("http")] == []
    assert not [event for event in browser.events if event["method"] == "Runtime.exceptionThrown"]
    assert {entry["item"]: entry["value"] for entry in json.loads(file.read_text())["ratings"]} == expected
    assert list(expected) == items
    (returned,) = read_ratings([file], key)
    assert returned.open == 0
    assert {name for rating in returned.ratings for name in rating.item.systems} == set(key.systems)
    assert len(table.splitlines()) == len(items) + 1


def test_a_sheet_links_videos_that_lie_beside_it(browser: Browser, tmp_path: Path) -> None:
    records = [evaluated(tmp_path / "runs", "one")]
    videos = tmp_path / "a b"
    videos.mkdir()
    for number in range(4):
        (videos / f"clip{number}.webm").write_bytes(b"no video")
    page, _ = write_sheets(
        records, tmp_path / "out", languages=None, clips=2, judges=1, together=False, controls=0, video=videos, seed=1
    )
    browser.open(page)
    # A policy that forbids the file says so in the page's log; a file that is no video only tells the element.
    browser.run("begin(); const film = page.querySelector('video');")
    browser.run("new Promise((done) => film.error ? done() : film.addEventListener('error', () => done()))")
    assert browser.run("page.querySelector('.stage p').hidden") is False
    assert "a b/clip" in browser.run("page.querySelector('.stage p').textContent")
    told = [event["params"]["entry"]["text"] for event in browser.events if event["method"] == "Log.entryAdded"]
    assert not [text for text in told if "Content Security Policy" in text]
