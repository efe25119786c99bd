"""Translate a prepared corpus' sentences into more languages; they go into its manifest, marked pseudo.

People's sentences are never touched. What was translated is kept in outputs/cache/translations: a killed job goes on, a
second call computes nothing, and after `sonar-slt prepare renew=true` the same command brings all of it back.

Examples:
    sonar-slt augment-text data=phoenix14t data.root=/data/PHOENIX-2014-T data.poses=/data/poses
    sonar-slt augment-text data=prepared data.root=FOLDER languages=[ita_Latn] translator.source=FOLDER
    sonar-slt augment-text data=prepared data.root=FOLDER space=sonar least_cosine=0.6 drop_flagged=true
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.training.recipe import ensure_space
from sonar_slt.errors import UserError
from sonar_slt.languages import language
from sonar_slt.runs.record import Terminated, ended_by_sigterm

if TYPE_CHECKING:
    from rich.console import Console

    from sonar_slt.data.translations import Lacking, Order
    from sonar_slt.translator.job import TranslationJob

PREPARING = ("data", "preparation", "normalise", "pose", "paths")
"""The rooms that decide which prepared folder is meant."""


def run(config: dict[str, Any], asked: Asked) -> None:
    """Translate what is lacking, corpus by corpus, and say what was done."""
    from rich.console import Console

    targets = _checked(config)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    orders = _orders(config, targets, asked.overrides)
    for folder, (order, lacks) in orders.items():
        _tell_lacking(console, folder, order, lacks)
    if not any(found.sentences for _, lacks in orders.values() for found in lacks.values()):
        console.print("Nothing to translate.")
        return
    ensure_space(config, asked.config_dir)
    job = _job(config, console)
    try:
        with ended_by_sigterm():  # what was translated by then is kept
            changed = [job.run(folder, order, lacks) for folder, (order, lacks) in orders.items()]
    except (KeyboardInterrupt, Terminated):
        console.print("Stopped. The same command goes on from here.")
        raise
    if any(changed):
        console.print("The manifest as it was, for runs that were trained on it: manifest.prepared.jsonl beside it.")


def _checked(config: Mapping[str, Any]) -> list[str]:
    """The target languages; every fault of the words is told before anything is loaded."""
    targets = list(dict.fromkeys(config["languages"]["targets"] or ()))
    if not targets:
        raise UserError("Into which languages? Add languages=[eng_Latn,fra_Latn] or others.")
    for code in [*targets, *([config["language"]] if config["language"] else [])]:
        language(code)
    if not config.get("translator"):
        raise UserError("translator=null: something has to translate, such as translator=nllb.")
    if not -1 <= config["least_cosine"] <= 1:
        raise UserError(f"least_cosine={config['least_cosine']}: expected a cosine, from -1 to 1.")
    if config["drop_flagged"] and not config.get("space"):
        raise UserError("drop_flagged=true: only a space can flag a translation; add one, such as space=sonar.")
    return targets


def _orders(
    config: Mapping[str, Any], targets: Sequence[str], overrides: Sequence[str]
) -> dict[Path, tuple[Order, dict[str, Lacking]]]:
    """What is to be translated in each prepared folder, and what it lacks."""
    from sonar_slt.config.assembly import corpus_of
    from sonar_slt.data.served import parts_of
    from sonar_slt.data.translations import Order, lacking, require_writable, source_language

    corpus = corpus_of(config)
    orders = {}
    for part in parts_of(corpus):
        folder = _prepared(part, overrides)
        require_writable(folder)
        rows = part.rows
        source = source_language(rows, config["language"])
        if source in targets:
            raise UserError(f"languages=[{','.join(targets)}]: {source} is translated from; leave it out.")
        order = Order(source=source, targets=targets, replace=config["replace"])
        orders[folder] = order, lacking(rows, order)
    return orders


def _prepared(corpus: Any, overrides: Sequence[str]) -> Path:
    """The folder of a corpus that has been prepared."""
    from sonar_slt.data.corpora.prepared import Prepared
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.prepared_folder import is_prepared

    if isinstance(corpus, Prepared):
        corpus.prepare()  # which only looks whether it is one
    elif not isinstance(corpus, Corpus):
        raise UserError("This data has no manifest to extend: `sonar-slt prepare --help` lists the corpora.")
    elif not is_prepared(corpus.prepared):
        kept = [word for word in overrides if re.split(r"[.=@]", word.lstrip("+~"), maxsplit=1)[0] in PREPARING]
        told = shlex.join(["sonar-slt", "prepare", *kept])
        raise UserError(f"The corpus {corpus.name} is not prepared yet: `{told}` does it.")
    folder: Path = corpus.prepared
    return folder


def _job(config: Mapping[str, Any], console: Console) -> TranslationJob:
    """The translator, and the space that judges what it says, if there is one."""
    from sonar_slt.config.build import build
    from sonar_slt.task.fitting import best_device
    from sonar_slt.translator.job import TranslationJob

    device = best_device()
    return TranslationJob(
        translator=build(config["translator"], device=device),
        cache=Path(config["paths"]["cache"]),
        space=build(_encoding(config["space"]), device=device) if config.get("space") else None,
        least_cosine=config["least_cosine"],
        drop_flagged=config["drop_flagged"],
        tell=console.print,
    )


def _encoding(space: Mapping[str, Any]) -> dict[str, Any]:
    """The space without its decoder, unless the pooling is made of decoder layers."""
    from sonar_slt.space.pooling import pooling_of

    choice = space.get("pooling", "mean")
    whole = not isinstance(choice, str) or pooling_of(choice).needs_decoder
    return {**space, "only": None if whole else "encoder"} if "only" in space else dict(space)


def _tell_lacking(console: Console, folder: Path, order: Order, lacks: Mapping[str, Lacking]) -> None:
    """What there is to do in a folder, language by language."""
    console.print(f"Corpus: {folder}, from {order.source}")
    for target, found in lacks.items():
        others = {
            "have people's sentences": found.human,
            "keep a machine's (replace=true translates them anew)": found.machine,
            f"have no sentence in {order.source}": found.silent,
        }
        told = "".join(f"; {number:,} {what}" for what, number in others.items() if number)
        console.print(f"{target}: {found.clips:,} clips lack it{told}.")
