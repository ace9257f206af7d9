r"""How large effects are: in standard deviations, as a share of the total, and against a region that does not matter.

*Standardised*, under an identity link: the effect of one unit of the exposure in SDs of the outcome (partial), and of
one SD of the exposure (complete); SDs are those of the analysed patients (n - 1). The SD of a count or of levels
follows from their mean, so that an effect in SDs of such an outcome would be another number at every level of risk:
ratio and difference for one SD of the exposure stand in its place.

*Proportion mediated*, draw by draw, r = total indirect / total. It means something only where the total has a sign: it
is withheld unless P(total < 0) or P(total > 0) exceeds .975.

*Practical equivalence*: the probabilities that an effect lies below, inside and above a region, which the specification
states in the outcome's unit with its reason (Kruschke 2018, doi:10.1177/2515245918771304).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.effects.paths import RATIOS, Effects
from bayes_sp.effects.summary import summarise
from bayes_sp.names import AVERAGE, COEFFICIENT, DIFFERENCE, TOTAL, TOTAL_INDIRECT, effect_name
from bayes_sp.shown import Part, Shown, short

CLEAR = 0.975  # probability of one sign of the total from which a share of it is given
PARTIAL, COMPLETE, PER_SD = "partial", "complete", "per SD of the exposure"
NO_SD = (
    "the SD of such an outcome follows from its mean, so that an effect in SDs would be another number at every level "
    "of risk; ratio and difference for one SD of the exposure stand in its place"
)


@dataclass(frozen=True, eq=False, repr=False)
class Sizes(Shown):
    """A table of sizes, what its numbers rest on in sentences, and what the records are."""

    table: pd.DataFrame
    notes: tuple[str, ...]
    mark: str

    def _shown(self) -> tuple[str, list[Part]]:
        return self.mark, [short(self.table, rows=len(self.table)), list(self.notes)]


def in_outcome_sds(
    effects: Effects, label: str, sd_outcome: float, sd_exposure: float | None, ci_prob: float
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return effects of an identity link in SDs; ``sd_exposure`` is None for a category."""
    linear = COEFFICIENT in effects.draws["scale"]
    values = _draws(effects, COEFFICIENT if linear else DIFFERENCE) / sd_outcome
    sizes, columns = [PARTIAL], [values]
    if linear and sd_exposure is not None:
        sizes.append(COMPLETE)
        columns.append(values * sd_exposure)
    notes = [f"One SD of the outcome is {sd_outcome:.4g}."]
    notes += [f"One SD of the exposure is {sd_exposure:.4g}."] if linear and sd_exposure is not None else []
    if not linear:
        notes.append("The effect of a unit is not one number: effects are for the contrast, in SDs of the outcome.")
    return _table(effects, label, sizes, columns, ci_prob), tuple(notes)


def per_exposure_sd(
    effects: Effects, label: str, sd_exposure: float, ci_prob: float
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return ratio and difference for one SD of the exposure, from effects of that contrast."""
    scales = [str(scale) for scale in effects.draws["scale"].to_numpy() if scale != COEFFICIENT]
    table = _table(
        effects, label, [f"{scale} {PER_SD}" for scale in scales], [_draws(effects, s) for s in scales], ci_prob,
        ratios=[scale in RATIOS for scale in scales],
    )  # fmt: skip
    u0, u1 = effects.contrast
    return table, (f"No standardised effects: {NO_SD}: {sd_exposure:.4g}, from {u0:.4g} to {u1:.4g}.",)


def proportion_mediated(effects: Effects, labels: Sequence[str], ci_prob: float) -> pd.DataFrame:
    """Return the share of the total that is indirect, one row for each thing compared; withheld where it has no sign.

    Columns ``path``, ``median``, ``lower``, ``upper``, ``ci_kind``, ``ci_prob``, ``prob_share`` (P(0 < share < 1)),
    ``prob_negative`` (of the total) and ``withheld``, the reason.
    """
    rows = []
    for label in labels:
        both = [effect_name(path, label) for path in (TOTAL_INDIRECT, TOTAL)]
        draws = effects.draws[AVERAGE].sel(path=both, scale=DIFFERENCE)
        indirect, total = draws.transpose("path", "chain", "draw").to_numpy()
        below, above = float((total < 0).mean()), float((total > 0).mean())
        name, clear = effect_name(TOTAL_INDIRECT, label), max(below, above) > CLEAR
        with np.errstate(invalid="ignore", divide="ignore"):
            share = indirect / total
        found = summarise((share if clear else np.full_like(total, np.nan))[..., None], ci_prob).iloc[0]
        inside = float(((share > 0) & (share < 1)).mean()) if clear else np.nan
        why = "" if clear else f"the sign of the total is not known, P(< 0) = {below:.3f} (needed: {CLEAR} of one sign)"
        numbers = {key: found[key] for key in ("median", "lower", "upper", "ci_kind", "ci_prob")}
        rows.append({"path": name, **numbers, "prob_share": inside, "prob_negative": below, "withheld": why})
    return pd.DataFrame(rows)


def practical_equivalence(effects: Effects, lower: float, upper: float) -> pd.DataFrame:
    """Return the probabilities that each difference lies below, inside and above a region of the outcome's unit."""
    values = _draws(effects, DIFFERENCE)
    below, above = (values < lower).mean(axis=(0, 1)), (values > upper).mean(axis=(0, 1))
    return pd.DataFrame(
        {
            "path": effects.draws["path"].to_numpy().astype(str), "region_lower": lower, "region_upper": upper,
            "prob_below": below, "prob_inside": 1.0 - below - above, "prob_above": above,
        }
    )  # fmt: skip


def _draws(effects: Effects, scale: str) -> Array:
    """Draws averaged over orders, (chain, draw, path)."""
    return effects.draws[AVERAGE].sel(scale=scale).transpose("chain", "draw", "path").to_numpy()


def _table(
    effects: Effects, label: str, sizes: Sequence[str], columns: Sequence[Array], ci_prob: float,
    ratios: Sequence[bool] = (),
) -> pd.DataFrame:  # fmt: skip
    """Return one row for each path and size."""
    parts = []
    for k, (size, values) in enumerate(zip(sizes, columns, strict=True)):
        table = summarise(values, ci_prob)
        if ratios and ratios[k]:
            table["prob_negative"] = (values < 1.0).mean(axis=(0, 1))
        table.insert(0, "size", size)
        table.insert(0, "path", [effect_name(str(path), label) for path in effects.draws["path"].to_numpy()])
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
