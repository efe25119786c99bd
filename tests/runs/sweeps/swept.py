"""Run folders of a sweep, as trainings and evaluations leave them, with scores of known effects."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OBJECTIVES = {"[mse]": 0.0, "[mse,ce]": 4.0, "[mse,ce,ae]": 5.0}
WEIGHTS = {0.01: 0.0, 1.0: 3.0}
SEEDS = {1: -1.0, 2: 0.0, 3: 1.0}


@dataclass
class Folder:
    """Writes run folders as trainings and evaluations leave them, each a second after the one before."""

    root: Path
    sweep: str | None = "2026-11-28_10-00-00-000000_terms"
    count: int = 0
    jobs: int = 0

    def add(self, *words: str, bleu: float | None = None, seed: int = 1, **fields: Any) -> Path:
        """One run; `bleu` stands for German and English with an interval of 1 around it, Turkish has 10 less."""
        self.count += 1
        time = f"10:{self.count // 60:02d}:{self.count % 60:02d}"
        key = fields.pop("id", hashlib.sha256(" ".join([*words, f"seed={seed}"]).encode()).hexdigest()[:8])
        record = {
            "id": key, "verb": "train", "name": "terms", "status": "finished", "reason": None,
            "started": f"2026-11-28T{time}+00:00", "ended": None, "seconds": 60.0 * self.count, "parent": None,
            "argv": ["sonar-slt", "train"], "seed": seed, "device": "cpu", "process": {},
            "manifest_hash": "m", "space_fingerprint": "s", "lock_hash": "l", "code": "c",
            "metrics": {} if bleu is None else scored(bleu),
        }  # fmt: skip
        if self.sweep and record["verb"] == "train":
            record |= {"sweep": f"outputs/sweeps/{self.sweep}", "job": self.jobs}
            self.jobs += 1
        record |= fields
        folder = self.root / f"2026-11-28_{time.replace(':', '-')}-000000_terms_{key}"
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(record))
        (folder / "overrides.yaml").write_text("".join(f"- {word}\n" for word in (*words, f"seed={seed}")))
        config = {"trainer": {"max_steps": 400}, "objective": {"mse": {"weight": 1}, "ce": {"weight": 1}}}
        (folder / "config.yaml").write_text(json.dumps(config))
        return folder

    def log(self, folder: Path, split: str, **curves: Sequence[float]) -> None:
        """Figures at the steps 100, 200, …"""
        steps = range(len(next(iter(curves.values()))))
        lines = [{"split": split, "step": 100 * (i + 1), **{k: v[i] for k, v in curves.items()}} for i in steps]
        (folder / f"{split}_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def entry(self, number: int, *words: str, seed: int = 1, **said: Any) -> Path:
        """What a job says of itself in the folder of its sweep; of a process that is gone where none is given."""
        gone = {"pid": 2**22 + 1, "host": socket.gethostname(), "boot": None, "born": 1}
        known = {"job": number, "overrides": [*words, f"seed={seed}"], "id": f"{number:08x}", "run": None}
        known |= {"status": "failed", "reason": None, "value": None, "process": gone}
        path = self.root.parent / "sweeps" / str(self.sweep) / "jobs" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**known, "began": "2026-11-28T10:00:00+00:00", "ended": None, **said}))
        return path


def scored(bleu: float, codes: Sequence[str] = ("deu_Latn", "eng_Latn"), ids_hash: str = "h") -> dict[str, Any]:
    """The metrics of an evaluation in these languages and in Turkish, which training did not see."""

    def entry(code: str, value: float, seen: bool) -> dict[str, Any]:
        score = {"value": value, "interval": [value - 1, value + 1], "signature": "tok:13a"}
        clips = {"n": 500, "ids_hash": ids_hash, "references": "human"}
        return {"language": code, "seen": seen, "ae": 99.0, "bleu": score, **clips}

    rows = [entry(code, bleu, True) for code in codes] + [entry("tur_Latn", bleu - 10, False)]
    return {"split": "test", "scores": rows, "retrieval_at_1": bleu + 20}
