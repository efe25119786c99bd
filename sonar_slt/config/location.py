"""Where the yaml lies: beside the package in a checkout, inside it once installed, or where the user says.

The path is absolute, so that the same configs are found from any folder, by the console script and by ``python -m``.
"""

from __future__ import annotations

import os
from pathlib import Path

from sonar_slt.errors import UserError

PACKAGE = Path(__file__).resolve().parent.parent
VARIABLE = "SONAR_SLT_CONF"


def conf_folder() -> Path:
    """The folder of the primary configs, from ``SONAR_SLT_CONF``, the checkout or the installed package."""
    named = os.environ.get(VARIABLE)
    if named:
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise UserError(f"{VARIABLE} names {folder}, which is no folder; unset it to use the built-in configs.")
        return folder
    for folder in (PACKAGE / "conf", PACKAGE.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return folder
    raise FileNotFoundError(f"no conf/train.yaml beside or inside {PACKAGE}: the installation is incomplete")


def verbs() -> list[str]:
    """The verbs of the command line: each has a module in ``cli/`` and a primary config of the same name."""
    conf = conf_folder()
    modules = sorted(path.stem for path in (PACKAGE / "cli").glob("*.py") if not path.stem.startswith("_"))
    return [stem.replace("_", "-") for stem in modules if (conf / f"{stem}.yaml").is_file()]
