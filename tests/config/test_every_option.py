"""Every yaml that is shipped: it composes, its classes are there, its keys are explained."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from sonar_slt.config.build import resolve
from sonar_slt.config.compose import examine
from sonar_slt.config.floorplan import Floorplan, headline
from sonar_slt.config.location import conf_folder, verbs

pytestmark = pytest.mark.conf

PLAN = Floorplan([conf_folder()])
FILES = sorted(conf_folder().rglob("*.yaml"))
CHOICES = [(room, option) for room in PLAN.defaults("train") for option in PLAN.options(room) if room != "local"]
BESIDE = {"objective", "augment", "features"}  # rooms whose options stand side by side


def written(file: Path, explained: bool = False) -> list[tuple[str, str]]:
    """The keys of a file with their values, only those with a comment if asked."""
    body = re.sub(r"(?m)^defaults:\n([ -].*\n)+", "", file.read_text(encoding="utf-8"))
    found = [(line, re.match(r"\s*([a-z]\w*):\s*(\S.*)", line)) for line in body.splitlines()]
    return [(match[1], match[2]) for line, match in found if match and (" # " in line or not explained)]


EXPLAINED = {key for file in FILES for key, _ in written(file, explained=True)}


def targets(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for value in node for name in targets(value)]
    if not isinstance(node, dict):
        return []
    own = [node["_target_"]] if "_target_" in node else []
    return own + [name for value in node.values() for name in targets(value)]


def chosen(room: str, option: str) -> str:
    return f"{room}=[{option}]" if room in BESIDE else f"{room}={option}"


def composes(*words: str) -> bool:
    """Whether a training with these words is right; then every class that it names is there."""
    found = examine("train", words, complete=False)  # some have keys that only the user knows
    for target in targets(found.config) if not found.problems else ():
        resolve(target)
    return not found.problems


APART = {"experiment", "sweep", "debug", "task", "visual_block"}  # they choose in other rooms
ROUNDS = list(
    zip_longest(*([one for one in CHOICES if one[0] == room] for room in PLAN.defaults("train") if room not in APART))
)
"""The first option of each room, the second of each, and so on: rooms do not know each other."""


@pytest.mark.parametrize("together", ROUNDS, ids=[f"round {number}" for number in range(len(ROUNDS))])
def test_options_compose_and_their_classes_are_there(together: tuple[tuple[str, str] | None, ...]) -> None:
    words = [chosen(*one) for one in together if one]
    assert composes(*words) or [word for word in words if not composes(word)] == []


@pytest.mark.parametrize(("room", "option"), [one for one in CHOICES if one[0] in APART])
def test_an_option_that_chooses_in_other_rooms_composes(room: str, option: str) -> None:
    assert composes(chosen(room, option))


def test_a_folder_of_experiments_is_looked_into() -> None:
    assert {("experiment", "paper/phoenix_mono"), ("experiment", "how2sign_keypoints")} <= set(CHOICES)


@pytest.mark.parametrize("block", ["scratch", "pretrained", "frozen"])
def test_a_visual_block_says_what_is_taken_over_and_what_learns(block: str) -> None:
    config = examine("train", [f"visual_block={block}"]).config
    assert config["init_parts"] == ([] if block == "scratch" else ["adapter"])
    assert config["task"]["frozen"] == (["adapter"] if block == "frozen" else [])


ELSEWHERE = [
    (verb, room, option) for verb, rooms in {"evaluate": ("metrics", "logger"), "score": ("protocol",)}.items()
    for room in rooms for option in PLAN.options(room)
]  # fmt: skip
"""Rooms that a training has not, or whose options another verb reads too."""


@pytest.mark.parametrize(("verb", "room", "option"), ELSEWHERE)
def test_an_option_of_another_verb_composes(verb: str, room: str, option: str) -> None:
    words = [f"{room}={'[' + option + ']' if isinstance(PLAN.defaults(verb)[room], list) else option}"]
    found = examine(verb, words, complete=False)
    assert found.problems == []
    for target in targets(found.config):
        resolve(target)


WITHIN = {
    **{room: ("adapter=spamo", f"{room}@adapter.{room}") for room in ("fusion", "context", "pooling")},
    "eye": ("adapter=multimodal", "eye@adapter.motion"),
    "learning": ("adapter=visual", "learning@adapter.eye.learning"),
}
"""Rooms inside an adapter: an adapter that has them, and how they are chosen."""
INSIDE = [(room, option) for room in WITHIN for option in PLAN.options(room)]


@pytest.mark.parametrize(("room", "option"), INSIDE)
def test_an_option_inside_an_adapter_composes(room: str, option: str) -> None:
    adapter, choice = WITHIN[room]
    found = examine("train", [adapter, f"{choice}={option}"])
    assert found.problems == []
    for target in targets(found.config["adapter"]):
        resolve(target)


@pytest.mark.parametrize("option", PLAN.options("features"))
def test_a_feature_composes_alone_and_beside_another(option: str) -> None:
    for chosen in (option, f"[vit_tiny_random,{option}]"):
        found = examine("extract", [f"features={chosen}"], complete=False)
        assert found.problems == [] and option in found.config["features"]
    for target in targets(found.config["features"]):
        resolve(target)


@pytest.mark.parametrize("verb", verbs())
def test_a_verb_explains_its_rooms_and_keys(verb: str) -> None:
    assert examine(verb, []).problems == []
    primary = verb.replace("-", "_")
    assert all(PLAN.explained_rooms(primary).values())
    for key, (value, comment) in PLAN.explained_keys(primary).items():
        assert comment or not value, f"{key} has no comment"


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(conf_folder())) for file in FILES])
def test_a_file_says_what_it_is_and_its_keys_are_explained(file: Path) -> None:
    assert headline(file), "the first comment is the line that --help shows"
    for key, value in written(file):
        assert key in EXPLAINED or value.startswith("${"), f"no yaml explains {key}"


@pytest.mark.parametrize("verb", verbs())
def test_no_key_bears_the_name_of_a_room(verb: str) -> None:
    """Hydra would read ``room=…`` as a choice; only ``languages`` is written out for it by the command line."""
    keys = PLAN.explained_keys(verb.replace("-", "_"))
    assert [key for key in keys if PLAN.is_group(key) and key != "languages"] == []
