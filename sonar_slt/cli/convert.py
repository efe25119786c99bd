"""SONAR's encoder and decoder files, as Meta's fairseq or fairseq2 wrote them, into one transformers folder.

Examples:
    sonar-slt convert encoder=sonar_text_encoder.pt decoder=sonar_text_decoder.pt
    sonar-slt convert encoder=encoder.pt decoder=finetuned.pt tokenizer=nllb/ output=outputs/spaces/finetuned
    sonar-slt convert encoder=encoder.safetensors decoder=decoder.safetensors dtype=bfloat16
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from sonar_slt.cli.command.arguments import NUMBER, quoted
from sonar_slt.cli.command.asked import Asked
from sonar_slt.errors import UserError
from sonar_slt.runs.record import ended_by_sigterm

SIMPLE = re.compile(r"[\w./-]+", re.ASCII)


def run(config: dict[str, Any], _: Asked) -> None:
    """Convert, say what was written, and name the next command."""
    for half in ("encoder", "decoder"):
        if not config[half]:
            raise UserError(f"convert needs {half}=FILE, a .pt or .safetensors of fairseq or fairseq2.")
    from rich.console import Console

    from sonar_slt.space.conversion import convert

    with ended_by_sigterm():
        written = convert(
            config["encoder"],
            config["decoder"],
            config["tokenizer"],
            config["output"],
            heads=config["heads"],
            dtype=config["dtype"],
            tolerance=config["tolerance"],
            progress=True,
        )
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    console.print(f"Written: {config['output']}")
    console.print(f"Read: an encoder in the layout of {written.layouts[0]}, a decoder in that of {written.layouts[1]}")
    console.print(f"Weights: {written.parameters:,} in {written.precision}, {written.size:,} bytes")
    console.print(f"Tokens: {written.languages} languages; {written.spare_rows} word vectors have no token")
    console.print(f"Fingerprint: {written.fingerprint}")
    console.print(f"Next: sonar-slt check space=sonar {_word('space.source', config['output'])}")


def _word(key: str, text: str) -> str:
    """An override to be pasted: what is no simple word is quoted for Hydra, and that again for the shell."""
    simple = SIMPLE.fullmatch(text) and not NUMBER.fullmatch(text) and text.lower() != "null"
    return shlex.quote(f"{key}={text if simple else quoted(text)}")
