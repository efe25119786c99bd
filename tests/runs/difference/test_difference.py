"""Two configs, two origins and two sets of scores: what differs is named, what does not is not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonar_slt.runs.difference.configs import Change, changes, difference, leaves
from sonar_slt.runs.difference.figures import figures
from sonar_slt.runs.difference.origin import Origin, departures, origin_now, origin_of
from sonar_slt.runs.pinned import pinned
from sonar_slt.runs.provenance.code import changed_between
from sonar_slt.runs.provenance.identity import identity
from sonar_slt.runs.record import Run
from sonar_slt.runs.registry import Record, all_runs, read

TREES = st.recursive(
    st.none() | st.integers(-3, 3) | st.booleans() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


@given(CONFIGS)
def test_nothing_differs_from_itself(config: dict[str, Any]) -> None:
    assert list(changes(config, config)) == []


@given(CONFIGS, CONFIGS)
def test_both_directions_name_the_same_keys(one: dict[str, Any], two: dict[str, Any]) -> None:
    there, back = list(changes(one, two)), list(changes(two, one))
    assert {change.key for change in there} == {change.key for change in back}
    assert {(c.key, repr(c.first)) for c in there} == {(c.key, repr(c.second)) for c in back}


@given(CONFIGS, CONFIGS)
def test_another_identity_is_a_difference(one: dict[str, Any], two: dict[str, Any]) -> None:
    if identity("train", one) != identity("train", two) and dict(leaves(one)) != dict(leaves(two)):
        assert list(changes(one, two))


def test_a_key_of_one_side_and_a_room_that_is_empty() -> None:
    first = {"seed": 1, "augment": None, "adapter": {"dim": 1, "old": 2}}
    second = {"seed": True, "augment": {"noise": {"std": 0.1}}, "adapter": {"dim": 1.0, "new": [1]}}
    assert list(changes(first, second)) == [
        Change("seed", 1, True),
        Change("augment.noise.std", None, 0.1, "second"),
        Change("adapter.old", 2, None, "first"),
        Change("adapter.new", None, [1], "second"),
    ]


def test_what_decides_a_result_stands_apart() -> None:
    one = {"paths": {"corpora": "/a"}, "data": {"folder": "/a/toy"}, "name": "x", "trainer": {"devices": 1, "steps": 5}}
    two = {"paths": {"corpora": "/b"}, "data": {"folder": "/b/toy"}, "name": "y", "trainer": {"devices": 2, "steps": 6}}
    found = difference(one, two)
    assert [change.key for change in found.computed] == ["trainer.steps"]
    assert [change.key for change in found.apart] == ["paths.corpora", "data.folder", "name", "trainer.devices"]
    assert found and not difference(one, {**one, "name": "z"})
    assert identity("train", one) != identity("train", two)


def test_what_a_run_stood_on_is_held_against_today(tmp_path: Path) -> None:
    config = {"space": {"source": "s"}, "data": {"root": "d"}, "seed": 1}
    former = recorded(tmp_path, config, manifest_hash="m1", space_fingerprint="f1", code="c1")
    assert {change.key for change in departures(origin_of(former), origin_now(former))} >= {"code"}
    recorded(tmp_path, {**config, "data": {"root": "e"}}, manifest_hash="m2", space_fingerprint="f2")
    found = origin_now(former, all_runs(tmp_path))
    assert (found.space, found.manifest) == ("f2", None), "the space is the same section, the corpus is another one"
    known = Origin(packages={"torch": "1", "peft": "1"}, commit="a" * 40, changed=False)
    told = departures(known, replace(known, packages={"torch": "2"}, commit=None, changed=True))
    assert [(change.key, change.first, change.second) for change in told] == [
        ("changed", False, True),
        ("packages.torch", "1", "2"),
        ("packages.peft", "1", None),
    ]


def test_commits_are_compared_where_both_are_known(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        own = ["-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", "-C", tmp_path, *own, *words], capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    shas = []
    for text in ("one\n", "one\ntwo\n"):
        (tmp_path / "file.txt").write_text(text)
        git("add", ".")
        git("commit", "-q", "-m", "x")
        shas.append(git("rev-parse", "HEAD").strip())
    number, lines = changed_between(*shas, root=tmp_path) or (0, [])
    assert number == 1 and "file.txt" in lines[0] and "1 insertion" in lines[-1]
    assert changed_between(shas[0], "f" * 40, root=tmp_path) is None
    assert changed_between(shas[0], "--output=/tmp/stolen", root=tmp_path) is None


def score(value: float, width: float, signature: str = "s") -> dict[str, Any]:
    return {"value": value, "signature": signature, "interval": [value - width, value + width]}


def test_figures_of_both_and_whether_their_intervals_overlap(tmp_path: Path) -> None:
    ours = {"language": "deu_Latn", "bleu": score(20, 2), "chrf": score(40, 1), "ids_hash": "x"}
    theirs = {"language": "deu_Latn", "bleu": score(23, 2), "chrf": score(43, 1, "other"), "ids_hash": "y"}
    first = recorded(tmp_path, {}, metrics={"scores": [ours], "retrieval_at_1": 9.0, "mean_bleu": {"trained": 20.0}})
    second = recorded(tmp_path, {}, metrics={"scores": [theirs], "retrieval_at_1": 7.5})
    found = figures(first, second)
    assert [(one.name, one.delta, one.overlap) for one in found.scores] == [("bleu", 3, True), ("chrf", 3, False)]
    assert {one.name: one.delta for one in found.others} == {"retrieval_at_1": -1.5, "mean_bleu.trained": None}
    assert len(found.doubts) == 2 and "different sentences" in found.doubts[0] and "signatures" in found.doubts[1]
    assert figures(first, first).doubts == ()


def test_words_that_mean_a_run_are_pinned(tmp_path: Path) -> None:
    paths = {"paths": {"runs": str(tmp_path)}}
    trained = recorded(tmp_path, {"a": 1}, space_fingerprint="f")
    (trained.checkpoints).mkdir()
    (trained.checkpoints / "best.ckpt").touch()
    name = trained.folder.name
    train = {**paths, "resume": None, "init_from": "last", "init_parts": ["adapter"]}
    assert pinned("train", train) == {**train, "init_from": name}
    assert pinned("train", {**train, "init_from": "weights.pt"})["init_from"] == "weights.pt"
    assert pinned("train", {**train, "init_from": "gone", "init_parts": []})["init_from"] == "gone"
    found = [pinned("evaluate", {**paths, "inputs": i, "checkpoint": "best"}) for i in ([], ["last"], [trained.id])]
    assert found[0] == found[1] == found[2] and found[0]["inputs"] == [name] and found[0]["run"] == name
    elsewhere = {"paths": {"runs": str(tmp_path / "others")}, "checkpoint": "best", "inputs": [str(trained.folder)]}
    assert pinned("evaluate", elsewhere)["run"] == str(trained.folder)


@pytest.mark.parametrize(("verb", "facts", "goes_on"), [("train", {}, True), ("train", {"rerun_of": "p"}, False)])
def test_a_rerun_goes_on_with_nothing(tmp_path: Path, verb: str, facts: dict[str, Any], goes_on: bool) -> None:
    assert (recorded(tmp_path, {}, verb=verb, parent="p", **facts).goes_on_with == "p") is goes_on


def recorded(
    root: Path, config: dict[str, Any], *, verb: str = "train", parent: str | None = None, **facts: Any
) -> Record:
    """A finished run in a folder of its own."""
    with Run.start(root, verb=verb, name="x", config=config, overrides=[], parent=parent) as run:
        run.update(**facts)
    return read(run.folder)
