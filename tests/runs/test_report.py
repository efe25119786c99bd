"""The page of a run is one file that fetches nothing and shows what a run says as text, never as markup."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.runs.record import Run
from sonar_slt.runs.report import POINTS, SAMPLES, write_report

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
CLIP = {"fps": 12.5, "frames": 2, "points": 3, "data": base64.b64encode(bytes(range(12))).decode()}


class Page(HTMLParser):
    """The elements of a page, and what its data element holds."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = [("", {})]
        self.text: dict[str, str] = {}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.tags[-1]
        self.text[attrs.get("id") or tag] = self.text.get(attrs.get("id") or tag, "") + data

    @property
    def data(self) -> Any:
        return json.loads(self.text["data"])


def fill(run: Run, clips: int = 30, languages: tuple[str, ...] = ("rus_Cyrl", "deu_Latn")) -> None:
    for step in range(1000):
        run.log("train", step, {"loss": 1.0, "ce": float("nan")})
    run.log("dev", 999, {"dev/loss": 2.0})
    (run.folder / "hypotheses").mkdir()
    for split in ("dev", "test"):
        for code in languages:
            lines = [
                {"id": f"{split}{i}", "language": code, "hypothesis": EVIL, "references": ["a", "b"],
                 "seen": code == "deu_Latn", "cosine": None}
                for i in range(clips)
            ]  # fmt: skip
            path = run.folder / "hypotheses" / f"{split}.{code}.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"torn')
    skeletons = {"edges": [[0, 1]], "clips": {"test7": CLIP, "elsewhere": CLIP}}
    (run.folder / "skeletons.json").write_text(json.dumps(skeletons))
    scores = [{"language": code, "name": EVIL, "seen": code == "deu_Latn", "n": clips} for code in languages]
    run.update(metrics={"scores": scores, "retrieval_at_1": 50.0})


@pytest.fixture
def page(tmp_path: Path) -> Page:
    with Run.start(tmp_path, verb="train", name=EVIL, config={"note": EVIL}, overrides=[]) as run:
        fill(run)
    return Page(write_report(run.folder))


def test_nothing_of_a_run_becomes_markup(page: Page) -> None:
    assert [tag for tag, _ in page.tags].count("script") == 3 and "img" not in dict(page.tags)
    assert page.data["run"]["name"] == EVIL and EVIL in page.text["title"]
    assert page.data["samples"][0]["translations"][0]["hypothesis"] == EVIL
    assert "innerHTML" not in page.text["script"] and "insertAdjacentHTML" not in page.text["script"]


def test_nothing_is_fetched(page: Page) -> None:
    sources = [value for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")]
    assert sources == ["data:,"]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv"))
    assert policy and "default-src 'none'" in policy
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", page.text["script"] + page.text["style"])


def test_samples_begin_with_those_that_move(page: Page) -> None:
    samples = page.data["samples"]
    assert len(samples) == SAMPLES and page.data["clips"] == 30 and page.data["split"] == "test"
    assert samples[0]["id"] == "test7" and samples[0]["clip"] == CLIP and samples[1]["clip"] is None
    assert [line["language"] for line in samples[0]["translations"]] == ["deu_Latn", "rus_Cyrl"]
    assert page.data["names"] == {"deu_Latn": "German", "rus_Cyrl": "Russian"}


def test_curves_are_thinned_and_joined_by_name(page: Page) -> None:
    loss = page.data["curves"][0]
    assert loss["name"] == "loss" and len(loss["train"]) <= POINTS and loss["train"][-1] == [999, 1.0]
    assert loss["dev"] == [[999, 2.0]] and len(page.data["curves"]) == 1


def test_a_bare_failed_run_has_a_page(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        raise RuntimeError("no room")
    data = Page(write_report(run.folder)).data
    assert data["run"]["status"] == "failed" and data["run"]["reason"] == "RuntimeError: no room"
    assert data["samples"] == data["curves"] == data["scores"] == []


def test_damaged_parts_are_left_out(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        (run.folder / "skeletons.json").write_text("{")
    (run.folder / "record.json").write_text("{")
    assert Page(write_report(run.folder)).data["run"]["status"] == "unreadable"


def test_an_evaluation_shows_the_curves_of_its_parent(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as trained:
        trained.log("train", 1, {"loss": 1.0})
    for parent in (trained.id, trained.folder.name):
        with Run.start(tmp_path, verb="evaluate", name="x", config={}, overrides=[], parent=parent) as run:
            pass
        assert Page(write_report(run.folder)).data["curves"][0]["name"] == "loss"
