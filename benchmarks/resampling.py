"""The bootstrap of patients against a loop that refits each resample with plain NumPy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, Settings, figure, ratio, repeat
from benchmarks.process import call

if TYPE_CHECKING:
    from benchmarks.newton import Array

MODELS = {"least squares": "process6", "negative binomial": "primary"}


def figures(settings: Settings) -> list[Figure]:
    """Time both for a normal outcome and for a negative binomial one."""
    replicates = 200 if settings.quick else 5000
    found = []
    for likelihood, model in MODELS.items():
        looped = replicates if likelihood == "least squares" else 10 if settings.quick else 100
        seconds = call("resampling:measure", model=model, replicates=replicates, looped=looped)
        package = figure(
            f"{likelihood}: sp.bootstrap, {replicates:,} resamples", seconds["package"],
            note="refits, all path effects on all scales, intervals",
        )  # fmt: skip
        note = "refits and products of coefficients only"
        if looped < replicates:
            note += f"; {looped} resamples, times {replicates / looped:g}"
        loop = figure(
            f"{likelihood}: loop, {replicates:,} resamples", [s * replicates / looped for s in seconds["loop"]],
            note=note,
        )  # fmt: skip
        found += [package, loop, ratio(f"{likelihood}: loop / sp.bootstrap", loop, package)]
    return found


def measure(model: str, replicates: int, looped: int) -> dict[str, list[float]]:
    """Return the seconds of `sp.bootstrap` and of the loop over ``looped`` resamples."""
    from bayes_sp.design.build import design_arrays, equation_matrix
    from bayes_sp.inference.bootstrap.bootstrap import bootstrap_effects
    from bayes_sp.model.reading.load import load_model
    from bayes_sp.records.published.reconstruct import reconstruct

    specification = load_model(model)
    design = design_arrays(specification, reconstruct(1))
    columns = [equation_matrix(specification, design, j) for j in range(len(specification.equations))]
    counts = specification.equations[-1].family == "negative_binomial"

    def package() -> float:
        started = time.perf_counter()
        bootstrap_effects(design, seed=1, replicates=replicates)
        return time.perf_counter() - started

    def loop() -> float:
        started = time.perf_counter()
        plain_loop(columns, design.y, counts=counts, replicates=looped)
        return time.perf_counter() - started

    return {"package": repeat(package), "loop": repeat(loop)}


def plain_loop(columns: list[Array], y: Array, *, counts: bool, replicates: int, seed: int = 1) -> Array:
    """Refit every equation to each resample, one after the other, and multiply up the path through all mediators.

    Parameters
    ----------
    columns
        Columns of each equation, (n, p): intercept, exposure, the mediators before it, covariates.
    y
        Responses, (n, equations).
    counts
        Whether the last equation is negative binomial, else least squares.
    replicates, seed
        Number of resamples, and seed.

    Returns
    -------
    Array
        The product over the equations of the coefficient of the variable just before it in the chain, (replicates,).
    """
    import numpy as np

    from benchmarks.newton import negative_binomial

    rng = np.random.default_rng(seed)
    n, equations = y.shape
    products = np.empty(replicates)
    for r in range(replicates):
        chosen = rng.integers(n, size=n)
        product = 1.0
        for j, x in enumerate(columns):
            fit_counts = counts and j == equations - 1
            response = y[chosen, j]
            beta = negative_binomial(x[chosen], response)[0] if fit_counts else np.linalg.lstsq(x[chosen], response)[0]
            product *= beta[1 + j]  # after the intercept: exposure, then the mediators in order
        products[r] = product
    return products
