"""Shifts of missing values (delta adjustment): rules, and words for their size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

MOST = 5.0  # on a log, logit or probit scale: 148 times the rate or the odds
POINTS = "points"  # the scale of shifts on an identity link


def shift_problems(model: PathModel) -> Iterator[str]:
    """Yield what is wrong with the shifts of missing values.

    Each is of a response of the chain, once; finite; on an identity link smaller than the width of the response's
    scale, on another at most 5. None goes with ``missing = "complete"``.
    """
    if any(delta for _, delta in model.missing_shift) and model.missing == "complete":
        yield (
            'missing_shift: has no effect with missing = "complete", which leaves patients with missing cells out; '
            'take one of them out, or set missing = "model"'
        )
    responses = [equation.response for equation in model.equations]
    for name, count in Counter(name for name, _ in model.missing_shift).items():
        if count > 1:
            yield f"missing_shift.{name}: stands {count} times"
    for name, delta in model.missing_shift:
        if name not in responses:
            yield f"missing_shift.{name}: is not a response of the chain{nearest(name, responses)}"
        elif not math.isfinite(delta):
            yield f"missing_shift.{name}: must be a finite number, found {delta:g}"
        else:
            yield from _size(model, name, delta)


def _size(model: PathModel, name: str, delta: float) -> Iterator[str]:
    variable, (scale, _, _) = model.variable(name), shift_scale(model, name)
    if scale == POINTS:
        low, high = variable.minimum, variable.maximum
        if low is not None and high is not None and abs(delta) >= high - low:
            width = f"the width of the scale, {high - low:g}"
            yield f"missing_shift.{name}: must be smaller than {width}, found {delta:g}"
    elif abs(delta) > MOST:
        yield f"missing_shift.{name}: must be from -{MOST:g} to {MOST:g} on the scale of the {scale}, found {delta:g}"


def shift_scale(model: PathModel, response: str) -> tuple[str, str, str]:
    """Return a response's scale of shifts: its name, what exp(shift) multiplies ('' where nothing), and the unit.

    ``points`` (the response's own unit), ``log rate``, ``log mean``, ``log odds`` or ``probit``.
    """
    equation = next(e for e in model.equations if e.response == response)
    family, variable = FAMILIES[equation.family], model.variable(response)
    if family.log_mean:
        return family.predictor, family.predictor.removeprefix("log "), ""
    if family.link == "logit":
        return family.predictor, "odds" if family.response == "binary" else "odds of a higher value", ""
    return (family.predictor, "", "") if family.predictor else (POINTS, "", variable.unit)


def shift_words(model: PathModel, response: str, delta: float) -> str:
    """Return a shift in words, as in "missing values of mood lie ...": ``0.5 points (1-5) higher``, ``rate x 1.65``."""
    scale, multiplied, unit = shift_scale(model, response)
    if multiplied:
        return f"{multiplied} x {math.exp(delta):.3g} ({scale} {delta:+.3g})"
    side = "higher" if delta >= 0 else "lower"
    if scale == "probit":
        return f"{abs(delta):.3g} residual SDs {side} on the probit scale"
    return f"{abs(delta):.3g}{f' {unit}' if unit else ''} {side}"


def without_zero_shifts(shifts: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Return the shifts that shift: one of 0 is missing at random, which is what no shift means."""
    return tuple((name, delta) for name, delta in shifts if delta != 0.0)
