"""What it would take for the interval of an effect to reach no effect, one clause for each analysis."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayes_sp.model.path_model import PathModel
from bayes_sp.sensitivity.confounder.confounding import Confounding
from bayes_sp.sensitivity.confounder.words import pair_words
from bayes_sp.sensitivity.effect_words import label
from bayes_sp.sensitivity.missing.attrition import Attrition
from bayes_sp.sensitivity.missing.departures import SLOPES
from bayes_sp.sensitivity.prior.dials import CENTRED
from bayes_sp.sensitivity.prior.tipping import TippingPoint


def tipping_summary(
    model: PathModel, tipping: TippingPoint | None, confounding: Confounding | None, attrition: Attrition | None
) -> list[str]:
    """Return what each analysis that found a tipping point demands, as clauses; [] where the base holds no effect."""
    found = []
    if tipping is not None and tipping.tipping.first is not None and tipping.tipping.before in ("above", "below"):
        found.append(_prior(tipping))
    if confounding is not None:
        found += _confounder(model, confounding)
    if attrition is not None:
        found += _slope(model, attrition)
    return found


def _prior(tipping: TippingPoint) -> str:
    first = tipping.value
    if tipping.dial.kind == CENTRED:
        return f"priors of its coefficients centred at 0 with {first:.2g} times their scale"
    return f"{tipping.dial.words} of {first:.2g}"


def _confounder(model: PathModel, confounding: Confounding) -> Iterator[str]:
    """Yield the pair that needs least."""
    known = [s.multiple for s in confounding.statements if s.multiple.multiple > 0.0]  # not NaN, not 0
    if known:
        least = min(known, key=lambda multiple: multiple.multiple)
        error = f" (Monte Carlo error {least.mcse:.2f})" if least.mcse > 0.0 else ""  # none where interpolated
        yield (
            f"an unmeasured confounder of {pair_words(model, least.pair)} {least.multiple:.2g} times as strong as "
            f"{label(model, least.covariate)} in both equations{error}"
        )


def _slope(model: PathModel, attrition: Attrition) -> Iterator[str]:
    """Yield the slope that would have to change least among those who did not come back."""
    changes = [
        (abs(delta / departure.slope), departure, delta)
        for departure, tip in zip(attrition.departures, attrition.tipping, strict=True)
        for delta in tip.deltas
        if departure.kind == SLOPES and tip.sign and departure.slope and math.isfinite(delta)
    ]
    if changes:
        _, departure, delta = min(changes, key=lambda change: change[0])
        move = departure.moves[0][0]
        yield (
            f"a slope from {label(model, str(move.parent))} to {label(model, move.response)} of "
            f"{departure.slope + delta:.2g} in place of {departure.slope:.2g} among those who did not come back"
        )
