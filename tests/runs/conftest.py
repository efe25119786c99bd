"""A run folder in the shape that an evaluation leaves, made of nothing but chance, for the pages that show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonar_slt.data.layouts.signing import SIGNING
from sonar_slt.data.skeleton import drawing, moving
from sonar_slt.languages import LANGUAGES
from sonar_slt.runs.record import Run

CODES = ("deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn", "tur_Latn", "rus_Cyrl")
UNSEEN = ("tur_Latn", "rus_Cyrl")
TEXT = "morgen regnet es im Süden bei etwa zehn Grad und später wird ein kräftiger Wind aus Nordwest erwartet"
WORDS = TEXT.split()
SCORES = {"bleu": 20.0, "chrf": 45.0, "rouge_l": 40.0, "wer": 70.0, "bleurt": 0.5}
PARTS = {"body": (0, 11), "face": (11, 60), "left_hand": (60, 81), "right_hand": (81, 102)}

PretendRun = Callable[..., Path]


@pytest.fixture(scope="session")
def pretend_run() -> PretendRun:
    """Writes a run folder of so many clips into a folder, and returns it."""
    return pretended


def pretended(root: Path, *, clips: int = 40, codes: Sequence[str] = CODES, frames: int = 75, films: int = 0) -> Path:
    """An evaluation with every file that there may be; `films` clips are film strips instead of skeletons."""
    chance = np.random.default_rng(5)
    with Run.start(
        root, verb="evaluate", name="pretended", config={"seed": 5, "split": "test"}, overrides=["seed=5"]
    ) as run:
        ids = [f"test-{i:05d}" for i in range(clips)]
        said = [_sentence(chance) for _ in ids]
        _write_hypotheses(run.folder, ids, said, codes, frames, chance)
        _write_logs(run, codes, chance)
        (run.folder / "skeletons.json").write_text(json.dumps(_skeletons(ids, frames, films, chance)))
        (run.folder / "space.json").write_text(json.dumps(_space(ids, said, codes[0], chance)))
        rows = (metrics := _metrics(codes, clips, chance))["scores"]
        parts = {row["language"]: row.pop("breakdown") for row in rows}
        (run.folder / "breakdown.json").write_text(json.dumps(parts))
        run.update(metrics=metrics, corpus=CORPUS, device="cpu")
    return run.folder


CORPUS = {
    "splits": {
        "train": {"clips": 7096, "labelled": 7100, "hours": 9.2, "frames": 827354, "signers": 9},
        "test": {"clips": 642, "labelled": 642, "hours": 1.0, "frames": 89472, "signers": 9},
    },
    "faults": {"empty_text": {"left out": 4}},
}


def _sentence(chance: np.random.Generator) -> str:
    return " ".join(chance.choice(WORDS, int(chance.integers(4, 16))))


def _write_hypotheses(
    folder: Path, ids: list[str], said: list[str], codes: Sequence[str], frames: int, chance: np.random.Generator
) -> None:
    (folder / "hypotheses").mkdir()
    for code in codes:
        lines = []
        for i, (key, text) in enumerate(zip(ids, said, strict=True)):
            words = text.split()
            words[int(chance.integers(len(words)))] = str(chance.choice(WORDS))
            hypothesis = "" if i % 37 == 5 else text if i % 4 == 0 else " ".join(words)
            share = float(chance.random()) * 100
            lines.append(
                {"id": key, "language": code, "hypothesis": hypothesis, "references": [text, _sentence(chance)],
                 "seen": code not in UNSEEN, "scores": {"bleu": share, "chrf": min(100.0, share + 20)},
                 "cosine": round(share / 100, 4), "log_likelihood": -float(chance.random() * 30),
                 "signer": f"Signer{i % 9 + 1:02d}", "frames": frames * 2, "fps": 25.0, "known": i % 3 == 0}
            )  # fmt: skip
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / "hypotheses" / f"test.{code}.jsonl").write_text(text, encoding="utf-8")


def _write_logs(run: Run, codes: Sequence[str], chance: np.random.Generator) -> None:
    for step in range(10, 2001, 10):
        noise = 1 + 0.2 * float(chance.standard_normal())
        loss = 2.5 * float(np.exp(-step / 600)) * noise + 0.3
        run.log("train", step, {"loss": loss, "ce": loss * 0.8, "mse": loss * 1e-5, "lr": 1e-3 * (1 - step / 2001)})
    for step in range(250, 2001, 250):
        score = 25 * (1 - float(np.exp(-step / 700)))
        values = {
            f"bleu_{code}": score * (0.7 if code in UNSEEN else 1) * float(chance.uniform(0.9, 1.1)) for code in codes
        }
        run.log("dev", step, {"loss": 2.5 * float(np.exp(-step / 700)) + 0.5, "bleu": score, **values})
        said = [_sentence(chance) for _ in range(3)]
        shown = [{"id": f"dev-{i}", "language": codes[0], "hypothesis": text, "references": [" ".join(WORDS[:8])]}
                 for i, text in enumerate(said)]  # fmt: skip
        run.show(step, shown)


def _skeletons(ids: list[str], frames: int, films: int, chance: np.random.Generator) -> dict[str, Any]:
    clips = {key: moving(_signing(frames, chance), FPS) for key in ids[films:]}
    if films:
        from sonar_slt.data.filmstrip import filmstrip

        picture = np.indices((48, 64)).sum(axis=0).astype(np.uint8)
        clips = {
            key: filmstrip([np.dstack([picture + 9 * i] * 3) for i in range(20)], FPS, rate=FPS) for key in ids[:films]
        } | clips
    return {**drawing(SIGNING), "clips": clips}


FPS = 12.5


def _signing(frames: int, chance: np.random.Generator) -> np.ndarray:
    """Points (frames, 102, 3) whose hands go round before a body that stands nearly still; some are missing."""
    body = [(0, -0.9), (0.1, -1), (-0.1, -1), (0.2, -0.95), (-0.2, -0.95), (0.5, 0), (-0.5, 0), (0.8, 0.9), (-0.8, 0.9),
            (0.6, 0.3), (-0.6, 0.3)]  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, 49, endpoint=False)
    face = np.stack([0.2 * np.cos(angle), -0.85 + 0.28 * np.sin(angle)], axis=1)
    hand = np.array([(0.04 * finger - 0.08, -0.06 * joint) for finger in range(5) for joint in range(1, 5)] + [(0, 0)])
    still = np.concatenate([np.array(body), face, hand, hand])
    points = np.ones((frames, 102, 3))
    points[..., :2] = still + 0.012 * chance.standard_normal((frames, 102, 2))
    time = np.arange(frames)[:, None] / FPS
    for side, name, wrist in ((1, "left_hand", 9), (-1, "right_hand", 10)):
        phase, speed = chance.random() * 6, chance.uniform(2, 5)
        place = np.concatenate(
            [0.35 * side + 0.4 * np.cos(speed * time + phase), 0.3 + 0.5 * np.sin(speed * time)], axis=1
        )
        points[:, slice(*PARTS[name]), :2] += place[:, None]
        points[:, wrist, :2] = place
    points[chance.random((frames, 102)) < 0.01, 2] = 0
    return points


def _space(ids: list[str], said: list[str], code: str, chance: np.random.Generator) -> dict[str, Any]:
    number = len(ids)
    centres = chance.standard_normal((12, 2)) * 2
    s = centres[np.arange(number) % 12] + 0.35 * chance.standard_normal((number, 2))
    z = s + 0.2 * chance.standard_normal((number, 2))
    near = np.stack([np.roll(np.arange(number), -k) for k in range(5)], axis=1)
    cosine = np.clip(0.8 + 0.1 * chance.standard_normal(number), 0, 1)
    return {
        "language": code, "ids": ids, "sentences": said, "z": z.round(4).tolist(), "s": s.round(4).tolist(),
        "explained": [0.31, 0.22], "nearest": near.tolist(), "cosine": cosine.round(4).tolist(),
        "nearest_cosine": (cosine[:, None] - 0.07 * np.arange(5)).round(4).tolist(),
        "rank": np.where(chance.random(number) < 0.85, 1, chance.integers(2, 40, number)).tolist(),
    }  # fmt: skip


def _metrics(codes: Sequence[str], clips: int, chance: np.random.Generator) -> dict[str, Any]:
    def score(value: float, name: str = "bleu") -> dict[str, Any]:
        far = 0.04 * value
        return {"value": value, "interval": [value - far, value + far], "signature": f"{name}|nrefs:2|version:2.6.0"}

    rows = []
    for code in codes:
        share = float(chance.uniform(0.85, 1.1)) * (0.75 if code in UNSEEN else 1)
        groups = {
            "length": [{"group": name, "n": clips // 3, "bleu": score(20 * share + far), "chrf": score(45 * share)}
                       for name, far in (("1 to 6 words", 6.0), ("7 to 11 words", 0.0), ("12 words and more", -5.0))],
            "signer": [{"group": f"Signer{i:02d}", "n": 4, "bleu": score(20 * share), "chrf": score(45 * share)}
                       for i in range(1, 10)],
        }  # fmt: skip
        rows.append(
            {"language": code, "name": LANGUAGES[code].name, "seen": code not in UNSEEN, "anchored": False,
             **{name: score(value * share, name) for name, value in SCORES.items()}, "ceiling": 62.0, "ae": 58.0,
             "n": clips, "ids_hash": "35c110b36230f5ba", "references": "human" if code == "deu_Latn" else "pseudo",
             "resamples": 1000, "seed": 12345, "warnings": {"empty hypotheses": 3} if code == "deu_Latn" else {},
             "floors": {"shuffled": {"bleu": 1.2, "chrf": 17.0}, "nearest": {"bleu": 8.0, "chrf": 30.0},
                        "constant": {"bleu": 3.4, "chrf": 20.0, "sentence": "und nun die Vorhersage für morgen"}},
             "breakdown": groups}
        )  # fmt: skip
    return {
        "split": "test", "scores": rows, "retrieval_at_1": 84.2, "mean_bleu": {"trained": 20.1, "unseen": 15.0},
        "retrieval": {"language": codes[0], "n": clips, "at_1": 84.2, "at_5": 95.0, "at_10": 97.5, "median_rank": 1},
        "legacy": [{"language": codes[0], "protocol": "phoenix", "title": "PHOENIX, words as they are, with “ .”",
                    "scores": {"bleu": {"value": 21.3, "signature": "tok:none"}}}],
        "diagnosis": [{"sign": "Fluent but unfaithful", "evidence": "BLEU 20.1, BLEURT 0.31",
                       "meaning": "The decoder says well-formed sentences that are not the clip's.",
                       "try": ["a higher objective.ce", "more clips per sentence"]}],
    }  # fmt: skip
