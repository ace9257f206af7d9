r"""Which cells of a survey a chain's likelihood depends on; the others need not be computed with.

A patient's part of the likelihood is

.. math:: \int p(x \mid w)^{e} \prod_j p(y_j \mid x, y_1 \dots y_{j-1}, w)\, d(\text{missing } y_j),

with e = 1 where the exposure has an equation of its own. Taken from the end of the chain: where y_j is missing and no
factor that is left depends on it, its own factor is a density that integrates to 1, whatever the parameters, a shift
of missing values included, and goes. Such a *barren* cell (Shachter 1986) needs neither a parameter nor a sum over
levels. What is left are the cells that are observed and the missing ones with something observed after them. Nothing
of the posterior of the other parameters changes: the standardised value of a barren cell was independent of them.

**Whole patients.** Where every response of a patient is missing all factors of the chain go, and what remains is
p(x | w) of an exposure that is observed, where the exposure has an equation. That equation matters only for
exposures that are missing among the others:

- Where no covariate has a missing cell and none of the others lacks the exposure, p(x | w) shares no parameter with
  the chain, so these patients go, and with them that equation.
- Where some of the others lack the exposure, these patients inform p(x | w) if their exposure is observed, and stay;
  the rest go. (The weak prior of that equation takes its scale from the patients who stay.)
- Where any covariate has missing cells, these patients inform the equations of the covariates, and effects are averaged
  over their missing cells: all stay, without the barren cells of the chain. So they do where the specification has an
  unmeasured confounder, a hidden value of every patient over which effects are averaged.

Effects are averages over all patients in any case: their baselines need covariates and parameters alone.

References
----------
Shachter (1986). Evaluating influence diagrams. Operations Research 34, 871-882. doi:10.1287/opre.34.6.871
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

MOST_ROWS = 64  # combinations of one patient's missing levels


def came_back(design: Design) -> Mask:
    """Return the patients of whom any response is observed, (n,)."""
    return np.asarray((~np.isnan(design.y)).any(axis=1))


def counted(design: Design) -> Mask:
    """Return of which patients each equation has a factor in the likelihood, (n, K + 1).

    The response is observed, or it is missing and something observed depends on it.
    """
    found = ~np.isnan(design.y)
    for k in reversed(range(len(design.mediators))):
        found[:, k] |= found[:, design.edges_mediators[:, k]].any(axis=1)
    return found


def relevant(design: Design, name: str) -> Mask:
    """Return the patients of whom something observed depends on the exposure's or a response's own value, (n,).

    Where the value is missing, or stands behind a measurement error, it is an unknown there and nowhere else.
    """
    if name == design.outcome:
        return np.zeros(design.n, dtype=bool)
    edges = design.edges_exposure
    if name != design.exposure:
        edges = design.edges_mediators[:, design.mediators.index(name)]
    return np.asarray(counted(design)[:, edges].any(axis=1))


def informative(design: Design, model: PathModel) -> Mask:
    """Return the patients who must be in the likelihood, (n,); the part of the others is 1.

    All of them where the model has an unmeasured confounder: effects are averaged over every patient's draw of it.
    """
    back = came_back(design)
    covariates = {covariate.name for covariate in model.covariates}
    if back.all() or model.confounders or covariates & design.missing.keys():
        return np.ones(design.n, dtype=bool)
    modelled = np.isnan(design.x[back]).any()
    return np.asarray(back | ~np.isnan(design.x)) if modelled else back


def summed_values(model: PathModel, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the values of a column that missing cells are summed over, with logarithms of their weights; () for none.

    Levels, and counts from 0 to the largest that ``[variables]`` states, have the weight 1. On a bounded scale the sum
    is a quadrature (`scale_nodes`).
    """
    if values := model.levels(name):
        return values, (0.0,) * len(values)
    family = next((FAMILIES[e.family] for e in model.equations[:-1] if e.response == name), None)
    if family is None:
        return (), ()
    low, high = model.variable(name).minimum or 0.0, model.variable(name).maximum
    if family.response == "count" and high is not None and low <= high < MOST_ROWS:
        values = tuple(float(value) for value in range(math.ceil(low), math.floor(high) + 1))
        return values, (0.0,) * len(values)
    if family.bounded:
        coding = model.coding(name)
        shares, logs = scale_nodes(max(abs(coding.origin), abs(coding.origin + coding.unit)) / coding.unit)
        return tuple((coding.origin + coding.unit * shares).tolist()), tuple(logs.tolist())
    return (), ()


@lru_cache(maxsize=16)
def scale_nodes(farthest: float) -> tuple[Array, Array]:
    r"""Return the nodes u of an integral over a bounded scale, (64,), and logarithms of their weights.

    Midpoints of equal parts of t, which is an angle in the middle of the scale and a logarithm at its ends:

    .. math:: t = 8 \arctan e^{\ell / 2} + \operatorname{arsinh} \ell, \qquad u = \frac{1}{1 + e^{-\ell}},

    so that densities that are infinite at an end are integrated too, to where an end and its neighbour are still
    different numbers: ``farthest`` is the larger size of the scale's ends in units of its length. Relative errors of
    the mean of a smooth function of a Beta variable: 1e-6 for shape parameters of .5 or more and a precision up to 400,
    3e-4 for a shape parameter of .3.

    Takahasi & Mori (1974). Publications of RIMS 9, 721-741. doi:10.2977/prims/1195192451
    """
    reach = -math.log(max(1e-14, 64.0 * np.finfo(float).eps * farthest))
    inside = np.linspace(-reach, reach, 20001)
    edges = 8.0 * np.arctan(np.exp(inside / 2.0)) + np.arcsinh(inside)
    part = (edges[-1] - edges[0]) / MOST_ROWS
    wanted = edges[0] + (np.arange(MOST_ROWS) + 0.5) * part
    logit = np.interp(wanted, edges, inside)
    for _ in range(4):  # Newton's steps to the last digit
        slope = 2.0 / np.cosh(logit / 2.0) + 1.0 / np.hypot(1.0, logit)
        logit -= (8.0 * np.arctan(np.exp(logit / 2.0)) + np.arcsinh(logit) - wanted) / slope
    slope = 2.0 / np.cosh(logit / 2.0) + 1.0 / np.hypot(1.0, logit)
    below, above = np.logaddexp(0.0, -logit), np.logaddexp(0.0, logit)
    return np.exp(-below), np.log(part / slope) - below - above


def unaccounted(model: PathModel, design: Design) -> list[str]:
    """Return the mediators whose missing cells can be neither parameters nor summed over, and what to do."""
    found = []
    for name, equation in zip(design.mediators, model.equations, strict=False):
        cells = int((np.isnan(design.y[:, design.responses.index(name)]) & relevant(design, name)).sum())
        family = FAMILIES[equation.family]
        if not cells or family.missing == "number" or family.residual or summed_values(model, name)[0]:
            continue
        head = f'column "{name}": {cells} cells are missing, and missing mediators of the family "{equation.family}" '
        if family.response == "count":
            head += f"are summed from 0 to the largest count that there can be, at most {MOST_ROWS - 1}; state max in "
            found.append(f'{head}[variables.{name}], or set missing = "complete" in the specification')
        else:
            found.append(
                f'{head}have no account; set missing = "complete" in the specification, or choose another family'
            )
    return found
