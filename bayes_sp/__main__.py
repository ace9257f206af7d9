"""``python -m bayes_sp``."""

from bayes_sp.cli.process import run

if __name__ == "__main__":
    run()
