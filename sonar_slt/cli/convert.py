"""SONAR's encoder and decoder files, as Meta's fairseq or fairseq2 wrote them, into one transformers folder.

Examples:
    sonar-slt convert encoder=sonar_text_encoder.pt decoder=sonar_text_decoder.pt
    sonar-slt convert encoder=encoder.pt decoder=finetuned.pt tokenizer=nllb/ output=outputs/spaces/finetuned
    sonar-slt convert encoder=encoder.safetensors decoder=decoder.safetensors dtype=bfloat16
"""

from __future__ import annotations

from typing import Any

from sonar_slt.errors import UserError


def run(config: dict[str, Any]) -> None:
    """Convert, say what was written, and name the next command."""
    config.pop("call")
    for half in ("encoder", "decoder"):
        if not config[half]:
            raise UserError(f"convert needs {half}=FILE, a .pt or .safetensors of fairseq or fairseq2.")
    from rich.console import Console

    from sonar_slt.space.conversion import convert

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
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Written: {config['output']}", markup=False)
    console.print(f"Read: an encoder in the layout of {written.layouts[0]}, a decoder in that of {written.layouts[1]}")
    console.print(f"Weights: {written.parameters:,} in {written.precision}, {written.size:,} bytes")
    console.print(f"Tokens: {written.languages} languages; {written.spare_rows} word vectors have no token")
    console.print(f"Fingerprint: {written.fingerprint}")
    console.print(f"Next: sonar-slt check space=sonar space.source={config['output']}", markup=False)
