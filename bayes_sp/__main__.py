"""``python -m bayes_sp``."""

import sys

from bayes_sp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
