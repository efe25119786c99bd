"""The page of a run is one file that fetches nothing and shows what a run says as text, never as markup."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.cli import main
from sonar_slt.runs.record import Run
from sonar_slt.runs.report import contents, write_report
from sonar_slt.runs.report.learning import KEPT, POINTS, STEPS
from sonar_slt.runs.report.samples import ANSWERS, LONGEST, SAMPLES

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
CLIP = {"fps": 12.5, "frames": 2, "points": 3, "data": base64.b64encode(bytes(range(12))).decode()}


class Page(HTMLParser):
    """The elements of a page, and what its data element holds."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = [("", {})]
        self.text: dict[str, str] = {}
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.tags[-1]
        self.text[attrs.get("id") or tag] = self.text.get(attrs.get("id") or tag, "") + data

    @property
    def data(self) -> Any:
        return json.loads(self.text["data"])

    @property
    def data_size(self) -> int:
        return len(self.text["data"].encode())

    @property
    def clips(self) -> Any:
        return json.loads(self.text["bulk"])["clips"]


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
    assert [tag for tag, _ in page.tags].count("script") == 4 and "img" not in dict(page.tags)
    assert page.data["run"]["name"] == EVIL and EVIL in page.text["title"]
    assert page.data["samples"][0]["translations"][0]["hypothesis"] == EVIL
    assert "innerHTML" not in page.text["script"] and "insertAdjacentHTML" not in page.text["script"]


def test_nothing_is_fetched_and_only_our_scripts_may_run(page: Page) -> None:
    sources = [value for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")]
    assert sources == ["data:,"]
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv")) or ""
    allowed = re.search(r"script-src ([^;]+)", policy)
    assert "default-src 'none'" in policy and allowed and "unsafe" not in allowed[1]
    scripts = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts}
    assert len(scripts) == 2 and hashes == set(allowed[1].split())
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket", page.text["script"] + page.text["style"])


def test_samples_come_with_all_that_was_said_and_their_skeletons(page: Page) -> None:
    samples = page.data["samples"]
    assert len(samples) == page.data["clips"] == 30 and page.data["split"] == "test"
    assert page.data["moving"] == ["test7"] and page.clips == {"test7": CLIP}
    assert [line["language"] for line in samples[0]["translations"]] == ["deu_Latn", "rus_Cyrl"]
    assert page.data["names"] == {"deu_Latn": "German", "rus_Cyrl": "Russian"}


def test_what_is_known_of_a_clip_is_said_once(tmp_path: Path, pretend_run: Any) -> None:
    sample = Page(write_report(pretend_run(tmp_path, clips=3, frames=4))).data["samples"][1]
    assert sample["signer"] == "Signer02" and sample["known"] is False and sample["frames"] == 8
    assert set(sample["translations"][0]["scores"]) == {"bleu", "chrf"} and "signer" not in sample["translations"][0]


def test_long_texts_and_many_answers_are_cut(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="evaluate", name="x", config={}, overrides=[]) as run:
        (run.folder / "hypotheses").mkdir()
        line = {"id": "a", "language": "deu_Latn", "hypothesis": "long " * 2000, "references": ["r"] * 20}
        path = run.folder / "hypotheses" / "test.deu_Latn.jsonl"
        path.write_text("".join(json.dumps({**line, "id": str(i)}) + "\n" for i in range(SAMPLES + 5)))
    data = Page(write_report(run.folder)).data
    said = data["samples"][0]["translations"][0]
    assert len(said["hypothesis"]) < LONGEST + 30 and said["hypothesis"].endswith("… (10,000 characters)")
    assert len(said["references"]) == ANSWERS and said["more"] == 20 - ANSWERS
    assert len(data["samples"]) == SAMPLES and data["clips"] == SAMPLES + 5


def test_skeletons_that_have_no_room_are_left_out_and_counted(
    tmp_path: Path, pretend_run: Any, monkeypatch: Any
) -> None:
    folder = pretend_run(tmp_path, clips=20, frames=50)
    whole = write_report(folder).stat().st_size
    clips = len(json.dumps(json.loads((folder / "skeletons.json").read_text())["clips"]))
    monkeypatch.setattr(contents, "LIMIT", Page(folder / "report.html").data_size + clips // 2)
    page = Page(write_report(folder))
    assert 5 < len(page.clips) < 15 and page.data["left_out"] == 20 - len(page.clips)
    assert page.data["moving"] == list(page.clips) == [f"test-{i:05d}" for i in range(len(page.clips))]
    assert whole - clips < (folder / "report.html").stat().st_size < whole


def test_a_thousand_samples_fit(tmp_path: Path, pretend_run: Any) -> None:
    folder = pretend_run(tmp_path, clips=1, frames=75)
    one = Page(write_report(folder))
    per_clip = len(json.dumps(one.clips)) + len(json.dumps(one.data["samples"]))
    assert one.data["edges"] and 1000 * per_clip < 14_000_000


def test_curves_are_thinned_and_joined_by_name(page: Page) -> None:
    [loss] = page.data["curves"]["charts"]
    assert loss["name"] == "loss" and len(loss["train"]) <= POINTS and loss["train"][-1] == [999, 1.0]
    assert loss["dev"] == [[999, 2.0]]


def test_figures_of_languages_share_a_chart_and_samples_on_the_way_are_few(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        for step in range(40):
            run.log("dev", step, {"bleu_deu_Latn": step, "bleu_unseen": 2, "chrf_pp_deu_Latn": 3})
            run.show(
                step, [{"id": str(i), "language": "deu_Latn", "hypothesis": "h", "references": []} for i in range(99)]
            )
    data = Page(write_report(run.folder)).data
    assert [chart["name"] for chart in data["curves"]["charts"]] == ["bleu_unseen"]
    shared = {chart["name"]: chart["lines"] for chart in data["curves"]["languages"]}
    assert set(shared) == {"bleu", "chrf_pp"} and shared["bleu"]["deu_Latn"][-1] == [39, 39]
    steps = [shown["step"] for shown in data["progress"]]
    assert steps[0] == 0 and steps[-1] == 39 and len(steps) == STEPS and len(data["progress"][0]["samples"]) == KEPT


def test_a_text_space_names_its_languages(tmp_path: Path) -> None:
    measured = {"translation_bleu": {"mean": 90.0, "deu_Latn-fra_Latn": 90.0}, "n": 5}
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        run.update(metrics={"space": measured})
    data = Page(write_report(run.folder)).data
    assert data["text_space"] == measured and data["names"] == {"deu_Latn": "German", "fra_Latn": "French"}


def test_a_space_whose_parts_do_not_fit_is_no_map(tmp_path: Path, pretend_run: Any) -> None:
    folder = pretend_run(tmp_path, clips=6, frames=4)
    assert len(Page(write_report(folder)).data["space"]["z"]) == 6
    space = json.loads((folder / "space.json").read_text())
    (folder / "space.json").write_text(json.dumps({**space, "s": space["s"][:3]}))
    assert Page(write_report(folder)).data["space"] is None


def test_a_bare_failed_run_has_a_page(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        raise RuntimeError("no room")
    data = Page(write_report(run.folder)).data
    assert data["run"]["status"] == "failed" and data["run"]["reason"] == "RuntimeError: no room"
    assert data["samples"] == data["curves"]["charts"] == data["scores"] == data["diagnosis"] == []


def test_damaged_parts_are_left_out(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as run:
        (run.folder / "skeletons.json").write_text("{")
        (run.folder / "space.json").write_text('{"ids": [1], "z": 5}')
        (run.folder / "overrides.yaml").write_text("[")
    (run.folder / "record.json").write_text("{")
    assert Page(write_report(run.folder)).data["run"]["status"] == "unreadable"


def test_an_evaluation_shows_the_curves_of_its_parent(tmp_path: Path) -> None:
    with Run.start(tmp_path, verb="train", name="x", config={}, overrides=[]) as trained:
        trained.log("train", 1, {"loss": 1.0})
    for parent in (trained.id, trained.folder.name):
        with Run.start(tmp_path, verb="evaluate", name="x", config={}, overrides=[], parent=parent) as run:
            pass
        assert Page(write_report(run.folder)).data["curves"]["charts"][0]["name"] == "loss"


def report(runs: Path, *words: str) -> int:
    return main(["report", f"paths.runs={runs}", *words])


def test_the_verb_writes_the_page_anew(tmp_path: Path, pretend_run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder = pretend_run(tmp_path / "runs", clips=2, frames=4)
    assert report(folder.parent, f"run={folder.name.rpartition('_')[2]}") == 0
    assert Path(capsys.readouterr().out.strip()) == folder / "report.html"
    assert report(folder.parent, "last", f"output={tmp_path / 'there' / 'x.html'}", "theme=dark") == 0
    assert 'data-theme="dark"' in (tmp_path / "there" / "x.html").read_text()
    assert "data-theme" not in (folder / "report.html").read_text().partition("<style>")[0]


@pytest.mark.parametrize("word", ["theme=pink", "picture=page.jpg"])
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, pretend_run: Any, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    folder = pretend_run(tmp_path, clips=1, frames=2)
    assert report(folder.parent, word) == 2
    assert word.partition("=")[2] in capsys.readouterr().err and not (folder / "report.html").exists()


def test_without_a_browser_a_picture_is_refused(
    tmp_path: Path, pretend_run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_run(tmp_path, clips=1, frames=2)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert report(tmp_path, f"picture={tmp_path / 'x.png'}") == 2
    assert "Chromium" in capsys.readouterr().err


def test_the_verb_loads_no_torch() -> None:
    code = (
        "import sys, sonar_slt.cli.report, sonar_slt.runs.report, sonar_slt.page.browser; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
