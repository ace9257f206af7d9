"""Studies whose printed numbers were computed from records and rounded: nothing in them contradicts anything."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from scipy import stats

from bayes_sp.records.published.audit.rules_sample_size import f_squared, patients_range
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.results import SampleSize

MARKS = {"***": "0.001", "**": "0.01", "*": "0.05"}


class Printer:
    """Rounds numbers as one article does: half up, or half to even."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rule = ROUND_HALF_UP if rng.random() < 0.5 else ROUND_HALF_EVEN

    def __call__(self, value: float, decimals: int) -> str:
        rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=self.rule)
        return str(rounded if rounded else abs(rounded))


def records(rng: np.random.Generator, n: int) -> tuple[dict[str, np.ndarray], int]:
    """Draw a chain of a change in a count, a mean of items, a scale and an outcome, with a binary covariate."""
    items = int(rng.choice([1, 2, 4, 5, 8]))
    trait, slopes = rng.standard_normal(n), rng.uniform(-0.8, 0.8, size=6)
    before = rng.poisson(rng.uniform(0.8, 4.0), size=n)
    after = np.maximum(before + rng.integers(-2, 3, size=n) + (trait > 0), 0)
    change = after - before
    latent = slopes[0] * change + slopes[1] * trait
    answers = np.clip(np.round(3 + latent[:, None] + rng.standard_normal((n, items))), 1, 5)
    m1 = answers.mean(axis=1)
    m2 = np.clip(np.round(4 + slopes[2] * change + slopes[3] * m1 + rng.standard_normal(n)), 1, 7)
    y = rng.uniform(0.5, 20) * (slopes[4] * m1 + slopes[5] * m2 + 0.2 * change + rng.standard_normal(n))
    group = (rng.random(n) < 0.5).astype(int)
    group[:4] = [0, 0, 1, 1]
    return {"before": before, "after": after, "change": change, "m1": m1, "m2": m2, "y": y, "group": group}, items


def least_squares(y: np.ndarray, x: np.ndarray, level: float = 0.95) -> dict[str, np.ndarray]:
    """Return coefficients without the intercept, with SE, t, p, limits and degrees of freedom."""
    design = np.column_stack([np.ones(len(y)), x])
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    df = len(y) - design.shape[1]
    variance = ((y - design @ beta) ** 2).sum() / df
    se = np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))
    t = beta / se
    reach = stats.t.ppf(0.5 + level / 2, df) * se
    found = {
        "estimate": beta,
        "se": se,
        "t": t,
        "p": 2 * stats.t.sf(abs(t), df),
        "lower": beta - reach,
        "upper": beta + reach,
    }
    return {key: value[1:] for key, value in found.items()} | {"df": df}


def mark_of(p: float) -> str:
    """Return the strongest mark that is due."""
    return next((mark for mark, below in MARKS.items() if p < float(below)), "")


def table(data: dict[str, np.ndarray], printed: Printer, rng: np.random.Generator) -> dict[str, Any]:
    """Return the table of means, SDs and correlations."""
    n, decimals, names, rows = len(data["y"]), int(rng.integers(1, 4)), list(data), []
    for i, name in enumerate(names):
        entries = []
        for other in names[:i]:
            r, p = stats.pearsonr(data[name], data[other])
            entries.append(printed(r, int(rng.integers(2, 4))) + mark_of(p))
        mean, sd = printed(data[name].mean(), decimals), printed(data[name].std(ddof=1), decimals)
        rows.append({"name": name, "mean": mean, "sd": sd, "correlations": entries})
    return {"name": "Table 1", "n": n, "marks": MARKS, "variable": rows}


def comparisons(data: dict[str, np.ndarray], printed: Printer, rng: np.random.Generator) -> dict[str, Any]:
    """Return a comparison of two times and one of two groups."""
    n, t = len(data["y"]), stats.ttest_rel(data["after"], data["before"])
    as_f = rng.random() < 0.5
    statistic = (
        {"f": printed(t.statistic**2, 2), "df1": 1, "df2": n - 1}
        if as_f
        else {"t": printed(t.statistic, 2), "df": n - 1}
    )
    eta = t.statistic**2 / (t.statistic**2 + n - 1)
    paired = {
        "label": "two times", "before": "before", "after": "after", "p": printed(t.pvalue, 3),
        "partial_eta_squared": printed(eta, 3), "mean_before": printed(data["before"].mean(), 1),
    } | statistic  # fmt: skip
    parts = [data["m1"][data["group"] == k] for k in (0, 1)]
    welch = bool(rng.random() < 0.3)
    t2 = stats.ttest_ind(*parts, equal_var=not welch)
    spread = math.sqrt(sum((len(x) - 1) * x.var(ddof=1) for x in parts) / (n - 2))
    groups = [{"n": len(x), "mean": printed(x.mean(), 2), "sd": printed(x.std(ddof=1), 2)} for x in parts]
    df = printed(t2.df, 1) if welch else n - 2
    two = {"label": "two groups", "t": printed(t2.statistic, 2), "df": df, "p": printed(t2.pvalue, 3), "welch": welch,
           "groups": groups, "cohens_d": printed((parts[0].mean() - parts[1].mean()) / spread, 2)}  # fmt: skip
    whole = {"n": n, "mean": printed(data["m1"].mean(), 2), "sd": printed(data["m1"].std(ddof=1), 2)}
    pooled = {"label": "m1 of all", "whole": whole, "parts": groups}
    size = {"label": "plan", "test": "repeated_measures", "effect": "partial_eta_squared", "effect_of": "two times",
            "power": "0.80"}  # fmt: skip
    plans = []
    if eta > 0.01:
        item = SampleSize("", "repeated_measures", "partial_eta_squared", Figure("0"), Figure("0.80"), 0)
        if f_squared("partial_eta_squared", eta) > 0:
            plans = [size | {"size": printed(eta, 3), "n": patients_range(item, eta, eta)[int(rng.integers(2))]}]
    return {"paired": [paired], "two_groups": [two], "pooled": [pooled], "sample_size": plans}


def regressions(data: dict[str, np.ndarray], printed: Printer, rng: np.random.Generator) -> dict[str, Any]:
    """Return the coefficients and effects of the chain change -> m1 -> m2 -> y with a covariate."""
    chain, d = ["change", "m1", "m2", "y"], int(rng.integers(2, 4))
    slopes, coefficients = {}, []
    for j, response in enumerate(chain[1:], start=1):
        terms = [*chain[:j], "group"]
        fit = least_squares(data[response], np.column_stack([data[name] for name in terms]))
        for i, term in enumerate(chain[:j]):
            slopes[response, term] = fit["estimate"][i]
            figures = {
                key: printed(fit[key][i], 3 if key == "p" else d)
                for key in ("estimate", "se", "t", "p", "lower", "upper")
            }
            kept = {key: value for key, value in figures.items() if key == "estimate" or rng.random() < 0.8}
            coefficients.append(
                {"response": response, "term": term} | kept | ({"df": fit["df"]} if rng.random() < 0.5 else {})
            )
    paths = {(): slopes["y", "change"], ("m1",): slopes["m1", "change"] * slopes["y", "m1"],
             ("m2",): slopes["m2", "change"] * slopes["y", "m2"],
             ("m1", "m2"): slopes["m1", "change"] * slopes["m2", "m1"] * slopes["y", "m2"]}  # fmt: skip
    effects = [
        {"path": " -> ".join(("change", *via, "y")), "printed": printed(value, d)} for via, value in paths.items()
    ]  # fmt: skip
    fit = least_squares(data["y"], np.column_stack([data["change"], data["group"]]))
    figures = {key: printed(fit[key][0], 3 if key == "p" else d) for key in ("se", "t", "p", "lower", "upper")}
    total = {"path": "total", "printed": printed(sum(paths.values()), d), "interval": "t"} | figures
    indirect = {"path": "total_indirect", "printed": printed(sum(paths.values()) - paths[()], d)}
    described = {"exposure": "change", "mediators": ["m1", "m2"], "outcome": "y", "covariates": ["group"]}
    return {"coefficient": coefficients, "effect": [*effects, total, indirect], "chain": [described]}


def clean_study(seed: int, n: int | None = None) -> dict[str, Any]:
    """Return the tables of a study that contradicts itself nowhere."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(12, 250)) if n is None else n
    (data, items), printed = records(rng, n), Printer(rng)
    scales = [
        {"variables": ["before", "after"], "minimum": "0", "step": "1"},
        {"variables": ["m1"], "minimum": "1", "maximum": "5", "step": str(1 / items)},
        {"variables": ["m2"], "minimum": "1", "maximum": "7", "step": "1"},
        {"variables": ["group"], "minimum": "0", "maximum": "1", "step": "1"},
    ]
    t0, t1 = int(data["before"].sum()), int(data["after"].sum())
    ones = int(data["group"].sum())
    return {
        "citation": {"title": f"Simulated study {seed}"},
        "sample": [{"name": "all", "n": n, "parts": {"ones": ones, "zeros": n - ones}}],
        "scale": scales,
        "table": [table(data, printed, rng)],
        "change": [{"score": "change", "before": "before", "after": "after"}],
        "total": [{"variable": "before", "total": t0}, {"variable": "after", "total": t1}],
        "arithmetic": [{"label": "more, in per cent", "result": printed(100 * (t1 - t0) / t0, 1),
                        "formula": "100 * (b - a) / a", "values": {"a": t0, "b": t1}}],
    } | comparisons(data, printed, rng) | regressions(data, printed, rng)  # fmt: skip
