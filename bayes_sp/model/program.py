"""PathModel + Design -> Program: the joint model as two flat arrays that the engine reads."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from bayes_sp.families.registry import FAMILIES
from bayes_sp.model import layout as at
from bayes_sp.model.confounders import Confounder, confounders_of, softened
from bayes_sp.model.densities import FAMILY_NUMBERS, PRIOR_NUMBERS, log_constant
from bayes_sp.model.parameters import Parameters, hidden_name, lay_out, varying_name
from bayes_sp.model.parts import Part, parts_of
from bayes_sp.model.split import Rows, split_rows
from bayes_sp.model.starts import start_of
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array, Design, Mask

Ints = NDArray[np.int64]
TRANSFORMS = {"identity": at.IDENTITY, "log": at.LOG, "increasing": at.INCREASING, "share": at.SHARE, "soft": at.SOFT}


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Program:
    """A joint model with its records and priors, as `engine.log_density` reads it.

    Attributes
    ----------
    ints, floats
        The flat arrays; see `layout`.
    parameters
        Names and places of the parameters.
    parts
        The equations in the engine's order: those of incomplete covariates first, then the chain.
    rows
        Which rows are which patient.
    start
        Unconstrained parameters near the likelihood's maximum, (P,), from which a search can begin.
    confounders
        Unmeasured ones, before the equations in the engine's order.
    """

    ints: Ints
    floats: Array
    parameters: Parameters
    parts: tuple[Part, ...]
    rows: Rows
    start: Array
    confounders: tuple[Confounder, ...] = ()

    @property
    def size(self) -> int:
        """Number of unconstrained parameters."""
        return self.parameters.size

    @property
    def framed(self) -> int:
        """Number of parameters on the scale of their joint curvature."""
        return self.parameters.framed

    @property
    def patient(self) -> Ints:
        """Patient whose own each parameter is, (P,), -1 for shared ones; told only with unmeasured confounders."""
        patient = np.full(self.size, -1, dtype=np.int64)
        if self.confounders:
            everyone = np.unique(self.rows.patient)
            owners = [(c.name, everyone) for c in self.confounders]
            owners += [(p.response, np.unique(self.rows.patient[p.hidden_number >= 0])) for p in self.parts]
            for name, patients in owners:
                if len(patients):
                    first = self.parameters.place(hidden_name(name))
                    patient[first : first + len(patients)] = patients
        return patient


@dataclass
class _Pack:
    """Arrays put one after the other; each `add` returns where its array begins."""

    ints: list[Ints] = field(default_factory=list)
    floats: list[Array] = field(default_factory=list)
    int_count: int = 0
    float_count: int = 0

    def add_ints(self, values: Any) -> int:  # noqa: ANN401 - whatever NumPy takes
        array = np.asarray(values, dtype=np.int64).ravel()
        self.ints.append(array)
        self.int_count += len(array)
        return self.int_count - len(array)

    def add_floats(self, values: Any) -> int:  # noqa: ANN401 - whatever NumPy takes
        array = np.asarray(values, dtype=np.float64).ravel()
        self.floats.append(array)
        self.float_count += len(array)
        return self.float_count - len(array)


def compile_program(model: PathModel, design: Design, likelihood_power: float = 1.0) -> Program:
    """Pack a specification, a survey's design arrays and the priors for the engine: milliseconds, nothing compiled.

    Parameters
    ----------
    model, design
        The specification, and the records' arrays.
    likelihood_power
        What the log-likelihood, given every hidden value, is multiplied with; 1 for the posterior itself.

    Raises
    ------
    ValueError
        Where a parameter has no prior (`load_model` reports that for files).
    SurveyError
        Where cells are missing of which the model has no account.
    """
    rows = split_rows(model, design)
    parts = parts_of(model, rows)
    confounders = confounders_of(model, rows, parts)
    parts = softened(parts, confounders)
    all_parts: tuple[Confounder | Part, ...] = (*confounders, *parts)
    parameters = lay_out(
        [block for part in all_parts for block in part.blocks],
        [block for part in all_parts for block in part.others],
        [known for confounder in confounders for known in confounder.known],
    )
    pack, count = _Pack(), len(confounders) + len(parts)
    head = np.full(at.HEAD + count * at.EQUATION, at.NONE, dtype=np.int64)
    pack.add_ints(head)
    head[at.SIZE], head[at.NATURAL] = parameters.size, parameters.natural_size
    head[at.EQUATIONS], head[at.ROWS], head[at.SINGLE] = count, rows.count, rows.single
    head[at.FRAMED] = parameters.framed
    head[at.KNOWN], head[at.KNOWN_VALUES] = len(parameters.known), pack.add_floats([k.value for k in parameters.known])
    head[at.SPLIT] = pack.add_ints([len(rows.split), *(number for pair in rows.split for number in pair)])
    constant = _pack_priors(pack, head, parameters)
    numbers = {name: j for j, name in enumerate([*(c.name for c in confounders), *(p.response for p in parts)])}
    records = head[at.HEAD :].reshape(count, at.EQUATION)
    for confounder in confounders:
        _pack_confounder(pack, records[numbers[confounder.name]], confounder, parameters, rows, numbers)
    hidden = {part.response: (part.state == at.MISSING) | (part.state == at.MEASURED) for part in parts}
    for part in parts:
        record = records[numbers[part.response]]
        _pack_equation(pack, record, part, parameters, rows, _whole_rows(part, rows, hidden))
        _pack_terms(pack, record, part, parameters, numbers)
        if FAMILIES[part.family].response == "count":
            once = [*range(rows.single), *(first for first, _ in rows.split)]
            seen = part.y[once][part.state[once] == at.SEEN]
            constant -= likelihood_power * float(gammaln(seen + 1.0).sum())
    head[at.MOST_AUX] = (records[:, at.AUX] + records[:, at.FIXED]).max()
    head[at.ANY_DEFERRED] = records[:, at.DEFERRED].max()
    head[at.LOG_CONSTANT] = pack.add_floats([constant, likelihood_power])
    ints, floats = np.concatenate(pack.ints), np.concatenate(pack.floats)
    ints[: len(head)] = head
    return Program(ints, floats, parameters, parts, rows, start_of(parts, parameters, confounders), confounders)


def _pack_priors(pack: _Pack, head: Ints, parameters: Parameters) -> float:
    """Write transforms and priors; return the sum of the priors' constants."""
    transform, dist = np.zeros(parameters.size, dtype=np.int64), np.zeros(parameters.size, dtype=np.int64)
    constants, units = np.ones((parameters.size, 3)), np.ones(parameters.size)
    simplexes, alphas, total = [], [], 0.0
    for block in parameters.blocks:
        places = range(block.start, block.start + block.size)
        transform[block.start : block.start + block.size] = TRANSFORMS[block.transform]
        units[block.start : block.start + block.size] = block.unit
        if block.transform == "share":
            (alpha,) = block.priors[0].values.values()
            shares = len(block.labels)
            simplexes.append((block.start, shares, block.natural))
            alphas.append(alpha)
            total += math.lgamma(shares * alpha) - shares * math.lgamma(alpha)
            continue
        if block.transform == "increasing":
            transform[block.start] = at.IDENTITY
        for place, prior in zip(places, block.priors, strict=True):
            dist[place] = PRIOR_NUMBERS[prior.dist]
            values = [value for _, value in prior.constants]
            constants[place, : len(values)] = values
            total += log_constant(prior.dist, prior.values)
    head[at.TRANSFORM], head[at.DIST] = pack.add_ints(transform), pack.add_ints(dist)
    head[at.UNITS] = pack.add_floats(units)
    head[at.CONSTANTS] = pack.add_floats(constants)
    head[at.SIMPLEXES] = pack.add_ints([len(simplexes), *(number for simplex in simplexes for number in simplex)])
    head[at.ALPHAS] = pack.add_floats(alphas)
    return total


def _pack_confounder(
    pack: _Pack, record: Ints, confounder: Confounder, parameters: Parameters, rows: Rows, numbers: dict[str, int]
) -> None:
    """Write an unmeasured confounder: every row is hidden, and rows of one patient share their value."""
    record[[at.REDUCED, at.AUX, at.FIXED, at.FIRST]] = 0
    record[[at.UNMEASURED, at.DEFERRED]] = 1
    first = parameters.place(hidden_name(confounder.name))
    record[at.HIDDEN_COUNT], record[at.HIDDEN] = rows.count, pack.add_ints(range(rows.count))
    record[at.HIDDEN_Z] = pack.add_ints(first + rows.patient)
    guides = []
    for guide in confounder.guides:
        strength = parameters.place(confounder.name, guide.response)
        target, weight = pack.add_floats(guide.target), pack.add_floats(guide.weight)
        guides.append([numbers[guide.response], strength, target, weight, int(guide.is_precision)])
    record[at.GUIDE_COUNT], record[at.GUIDES] = len(guides), pack.add_ints(guides)


def _pack_equation(pack: _Pack, record: Ints, part: Part, parameters: Parameters, rows: Rows, whole: int) -> None:
    """Write an equation, whose ``whole`` first rows stand as a QR factor."""
    family = FAMILIES[part.family]
    record[at.FAMILY] = FAMILY_NUMBERS[part.family]
    places = [parameters.place(name, part.response) for name in family.parameters]
    if family.ordered:
        cut = parameters.place(f"{part.response}_cutpoint")
        places += range(cut, cut + part.levels - 1)
    record[at.AUX], record[at.AUX_PLACES] = len(places), pack.add_ints(places)
    record[at.FIXED], record[at.FIXED_VALUES] = len(part.fixed), pack.add_floats(part.fixed)
    record[at.COLUMNS] = part.x.shape[1]
    record[at.BETA] = parameters.place(part.response) if part.x.shape[1] else 0
    record[at.ZERO_COLUMNS] = part.zero_x.shape[1]
    record[at.ZERO_BETA] = parameters.place(f"{part.response}_zero") if part.zero_x.shape[1] else 0
    hidden: Ints = np.flatnonzero((part.state == at.MISSING) | (part.state == at.MEASURED))
    hidden = hidden if part.is_parent else hidden[:0]
    record[at.UNMEASURED] = 0
    record[at.FIRST], record[at.REDUCED] = whole, int(whole == rows.count)
    record[at.DEFERRED] = int(len(hidden) > 0 or rows.count > rows.single)
    record[at.TABLE] = int(part.y[part.state == at.SEEN].max()) + 1 if family.sized else 0
    record[at.HIDDEN_COUNT], record[at.HIDDEN] = len(hidden), pack.add_ints(hidden)
    if len(hidden):
        first = parameters.place(hidden_name(part.response))
        record[at.HIDDEN_Z] = pack.add_ints(first + part.hidden_number[hidden])
    if whole:
        _pack_factor(pack, record, part, whole)
    if record[at.REDUCED]:
        return
    record[at.X], record[at.ZERO_X] = pack.add_floats(part.x.T), pack.add_floats(part.zero_x.T)
    record[at.Y] = pack.add_floats(part.y)
    if (part.state != at.SEEN).any():
        record[at.STATE] = pack.add_ints(part.state)
    if part.offset is not None:
        record[at.OFFSET] = pack.add_floats(part.offset)
    if part.groups is not None:
        record[at.GROUPS] = pack.add_ints(part.groups)
        record[at.TAU] = parameters.place("tau", part.response)
        record[at.GROUP_Z] = parameters.place(varying_name(part.response))


def _whole_rows(part: Part, rows: Rows, hidden: dict[str, Mask]) -> int:
    """Return how many rows, the first ones, a QR factor can stand for: those of a normal equation's known numbers.

    All rows, or none where so few of them are whole that the factor would have hardly fewer.
    """
    plain = all(term.levels is None and not term.variable for term in part.terms)
    if part.family != "normal" or part.offset is not None or part.groups is not None or not plain:
        return 0
    unknown = np.any([hidden[name] for name in (part.response, *(term.source for term in part.terms))], axis=0)
    whole = min(rows.single, int(np.argmax(unknown)) if unknown.any() else rows.count)
    return whole if whole == rows.count or whole > 2 * (part.x.shape[1] + 1) else 0


def _pack_factor(pack: _Pack, record: Ints, part: Part, first: int) -> None:
    """QR factor of [X, y]: with Q [R, r], |y - X beta|^2 = |r - R beta|^2, so p + 1 rows stand for the ``first``."""
    seen = part.state[:first] == at.SEEN
    columns = part.x.shape[1]
    factor = np.linalg.qr(np.column_stack([part.x[:first][seen], part.y[:first][seen]]), mode="r")
    square = np.zeros((columns + 1, columns + 1))
    square[: len(factor)] = factor
    record[at.FACTOR_ROWS] = columns + 1
    record[at.FACTOR_X] = pack.add_floats(square[:, :-1].T)
    record[at.FACTOR_Y] = pack.add_floats(square[:, -1])
    record[at.FACTOR_RECORDS] = pack.add_floats([float(seen.sum())])


def _pack_terms(pack: _Pack, record: Ints, part: Part, parameters: Parameters, numbers: dict[str, int]) -> None:
    terms = []
    for term in part.terms:
        variable = term.variable or (f"{part.response}_zero" if term.zero else part.response)
        coefficient = parameters.place(variable, term.name)
        if term.levels is not None:
            simplex = f"{part.response}_{term.source}_simplex"
            first = parameters.place(simplex)
            shares = sum(len(block.labels) for block in parameters.blocks if block.variable == simplex)
            terms.append([at.MONOTONIC, 0, coefficient, first, shares, pack.add_ints(term.levels)])
        else:
            multiplier = at.NONE if term.multiplier is None else pack.add_floats(term.multiplier)
            center = pack.add_floats([term.center])
            terms.append([at.HIDDEN_PARENT, int(term.zero), coefficient, numbers[term.source], multiplier, center])
    record[at.TERM_COUNT], record[at.TERMS] = len(terms), pack.add_ints(terms)
