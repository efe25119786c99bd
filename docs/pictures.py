"""The pictures in this folder, from the report of the demo: `python docs/pictures.py` after `make demo`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sonar_slt.cli import main

HOME = Path(__file__).parent
PICTURES = {
    "report.png": ("theme=light", "height=1180"),
    "report_dark.png": ("theme=dark", "height=1180"),
    "report_phone.png": ("theme=light", "width=390", "height=1180"),
}


def draw(summary: Path) -> int:
    """Write every picture of the report that a demo ended with; the exit code."""
    page = Path(json.loads(summary.read_text(encoding="utf-8"))["report"])
    for name, words in PICTURES.items():
        if code := main(["report", str(page.parent), f"output={page}", f"picture={HOME / name}", *words]):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(draw(Path("outputs/demo/summary.json")))
