"""Does an eye that learns see more of the toy world than a random one that stays as it is? Read the sweep's runs.

    sonar-slt train -m experiment=visual_toy learning@adapter.eye.learning=whole,frozen seed=1,2,3 conclude=test
    python experiments/visual_toy/study.py outputs/runs

Writes table.md and plot.svg beside this file. Of runs that were done twice the newest counts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sonar_slt.runs.registry import all_runs

HERE = Path(__file__).parent
ARMS = {"Whole": "ViT from scratch, learns along", "Frozen": "the same ViT, random and frozen"}
LEAST_BLEU, LEAST_FOUND = 30.0, 50.0


def collect(root: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """What learns, and seed, to the metrics of the test split."""
    found: dict[str, dict[int, dict[str, Any]]] = {arm: {} for arm in ARMS}
    for run in all_runs(root):
        if run.verb == "train" and run.name == "visual_toy" and run.status == "finished" and run.seed is not None:
            config = yaml.safe_load((run.folder / "config.yaml").read_text(encoding="utf-8"))
            arm = config["adapter"]["eye"]["learning"]["_target_"].rpartition(".")[2]
            if run.metrics.get("split") == "test" and run.seed not in found.get(arm, {run.seed: {}}):
                found[arm][run.seed] = {**run.metrics, "seconds": run.seconds}
    return found


def row(title: str, seeds: dict[int, dict[str, Any]]) -> str:
    """One arm, mean and spread over its seeds."""
    picks = (
        lambda m: m["mean_bleu"]["trained"],
        lambda m: m["mean_bleu"]["unseen"],
        lambda m: m["retrieval_at_1"],
        lambda m: m["seconds"],
    )
    figures = [spread([float(pick(metrics)) for metrics in seeds.values()]) for pick in picks]
    return f"| {title} | {len(seeds)} | {' | '.join(figures)} |"


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.1f}"


def verdict(found: dict[str, dict[int, dict[str, Any]]]) -> str:
    """Whether each seed reaches what was asked, and lies above its control."""
    lines = []
    for seed, metrics in sorted(found["Whole"].items()):
        bleu, at_1 = metrics["mean_bleu"]["trained"], metrics["retrieval_at_1"]
        control = found["Frozen"].get(seed)
        told = f"seed {seed}: BLEU {bleu:.1f} of {LEAST_BLEU:g}, retrieval@1 {at_1:.1f} % of {LEAST_FOUND:g}"
        if control:
            told += f"; frozen {control['mean_bleu']['trained']:.1f} and {control['retrieval_at_1']:.1f} %"
        lines.append(told)
    return "\n".join(lines)


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" font-family="sans-serif" font-size="14">
<rect width="100%" height="100%" fill="white"/>
{bars}
<text x="240" y="{foot}" fill="#555">BLEU on 500 held-out clips, four trained languages; a dot a seed</text>
</svg>
"""


def plot(found: dict[str, dict[int, dict[str, Any]]]) -> str:
    """Mean BLEU of each arm as a bar, its seeds as dots."""
    drawn = []
    for place, (arm, title) in enumerate(ARMS.items()):
        values = [metrics["mean_bleu"]["trained"] for metrics in found[arm].values()]
        top, mean = 44 * place + 14, float(np.mean(values))
        drawn.append(f'<text x="230" y="{top + 18}" text-anchor="end">{title}</text>')
        drawn.append(f'<rect x="240" y="{top}" width="{3.4 * mean:.1f}" height="26" fill="#4a7ebb"/>')
        drawn += [f'<circle cx="{240 + 3.4 * value:.1f}" cy="{top + 13}" r="4" fill="#1c2b3f"/>' for value in values]
        drawn.append(f'<text x="{262 + 3.4 * max(values):.1f}" y="{top + 18}">{mean:.1f}</text>')
    return SVG.format(height=44 * len(ARMS) + 44, foot=44 * len(ARMS) + 30, bars="\n".join(drawn))


def main(root: Path) -> None:
    """Write table and plot."""
    found = collect(root)
    rows = [
        "| eye | seeds | BLEU trained | BLEU unseen | retrieval@1 of 500 | seconds |",
        "|---|---|---|---|---|---|",
        *(row(title, found[arm]) for arm, title in ARMS.items() if found[arm]),
    ]
    (HERE / "table.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (HERE / "plot.svg").write_text(plot(found), encoding="utf-8")
    print("\n".join(rows), verdict(found), sep="\n\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
