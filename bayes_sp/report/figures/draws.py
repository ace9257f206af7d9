"""Figures of a posterior's draws: beside the priors, and chain by chain through ArviZ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayes_sp.arrays import Array
from bayes_sp.errors import BayesSpError
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.report.figures.style import ACCENT, INK, NEGATIVE, Canvas, Given, canvas, figure_of_result, plain, quiet
from bayes_sp.report.text.assumptions import product_scale
from bayes_sp.sensitivity.power.overlap import Marginal, marginal, posterior_density
from bayes_sp.shown import in_sentence

if TYPE_CHECKING:
    from bayes_sp.analysis.fit import Fit
    from bayes_sp.model.path_model import PathModel

COLUMNS = 3
FINE = 401
REACH = 3.0  # prior SDs


@figure_of_result
def plot_prior_posterior(result: Fit, ax: Given = None) -> np.ndarray:
    """Draw the prior and the posterior density of the coefficient on each arrow.

    Parameters
    ----------
    result
        A fit; of several sets of records, the first.
    ax
        Axes to draw into, one for each arrow; a new figure by default.

    Returns
    -------
    array of Axes
        One for each arrow.

    Raises
    ------
    BayesSpError
        Where every such prior is improper.
    """
    fit, model = result.first, result.model
    shown = [(at, prior) for at in _arrows(model) if (prior := _prior(model, *at)) is not None]
    if not shown:
        raise BayesSpError(model.name, ["no coefficient on an arrow has a proper prior"])
    place = panels(ax, len(shown), (3.2, 2.3, 1.0))
    for panel, ((response, term), prior) in zip(place.panels, shown, strict=True):
        t, density = posterior_density(_draws(fit, response, term))
        center, reach = (prior.mean, REACH * prior.sd) if np.isfinite(prior.sd) else (0.0, 2.0 * float(np.ptp(t)))
        x = np.linspace(min(t[0], center - reach), max(t[-1], center + reach), FINE)
        line = {"color": NEGATIVE, "linewidth": 1.4, "linestyle": (0, (4, 2))}
        panel.plot(x, np.exp(prior.log_density(x)), label="prior", **line)
        panel.fill_between(t, density, color=ACCENT, alpha=0.2, linewidth=0)
        panel.plot(t, density, color=ACCENT, linewidth=1.6, label="posterior")
        panel.axvline(0, color=INK, linewidth=0.6, zorder=0)
        panel.set_title(plain(_arrow_words(model, response, term), 34), fontsize=9, color=INK, loc="left")
        panel.set_xlabel(plain(_scale_words(model, response), 36), fontsize=8.5)
        panel.set(ylim=(0, None), yticks=[])
        panel.locator_params(axis="x", nbins=5)
        quiet(panel)
    place.legend("outside upper center")
    place.note("Densities of each coefficient, for one unit of its column.", fit.survey.mark)
    return place.panels


def panels(ax: Given, count: int, inches: tuple[float, float, float]) -> Canvas:
    """Return a panel for each of so many in a row: of this width and height, and the height of what stands beside."""
    columns = count if ax is not None else min(COLUMNS, count)
    rows, (wide, high, beside) = -(-count // columns), inches
    place = canvas(ax, rows, columns, (wide * columns, high * rows + beside))
    for empty in place.panels[count:]:
        empty.remove()
    return Canvas(place.figure, place.panels[:count].reshape(1, count), place.own)


@figure_of_result
def plot_trace(result: Fit, ax: Given = None) -> np.ndarray:
    """Draw the chains of every coefficient on an arrow, draw by draw (`arviz.plot_trace`).

    Parameters
    ----------
    result
        A fit; of several sets of records, the first.
    ax
        Axes to draw into, one for each coefficient; a new figure by default.

    Returns
    -------
    array of Axes
        One for each coefficient.
    """
    return _by_arviz(result, ax, "plot_trace", visuals={"trace": {"alpha": 0.5, "width": 0.5}})


@figure_of_result
def plot_rank(result: Fit, ax: Given = None) -> np.ndarray:
    """Draw how the ranks of each chain's draws depart from uniform ones, with their 95 % band (`arviz.plot_rank`).

    Parameters
    ----------
    result
        A fit; of several sets of records, the first.
    ax
        Axes to draw into, one for each coefficient; a new figure by default.

    Returns
    -------
    array of Axes
        One for each coefficient.

    References
    ----------
    Saeilynoja, Buerkner & Vehtari (2022), Statistics and Computing 32, 32. doi:10.1007/s11222-022-10090-6
    """
    return _by_arviz(result, ax, "plot_rank", method="envelope", envelope_prob=0.95)


def _by_arviz(result: Fit, ax: Given, name: str, **more: Any) -> np.ndarray:  # noqa: ANN401 - ArviZ's options
    """Let ArviZ draw the coefficients on arrows."""
    import arviz as az

    fit, model = result.first, result.model
    arrows = [at for at in _arrows(model) if _is_drawn(fit, *at)]
    names = [plain(_arrow_words(model, *at), 30) for at in arrows]
    shape = _draws(fit, *arrows[0]).shape
    places = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    draws = {label: (("chain", "draw"), _draws(fit, *at)) for label, at in zip(names, arrows, strict=True)}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws, coords=places)})
    place = panels(ax, len(names), (3.4, 2.4, 0.6))
    viz = {"plot": xr.Dataset({label: ((), panel) for label, panel in zip(names, place.panels, strict=True)})}
    aes = {"color": ["chain"], "overlay": ["chain"]}
    plots = az.PlotCollection(tree["posterior"].dataset, xr.DataTree.from_dict(viz), aes=aes, backend="matplotlib")
    getattr(az, name)(tree, plot_collection=plots, **more)
    for panel in place.panels:
        panel.title.set_fontsize(9)
        panel.xaxis.label.set_fontsize(8.5)
        quiet(panel, left=True)
    place.note("Chains in colours.", fit.survey.mark)
    return place.panels


def _arrows(model: PathModel) -> list[tuple[str, str]]:
    """Return (response, term) of each coefficient on an arrow of the chain."""
    found = []
    for equation in model.equations:
        for parent in equation.parents:
            coded = model.coded_exposure if parent == model.exposure else None
            found += [(equation.response, term) for term in (coded.terms if coded is not None else (parent,))]
    return found


def _prior(model: PathModel, response: str, term: str) -> Marginal | None:
    """Return the prior density of a coefficient; None for an improper one."""
    prior = model.prior(response, term)
    return None if prior is None else marginal(prior)


def _is_drawn(fit: Fit, response: str, term: str) -> bool:
    return bool(np.ptp(_draws(fit, response, term)) > 0)


def _draws(fit: Fit, response: str, term: str) -> Array:
    own = fit.posterior["posterior"][response].sel({f"{response}_term": term})
    return own.transpose("chain", "draw").to_numpy()


def _arrow_words(model: PathModel, response: str, term: str) -> str:
    """Return ``Walks a week -> mood``, with the level of a category."""
    name, _, level = term.partition("[")
    of = f" [{level}" if level else ""
    return f"{model.variable(name).label}{of} → {in_sentence(model.variable(response).label)}"


def _scale_words(model: PathModel, response: str) -> str:
    """Return the scale of a coefficient into a response: of its link, or the response's unit."""
    family = next(FAMILIES[e.family] for e in model.equations if e.response == response)
    variable = model.variable(response)
    return product_scale(family) or f"in {variable.unit or in_sentence(variable.label)}"
