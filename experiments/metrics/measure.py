"""Which metric tells a wrong meaning from other words? Damaged references, and what real students said.

    python experiments/metrics/measure.py                   # damage, and the runs of this study that exist
    python experiments/metrics/measure.py --train           # first trains those that are missing: 12, one by one
    python experiments/metrics/measure.py --studies low_resource adapters   # judges the runs of other studies

Writes table.md, plot.svg and results.json beside this file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).parent
sys.path[:0] = [str(HOME), str(HOME.parent)]

import numpy as np  # noqa: E402
from agreement import OWN, agreement, systems  # noqa: E402
from damage import DAMAGES, HARMFUL, HARMLESS, UNRELATED, VECTORS, Vectors, falls, preferences, shares  # noqa: E402
from drawing import drawn  # noqa: E402
from evidence import Arm, Study, collect, freeze, study_of  # noqa: E402

from sonar_slt.errors import UserError  # noqa: E402
from sonar_slt.metrics.metric import Metric  # noqa: E402
from sonar_slt.metrics.ngrams.bleu import Bleu  # noqa: E402
from sonar_slt.metrics.ngrams.chrf import Chrf  # noqa: E402
from sonar_slt.metrics.slots import Slots  # noqa: E402
from sonar_slt.metrics.words.rouge_l import RougeL  # noqa: E402
from sonar_slt.metrics.words.ter import Ter  # noqa: E402
from sonar_slt.metrics.words.token_f1 import TokenF1  # noqa: E402
from sonar_slt.metrics.words.wer import Wer  # noqa: E402

METRICS: tuple[Metric, ...] = (Bleu(), Chrf(), Chrf(words=2), Ter(), RougeL(), Wer(), TokenF1(), Slots())
REFERENCES = {"one reference": 1, "all references": None}
"""How many of the three ways of saying a meaning a hypothesis is held against: real corpora have one."""
STEPS = (50, 100, 200, 400)
SEEDS = (1, 2, 3)
TRAINED = Study(
    "metrics",
    question="Which metric tells a wrong meaning from other words?",
    command="sonar-slt train experiment=study/toy name=metrics",
    against=f"{STEPS[-1]} steps",
    languages={
        "trained": ("deu_Latn", "eng_Latn", "fra_Latn", "spa_Latn"),
        "unseen": ("tur_Latn", "rus_Cyrl"),
    },
    seeds=SEEDS,
    arms={f"{steps} steps": Arm(f"{steps} steps", (f"trainer.max_steps={steps}",)) for steps in STEPS},
)
"""Students of differing quality: the same training, ended earlier or later."""


def missing(root: Path) -> list[list[str]]:
    """The words of every training of this study that has no finished run yet."""
    done = collect(TRAINED, root) if root.is_dir() else {}
    return [
        [*TRAINED.command.split()[1:], *arm.words, f"seed={seed}"]
        for arm in TRAINED.arms.values()
        for seed in SEEDS
        if seed not in done.get(arm.title, {})
    ]


def train(root: Path) -> None:
    """Trains what is missing, one after the other; broken off, it goes on where it was."""
    for words in missing(root):
        print("sonar-slt", *words, flush=True)
        subprocess.run([sys.executable, "-m", "sonar_slt", *words], check=True)


def table(results: Mapping[str, Any]) -> list[str]:
    """Two tables: damaged references, and agreement with slot accuracy where there are systems."""
    rows = _damage_table(results["damage"])
    if results["agreement"]:
        rows += ["", *_agreement_table(results["agreement"])]
    return rows


def _damage_table(given: Mapping[str, Any]) -> list[str]:
    judged = [damage for damage in DAMAGES if damage != UNRELATED]
    head = ["metric", *judged, "points for another meaning", "right preferred, %", "95 % interval", "two references, %"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, title in given["titles"].items():
        figures, chosen, both = (given[key][name] for key in ("shares", "preferences", "preferences_of_two"))
        cells = [title, *(f"{figures[damage]['share']:.0f} ± {figures[damage]['spread']:.0f}" for damage in judged)]
        cells += [f"{figures[UNRELATED]['points']:.1f}", f"{chosen['value']:.1f} ± {chosen['spread']:.1f}"]
        cells += ["{:.1f} to {:.1f}".format(*chosen["interval"]), f"{both['value']:.1f} ± {both['spread']:.1f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _agreement_table(given: Mapping[str, Any]) -> list[str]:
    head = ["metric"]
    for title in REFERENCES:
        head += [f"{title}: clips τ", "95 % interval", "clips r", "systems τ", "95 % interval"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in given["metrics"]["one reference"]:
        cells = [given["titles"][name]]
        for figures in (given["metrics"][title][name] for title in REFERENCES):
            clips, systems = figures["segment_tau"], figures["system_tau"]
            spread = float(np.std(list(figures["seeds"].values()), ddof=1)) if len(figures["seeds"]) > 1 else 0.0
            cells += [f"{clips['value']:.2f} ± {spread:.2f}", "{:.2f} to {:.2f}".format(*clips["interval"])]
            cells += [f"{figures['segment_r']['value']:.2f}", f"{systems['value']:.2f}"]
            cells += ["{:.2f} to {:.2f}".format(*systems["interval"])]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def notes(results: Mapping[str, Any]) -> list[str]:
    """What the tables stand on, and what they lack."""
    damage, agreed = results["damage"], results["agreement"]
    said = [f"Damage: {damage['sentences']} references in each of six languages and {len(damage['seeds'])} seeds."]
    if VECTORS not in damage["titles"]:
        said.append("No sentence vectors: `sonar-slt train experiment=toy_space` makes the space.")
    if agreed:
        said.append(f"Agreement: {len(agreed['systems'])} systems, {agreed['clips']} clips of each in every language.")
        said.append(f"Systems of: {', '.join(agreed['studies'])}.")
    else:
        said.append("Agreement: no finished run; `--train` makes them.")
    return [*said, "BLEURT and BERTScore are absent: no weights here."]


def measure(studies: Sequence[Study], root: Path, space: Path, *, size: int, clips: int) -> dict[str, Any]:
    """All figures of the study."""
    encoder = Vectors(space) if (space / "config.json").is_file() else None
    one, titles = falls(METRICS, seeds=SEEDS, size=size, encoder=encoder, second=False)
    two, _ = falls(METRICS, seeds=SEEDS, size=size, encoder=encoder, second=True)
    damage = {
        "titles": titles,
        "seeds": SEEDS,
        "sentences": size,
        "shares": shares(one),
        "preferences": preferences(one),
        "preferences_of_two": preferences(two),
    }
    agreed = _agreement(studies, root, titles, clips, encoder) if root.is_dir() else None
    return {"damage": damage, "agreement": agreed}


def _agreement(
    studies: Sequence[Study], root: Path, titles: Mapping[str, str], clips: int, encoder: Vectors | None
) -> dict[str, Any] | None:
    """The figures of real systems; None of fewer than three, which cannot be ranked."""
    by_references = {
        title: systems(studies, root, METRICS, clips=clips, references=size, encoder=encoder)
        for title, size in REFERENCES.items()
    }
    found = by_references["all references"]
    if len(found) < 3:
        return None
    return {
        "titles": {**titles, **OWN},
        "clips": clips,
        "studies": sorted({system.title.partition(":")[0] for system in found}),
        "systems": [{"system": system.title, "seed": system.seed, "corpus": dict(system.corpus)} for system in found],
        "metrics": {title: agreement(given) for title, given in by_references.items()},
    }


def main(words: Sequence[str], home: Path = HOME) -> int:
    """Measure, write and print; the exit code."""
    parser = argparse.ArgumentParser(description="Which metric tells a wrong meaning from other words?")
    parser.add_argument("--train", action="store_true", help="first train what is missing of this study")
    parser.add_argument("--studies", nargs="+", default=[TRAINED.name], help="whose runs are judged")
    parser.add_argument("--runs", type=Path, default=Path("outputs/runs"), help="where the runs lie")
    parser.add_argument("--space", type=Path, default=Path("outputs/spaces/toy"), help="whose vectors are compared")
    parser.add_argument("--sentences", type=int, default=100, help="damaged references by language and seed")
    parser.add_argument("--clips", type=int, default=100, help="of each system, from the first")
    asked = parser.parse_args(words)
    if min(asked.sentences, asked.clips) < 2:
        raise UserError("--sentences and --clips: expected 2 or more.")
    studies = [TRAINED if name == TRAINED.name else study_of(name) for name in asked.studies]
    if asked.train:
        train(asked.runs)
    results = measure(studies, asked.runs, asked.space, size=asked.sentences, clips=asked.clips)
    damage = results["damage"]
    plot = drawn(damage["titles"], damage["shares"], damage["preferences"], damages=(HARMLESS, HARMFUL))
    print(freeze(home, table=table(results), notes=notes(results), plot=plot, results=results))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{error}")
