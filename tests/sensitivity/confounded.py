"""Normal chains with a confounder, whose posterior is known from that of the chain without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.analysis.batch.cell import Answer, Cell, Failure, Outcome
from bayes_sp.analysis.batch.runner import Runner
from bayes_sp.analysis.batch.work import answer, answer_table
from bayes_sp.analysis.criticism.diagnostics import ESS_LIMIT
from bayes_sp.design.build import design_arrays
from bayes_sp.effects.paths import compute_effects
from bayes_sp.inference.samplers.exact import exact_posterior
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import load_model
from bayes_sp.records.survey import Survey

WIDE = {"dist": "normal", "mu": 0.0, "sigma": 100.0, "why": "flat over all that the data could support"}
SIGMA = {"dist": "half_normal", "sigma": 100.0, "why": "flat"}


def normal_chain(mediators: int, center: float = 0.7) -> PathModel:
    """A chain x -> m1 -> ... -> y of normal responses with one covariate, and priors that say nothing."""
    responses = [*(f"m{k}" for k in range(1, mediators + 1)), "y"]
    tables = {
        "title": "A normal chain", "exposure": "x", "outcome": "y",
        "variables": {name: {"label": f"Label of {name}", "center": center} for name in responses[:-1]},
        "covariates": {"age": {"center": 50.0, "scale": 10.0}},
        "equation": [{"response": name, "family": "normal"} for name in responses],
        "priors": {"intercept": WIDE, "slope": WIDE, "sigma": SIGMA},
    }  # fmt: skip
    return load_model(tables, name="chain")


def confounded_records(mediators: int, strengths: Mapping[str, float], n: int = 300, seed: int = 3) -> Survey:
    """Records of such a chain: every arrow 0.5, residual SDs with U's share 1, U of these strengths."""
    rng = np.random.default_rng(seed)
    x, age, u = rng.integers(0, 3, n), rng.uniform(20, 80, n), rng.standard_normal(n)
    records = {"x": x, "age": age}
    before = [x]
    for name in [*(f"m{k}" for k in range(1, mediators + 1)), "y"]:
        s = strengths.get(name, 0.0)
        value = 0.5 * before[-1] + 0.02 * (age - 50) + s * u + np.sqrt(1 - s**2) * rng.standard_normal(n)
        before.append(value)
        records[name] = value
    return Survey(pd.DataFrame(records), "simulation", f"a normal chain (seed {seed})")


def confounded_posterior(
    model: PathModel, survey: Survey, strengths: Mapping[str, float], *, seed: int = 1, draws: int = 1000
) -> xr.Dataset:
    """Draws given the strengths of U in two responses j and k, by a change of variables.

    Without U the chain has the parameters (beta, v, gamma*, v*), v and v* residual variances; with it (beta, sigma_j,
    gamma, sigma_k), and the records see only gamma* = gamma + t (e_j - beta), v = sigma_j^2 + s_j^2,
    v* = sigma_k^2 + s_k^2 sigma_j^2 / v, t = s_j s_k / v. So draws of the chain without U, turned and weighted by
    d sigma_j / d sqrt(v) * d sigma_k / d sqrt(v*) (all priors flat), are draws of the chain with it.
    """
    plain = replace(model, unmeasured=())
    design = design_arrays(plain, survey)
    found = exact_posterior(plain, design, seed=seed, draws=2 * draws)
    responses = [equation.response for equation in model.equations]
    (j, sj), (k, sk) = sorted(strengths.items(), key=lambda item: responses.index(item[0]))
    sigma = found["sigma"].sel(sigma_response=[j, k]).to_numpy().reshape(-1, 2)
    v, w = sigma.T**2
    t, rest = sj * sk / v, w - sk**2 * (1 - sj**2 / v)
    possible = (v > sj**2) & (rest > 0)
    jacobian = np.where(possible, np.sqrt(v * w / np.where(possible, (v - sj**2) * rest, 1.0)), 0.0)
    beta = dict(zip(found[f"{j}_term"].to_numpy(), found[j].to_numpy().reshape(len(t), -1).T, strict=True))
    gamma = found[k].to_numpy().reshape(len(t), -1).copy()
    for i, term in enumerate(found[f"{k}_term"].to_numpy()):
        gamma[:, i] += t * beta.get(term, 0.0) - t * (term == j)
        gamma[:, i] -= t * model.variable(j).center * (term == "intercept")
    chosen = np.random.default_rng(seed).choice(len(t), 4 * draws, p=jacobian / jacobian.sum())
    lead = {"chain": np.arange(4), "draw": np.arange(draws)}
    out = {k: gamma}
    out |= {r: found[r].to_numpy().reshape(len(t), -1) for r in responses if r != k}
    data = {r: (("chain", "draw", f"{r}_term"), values[chosen].reshape(4, draws, -1)) for r, values in out.items()}
    sd = found["sigma"].to_numpy().reshape(len(t), -1).copy()
    sd[:, responses.index(j)] = np.sqrt(np.maximum(v - sj**2, 0.0))
    sd[:, responses.index(k)] = np.sqrt(np.maximum(rest, 0.0))
    data["sigma"] = (("chain", "draw", "sigma_response"), sd[chosen].reshape(4, draws, -1))
    return xr.Dataset(data, coords={**{n: c for n, c in found.coords.items() if n not in lead}, **lead})


@dataclass(frozen=True, repr=False)
class ExactRunner(Runner):
    """Answers cells of normal chains exactly, those with priors of strengths by a fit.

    Refuses cells whose second strength is in ``failing``, and doubts those in ``doubtful``.
    """

    failing: Sequence[float] = ()
    doubtful: Sequence[float] = ()
    asked: list[Cell] = field(default_factory=list)

    def run(self, cells: Sequence[Cell]) -> list[Outcome]:
        """Return each cell's outcome."""
        self.asked.extend(cells)
        return [self._outcome(cell) for cell in cells]

    def _outcome(self, cell: Cell) -> Outcome:
        plain = replace(cell.model, unmeasured=())
        design = design_arrays(plain, cell.survey)
        strengths = dict(cell.model.unmeasured[-1].strengths) if cell.model.unmeasured else {}
        second = list(strengths.values())[-1] if strengths else 0.0
        if isinstance(second, Prior):
            return answer(cell)
        if second in self.failing:
            return Failure(cell.key, cell.name, "it could not be fitted", "text")
        if strengths:
            posterior = confounded_posterior(plain, cell.survey, strengths, seed=cell.seed)
        else:
            posterior = exact_posterior(plain, design, seed=cell.seed, draws=1000)
        table = answer_table(compute_effects(plain, design, posterior, kappa=cell.kappa), cell.ci_prob)
        doubt = second in self.doubtful
        reasons = (f"bulk ESS below {ESS_LIMIT}",) if doubt else ()
        return Answer(cell.key, table, not doubt, reasons, 0.1)
