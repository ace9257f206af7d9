"""Made-up posterior draws of any specification, with the names and dims that the sampler gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayes_sp.design.design import Design
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

SIZES = {"sigma": 0.8, "phi": 1.2, "nu": 5.0, "precision": 6.0, "shape": 2.0, "tau": 0.3}


def made_up_posterior(
    model: PathModel, design: Design, chains: int = 2, draws: int = 20, seed: int = 0, spread: float = 0.05
) -> xr.Dataset:
    """Return draws round moderate coefficients: every slope of parents about 0.2 in size, covariates' 0.1."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    scalars: dict[str, dict[str, np.ndarray]] = {}

    def add(name: str, dim: str, labels: list[str], centre: np.ndarray) -> None:
        found[name] = (("chain", "draw", dim), centre + spread * rng.standard_normal((chains, draws, len(labels))))
        coords[dim] = labels

    for equation in model.equations:
        y, family = equation.response, FAMILIES[equation.family]

        def centres(terms: tuple[str, ...], level: float, *, y: str = y) -> np.ndarray:
            sizes = {"intercept": level} | dict.fromkeys(model.covariate_terms, 0.1)
            return np.array([sizes.get(t, 0.05 if ":" in t else 0.25 if t == model.exposure else -0.2) for t in terms])

        level = model.variable(y).center if family.link == "identity" else 0.4
        add(y, f"{y}_term", list(model.terms(equation)), centres(model.terms(equation), level))
        if zero := model.zero_terms(equation):
            add(f"{y}_zero", f"{y}_zero_term", list(zero), centres(zero, -1.0))
        if family.ordered:
            levels = model.coding(y).levels
            labels = [f"{k}|{k + 1}" for k in range(1, levels)]
            add(f"{y}_cutpoint", f"{y}_cut", labels, np.linspace(-1.0, 1.0, levels - 1))
        for parent in equation.monotonic:
            steps = model.coding(parent).levels - 1
            shares = rng.dirichlet(2.0 * np.ones(steps), (chains, draws))
            found[f"{y}_{parent}_simplex"] = (("chain", "draw", f"{y}_{parent}_step"), shares)
        if equation.varying:
            labels = list(design.groups[equation.varying][1])
            found[f"{y}_varying"] = (
                ("chain", "draw", equation.varying),
                0.3 * rng.standard_normal((chains, draws, len(labels))),
            )
            coords[equation.varying] = labels
        for kind in (*family.parameters, *(("tau",) if equation.varying else ())):
            scalars.setdefault(kind, {})[y] = SIZES[kind] * np.exp(spread * rng.standard_normal((chains, draws)))
    for kind, by_response in scalars.items():
        found[kind] = (("chain", "draw", f"{kind}_response"), np.stack(list(by_response.values()), axis=-1))
        coords[f"{kind}_response"] = list(by_response)
    return xr.Dataset(found, coords=coords)
