"""How anyone checks the scores of a bundle: its README, with the command of sacrebleu that gives each of them.

A command is made from a score's signature, so that it says what was done and not what is usual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FLAGS = {
    "bleu": {"case:lc": "--lowercase", "eff:yes": "--use-effective-order"},
    "chrf": {"case:lc": "--chrf-lowercase", "eff:no": "--chrf-eps-smoothing", "space:yes": "--chrf-whitespace"},
    "ter": {
        "case:mixed": "--ter-case-sensitive", "asian:yes": "--ter-asian-support", "punct:no": "--ter-no-punct",
        "norm:yes": "--ter-normalized",
    },
}  # fmt: skip
"""The options of sacrebleu's command that a word of a signature stands for, by metric; other words are its defaults."""
VALUED = {"bleu": {"tok": "--tokenize", "smooth": "--smooth-method"}, "chrf": {"nc": "--chrf-char-order"}}
ROUNDING = 6
"""Decimals that the commands print."""


def command(part: Mapping[str, Any], name: str) -> str | None:
    """The command of sacrebleu that prints one score of a bundle's part; None where it cannot.

    The paths are those in an unpacked bundle. sacrebleu's files hold as many references for every sentence. Repeating
    one changes neither BLEU nor chrF, but TER, which divides by the references' mean length.
    """
    signature = str(part["scores"][name]["signature"]).split("|")
    words = dict(word.partition(":")[::2] for word in signature)
    metric = _metric(words)
    few, most = part["references_per_sentence"]
    if metric is None or (metric == "ter" and few != most):
        return None
    files = f"text/{part['split']}.{part['language']}"
    references = " ".join(f"{files}.ref{number}.txt" for number in range(most))
    options = [FLAGS[metric][word] for word in signature if word in FLAGS[metric]]
    options += [f"{option} {words[key]}" for key, option in VALUED.get(metric, {}).items() if key in words]
    if metric == "chrf":
        options.append(f"--chrf-word-order {words.get('nw', 0)}")
    options += ["--force"] if metric == "bleu" else []  # it only silences a hint
    return f"sacrebleu {references} -i {files}.hyp.txt -m {metric} {' '.join(options)} --score-only --width {ROUNDING}"


def _metric(words: Mapping[str, str]) -> str | None:
    """The metric of sacrebleu that signs so; the scores that are ours alone sign otherwise."""
    if {"tok", "smooth", "eff"} <= words.keys():
        smooth = words["smooth"].partition("[")[0]
        return "bleu" if smooth == words["smooth"] else None
    if {"nc", "nw"} <= words.keys():
        return "chrf"
    return "ter" if words.get("tok") == "tercom" else None


def readme(manifest: Mapping[str, Any]) -> str:
    """The text beside a bundle's manifest: what lies in it, each score, and how to check it."""
    run = manifest["run"]
    lines = [
        f"Hypotheses of the run {run['id']} ({run['name']}) by sonar-slt {run['versions'].get('sonar-slt', '?')}.",
        "",
        "manifest.json            what was run, and for each language n, a hash of the ids, scores with signatures",
        "hypotheses/*.jsonl       one clip in a line: id, hypothesis, references, and what else is known of it",
        "text/*.hyp.txt, *.ids.txt, *.ref0.txt, *.ref1.txt, ...   the same as plain text, line by line",
        "",
        "ids_hash is the sha256 of the ids in order, joined by newlines.",
        *_remarks(manifest),
    ]
    for part in manifest["parts"]:
        lines += ["", *_part(part)]
    return "\n".join(lines) + "\n"


def _remarks(manifest: Mapping[str, Any]) -> list[str]:
    remarks = []
    if any(part["references_per_sentence"][0] != part["references_per_sentence"][1] for part in manifest["parts"]):
        remarks.append(
            "A sentence with fewer references than others repeats its first one in the text files. That changes neither"
            " BLEU nor chrF; sacrebleu's own signature then says nrefs:N where ours says nrefs:var."
        )
    if flattened := sum(part["flattened"] for part in manifest["parts"]):
        remarks.append(f"{flattened} texts hold line breaks; in the text files they are spaces.")
    return remarks


def _part(part: Mapping[str, Any]) -> list[str]:
    whose = {"human": "written by people", "pseudo": "machine translations (pseudo-references)"}.get(
        str(part["references"]), "of unknown origin"
    )
    lines = [f"{part['split']}, {part['language']}: {part['n']} clips, references {whose}"]
    if not part["scores"]:
        lines.append("  (not scored by this run)")
    for name, score in part["scores"].items():
        lines += [f"  {name} {score['value']:.{ROUNDING}f}   {score['signature']}"]
        if found := command(part, name):
            lines += [f"    {found}"]
    return lines
