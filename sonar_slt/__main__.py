"""``python -m sonar_slt`` is ``sonar-slt``."""

import sys

from sonar_slt.cli import main

if __name__ == "__main__":
    sys.exit(main())
