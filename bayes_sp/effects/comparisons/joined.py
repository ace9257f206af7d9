"""Effects of several moves in one result, each effect under a name that says what it compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_sp.design.design import Design
from bayes_sp.effects.moderation.conditional import ConditionalEffects
from bayes_sp.effects.moderation.curve import EffectCurve
from bayes_sp.effects.paths import Effects, compute_effects
from bayes_sp.model.exposures import Move
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import COMPARED, effect_name


def all_effects(
    model: PathModel, design: Design, posterior: xr.Dataset, *, kappa: float = 1.0, mark: str = ""
) -> Effects:
    """Return the effects of every move, or of the one number that a specification compares, as `compute_effects`."""
    each = [compute_effects(view, design, posterior, kappa=kappa, mark=mark) for view in model.views]
    return joined_effects(model, each) if model.moves else each[0]


def joined_effects(model: PathModel, each: Sequence[Effects]) -> Effects:
    """Return the effects of every move of a specification in one result, on the scales that all of them have."""
    scales = [s for s in each[0].draws["scale"].to_numpy() if all(s in one.draws["scale"] for one in each)]
    parts = [_named(model, move, one.draws.sel(scale=scales)) for move, one in zip(model.moves, each, strict=True)]
    draws = xr.concat(parts, "path", join="override", coords="minimal", compat="override", combine_attrs="override")
    for name in ("quadrature_nodes", "quadrature_error"):
        if found := [one.draws.attrs[name] for one in each if name in one.draws.attrs]:
            draws.attrs[name] = max(found)
    return replace(each[0], draws=draws, ordered=any(one.ordered for one in each))


def _named(model: PathModel, move: Move, draws: xr.Dataset) -> xr.Dataset:
    """Return draws whose paths have the names of a move's effects, with what it compares beside them."""
    names = [effect_name(str(path), move.label) for path in draws["path"].to_numpy()]
    told = [
        move.source,
        ", ".join(model.words_of(name, u0) for name, u0, _ in move.moved),
        ", ".join(model.words_of(name, u1) for name, _, u1 in move.moved),
    ]
    beside = {key: ("path", [text] * len(names)) for key, text in zip(COMPARED, told, strict=True)}
    return draws.assign_coords({"path": names, **beside})


def joined_conditional(model: PathModel, each: Sequence[ConditionalEffects]) -> ConditionalEffects:
    """Return effects of every move at the same settings of moderators in one result."""
    return ConditionalEffects(
        each[0].settings,
        tuple(joined_effects(model, at) for at in zip(*(one.each for one in each), strict=True)),
        joined_index(model, [one.index_draws for one in each]),
        tuple(dict.fromkeys(sentence for one in each for sentence in one.without_index)),
    )


def joined_index(model: PathModel, each: Sequence[xr.DataArray]) -> xr.DataArray:
    """Return the indexes of moderated mediation of every move, one row after the other."""
    if not model.moves:
        return each[0]
    named = [
        one.assign_coords(path=("row", [effect_name(str(path), move.label) for path in one["path"].to_numpy()]))
        for move, one in zip(model.moves, each, strict=True)
    ]
    return xr.concat(named, "row", join="override", coords="different", compat="equals")


def joined_curves(model: PathModel, each: Sequence[EffectCurve]) -> EffectCurve:
    """Return the effects of every move along a moderator in one result."""
    tables = [
        one.table.assign(path=[effect_name(path, move.label) for path in one.table["path"]])
        for move, one in zip(model.moves, each, strict=True)
    ]
    return replace(each[0], table=pd.concat(tables, ignore_index=True))


def joined_interventional(model: PathModel, each: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return interventional effects of every move: ``difference`` by effect, ``mean`` also by what is compared."""
    labels = [move.label for move in model.moves]
    parts = [
        one["difference"].assign_coords(effect=[effect_name(str(effect), label) for effect in one["effect"].to_numpy()])
        for label, one in zip(labels, each, strict=True)
    ]
    means = [one["mean"].assign_coords(exposure=["from", "to"]) for one in each]
    found = xr.Dataset(
        {
            "difference": xr.concat(parts, "effect", coords="minimal", compat="override"),
            "mean": xr.concat(means, "compared", coords="minimal", compat="override").assign_coords(compared=labels),
        }
    )
    errors = [one.attrs.get("quadrature_error", 0.0) for one in each]
    return found.assign_attrs(each[int(np.argmax(errors))].attrs)
