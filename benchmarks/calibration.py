"""``python -m benchmarks.calibration``: simulation-based calibration of shipped specifications and of `specifications`.

Simulations are kept in ``--out``, so that the command goes on where it was stopped. The table of each specification's
quantities is written to ``docs/calibration/SPECIFICATION.csv``, and one row for each to
``docs/calibration_results.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import bayes_sp as sp
from bayes_sp.analysis.calibration.calibrate import Calibration
from bayes_sp.model.reading.load import shipped_models

DOCS = Path(__file__).parent.parent / "docs"
FURTHER = sorted(str(path) for path in (Path(__file__).parent / "specifications").glob("*.toml"))
_HEAD = """# Results of the calibration

What these statistics mean stands under [Calibration](calibration.md). Each row is a specification that comes with the
package, or one of `benchmarks/specifications`, with patients as in the reconstructed records (seed 1) and its own
priors; the last column holds the statistics of each quantity. Limits are such that where all posteriors are right, one
specification in twenty has any quantity beyond them. Written by `python -m benchmarks.calibration`.

| specification | simulations | quantities | beyond their limits | location | spread | 95 % intervals | every quantity |
|---|---|---|---|---|---|---|---|
"""


def row(found: Calibration) -> str:
    """Return one specification's row: extremes over its quantities, limits in brackets."""
    table, name = found.table, found.model.name
    limits, share = table.iloc[0], 100 * table["coverage_95"]
    cells = [
        name, f"{len(found.ranks):,}", f"{len(table)}", f"{(~table['calibrated']).sum()}",
        f"{table['location'].min():+.3f} to {table['location'].max():+.3f} (±{limits['location_limit']:.3f})",
        f"{table['spread'].min():.3f} to {table['spread'].max():.3f} "
        f"({limits['spread_lower']:.3f} to {limits['spread_upper']:.3f})",
        f"{share.min():.1f} to {share.max():.1f} %", f"[table](calibration/{name}.csv)",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing of the simulations, and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__.split("\n\n")[0])
    parser.add_argument("model", nargs="*", help="shipped specifications, or files (default all)")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/calibration"), help="folder in which ranks are kept")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder of the tables")
    options = parser.parse_args(arguments)
    survey, rows = sp.reconstruct(seed=1), []
    (options.docs / "calibration").mkdir(parents=True, exist_ok=True)
    for model in options.model or [*shipped_models(), *FURTHER]:
        name = Path(model).stem
        found = sp.calibrate(
            model, survey, simulations=options.simulations, seed=options.seed, workers=options.workers,
            folder=options.out / name,
        )  # fmt: skip
        found.table.round(4).to_csv(options.docs / "calibration" / f"{name}.csv", index=False)
        print(name, *found.sentences(), sep="\n  ", flush=True)
        rows.append(row(found))
        (options.docs / "calibration_results.md").write_text(_HEAD + "".join(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
