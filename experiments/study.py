"""The table of a study: what its arms reached, how far apart they are, and whether a rerun comes to the same.

    sonar-slt train experiment=study/objective_terms
    python experiments/study.py objective_terms            # outputs/runs, or the folder given behind the name
    python experiments/study.py objective_terms --check    # holds the runs against the frozen results.json

Writes table.md, plot.svg and results.json beside the study's study.yaml; with --check it writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from evidence import HERE, PLACE, Arm, Study, Trained, collect, difference, freeze, study_of
from figure import bars, curve

from sonar_slt.errors import UserError

Found = Mapping[str, Mapping[int, Trained]]
TOLERANCE = 0.1
"""BLEU by which a rerun with the same seed and lock may differ from the frozen figure."""
NAMES = {"lock_hash": "lock", "code": "code", "manifest_hash": "corpus", "space_fingerprint": "space", "git": "commit"}


def heard(study: Study, found: Found) -> list[str]:
    """Columns that get a second one, for arms in which ae has heard what no clip was trained into."""
    runs = [run for seeds in found.values() for run in seeds.values()]
    return [column for column in study.languages if any(column in run.heard for run in runs)]


def table(study: Study, found: Found) -> list[str]:
    """The rows of the markdown table."""
    aside = heard(study, found)
    heads = [*study.languages, *(f"{column}, heard by ae" for column in aside)]
    judged = [f"chrF2 {column}: difference | 95 % interval | excludes 0" for column in study.languages]
    columns = ["arm", "seeds", *(f"BLEU {head}" for head in heads), "retrieval@1", *judged]
    rows = [f"| {' | '.join(columns)} |", "|---" * (len(columns) + 2 * len(judged)) + "|"]
    for arm in study.arms.values():
        seeds = found.get(arm.title)
        if seeds:
            cells = [arm.title, str(len(seeds)), *_bleu(study, list(seeds.values()), aside)]
            cells += [spread([run.retrieval for run in seeds.values()])]
            cells += [cell for column in study.languages for cell in _apart(study, found, arm, column)]
        else:
            cells = [arm.title, "0: missing", *[""] * (len(columns) + 2 * len(judged) - 2)]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _bleu(study: Study, runs: list[Trained], aside: list[str]) -> list[str]:
    def cell(column: str, wanted: bool) -> str:
        return spread([run.bleu[column] for run in runs if (column in run.heard) is wanted])

    return [*(cell(column, False) for column in study.languages), *(cell(column, True) for column in aside)]


def _apart(study: Study, found: Found, arm: Arm, column: str) -> list[str]:
    """How far an arm is from the one that it is held against: three cells, empty where there is nothing to pair."""
    reference = study.reference(arm)
    if reference.title == arm.title or not set(found.get(reference.title, ())) & set(found[arm.title]):
        return ["", "", ""]
    mean, low, high = difference(found[arm.title], found[reference.title], column)
    return [f"{mean:+.1f}", f"{low:+.1f} to {high:+.1f}", "no" if low <= 0 <= high else "yes"]


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    if not values:
        return ""
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


def notes(study: Study, found: Found) -> list[str]:
    """What the table stands on, and what it lacks: each a sentence."""
    runs = [run for seeds in found.values() for run in seeds.values()]
    held = {study.reference(arm).title for arm in study.arms.values()}
    said = [f"Differences are from: {'; '.join(sorted(held))} (an arm that names another is held against that)."]
    if len(held) == 1:
        said = [f"Differences are from: {held.pop()}."]
    said.append(f"Mean ± standard deviation over seeds; judged on {max(run.clips for run in runs)} clips.")
    stands = {key: list(dict.fromkeys(short(run.place[key]) for run in runs)) for key in PLACE}
    said.append("Runs of " + "; ".join(f"{NAMES[key]} {', '.join(values)}" for key, values in stands.items()) + ".")
    said += [f"Begun with the weights of {run}." for run in sorted({run.begun for run in runs if run.begun})]
    for arm in study.arms.values():
        seeds = found.get(arm.title, {})
        lacking = [str(seed) for seed in study.seeds if seed not in seeds]
        if lacking:
            said.append(f"Missing: {arm.title}, seed {', '.join(lacking)}.")
        said += [
            f"Mixed: the runs of {arm.title} are of more than one {NAMES[key]}."
            for key in ("manifest_hash", "space_fingerprint", "lock_hash")
            if len({run.place[key] for run in seeds.values()}) > 1
        ]
    return said


def short(value: Any) -> str:
    """The beginning of a hash; of a commit also whether the tree departed from it."""
    if isinstance(value, Mapping):
        return f"{str(value.get('sha'))[:8]}{' with changes' if value.get('dirty') else ''}"
    return str(value)[:8] if value else "unknown"


def results(study: Study, found: Found) -> dict[str, Any]:
    """The figures of every run, by arm and seed, for a later check."""
    arms = {
        title: {
            str(seed): {"bleu": dict(run.bleu), "retrieval_at_1": run.retrieval, "run": run.folder.name, **run.place}
            for seed, run in seeds.items()
        }
        for title, seeds in found.items()
    }
    return {"study": study.name, "question": study.question, "command": study.command, "arms": arms}


def check(study: Study, found: Found, frozen: Mapping[str, Any]) -> tuple[list[str], float | None]:
    """Later runs against frozen figures: what is to be said, and the largest difference in BLEU; None of no pair."""
    said, pairs = [], []
    for title, seeds in frozen["arms"].items():
        for seed, then in seeds.items():
            now = found.get(title, {}).get(int(seed))
            if now is None or now.folder.name == then["run"]:
                said.append(f"Not run again: {title}, seed {seed}.")
                continue
            if now.place["lock_hash"] != then["lock_hash"]:
                said.append(f"Of another lock than the frozen one: {title}, seed {seed}.")
            pairs += [
                (abs(now.bleu[column] - value), f"{title}, seed {seed}, {column}")
                for column, value in then["bleu"].items()
            ]
    if not pairs:
        return [*said, "Nothing to compare."], None
    largest, where = max(pairs)
    said.append(f"Largest difference in BLEU of {len(pairs)} figures: {largest:.3f} ({where}).")
    return said, largest


def plot(study: Study, found: Found) -> str:
    """A curve where the study has an axis, else bars beside the differences."""
    bleu = {
        title: {column: [run.bleu[column] for run in seeds.values()] for column in study.languages}
        for title, seeds in found.items()
    }
    if study.axis is not None:
        places = [(float(study.arms[title].at or 0), columns) for title, columns in bleu.items()]
        return curve(sorted(places, key=lambda place: place[0]), axis=study.axis)
    apart: dict[str, dict[str, tuple[float, float, float]]] = {}
    for title, seeds in found.items():
        other = study.reference(study.arms[title]).title
        if other != title and set(seeds) & set(found.get(other, ())):
            apart[title] = {column: difference(seeds, found[other], column) for column in study.languages}
    return bars(bleu, apart, columns=list(study.languages))


def main(words: Sequence[str], home: Path = HERE) -> int:
    """Write the table of a study, or check its runs against the frozen one; the exit code."""
    parser = argparse.ArgumentParser(description="The table of a study.")
    parser.add_argument("study", help="a folder beside this file, such as objective_terms")
    parser.add_argument("runs", nargs="?", type=Path, default=Path("outputs/runs"), help="where the runs lie")
    parser.add_argument("--check", action="store_true", help="hold the runs against the frozen results.json")
    asked = parser.parse_args(words)
    study = study_of(asked.study, home)
    found = collect(study, asked.runs, home)
    if not found:
        raise UserError(f"No finished run of {study.name} in {asked.runs}: {study.command}")
    folder = home / study.name
    if asked.check:
        if not (folder / "results.json").is_file():
            raise UserError(f"{study.name} has no results.json to check against; without --check one is written.")
        frozen = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        said, largest = check(study, found, frozen)
        print("\n".join(said))
        return int(largest is None or largest > TOLERANCE)
    kept = {"table": table(study, found), "notes": notes(study, found), "plot": plot(study, found)}
    print(freeze(folder, **kept, results=results(study, found)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{error}")
