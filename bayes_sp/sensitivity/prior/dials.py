"""A dial: one number that turns some priors of a specification."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bayes_sp.errors import BayesSpError, nearest
from bayes_sp.model.checks.priors import prior_parameters
from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import WHOLE_MODEL, PathModel
from bayes_sp.sensitivity.prior.terms import GROUPS, Term, centred, changed, prior_of, scaled, users_of
from bayes_sp.sensitivity.prior.terms import members as group_members

FACTOR: Literal["factor"] = "factor"
CENTRED: Literal["centred"] = "centred"
CONSTANT: Literal["constant"] = "constant"


@dataclass(frozen=True)
class PriorDial:
    """One number that turns the priors of some parameters."""

    key: str  # as a grid file writes it: ``slope.sigma``, ``visits.slope.mu``, ``paths_to_outcome``
    # ``factor``: multiplies the scale of the priors. ``centred``: also centres them at 0. ``constant``: the value of
    # one constant of one entry of ``priors``.
    kind: Literal["factor", "centred", "constant"]
    members: tuple[Term, ...]  # the parameters whose priors it turns
    constant: str = ""  # the constant, for that kind

    @property
    def words(self) -> str:
        """What the dial is, for axes."""
        if self.kind == CONSTANT:
            return f"{self.constant} of the prior {self.key.rpartition('.')[0]}"
        what = GROUPS.get(self.key, self.key)
        centre = ", centred at 0" if self.kind == CENTRED else ""
        return f"factor on the scale of the priors of {what}{centre}"

    def start(self, model: PathModel) -> float:
        """Return the dial's value in the specification as written."""
        return prior_of(model, self.members[0]).values[self.constant] if self.kind == CONSTANT else 1.0

    def range(self, model: PathModel) -> tuple[float, float, bool]:
        """Return the least and the greatest value worth looking at, and whether the dial is logarithmic."""
        start, prior = self.start(model), prior_of(model, self.members[0])
        if self.kind != CONSTANT or self.constant in prior.distribution.positive:
            return start / 1000.0, start * 10.0, True
        spread = 10.0 * prior.values[prior.distribution.scale or "sigma"]
        return start - spread, start + spread, False

    def allows(self, model: PathModel, value: float) -> bool:
        """Return whether the dial can be turned to a value."""
        if self.kind != CONSTANT:
            return value > 0.0
        return value > 0.0 or self.constant not in prior_of(model, self.members[0]).distribution.positive

    def turned(self, model: PathModel, value: float) -> PathModel:
        """Return the specification with the dial at a value; itself where that changes nothing."""
        return changed(model, self.members, lambda prior: self._turned(prior, value), f"{self.key} = {value:g}")

    def _turned(self, prior: Prior, value: float) -> Prior:
        if self.kind == CENTRED:
            return centred(prior, value, f"centred at 0, scale x {value:g}")
        if self.kind == FACTOR:
            return scaled(prior, value, f"scale x {value:g}")
        if prior.values[self.constant] == value:
            return prior
        constants = tuple((name, value if name == self.constant else other) for name, other in prior.constants)
        why = f"{self.constant} = {value:g}; as written: {prior}, {prior.why}"
        return Prior(prior.dist, constants, why)


def turned(model: PathModel, dials: Sequence[PriorDial], values: Sequence[float]) -> PathModel:
    """Return the specification with several dials turned.

    Constants first, those of more general priors before those of more special ones, then factors on what they gave.
    """
    found = model
    pairs = zip(dials, values, strict=True)
    for dial, value in sorted(pairs, key=lambda pair: (pair[0].kind != CONSTANT, -len(pair[0].members))):
        found = dial.turned(found, value)
    words = ", ".join(f"{dial.key} = {value:g}" for dial, value in zip(dials, values, strict=True))
    return model if found is model else replace(found, name=f"{model.name} ({words})")


def constant_dial(model: PathModel, key: str) -> PriorDial:
    """Return the dial of a constant: ``prior.constant`` or ``equation.prior.constant``.

    Where the equation has no such entry but a parameter of that name, whose prior stands under a more general one, the
    dial gives it an entry of its own.

    Raises BayesSpError for a prior or constant that the specification does not have, or a prior that no parameter uses.
    """
    head, _, constant = key.rpartition(".")
    if not head:
        raise BayesSpError(model.name, [f'"{key}" is no constant of a prior; write it as prior.constant, slope.sigma'])
    terms = _members(model, head)
    prior = prior_of(model, terms[0])
    known = prior.distribution.arguments
    if constant not in known:
        hint = nearest(constant, known) if known else ", which has no constants"
        raise BayesSpError(model.name, [f'{prior} has no constant "{constant}"{hint}'])
    return PriorDial(key, CONSTANT, terms, constant)


def factor_dial(model: PathModel, key: str) -> PriorDial:
    """Return the dial of a factor on the scales of a group's priors, or of one prior's.

    Raises BayesSpError for a group or prior that the specification does not have, or where none of the priors has a
    scale.
    """
    terms = group_members(model, key) if key in GROUPS else _members(model, key, GROUPS)
    terms = tuple(term for term in terms if prior_of(model, term).distribution.scale)
    if not terms:
        raise BayesSpError(model.name, ["none of these priors has a scale (a flat prior has none)"])
    return PriorDial(key, FACTOR, terms)


def any_dial(model: PathModel, key: str) -> PriorDial:
    """Return the dial of a key: the factor of a group or prior, or the constant of a prior."""
    head = key.rpartition(".")[0]
    responses = [equation.response for equation in model.equations]
    return constant_dial(model, key) if head and head not in responses else factor_dial(model, key)


def check_value(model: PathModel, dial: PriorDial, value: float) -> str:
    """Return what is wrong with a value of a dial; '' where nothing is."""
    return "" if dial.allows(model, value) else f"must be > 0, found {value:g}"


def _members(model: PathModel, name: str, others: Iterable[str] = ()) -> tuple[Term, ...]:
    """Return the parameters that an entry of ``priors`` serves, or the one parameter of an equation."""
    responses = [equation.response for equation in model.equations]
    where, _, rest = name.partition(".")
    place = (where, rest) if where in responses and rest else (WHOLE_MODEL, name)
    given = [(at, key) for at, key, _ in model.priors]
    if place in given:
        users = users_of(model).get(place, [])
        if not users:
            raise BayesSpError(model.name, [f"no parameter uses the prior {name}: more special ones stand before it"])
        return tuple(users)
    own = [(e.response, parameter) for e in model.equations for parameter in prior_parameters(model, e)]
    if place in own:
        return (place,)
    known = [f"{at}.{key}" if at else key for at, key in [*given, *own]]
    raise BayesSpError(model.name, [f'has no prior "{name}"{nearest(name, [*known, *others])}'])
