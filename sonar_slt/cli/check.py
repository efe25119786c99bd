"""Is everything here? Versions, device, memory, space and corpus, parameters, one batch, and a round trip.

The round trip takes sentences of the corpus through the space and back. A checkpoint whose halves, tokenizer or
control rows do not belong together still opens, and says nonsense here. `fits=true` tries which batch size there is
memory for, with the longest clips and whole training steps, and says what to set.

Examples:
    sonar-slt check
    sonar-slt check space=sonar
    sonar-slt check space=sonar space.source=/data/converted space.dtype=bfloat16
    sonar-slt check data=phoenix14t data.root=/data/PHOENIX-2014-T
    sonar-slt check data=how2sign data.root=/data/How2Sign fits=true
    sonar-slt check experiment=toy_space
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonar_slt.cli.command.asked import Asked
from sonar_slt.cli.training.recipe import is_current
from sonar_slt.errors import UserError
from sonar_slt.runs.provenance.code import versions

if TYPE_CHECKING:
    from rich.console import Console
    from torch import nn

GIB = 2**30
LANGUAGES = 5
"""How many languages a round trip goes through at most."""


def run(config: dict[str, Any], asked: Asked) -> None:
    """Build everything that `train` would build, without training, and say what it is."""
    from rich.console import Console
    from rich.table import Table

    from sonar_slt.config.assembly import assemble
    from sonar_slt.task.fitting import best_device, quiet

    if config["round_trip"] < 0:
        raise UserError(f"round_trip={config['round_trip']}: a number of sentences, or 0 for none.")
    console = Console(highlight=False, markup=False)
    console.print("  ".join(f"{name} {version}" for name, version in versions().items()))
    console.print(f"Device: {best_device()}")
    if not _corpus(config, asked, console):
        return
    if config.get("recipe") and not is_current(config, asked.config_dir):
        source = Path(config["space"]["source"])
        console.print(
            f"Space: '{source}' is absent or out of date; `sonar-slt train` trains it first, in a minute or two."
        )
        return
    device = best_device()
    _require_memory(config, console)
    with quiet():
        made = assemble(config, device=device)
    if made.space:
        known = made.space.languages
        named = ", ".join(known) if len(known) <= 12 else f"{len(known)} languages"
        console.print(f"Space: {made.space.name}, {made.space.dim} dimensions, {named}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("part", "parameters", "trained", "frozen"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, total, trained in _counts(made.task, made.space.model if made.space else None):
        table.add_row(name, f"{total:,}", f"{trained:,}", f"{total - trained:,}")
    console.print(table)
    for line in made.data.described(made.data.batch(0)):
        console.print(line)
    if made.space and config["round_trip"]:
        _round_trip(made.data, config, console)
    if config["fits"]:
        _fits(made.task, config, console)


def _corpus(config: Mapping[str, Any], asked: Asked, console: Console) -> bool:
    """Say what the corpus is beside the variants that circulate; whether it can be served without being prepared first.

    Preparing a real one is the work of hours and of a command of its own; what is generated is made on the spot.
    """
    from sonar_slt.config.assembly import corpus_of
    from sonar_slt.data.corpus import Corpus
    from sonar_slt.data.preparation.summary import corpus_lines
    from sonar_slt.data.prepared_folder import is_prepared
    from sonar_slt.data.served import parts_of

    if not config.get("preparation"):
        return True
    corpus = corpus_of(config)
    ready = True
    for part in parts_of(corpus):
        if isinstance(part, Corpus) and part.label_files():
            ready &= is_prepared(part.prepared)
            for line in corpus_lines(part, command=_preparing(asked)):
                console.print(line, soft_wrap=True)
    return ready


def _preparing(asked: Asked) -> str:
    """The command that prepares the corpus: what was said of it to this one."""
    rooms = ("data", "pose", "preparation", "normalise", "paths")
    said = [word for word in asked.overrides if re.split(r"[.=@]", word.lstrip("+~"), maxsplit=1)[0] in rooms]
    chosen = [] if any(word.startswith("data=") for word in said) else [f"data={asked.choices['data']}"]
    return shlex.join(["sonar-slt", "prepare", *chosen, *said])


def _require_memory(config: Mapping[str, Any], console: Console) -> None:
    """Say what the weights take and what there is, before anything is loaded; refuse what cannot fit."""
    from sonar_slt.bench.memory import available
    from sonar_slt.space.opening import weight_bytes
    from sonar_slt.task.fitting import best_device

    space = config.get("space")
    if not space or "source" not in space:
        return
    known = {key: space[key] for key in ("source", "revision", "dtype", "only") if key in space}
    needed, found = weight_bytes(**known), available(best_device())
    free = "" if found is None else f" of {found / GIB:.1f} GiB free"
    console.print(f"Memory: {needed / GIB:.2f} GiB of weights{free}")
    if found is not None and needed > found:
        raise UserError(
            f"The weights of '{space['source']}' take {needed / GIB:.1f} GiB and {found / GIB:.1f} GiB are free: "
            "space.dtype=bfloat16 takes half of float32, and space.only=decoder leaves the encoder out."
        )


def _round_trip(data: Any, config: Mapping[str, Any], console: Console) -> None:
    """Sentences of the dev split through the space and back, by language; any of their references will do."""
    from sonar_slt.metrics import score_translations

    rows = data.rows["dev"][: config["round_trip"]]
    if not data.space.has_encoder or not rows:
        console.print("Round trip: left out, for there is no encoder or no dev sentence.")
        return
    known = [code for code in data.space.languages if all(row.references(code) for row in rows)][:LANGUAGES]
    values = {}
    for code in known:
        said = data.space.decode(data.space.encode([row.references(code)[0] for row in rows], code), code)
        scores = score_translations(said, [row.references(code) for row in rows], lang=code, resamples=0)["scores"]
        values[code] = float(scores["bleu"]["value"])
    mean = sum(values.values()) / len(values)
    each = ", ".join(f"{code} {value:.1f}" for code, value in values.items())
    console.print(f"Round trip of {len(rows)} sentences: BLEU {mean:.1f} ({each}), of at least {config['least_bleu']}.")
    if not config.get("recipe"):
        console.print(
            "SONAR's paper has 32.4 with the basic and 41.7 with the fine-tuned decoder, in spBLEU, the mean over "
            "200 languages of FLORES-200; large languages lie above it."
        )
    if mean < config["least_bleu"]:
        raise UserError(
            f"The space '{data.space.name}' does not say what it is told: BLEU {mean:.1f} is under "
            f"least_bleu={config['least_bleu']}. Do encoder, decoder and tokenizer belong together?"
        )


def _fits(task: Any, config: Mapping[str, Any], console: Console) -> None:
    """Try which batch size fits and say what to set, also for as many clips a step as are configured."""
    from rich.table import Table

    from sonar_slt.bench.training.capacity import capacity, shared
    from sonar_slt.config.build import build
    from sonar_slt.task.fitting import quiet, steps_not_epochs
    from sonar_slt.task.sign import SignTranslation

    if not isinstance(task, SignTranslation):
        raise UserError(f"fits=true tries clips, and this trains {config['name']}: choose task=sign.")
    with quiet(), console.status("Trying batch sizes"):
        settings = steps_not_epochs(config["trainer"], eval_every=config["eval_every"])
        trainer = build(settings, logger=False)
        found = capacity(task, precision=trainer.precision_plugin.train_step_context)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("clips", "peak GiB", "clips per second"):
        table.add_column(heading, justify="right")
    for fit in found.fits:
        table.add_row(str(fit.clips), f"{fit.peak / GIB:.2f}", f"{fit.clips / fit.seconds:.1f}")
    console.print(table)
    largest, free = found.fits[-1].clips, "" if found.free is None else f" in {found.free / GIB:.1f} GiB"
    console.print(
        f"Up to {largest} clips of {found.frames} frames fit{free}, the longest that there are: "
        f"batches.size={found.advised} leaves a margin.",
        soft_wrap=True,
    )
    together = int(config["trainer"].get("accumulate_grad_batches") or 1)
    wanted = config["batches"]["size"] * together
    size, count = shared(wanted, found.advised)
    if (size, count) != (config["batches"]["size"], together):
        console.print(
            f"For {wanted} clips per step, as configured: batches.size={size} trainer.accumulate_grad_batches={count}.",
            soft_wrap=True,
        )


def _counts(task: nn.Module, base: nn.Module | None) -> Iterator[tuple[str, int, int]]:
    """Name, number of parameters, and how many of them learn, of each part; LoRA counts to the student."""
    parts = dict(task.named_children())
    own = {id(weight) for part in parts.values() for weight in part.parameters()}
    rows = [(name, list(part.parameters())) for name, part in parts.items() if any(True for _ in part.parameters())]
    if base is not None:
        rows.append(("space", [weight for weight in base.parameters() if id(weight) not in own]))
    rows.append(("all", [weight for _, weights in rows for weight in weights]))
    for name, weights in rows:
        yield name, sum(w.numel() for w in weights), sum(w.numel() for w in weights if w.requires_grad)
