"""What other priors say, in plain text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.names import ARROW
from bayes_sp.report.text.layout import aligned, bullets, size_words, wrapped
from bayes_sp.sensitivity.every import Sensitivity
from bayes_sp.sensitivity.power.result import PowerScaling
from bayes_sp.sensitivity.prior.grid import PriorGrid
from bayes_sp.sensitivity.target import Estimate
from bayes_sp.shown import decimals_for, number


def prior_lines(found: Sensitivity) -> Iterator[str]:
    """Yield power-scaling, named priors, crossed constants, tipping point, and overlap with the posterior."""
    if found.power is not None:
        yield from _power(found, found.power)
    if found.grid is not None:
        yield from _named(found.grid)
        yield from _crossed(found.grid)
    if found.tipping is not None:
        yield from ["", "   The prior at which the conclusion changes", *wrapped(found.tipping.sentence)]
    if found.overlap is not None:
        yield from _overlap(found, found.overlap)


def shown(estimate: Estimate | None, mark: str = " (failed the diagnostics)") -> str:
    """Return median and interval, with a mark where the fit cannot be trusted."""
    if estimate is None:
        return "not fitted"
    doubt = "" if estimate.trustworthy else mark
    return f"{size_words(estimate.median, estimate.lower, estimate.upper)}{doubt}"


def _power(found: Sensitivity, power: PowerScaling) -> list[str]:
    target = found.target
    doubtful = False
    rows = [["", *(f"to the power {alpha:g}" for alpha in power.alphas), "sensitivity", "Pareto k"]]
    for block in map(str, power.dataset["block"].to_numpy()):
        cells = []
        for alpha in power.alphas:
            again = str(power.dataset["method"].sel(block=block, alpha=alpha).item()) == "refit"
            estimate = power.estimate(target, block, alpha)
            doubtful = doubtful or (estimate is not None and not estimate.trustworthy)
            cells.append(shown(estimate, " *") + (" refit" if again else ""))
        at = power.dataset.sel(block=block)
        diagnostic = float(at["diagnostic"].sel(path=target.path, scale=target.scale))
        rows.append([block, *cells, number(diagnostic, 3), f"{float(at['worst_k']):.2f}"])
    note = (
        "Each prior's density to a power: 0.5 makes it weaker (a normal prior's SD 1.4 times as wide), 2 stronger (0.7 "
        "times). By Pareto-smoothed weights, or by a refit where Pareto k is above 0.7. Sensitivity: how fast the "
        "effect's distribution moves (Kallioinen et al. 2024); from 0.05 on it counts."
    )
    note += " * the refit failed the diagnostics." if doubtful else ""
    lines = ["   Each prior weaker and stronger", *aligned(rows, "l" + "r" * (len(power.alphas) + 2)), *wrapped(note)]
    for text in (power.sentence(target), *power.notes):
        lines += wrapped(f"{text.rstrip('.')}.")
    return lines


def _named(grid: PriorGrid) -> list[str]:
    cases = grid.named.drop_duplicates("case")
    if cases.empty:
        return []
    rows = [[str(case).replace("_", "-"), shown(grid.estimate(str(case)))] for case in cases["case"]]
    lines = ["", "   Fitted again under named priors", *aligned(rows, "lr")]
    lines += bullets(
        f"{str(case).replace('_', '-')}: {str(why).rstrip('.')}."
        for case, why in zip(cases["case"], cases["why"], strict=True)
    )
    lines += bullets(f"{note.rstrip('.')}." for note in grid.notes)
    lines += bullets(f"{failure.name} failed: {failure.reason.rstrip('.')}." for failure in grid.failures)
    return lines


def _crossed(grid: PriorGrid) -> list[str]:
    if not grid.keys:
        return []
    at = grid.crossed.sel(path=grid.target.path, scale=grid.target.scale)
    null = grid.target.null
    one_side = (at["lower"] > null) | (at["upper"] < null)
    fitted, doubtful = at["median"].notnull(), ~at["trustworthy"] & at["median"].notnull()
    decimals = decimals_for(float((at["upper"] - at["lower"]).min()))
    lines = ["", f"   Fitted again with {' crossed with '.join(grid.keys)}"]
    if len(grid.keys) == 2:
        lines += _matrix(at["median"], one_side, doubtful, grid.keys, decimals)
        lines += wrapped(f"In brackets: the {100 * grid.attrs['ci_prob']:g} % interval includes {null:g}.")
    note = f"The interval excludes {null:g} in {int(one_side.sum())} of {int(fitted.sum())} fits"
    if bool(fitted.any()):
        low, high = (number(float(end), decimals) for end in (at["median"].min(), at["median"].max()))
        note += f"; posterior medians run from {low} to {high}"
    if bool(doubtful.any()):
        mark = ", marked *" if len(grid.keys) == 2 else ""
        note += f"; {int(doubtful.sum())} failed the diagnostics{mark}"
    return [*lines, *wrapped(f"{note}.")]


def _matrix(
    medians: xr.DataArray, one_side: xr.DataArray, doubtful: xr.DataArray, keys: tuple[str, ...], decimals: int
) -> list[str]:
    down, across = keys
    rows = [[f"{down} \\ {across}", *(f"{value:g}" for value in medians[across].to_numpy())]]
    for value in medians[down].to_numpy():
        cells = []
        for other in medians[across].to_numpy():
            place = {down: value, across: other}
            median, star = float(medians.sel(place)), "*" if bool(doubtful.sel(place)) else ""
            shown_ = number(median, decimals) if bool(one_side.sel(place)) else f"({number(median, decimals)})"
            cells.append("failed" if np.isnan(median) else f"{shown_}{star}")
        rows.append([f"{value:g}", *cells])
    return aligned(rows, "l" + "r" * len(medians[across]))


def _overlap(found: Sensitivity, table: pd.DataFrame) -> list[str]:
    model, path = found.fit.model, found.target.path
    variables = path.split(ARROW) if ARROW in path else list(model.chain)
    on_path = table["variable"].isin(variables) & table["element"].isin(variables)
    rows = [["", "prior", "posterior mean (SD)", "shrinkage", "overlap"]]
    for row in table[on_path].to_dict("records"):
        posterior = f"{number(row['mean'], 3)} ({number(row['sd'], 3)})"
        arrow = f"{row['element']}{ARROW}{row['variable']}"
        rows.append([arrow, str(row["prior"]), posterior, _two(row["shrinkage"]), _two(row["overlap"])])
    if len(rows) == 1:
        return []
    note = (
        "Shrinkage: 1 - posterior variance / prior variance; near 1 the records decide. Overlap: area that both "
        "densities share, 1 where the posterior is the prior. All coefficients are in overlap.csv."
    )
    return ["", "   Prior and posterior of the coefficients on the path", *aligned(rows, "llrrr"), *wrapped(note)]


def _two(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"
