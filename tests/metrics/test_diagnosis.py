"""Each sign of failure is named alone where it occurs, with figures, and a sound run has none."""

import copy
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from sonar_slt.config.compose import compose
from sonar_slt.config.location import conf_folder
from sonar_slt.metrics.diagnosis import Finding, diagnosis
from sonar_slt.metrics.oddities import oddities

Change = Callable[[dict[str, Any], dict[str, list[dict[str, Any]]], list[dict[str, Any]]], None]


def entry(code: str, name: str, bleu: float, *, seen: bool) -> dict[str, Any]:
    return {
        "language": code, "name": name, "seen": seen, "anchored": seen, "n": 500, "ceiling": 99.0, "ae": 99.2,
        "bleu": {"value": bleu, "signature": "x", "interval": [bleu - 1.5, bleu + 1.5]},
        "chrf": {"value": bleu + 4, "signature": "x", "interval": None}, "cosine": 0.9, "warnings": {},
        "floors": {"shuffled": {"bleu": 14.0}, "constant": {"bleu": 21.5}, "nearest": {"bleu": 45.0}},
    }  # fmt: skip


METRICS: dict[str, Any] = {
    "split": "test", "retrieval_at_1": 99.0, "mean_bleu": {"trained": 91.0, "unseen": 88.0},
    "scores": [entry("deu_Latn", "German", 91.0, seen=True), entry("tur_Latn", "Turkish", 88.0, seen=False)],
    "space": {"auto_encoding_bleu": {"mean": 99.6}, "translation_bleu": {"mean": 99.5}},
}  # fmt: skip
LINES = {
    code: [{"hypothesis": f"Satz {row}.", "references": [f"Satz {row}."]} for row in range(40)]
    for code in ("deu_Latn", "tur_Latn")
}
DEV: list[dict[str, Any]] = [
    {"step": 250, "ce": 0.45, "ae": 0.14, "cosine": 0.19, "bleu": 69.0, "xsim_plus_plus": 2.0},
    {"step": 500, "ce": 0.30, "ae": 0.09, "cosine": 0.11, "bleu": 84.0, "xsim_plus_plus": 1.0},
]


def found(change: Change) -> list[Finding]:
    metrics, lines, dev = copy.deepcopy((METRICS, LINES, DEV))
    change(metrics, lines, dev)
    return diagnosis(metrics, lines=lines, dev=dev)


def german(**values: Any) -> Change:
    return lambda metrics, lines, dev: metrics["scores"][0].update(values)


def last_look(**values: Any) -> Change:
    return lambda metrics, lines, dev: dev[-1].update(values)


def whole(**values: Any) -> Change:
    return lambda metrics, lines, dev: metrics.update(values)


def unfaithful(metrics: dict[str, Any], lines: Any, dev: Any) -> None:
    metrics["retrieval_at_1"] = 8.0
    metrics["scores"][0]["bleu"] = {"value": 30.0, "interval": [28.5, 31.5]}
    metrics["scores"][0]["floors"].pop("nearest")


def alike(metrics: Any, lines: dict[str, Any], dev: Any) -> None:
    for row, line in enumerate(lines["deu_Latn"]):
        line["hypothesis"] = f"Satz {row % 20}."


SIGNS: dict[str, tuple[Change, str]] = {
    "low BLEU with good BLEURT": (
        german(bleu={"value": 22.0, "interval": [20.0, 24.0]}, bleurt={"value": 0.545}, floors={}), "22.0, BLEURT 0.5"),
    "high cross-entropy with low cosine": (last_look(ce=1.05, ae=0.31, cosine=0.76), "ce 1.05 (ae 0.31), cosine 0.24"),
    "fluent but unfaithful": (unfaithful, "German: BLEU 30.0, with others' references 14.0; retrieval@1 8.0"),
    "xsim++ worse while BLEU holds": (last_look(xsim_plus_plus=14.0), "2.0 at best, now 14.0; BLEU 84.0"),
    "auto-encoding far below the ceiling": (german(ae=80.0), "German: auto-encoding 80.0, ceiling 99.0"),
    "auto-encoding far below translation": (
        whole(space={"auto_encoding_bleu": {"mean": 60.0}, "translation_bleu": {"mean": 95.0}}), "60.0, translation"),
    "no better than one constant sentence": (
        german(bleu={"value": 22.5, "interval": [21.0, 24.0]}, floors={"constant": {"bleu": 21.5}}), "sentence 21.5"),
    "no better than the nearest training sentence": (
        german(bleu={"value": 46.0, "interval": [44.5, 47.5]}), "46.0 (from 44.5), the sentence of the nearest"),
    "one sentence for many clips": (alike, "German: 20 different hypotheses for 40 different references"),
    "unseen languages far below the trained ones": (
        whole(mean_bleu={"trained": 90.0, "unseen": 60.0}), "90.0 in trained languages, 60.0 in unseen ones"),
    "empty hypotheses": (german(warnings={"empty hypotheses": 40}), "German: 40 of 500"),
    "hypotheses in the wrong script": (german(warnings={"hypotheses mostly in another script": 60}), "60 of 500"),
    "hypotheses that do not end": (
        german(warnings={"hypotheses over 3 times as long as their longest reference": 99}), "German: 99 of 500"),
}  # fmt: skip


def test_a_sound_run_has_none() -> None:
    assert found(lambda *_: None) == []


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_is_named_alone_with_its_figures(sign: str) -> None:
    change, evidence = SIGNS[sign]
    (finding,) = found(change)
    assert finding.sign == sign and evidence in finding.evidence and finding.evidence.endswith(".")
    assert finding.meaning.endswith(".") and finding.as_json()["try"] == list(finding.remedies) != []
    assert list(finding.as_json()) == ["sign", "evidence", "meaning", "try"]


@pytest.mark.parametrize(
    "change",
    [
        german(bleu={"value": 22.0, "interval": None}, bleurt={"value": 0.3}, floors={}),  # bad by both
        german(bleurt={"value": 0.9}),  # good by both
        last_look(ce=1.05, ae=0.31, cosine=0.2),  # the decoder is early, the encoder is not
        last_look(ce=0.5, ae=0.3, cosine=0.76),
        last_look(xsim_plus_plus=14.0, bleu=40.0),  # BLEU fell too: not this sign
        last_look(xsim_plus_plus=4.0),
        whole(mean_bleu={"trained": 3.0, "unseen": 0.1}),  # both are nothing
        whole(mean_bleu={"trained": 90.0, "unseen": None}),
        german(warnings={"empty hypotheses": 3, "empty references": 400}),
        german(ae=92.0),
        whole(space={"auto_encoding_bleu": {}, "translation_bleu": {}}),  # a space of one language
    ],
)  # fmt: skip
def test_near_a_sign_is_not_the_sign(change: Change) -> None:
    assert found(change) == []


def test_records_of_former_times_and_bare_ones_are_read() -> None:
    old = {"language": "deu_Latn", "name": "German", "seen": True, "bleu": {"value": 20.0}, "n": 100, "ceiling": 99.0}
    assert diagnosis({}) == diagnosis({"scores": []}, dev=[{"step": 1}]) == diagnosis({"scores": [old]}) == []
    lacking = {**old, "ceiling": None, "ae": None, "floors": {"shuffled": {}}}
    lacking.pop("bleu")
    assert diagnosis({"scores": [lacking], "retrieval_at_1": 1.0, "mean_bleu": {}}) == []


def test_a_constant_system_is_told_by_its_warning_alone() -> None:
    warnings = oddities(["Nein."] * 30, [[f"Satz {row}."] for row in range(30)], "deu_Latn")
    (finding,) = found(german(warnings=warnings, n=30))
    assert finding.sign == "one sentence for many clips" and "one sentence for 30 of 30 clips" in finding.evidence


def test_the_warnings_that_are_waited_for_exist() -> None:
    hypotheses = ["", "Завтра будет дождь.", "Regen " * 40, "Regen."] * 10
    warnings = oddities(hypotheses, [["Morgen gibt es Regen."]] * 40, "deu_Latn")
    signs = [finding.sign for finding in found(german(warnings=warnings, n=40))]
    assert signs == ["empty hypotheses", "hypotheses in the wrong script", "hypotheses that do not end"]


def test_the_gravest_comes_first() -> None:
    metrics = copy.deepcopy(METRICS)
    metrics["scores"][0] |= {"ae": 50.0, "warnings": {"empty hypotheses": 200}}
    assert [finding.sign for finding in diagnosis(metrics)] == [
        "empty hypotheses", "auto-encoding far below the ceiling",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> list[str]:
    """Everything that any sign says to try."""
    said = {command for change, _ in SIGNS.values() for finding in found(change) for command in finding.remedies}
    return sorted(said)


def test_what_to_try_is_a_command_of_this_house_with_its_reason(commands: list[str]) -> None:
    assert len(commands) > 12
    for command in commands:
        words, _, reason = command.partition("  # ")
        assert words.startswith("sonar-slt ") and reason, command


@pytest.mark.conf
def test_every_command_composes(commands: list[str]) -> None:
    """In as few compositions as go: words that speak of different rooms are tried together."""
    together: list[tuple[str, dict[str, list[str]]]] = []
    for command in commands:
        _, verb, *words = shlex.split(command, comments=True)
        rooms: dict[str, list[str]] = {}
        for word in words:
            rooms.setdefault(word.split("=")[0].split(".")[0].split("@")[0], []).append(word)
        for other, taken in together:
            if other == verb and not taken.keys() & rooms.keys() and "experiment" not in taken.keys() | rooms.keys():
                taken.update(rooms)
                break
        else:
            together.append((verb, rooms))
    for verb, rooms in together:
        GlobalHydra.instance().clear()
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            compose(verb, [word for words in rooms.values() for word in words])  # an unknown key is an error
