"""What power-scaling found: numbers, the field's diagnosis, and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.effects.summary import CI_PROB
from bayes_sp.names import DIFFERENCE
from bayes_sp.sensitivity.power.blocks import ALL_PRIORS, LIKELIHOOD, Pair
from bayes_sp.sensitivity.target import Estimate, Finding, Target
from bayes_sp.shown import Part, Shown, short

THRESHOLD = 0.05
WEIGHTS, REFIT, UNRELIABLE = "weights", "refit", "unreliable"
CONFLICT, STRONG, NOTHING, UNKNOWN = "prior-data conflict", "prior strong / likelihood weak", "-", "not known"
NUMBERS = ("mean", "median", "lower", "upper", "mcse_lower", "mcse_upper")
STRENGTHS = {0.5: "half as strong", 2.0: "twice as strong"}
MEANINGS = {
    CONFLICT: "Both the priors and the records move it (a possible prior-data conflict)",
    STRONG: "The priors move it and the records hardly do (strong priors, or records that say little about it)",
    NOTHING: "The priors as a whole hardly move it",
    UNKNOWN: "Whether the priors move it cannot be told from these draws",
}


@dataclass(frozen=True, eq=False, repr=False)
class PowerScaling(Shown):
    """How every effect depends on each part of the joint density.

    Attributes
    ----------
    dataset
        Dims block, path, scale, alpha (1 is the posterior itself): ``mean``, ``median``, ``lower``, ``upper`` and the
        limits' Monte Carlo errors ``mcse_lower`` and ``mcse_upper``; ``method`` (block, alpha): ``weights``, ``refit``
        where Pareto k is too high for them, ``unreliable`` (and no numbers) where there is no refit either;
        ``pareto_k`` (block, alpha) of the weights, and ``worst_k`` (block) with those of the diagnostic;
        ``diagnostic`` (block, path, scale), the sensitivity (see `power_weights.sensitivity`; NaN where its weights do
        not hold).
    words
        By (path, scale), from all priors together and the likelihood: ``prior-data conflict`` where both
        diagnostics are at least 0.05, ``prior strong / likelihood weak`` where only that of the priors is, else ``-``;
        ``not known`` where a diagnostic is not.
    names
        By (path, scale): the effect in words.
    reasons
        By (block, alpha): why a number is unreliable, or what is to be known of a refit.
    alphas
        The powers beside the posterior itself.
    ci_prob
        Probability of the intervals, which are equal-tailed.
    notes
        What else is to be known.
    mark
        What the records are.
    """

    dataset: xr.Dataset
    words: Mapping[tuple[str, str], str]
    names: Mapping[tuple[str, str], str]
    reasons: Mapping[Pair, str]
    alphas: tuple[float, ...]
    ci_prob: float = CI_PROB
    notes: tuple[str, ...] = ()
    mark: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """One row for each block, path and scale.

        ``diagnostic``; ``pareto_k``, the worst over all powers; and for each power a ``mean_a``, ``median_a``,
        ``lower_a``, ``upper_a`` and ``method_a``.
        """
        data = self.dataset
        sizes = [data.sizes[dim] for dim in ("block", "path", "scale")]
        rows = [(str(b), str(p), str(s)) for b in data["block"].to_numpy() for p in data["path"].to_numpy()
                for s in data["scale"].to_numpy()]  # fmt: skip
        table = pd.DataFrame(rows, columns=["block", "path", "scale"])
        table["diagnostic"] = data["diagnostic"].to_numpy().ravel()
        each = sizes[1] * sizes[2]
        table["pareto_k"] = np.repeat(data["worst_k"].to_numpy(), each)
        for alpha in self.alphas:
            at = data.sel(alpha=alpha)
            for name in NUMBERS[:4]:
                table[f"{name}_{alpha:g}"] = at[name].transpose("block", "path", "scale").to_numpy().ravel()
            table[f"method_{alpha:g}"] = np.repeat(at["method"].to_numpy(), each)
        return table

    def estimate(self, target: Target, block: str, alpha: float) -> Estimate | None:
        """Return an effect where a block has a power; None where that is not known.

        Raises KeyError where there is no such effect, block or power.
        """
        at = self.dataset.sel(block=block, path=target.path, scale=target.scale, alpha=alpha)
        method = str(at["method"].item())
        if method == UNRELIABLE:
            return None
        _, median, lower, upper, mcse_lower, mcse_upper = (float(at[name]) for name in NUMBERS)
        trustworthy = method != REFIT or (block, alpha) not in self.reasons
        return Estimate(median, lower, upper, trustworthy, mcse_lower, mcse_upper)

    def findings(self, target: Target) -> list[Finding]:
        """Return what each prior, and all of them, weaker and stronger, do to one effect.

        The likelihood is not among them: another power of it is another number of patients, not another assumption.
        """
        found = []
        for block in self.dataset["block"].to_numpy():
            if block == LIKELIHOOD:
                continue
            name = ALL_PRIORS if block == ALL_PRIORS else f"prior of {block}"
            for alpha in self.alphas:
                estimate = self.estimate(target, str(block), alpha)
                note = self.reasons.get((str(block), alpha), "")
                found.append(Finding("priors", f"{name} {strength(alpha)}", estimate, note))
        return found

    def sentence(self, target: Target) -> str:
        """Return what one effect owes to the priors, in words."""
        estimates = {alpha: self.estimate(target, ALL_PRIORS, alpha) for alpha in (1.0, *self.alphas)}
        parts = []
        for alpha, estimate in estimates.items():
            head = "as fitted" if alpha == 1.0 else f"with all priors {strength(alpha)}"
            parts.append(f"{head} {'not known' if estimate is None else shown(estimate)}")
        signs = {estimate.sign(target.null) for estimate in estimates.values() if estimate is not None}
        side = {-1: "below", 1: "above", 0: "on both sides of"}
        if len(signs) == 1:
            kept = f"each {100 * self.ci_prob:g} % interval lies {side[signs.pop()]} {target.null:g}"
        else:
            kept = f"the {100 * self.ci_prob:g} % interval does not keep its side of {target.null:g}"
        meaning = MEANINGS[self.words[target.path, target.scale]] + self._pull(target, estimates)
        name = self.names[target.path, target.scale]
        return f"{name[:1].upper()}{name[1:]}: {', '.join(parts)}; {kept}. {meaning}. {self._most(target)}"

    def _pull(self, target: Target, estimates: Mapping[float, Estimate | None]) -> str:
        """Say where stronger priors draw an effect that they move."""
        weak, strong = estimates[min(estimates)], estimates[max(estimates)]
        if self.words[target.path, target.scale] not in (CONFLICT, STRONG) or weak is None or strong is None:
            return ""
        nearer = abs(strong.median - target.null) < abs(weak.median - target.null)
        return f"; stronger priors draw it {'towards' if nearer else 'away from'} {target.null:g}"

    def _most(self, target: Target) -> str:
        """Say which prior moves an effect most."""
        at = self.dataset["diagnostic"].sel(path=target.path, scale=target.scale)
        single = at.drop_sel(block=[ALL_PRIORS, LIKELIHOOD]).dropna("block")
        if not single.size:
            return "No single prior can be told apart."
        place = int(np.argmax(single.to_numpy()))
        value, block = float(single[place]), str(single["block"].to_numpy()[place])
        counts = "counts as" if value >= THRESHOLD else "is below what counts as"
        return (
            f"Of the single priors that of {block} moves it most: {value:.3f}, which {counts} sensitive ({THRESHOLD})."
        )

    def _shown(self) -> tuple[str, list[Part]]:
        head = f"{self.mark}. Priors and likelihood to powers; sensitive from {THRESHOLD} on"
        least, most = min(self.alphas), max(self.alphas)
        columns = ("block", "path", "scale", "diagnostic", "pareto_k", f"median_{least:g}", f"median_{most:g}")
        rows = self.table[self.table["scale"] == DIFFERENCE]
        return head, [*self.notes, short(rows, columns, rows=len(rows))]


def strength(alpha: float) -> str:
    """Return a power in words: twice as strong is twice the log-density."""
    return STRENGTHS.get(alpha, f"to the power {alpha:g}")


def shown(estimate: Estimate) -> str:
    """Return median and interval to three digits."""
    return f"{estimate.median:.3g} [{estimate.lower:.3g}, {estimate.upper:.3g}]"


def diagnosis(prior: float, likelihood: float) -> str:
    """Return what the sensitivities to all priors and to the likelihood say together."""
    if np.isnan(prior) or (prior >= THRESHOLD and np.isnan(likelihood)):
        return UNKNOWN
    if prior >= THRESHOLD:
        return CONFLICT if likelihood >= THRESHOLD else STRONG
    return NOTHING
