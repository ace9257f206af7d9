"""``python -m benchmarks.mutants``: how many faults of formulas, families, kernels and bootstrap their tests see.

Cosmic-ray's operators change one sign, number, comparison or condition of a module at a time. Each mutant runs the
tests that are named for its module, in a process of its own and without machine code, until the first that fails.
Operators that a float cannot have (shifts, bits) are left out: they fail without a test of any number. Needs
``cosmic-ray`` (``uv run --with cosmic-ray python -m benchmarks.mutants``), and a system that can fork.

``--page`` writes the table of ``docs/mutants.md``, from everything that stands in ``--out``; why a mutant that survives
does no harm stands in ``benchmarks/survivors.csv``.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent
PAGE, REASONS = ROOT / "docs" / "mutants.md", Path(__file__).parent / "survivors.csv"
_HEAD = """# Faults that tests see

A test is worth what it catches. One sign, number, comparison or condition of a module is changed at a time, and the
module's own tests run until one fails: a mutant that fails a test is killed. Of each module a random sample was tried
(seed 1); `python -m benchmarks.mutants` draws others, and takes modules of which no row stands yet. It runs with no
machine code, so that the kernels change as well. Where a mutant of the sample survived and mattered, a test was
written, and that mutant tried again: of mutants not drawn yet fewer may be killed.

"""
_E, _I = "tests/effects/", "tests/inference/"
# Of the tests of means those that are quick without machine code.
_QUICK = (
    "one_mediator or steep or closed_forms or blocks or does_not_exist or collapse or two_levels or nodes_integrate "
    "or change_rules"
)
_WORLDS = (_E + "test_worlds.py", "-k", f"test_sums or {_QUICK}")
MODULES = {
    "effects/shapley.py": [_E + "test_formulas_shapley.py"],
    "effects/formulas.py": [_E + "test_formulas.py"],
    "effects/interventional.py": [_E + "test_interventional.py"],
    "effects/tails.py": [_E + "test_tails.py"],
    "effects/means/normal.py": [_E + "test_sums.py", *_WORLDS],
    "effects/means/nodes.py": [_E + "test_sums.py", *_WORLDS],
    "effects/means/kernels.py": [_E + "test_sums.py", *_WORLDS],
    "effects/means/kernels_sums.py": [_E + "test_sums.py", *_WORLDS],
    "effects/means/kernels_blocks.py": [_E + "test_sums.py", *_WORLDS],
    "effects/means/kernels_levels.py": [_E + "test_sums.py", *_WORLDS],
    "model/densities.py": ["tests/model/test_densities.py", "tests/model/test_powers.py"],
    "model/families/counts.py": ["tests/model/families", "-k", "poisson or negative or becomes"],
    "model/families/normal.py": ["tests/model/families", "-k", "normal or student or becomes or large"],
    "model/families/ordered.py": ["tests/model/families", "-k", "ordered or becomes or narrow or answers or coincide"],
    "model/families/positive.py": ["tests/model/families", "-k", "gamma or lognormal or becomes"],
    "model/families/zeros.py": ["tests/model/families", "-k", "hurdle or inflated or becomes"],
    "inference/bootstrap/percentile.py": [_I + "likelihood/test_bootstrap.py"],
    "inference/bootstrap/boundary.py": [_I + "likelihood/test_boundary.py"],
    "inference/bootstrap/equation_fits.py": [_I + "likelihood/test_boundary.py"],
    "inference/likelihood/least_squares.py": [_I + "likelihood/test_regression.py"],
    "inference/likelihood/negative_binomial.py": [_I + "likelihood/test_negbin.py"],
    "inference/likelihood/count_steps.py": [_I + "likelihood/test_negbin.py"],
    "inference/pooling.py": [_I + "test_pooling.py"],
    "sensitivity/confounder/e_values.py": ["tests/sensitivity/test_evalues.py"],
}
WORDS = ("Add", "Sub", "Mul", "Div", "Pow", "Eq", "NotEq", "Lt", "LtE", "Gt", "GtE")
WHOLE = {
    "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "NumberReplacer",
    "ZeroIterationForLoop", "ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Not",
}  # fmt: skip
PRELOADED = ("scipy.stats", "scipy.optimize", "scipy.integrate", "pandas", "xarray", "numba", "pymc", "statsmodels.api")
KILLED, SURVIVED, SLOW = "killed", "survived", "killed by time"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a sample of the mutants of each module, and print which survive."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("module", nargs="*", help=f"of {', '.join(MODULES)} (default all)")
    parser.add_argument("--sample", type=int, default=25, help="mutants of each module; 0 for all (default 25)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--out", type=Path, default=Path("mutants.csv"))
    parser.add_argument("--page", action="store_true", help="write the page from --out, and run nothing")
    options = parser.parse_args(arguments)
    if options.page:
        PAGE.write_text(page(options.out), encoding="utf-8")
        return 0
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in PRELOADED:
        importlib.import_module(name)
    asked = options.module or list(MODULES)
    rows: list[dict[str, Any]] = []
    if options.out.exists():
        stands = pd.read_csv(options.out, keep_default_na=False)
        rows = stands[~stands["module"].isin(asked)].to_dict("records")
    for module in asked:
        path = ROOT / "bayes_sp" / module
        source = path.read_text(encoding="utf-8")
        outcome, seconds = outcome_of(path, source, MODULES[module], 600.0)
        if outcome != SURVIVED:
            print(f"{module}: the tests fail without any mutation", file=sys.stderr)
            return 1
        mutants = list(mutants_of(source))
        order = np.random.default_rng(options.seed).permutation(len(mutants))
        for k in order[: options.sample or None]:
            operator, code = mutants[k]
            outcome, _ = outcome_of(path, code, MODULES[module], 3 * seconds + 10)
            known = {"module": module, "mutants": len(mutants), "operator": operator, "outcome": outcome}
            rows.append(known | _difference(source, code))
            if outcome == SURVIVED:
                print("{module}:{line} survived: {before}\n     -> {after}".format(**rows[-1]), flush=True)
        own = [row["outcome"] != SURVIVED for row in rows if row["module"] == module]
        print(f"{module}: {sum(own)} of {len(own)} killed ({len(mutants)} mutants in all)", flush=True)
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    killed = sum(row["outcome"] != SURVIVED for row in rows)  # those that stood in --out before as well
    print(f"{killed} of {len(rows)} killed ({100 * killed / len(rows):.1f} %)")
    return 0


def page(found: Path) -> str:
    """Return the page: how many mutants of each module the tests kill, and what the others change."""
    keys = ["module", "before", "after"]
    reasons = pd.read_csv(REASONS, keep_default_na=False).drop_duplicates(keys)
    rows = pd.read_csv(found, keep_default_na=False).merge(reasons, on=keys, how="left")
    rows["killed"], rows["idle"] = rows["outcome"] != SURVIVED, rows["reason"].notna()
    lines = [
        "| module | mutants | tried | killed | change no number | killed of those that do |",
        "|---|---|---|---|---|---|",
    ]
    for module, own in [*rows.groupby("module", sort=False), ("", rows)]:
        killed, idle = own["killed"].sum(), (own["idle"] & ~own["killed"]).sum()
        name, mutants = (f"`{module}`", own["mutants"].iloc[0]) if module else ("together", "")
        share = f"{100 * killed / (len(own) - idle):.0f} %"
        lines.append(f"| {name} | {mutants} | {len(own)} | {killed} | {idle} | {share} |")
    lines += ["", "## Mutants that survive", ""]
    for row in rows[~rows["killed"]].drop_duplicates(keys).fillna({"reason": "no test sees it"}).to_dict("records"):
        lines.append(f"- `{row['module']}`: `{row['before']}` becomes `{row['after']}`: {row['reason']}.")
    return _HEAD + "\n".join(lines) + "\n"


def mutants_of(source: str) -> Iterator[tuple[str, str]]:
    """Yield operator and source of each mutant."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    for name in operator_names():
        short = name.partition("/")[2]
        ends = short.split("_")[1:]
        if short not in WHOLE and not (short.startswith("Replace") and len(ends) == 2 and set(ends) <= set(WORDS)):
            continue
        operator, occurrence = get_operator(name)(), 0
        while (code := mutate_code(source, operator, occurrence)) is not None:
            yield short, code
            occurrence += 1


def outcome_of(path: Path, code: str, tests: Sequence[str], limit: float) -> tuple[str, float]:
    """Run the tests with the module's code replaced, in a fork; return what became of it and the seconds."""
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _run(path, code, tests)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return SURVIVED if status == 0 else KILLED, time.monotonic() - begun
        if time.monotonic() - begun > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return SLOW, limit
        time.sleep(0.05)


def _difference(source: str, code: str) -> dict[str, Any]:
    pairs = zip(source.split("\n"), code.split("\n"), strict=False)
    line, before, after = next((k, one, other) for k, (one, other) in enumerate(pairs, 1) if one != other)
    return {"line": line, "before": before.strip(), "after": after.strip()}


def _run(path: Path, code: str, tests: Sequence[str]) -> None:
    """Run pytest in this fork, silently, and end it with pytest's status."""
    os.setpgid(0, 0)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.meta_path.insert(0, _Mutated(".".join(path.relative_to(ROOT).with_suffix("").parts), path, code))
    status = 1
    try:
        status = int(pytest.main(["-x", "-n", "0", "-p", "no:cacheprovider", *tests]))
    finally:
        os._exit(status)


class _Mutated(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds one module, with other code than its file holds."""

    def __init__(self, name: str, path: Path, code: str):
        super().__init__(name, str(path))
        self.other = code

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.other, self.path, "exec")


if __name__ == "__main__":
    sys.exit(main())
