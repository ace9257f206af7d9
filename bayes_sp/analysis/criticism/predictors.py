"""Draws of a model's parameters -> what each equation says about each patient: one seam for every check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from bayes_sp.analysis.criticism.confounding import Belief, check_single
from bayes_sp.arrays import Array, Mask
from bayes_sp.design.design import Design
from bayes_sp.design.elements import arrays_of
from bayes_sp.design.evaluate import hidden_value, strength
from bayes_sp.design.sequence import design_in_sequence, in_sequence, sequential
from bayes_sp.design.simulate import Predicted, predicted
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

# exp(36) = 4e15 events; beyond it NumPy cannot draw a count. Only priors without a scale come near it.
MOST_LOG_MEAN = 36.0

Parameters = xr.Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Predictor(Predicted):
    """What one equation says about ``n`` patients in each of ``S`` draws, given their observed parents.

    As in `Predicted`, with predictors (S, n) and parameters (S, A).
    """

    response: str
    observed: Array  # what was measured of the response, (n,)
    # Patients of whom a parent's value was drawn, from its own equation given what was measured of it, (n,).
    drawn: Mask

    @property
    def predicted(self) -> Mask:
        """Patients of whom all that predicts the response is there, (n,)."""
        return np.isfinite(self.eta).all(axis=0) & np.isfinite(self.zeta).all(axis=0)

    @property
    def known(self) -> Mask:
        """Patients of whom the response is there too, (n,)."""
        return self.predicted & np.isfinite(self.observed)

    def among(self, patients: Mask) -> Predictor:
        """Return the predictor of these patients alone."""
        eta, zeta = self.eta[:, patients], self.zeta[:, patients]
        return replace(self, observed=self.observed[patients], eta=eta, zeta=zeta, drawn=self.drawn[patients])

    def observed_density(self) -> Array:
        """Return the log density of the observed responses in each draw, (S, n), per unit of them; 0 if not known."""
        return self.log_density(self.observed, self.known)


def predictors(
    model: PathModel, design: Design, parameters: Parameters, rng: np.random.Generator, *, informed: bool = True
) -> tuple[Predictor, ...]:
    """Return the predictor of each equation for draws (chain, draw, ...) as a posterior names them.

    Parents are the observed ones: each equation is looked at by itself, as its likelihood is. Where a parent is
    missing, or was measured with error, its value is drawn from its own equation given what was measured of it.
    An unmeasured confounder is drawn anew for each equation, given the patient's earlier responses: the predictor is
    then that of p(y_j | y_1 ... y_(j-1), parameters), which is what the records are a draw from.

    With ``informed`` false confounders are from N(0, 1): before any response is looked at.

    Raises BayesSpError with several unmeasured confounders, where informed.
    """
    count = parameters.sizes["chain"] * parameters.sizes["draw"]
    at = {
        name: values.reshape(count, *values.shape[2:]) for name, values in arrays_of(model, design, parameters).items()
    }
    model, design, at = in_sequence(model), design_in_sequence(model, design), sequential(model, at)
    shape = (count, design.n)
    values: dict[str, Array] = {c.name: rng.standard_normal(shape) for c in model.confounders if not informed}
    beliefs = _beliefs(model, rng, shape) if informed else {}
    found, drawn = list[Predictor](), dict[str, Mask]()
    for j, equation in enumerate(model.equations):
        response = equation.response
        values |= {name: belief.draw(rng) for name, belief in beliefs.items()}
        own = predicted(model, design, j, at, values)
        family, eta, zeta = own.family, np.broadcast_to(own.eta, shape), np.broadcast_to(own.zeta, shape)
        predictor = Predictor(
            own.variable, family, own.coding, np.minimum(eta, MOST_LOG_MEAN) if family.link == "log" else eta, zeta,
            np.broadcast_to(own.aux, (count, own.aux.shape[-1])), response, design.y[:, j],
            np.any([drawn[name] for name in equation.parents if name in drawn] or [np.zeros(design.n, bool)], axis=0),
        )  # fmt: skip
        found.append(predictor)
        if family.latent or np.isnan(predictor.observed).any():
            values[response] = _parent_values(predictor, rng)
            drawn[response] = np.full(design.n, family.latent) | np.isnan(predictor.observed)
        for confounder in model.confounders if informed else ():
            if response in dict(confounder.strengths) and response != model.outcome:
                acting = strength(model, confounder.name, response, at)[..., None]
                beliefs[confounder.name].learn(
                    _density(predictor, values.get(response), acting, values[confounder.name])
                )
    return tuple(found)


def _beliefs(model: PathModel, rng: np.random.Generator, shape: tuple[int, int]) -> dict[str, Belief]:
    check_single(model)
    return {confounder.name: Belief.before_any_response(rng, *shape) for confounder in model.confounders}


def _density(predictor: Predictor, value: Array | None, acting: Array, at: Array) -> Callable[[Array], Array]:
    """Return ``u -> log p(response | confounder u)``, (S, n), of a predictor where it is ``at``.

    The response is the observed one, or the ``value`` that later equations see.
    """
    family = FAMILIES["normal"] if predictor.family.latent else predictor.family
    y = predictor.coding.coded(predictor.observed if value is None else value)
    known = np.isfinite(y) & predictor.predicted

    def log_density(u: Array) -> Array:
        eta = np.where(known, predictor.eta + acting * (u - at), 0.0)
        if y.ndim == 2 and predictor.coding.levels:  # drawn levels: the families take one level for all draws
            every = [np.full(y.shape[1], level) for level in range(predictor.coding.levels)]
            each = np.stack([family.log_density(level, eta, predictor.zeta, predictor.aux) for level in every])
            density = np.take_along_axis(each, np.where(known, y, 0).astype(np.intp)[None], axis=0)[0]
        else:
            density = family.log_density(np.where(known, y, 0.5), eta, predictor.zeta, predictor.aux)
        return np.where(known, density, 0.0)

    return log_density


def thinned(draws: Parameters, most: int) -> Parameters:
    """Return at most ``most`` draws, evenly spaced over each chain, as one chain, without what stands beside them."""
    chains, each = draws.sizes["chain"], draws.sizes["draw"]
    if chains * each > most:
        places = np.unique(np.linspace(0, each - 1, max(1, most // chains)).round().astype(int))
        draws = draws.isel(draw=places)
    flat = {
        name: (("chain", "draw", *array.dims[2:]), array.to_numpy().reshape(1, -1, *array.shape[2:]))
        for name, array in draws.transpose("chain", "draw", ...).data_vars.items()
    }
    labels = {name: array for name, array in draws.coords.items() if not {"chain", "draw"} & set(array.dims)}
    return xr.Dataset(flat, coords={**labels, "chain": [0], "draw": np.arange(chains * draws.sizes["draw"])})


def _parent_values(predictor: Predictor, rng: np.random.Generator) -> Array:
    """Return a response as later equations see it in each draw, (S, n), where some of it has to be drawn."""
    missing = np.isnan(predictor.observed)
    if predictor.family.latent:
        seen = (np.nan_to_num(predictor.observed), predictor.aux[:, [1]], ~missing)
        z = rng.standard_normal(predictor.eta.shape)
        return np.asarray(hidden_value(predictor.eta, z, predictor.aux[:, [0]], seen))
    drawn = np.where(np.isfinite(predictor.eta), predictor.replicate(rng), np.nan)
    return np.where(missing, drawn, predictor.observed)
