"""Sheets hide who said what, the key tells it again, and ratings with a known truth give the known verdict."""

import base64
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.cli.handout import handed_out
from sonar_slt.errors import UserError
from sonar_slt.runs.assessment.choice import Clip
from sonar_slt.runs.assessment.design import screens
from sonar_slt.runs.assessment.key import Key, Sheet, read_key
from sonar_slt.runs.assessment.ratings import read_ratings
from sonar_slt.runs.assessment.sheet import wording, write_sheets
from sonar_slt.runs.assessment.significance import holm, signed_rank
from sonar_slt.runs.assessment.verdict import verdict
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, read

NAMES = ("secret-alpha", "secret-beta", "secret-gamma")
CLIP = {"fps": 12.5, "frames": 2, "points": 3, "data": base64.b64encode(bytes(range(12))).decode()}
CLIPS = 30


def evaluated(
    root: Path,
    name: str,
    *,
    split: str = "test",
    clips: int = CLIPS,
    languages: Sequence[str] = ("deu_Latn",),
    moving: int = CLIPS,
) -> Record:
    """A run that evaluated some clips; it says of each what `said` gives."""
    with Run.start(root, verb="evaluate", name=name, config={"name": name}, overrides=[]) as run:
        (run.folder / "hypotheses").mkdir()
        for code in languages:
            lines = [
                {
                    "id": f"clip{number}",
                    "language": code,
                    "hypothesis": said(name, number),
                    "references": [reference(number)],
                }
                for number in range(clips)
            ]
            text = "".join(json.dumps(line) + "\n" for line in lines)
            (run.folder / "hypotheses" / f"{split}.{code}.jsonl").write_text(text)
        skeletons = {"edges": [[0, 1]], "parts": None, "clips": {f"clip{number}": CLIP for number in range(moving)}}
        (run.folder / "skeletons.json").write_text(json.dumps(skeletons))
        run.update(metrics={"split": split, "scores": [{"language": code, "seen": True} for code in languages]})
    return read(run.folder)


def reference(number: int) -> str:
    return f"original sentence {number} about thing{number}"


def said(name: str, number: int) -> str:
    """Distinct for each system, but for clip 3, of which all say the reference."""
    return reference(3) if number == 3 else f"guess {NAMES.index(name) if name in NAMES else 9} for {number}"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    root = tmp_path_factory.mktemp("assessment") / "runs"
    return [evaluated(root, name) for name in NAMES]


def sheets(records: Sequence[Record], folder: Path, **settings: Any) -> tuple[list[Path], Key]:
    usual: dict[str, Any] = {
        "languages": None, "clips": CLIPS, "judges": 2, "together": True, "controls": 0.2, "video": None, "seed": 1,
    }  # fmt: skip
    *pages, key = write_sheets(records, folder, **{**usual, **settings})
    return pages, read_key(key)


def shown(page: Path) -> Any:
    text = page.read_text(encoding="utf-8").split('<script type="application/json" id="data">')[1]
    return json.loads(text.split("</script>")[0])


@pytest.mark.parametrize("together", [True, False])
def test_nothing_of_a_sheet_names_a_system_and_the_key_joins_every_item_back(
    records: list[Record], tmp_path: Path, together: bool
) -> None:
    pages, key = sheets(records, tmp_path / "out", together=together)
    assert [page.name for page in pages] == ["sheet-1.deu_Latn.html", "sheet-2.deu_Latn.html"]
    by_hash = {sheet.hash: sheet for sheet in key.sheets}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for record in records:
            assert record.name not in text and record.id not in text and record.folder.name not in text
        assert key.salt not in text
        assert "control" not in json.dumps(shown(page)["screens"])
        sheet = by_hash[shown(page)["sheet"]]
        items = [(screen["clip"], item) for screen in shown(page)["screens"] for item in screen["items"]]
        assert [item["id"] for _, item in items] == list(sheet.items)
        for clip, item in items:
            owner = sheet.items[item["id"]]
            assert (owner.clip, owner.text) == (clip, item["text"])
            number = int(clip.removeprefix("clip"))
            for folder in owner.systems:
                assert item["text"] == said(key.systems[folder]["name"], number)
        rated = Counter(
            (owner.clip, folder) for owner in sheet.items.values() if not owner.again for folder in owner.systems
        )
        assert set(rated.values()) == {1} and len(rated) == CLIPS * len(records)
        if not together:
            following = [screen["clip"] for screen in shown(page)["screens"]]
            assert all(len(screen["items"]) == 1 for screen in shown(page)["screens"])
            assert sum(a == b for a, b in pairwise(following)) <= 8  # of some 130; the draw hangs on the runs' names


def plain_clips(number: int) -> list[Clip]:
    return [Clip(f"c{i}", {name: f"{name}{i}" for name in "ABC"}, f"ref{i}", f"other{i}") for i in range(number)]


def test_each_system_stands_at_each_place_equally_often() -> None:
    seen = screens(plain_clips(30), controls=0, together=True, rng=random.Random(0))
    places = Counter((one.systems[0], place) for screen in seen for place, one in enumerate(screen.candidates))
    assert set(places.values()) == {10} and len(places) == 9
    first = Counter(
        one.candidates[0].systems[0]
        for one in screens(plain_clips(30), controls=0, together=False, rng=random.Random(0))[:30]
    )
    assert set(first.values()) == {10}


def test_controls_are_hidden_and_repeats_come_late() -> None:
    seen = screens(plain_clips(30), controls=0.2, together=True, rng=random.Random(3))
    kinds = Counter(one.control for screen in seen for one in screen.candidates)
    assert (kinds["reference"], kinds["other"]) == (6, 6)
    places = {place for screen in seen for place, one in enumerate(screen.candidates) if one.control}
    assert len(places) > 3  # they do not always stand last
    repeats = [number for number, screen in enumerate(seen) if screen.again]
    assert len(repeats) == 6
    for number in repeats:
        former = next(at for at, screen in enumerate(seen) if screen.clip == seen[number].clip)
        assert number - former > 30 // 3
        assert not any(one.control for one in seen[number].candidates)


def test_the_same_sentence_is_shown_once_and_counts_for_all_who_said_it(records: list[Record], tmp_path: Path) -> None:
    _, key = sheets(records, tmp_path / "out", controls=1.0, judges=1)
    same = [item for item in key.sheets[0].items.values() if item.clip == "clip3" and not item.again]
    everyone = next(item for item in same if item.text == reference(3))
    assert len(same) == 2 and set(everyone.systems) == set(key.systems) and everyone.control == "reference"


def test_a_wrong_sentence_is_of_another_clip_and_unlike_the_own_one(records: list[Record], tmp_path: Path) -> None:
    _, key = sheets(records, tmp_path / "out", controls=1.0, judges=1)
    others = {item.clip: item.text for item in key.sheets[0].items.values() if item.control == "other"}
    assert len(others) == CLIPS
    assert all(
        text != reference(int(clip.removeprefix("clip"))) and text.startswith("original")
        for clip, text in others.items()
    )


def test_runs_that_do_not_fit_are_refused_by_name(records: list[Record], tmp_path: Path) -> None:
    def against(other: Record) -> str:
        with pytest.raises(UserError) as caught:
            sheets([records[0], other], tmp_path / "out")
        assert not (tmp_path / "out").exists()
        return str(caught.value)

    fewer = against(evaluated(tmp_path / "runs", "fewer", clips=CLIPS - 1))
    assert "1 are in one only, such as clip29" in fewer and "fewer" in fewer
    assert "different splits" in against(evaluated(tmp_path / "runs", "dev", split="dev"))
    assert "no language in common" in against(evaluated(tmp_path / "runs", "other", languages=("fra_Latn",)))
    assert "named twice" in against(records[0])
    changed = evaluated(tmp_path / "runs", "changed")
    path = changed.folder / "hypotheses" / "test.deu_Latn.jsonl"
    path.write_text(path.read_text().replace("original sentence 5 ", "another sentence 5 "))
    assert "different references for clip clip5" in against(changed)


def test_settings_that_cannot_be_are_refused(records: list[Record], tmp_path: Path) -> None:
    short = [evaluated(tmp_path / "runs", "short", moving=4)]
    wrong: list[tuple[list[Record], dict[str, Any], str]] = [
        (records, {"clips": CLIPS + 1}, f"expected 1 to {CLIPS}"),
        (short, {"clips": 5}, "expected 1 to 4, as many clips with a skeleton"),
        (records, {"judges": 0}, "assess.judges=0"),
        (records, {"controls": 2.0}, "assess.controls=2.0"),
        (records, {"languages": ["fra_Latn"]}, "languages=fra_Latn"),
        (records, {"video": tmp_path}, "holds no video"),
        (records, {"video": tmp_path / "absent"}, "is no folder"),
    ]
    for given, settings, complaint in wrong:
        with pytest.raises(UserError, match=complaint):
            sheets(given, tmp_path / "out", **settings)


def test_videos_are_linked_from_where_the_sheet_lies(records: list[Record], tmp_path: Path) -> None:
    folder = tmp_path / "my videos"
    folder.mkdir()
    for number in range(6):
        (folder / f"clip{number}.mp4").write_bytes(b"")
    pages, _ = sheets(records, tmp_path / "out", video=folder, clips=6)
    assert shown(pages[0])["videos"]["clip2"] == "../my%20videos/clip2.mp4"
    assert CLIP["data"] not in pages[0].read_text()


def test_the_same_command_gives_the_same_sheets_and_another_never_takes_their_key(
    records: list[Record], tmp_path: Path
) -> None:
    pages, key = sheets(records, tmp_path / "out")
    before = [page.read_bytes() for page in pages]
    assert sheets(records, tmp_path / "out")[1] == key
    assert [page.read_bytes() for page in pages] == before
    with pytest.raises(UserError, match="holds another assessment"):
        sheets(records, tmp_path / "out", seed=2)
    assert read_key(tmp_path / "out" / "key.json") == key
    assert [page.read_bytes() for page in pages] == before


# ---------- ratings ----------


def asked(**settings: Any) -> dict[str, Any]:
    """The config of `sonar-slt report`, as far as it is read here."""
    usual = {
        "inputs": [],
        "output": None,
        "bundle": None,
        "dashboard": None,
        "assess": {"clips": None},
        "ratings": [],
        "key": None,
        "seed": 1,
    }
    return {**usual, **settings}


TRUTH: Mapping[str, float] = {"secret-alpha": 70, "secret-beta": 55, "secret-gamma": 40}


def given(key: Key, sheet: Sheet, path: Path, *, rng: random.Random, offset: float = 0, attentive: bool = True) -> Path:
    """What a judge of that truth exports; who is not attentive rates at random, the wrong controls above the right."""
    ratings = []
    for name, item in sheet.items.items():
        true = [TRUTH[key.systems[folder]["name"]] for folder in item.systems]
        true += {"reference": [95.0], "other": [5.0]}.get(str(item.control), [])
        clip = 8 * np.sin(int(item.clip.removeprefix("clip")))  # some clips are harder than others
        value = float(np.mean(true)) + clip + offset + rng.uniform(-9, 9)
        if not attentive:  # by chance alone one in twenty would pass
            value = rng.uniform(*{"reference": (0, 50), "other": (50, 100)}.get(str(item.control), (0, 100)))
        ratings.append({"item": name, "value": round(min(100, max(0, value)))})
    file = {"format": "sonar-slt ratings", "version": 1, "sheet": sheet.hash, "judge": sheet.judge, "ratings": ratings}
    path.write_text(json.dumps(file))
    return path


def test_ratings_of_a_known_truth_give_its_order_its_means_and_its_intervals(
    records: list[Record], tmp_path: Path
) -> None:
    _, key = sheets(records, tmp_path / "out", controls=0.3)
    rng = random.Random(7)
    paths = [
        given(key, sheet, tmp_path / f"{sheet.judge}.json", rng=rng, offset=5 * sheet.judge - 7.5)
        for sheet in key.sheets
    ]
    found = verdict(key, read_ratings(paths, key), seed=1)
    block = found["languages"]["deu_Latn"]
    assert found["missing"] == []
    assert [key.systems[row["system"]]["name"] for row in block["systems"]] == list(NAMES)
    for row in block["systems"]:
        true = TRUTH[key.systems[row["system"]]["name"]]
        low, high = row["raw"]["interval"]
        assert low <= row["raw"]["value"] <= high and low - 1 <= true + 0.5 <= high + 1
        assert row["clips"] == CLIPS and 1 < high - low < 12
    assert sum(row["z"]["value"] for row in block["systems"]) == pytest.approx(0, abs=0.15)
    assert all(pair["p_holm"] < 0.001 for pair in block["pairs"]) and len(block["pairs"]) == 3
    assert block["controls"]["reference"] > 75 and block["controls"]["other"] < 20
    assert [judge["control"] for judge in block["judges"]] == ["passed", "passed"]
    assert all(judge["repeats"] and judge["repeat_difference"] < 12 for judge in block["judges"])
    assert block["agreement"] > 0.8 and block["without_failed"] is None


def test_a_judge_who_fails_the_controls_is_named_and_stays_in(records: list[Record], tmp_path: Path) -> None:
    _, key = sheets(records, tmp_path / "out", controls=0.3)
    rng = random.Random(7)
    good = given(key, key.sheets[0], tmp_path / "1.json", rng=rng)
    bad = given(key, key.sheets[1], tmp_path / "2.json", rng=rng, attentive=False)
    target = tmp_path / "new" / "verdict.json"
    assert handed_out(asked(ratings=[str(bad), str(good)], key=str(tmp_path / "out" / "key.json"), output=str(target)))
    found = json.loads(target.read_text())
    block = found["languages"]["deu_Latn"]
    assert [judge["control"] for judge in block["judges"]] == ["passed", "failed"]
    alone = verdict(key, read_ratings([good], key), seed=1)
    assert block["without_failed"] == alone["languages"]["deu_Latn"]["systems"]
    assert block["systems"] != block["without_failed"]
    assert alone["missing"] == ["sheet-2.deu_Latn.html"]


def test_a_table_names_what_speaks_against_it(
    records: list[Record], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = sheets(records, tmp_path / "out", controls=0.3)
    path = given(key, key.sheets[0], tmp_path / "1.json", rng=random.Random(1), attentive=False)
    file = json.loads(path.read_text())
    file["ratings"] = file["ratings"][:-2]
    file["ratings"][0] |= {"value": None, "comment": "too [dark]"}
    file["name"] = "[bold]Kim"
    path.write_text(json.dumps(file))
    monkeypatch.setenv("COLUMNS", "160")
    target = tmp_path / "verdict.json"
    assert handed_out(asked(ratings=[str(path)], key=str(tmp_path / "out" / "key.json"), output=str(target)))
    text = capsys.readouterr().out
    assert "no lower than the reference: judge 1 ([bold]Kim)" in text
    assert "Judge 1 ([bold]Kim) left 2 open and could not judge 1." in text
    assert "No ratings yet of sheet-2.deu_Latn.html." in text
    assert json.loads(target.read_text())["languages"]["deu_Latn"]["comments"][0]["comment"] == "too [dark]"
    assert all(name in text for name in NAMES)


def test_ratings_of_another_assessment_and_damaged_ones_are_refused(records: list[Record], tmp_path: Path) -> None:
    _, key = sheets(records, tmp_path / "out")
    swapped = [records[1], records[0], records[2]]
    _, other = sheets(swapped, tmp_path / "other", seed=2)
    path = given(key, key.sheets[0], tmp_path / "1.json", rng=random.Random(1))
    with pytest.raises(UserError, match="which this key does not know"):
        read_ratings([path], other)
    with pytest.raises(UserError, match="are both of sheet-1"):
        read_ratings([path, path], key)
    whole = json.loads(path.read_text())
    first = whole["ratings"][0]
    for entries, complaint in (
        ([{**first, "value": 101}], "expected 0 to 100"),
        ([{**first, "value": True}], "expected 0 to 100"),
        ([first, first], "is there twice"),
        ([{**first, "item": "999a"}], "is unknown"),
        ([{"value": 3}], "not what a sheet exports"),
    ):
        path.write_text(json.dumps({**whole, "ratings": entries}))
        with pytest.raises(UserError, match=complaint):
            read_ratings([path], key)
    path.write_text(path.read_text()[:40])
    with pytest.raises(UserError, match="not what a sheet exports"):
        read_ratings([path], key)


def test_a_key_that_was_changed_is_refused(records: list[Record], tmp_path: Path) -> None:
    sheets(records, tmp_path / "out")
    path = tmp_path / "out" / "key.json"
    whole = path.read_text()
    path.write_text(whole.replace(records[0].folder.name, "someone"))
    with pytest.raises(UserError, match="was changed"):
        read_key(path)
    for text in ("{}", whole[:100], "[" * 100_000):
        path.write_text(text)
        with pytest.raises(UserError, match="not the key of an assessment"):
            read_key(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_key(tmp_path / "absent.json")


@pytest.mark.parametrize("differences", [[1.0, -2.0, 3.0, 4.0], [1.0, 1.0, -1.0, 2.0, 0.0, -5.0, 7.0], [2.0, 2.0, 2.0]])
def test_signed_ranks_are_exact_also_with_ties(differences: list[float]) -> None:
    apart = np.array([value for value in differences if value])
    order = np.sort(np.abs(apart))
    ranks = np.array([np.flatnonzero(order == abs(value)).mean() + 1 for value in apart])
    found = ranks[apart > 0].sum()
    sums = np.array([ranks[np.array(signs)].sum() for signs in product([False, True], repeat=len(apart))])
    above, below = (sums >= found).mean(), (sums <= found).mean()
    assert signed_rank(np.array(differences), "greater") == pytest.approx(above)
    assert signed_rank(np.array(differences)) == pytest.approx(min(1, 2 * min(above, below)))


def test_different_jobs_are_not_mixed_and_none_is_left_to_the_page(tmp_path: Path) -> None:
    assert not handed_out(asked())
    with pytest.raises(UserError, match="bundle and ratings are different jobs"):
        handed_out(asked(bundle="a.zip", ratings=["a.json"]))
    with pytest.raises(UserError, match="key= is missing"):
        handed_out(asked(ratings=["a.json"]))
    with pytest.raises(UserError, match="output= is missing"):
        handed_out(asked(assess={"clips": 5}))
    with pytest.raises(UserError, match=r"ends in \.zip"):
        handed_out(asked(bundle="a.tar"))


def test_no_difference_is_no_evidence_and_holm_only_raises() -> None:
    assert signed_rank(np.zeros(5)) == 1.0
    chances = {("a", "b"): 0.01, ("a", "c"): 0.04, ("b", "c"): 0.03}
    assert holm(chances) == pytest.approx({("a", "b"): 0.03, ("b", "c"): 0.06, ("a", "c"): 0.06})


def test_every_language_of_the_sheets_has_every_word() -> None:
    for words in wording().values():
        assert words.keys() == wording()["eng"].keys()
        for key, text in wording()["eng"].items():
            assert type(words[key]) is type(text) and len(words[key]) > 0
            assert str(words[key]).count("{") == str(text).count("{")
