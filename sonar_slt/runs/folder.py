"""What lies in the folder of a run: the names of its files, where its checkpoints and hypotheses are, its yaml read.

Who writes one of these files and who reads it both take its name from here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

RECORD = "record.json"
CONFIG = "config.yaml"
WORDS = "overrides.yaml"
"""The words of the command, beside the config that they made."""
CURVES = "metrics.csv"
SAMPLES = "samples.jsonl"
"""What was said of a few clips while it learnt."""
BREAKDOWN, SKELETONS, SPACE = "breakdown.json", "skeletons.json", "space.json"
"""What an evaluation leaves for the page: scores of parts of a split, moving clips, and where clips land."""
REPORT = "report.html"

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Plain values only; where yaml was built with C a tenth of the time, which counts for the configs of 200 runs."""


def is_run(folder: Path) -> bool:
    """Whether a folder is that of a run."""
    return (folder / RECORD).is_file()


def log_of(split: str) -> str:
    """The log of a split; that of `train` holds the lines of all."""
    return f"{split}_log.jsonl"


def checkpoints_of(run: Path) -> Path:
    """The folder where a run's weights lie, if it wrote any."""
    return run / "checkpoints"


def checkpoint_of(run: Path, name: str = "last") -> Path:
    """Weights of a run by their name, `best` or `last`."""
    return checkpoints_of(run) / f"{name}.ckpt"


def hypotheses_of(run: Path, split: str, language: str) -> Path:
    """What a run said of a split in a language, one line per clip."""
    return run / "hypotheses" / f"{split}.{language}.jsonl"


def all_hypotheses(run: Path, split: str = "*") -> list[Path]:
    """The files of hypotheses that a run has, of one split or of all, by name."""
    pattern = hypotheses_of(run, split, "*")
    return sorted(pattern.parent.glob(pattern.name))


def split_and_language(path: Path) -> tuple[str, str]:
    """What a file of hypotheses is of, as its name tells."""
    split, _, language = path.name.removesuffix(".jsonl").partition(".")
    return split, language


def read_yaml(text: str) -> Any:
    """The plain values of a yaml text."""
    return yaml.load(text, Loader=LOADER)
