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
from bayes_sp.model.confounders import Confounder, confounders_of
from bayes_sp.model.densities import FAMILY_NUMBERS, PRIOR_NUMBERS, log_constant
from bayes_sp.model.links import Link, are_normal, has_hidden, links_of, softened
from bayes_sp.model.parameters import Parameters, hidden_name, lay_out, varying_name
from bayes_sp.model.parts import Part, parts_of
from bayes_sp.model.split import Rows, split_rows
from bayes_sp.model.starts import start_of
from bayes_sp.spec.types import PathModel
from bayes_sp.survey.design import Array, Design

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
        Sampled parameters near the likelihood's maximum, (P,), from which a search can begin.
    confounders
        Unmeasured ones, before the equations in the engine's order.
    links
        Equations that hidden values depend on, in the engine's order.
    """

    ints: Ints
    floats: Array
    parameters: Parameters
    parts: tuple[Part, ...]
    rows: Rows
    start: Array
    confounders: tuple[Confounder, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def size(self) -> int:
        """Number of unconstrained parameters that are sampled, P."""
        return self.parameters.sampled

    @property
    def framed(self) -> int:
        """Number of parameters on the scale of their joint curvature."""
        return self.parameters.framed

    @property
    def standardised(self) -> Ints:
        """Places of the standardised hidden values that are sampled; given much that is known they are near N(0, 1)."""
        blocks = [b for b in self.parameters.blocks if b.variable in {hidden_name(link.name) for link in self.links}]
        places = [np.arange(b.start, b.start + b.size) for b in blocks if b.start < self.size]
        return np.concatenate(places) if places else np.empty(0, dtype=np.int64)

    def completed(self, theta: Array, seed: int) -> Array:
        """Return draws of sampled parameters, (..., P), with draws of what is integrated out after them: N(0, 1)."""
        rest = self.parameters.size - self.size
        rng = np.random.default_rng((seed, rest))
        return np.concatenate([theta, rng.standard_normal((*theta.shape[:-1], rest))], axis=-1) if rest else theta

    @property
    def patient(self) -> Ints:
        """Patient whose own each parameter is, (P,), -1 for shared ones; told only with unmeasured confounders."""
        patient = np.full(self.size, -1, dtype=np.int64)
        if self.confounders:
            everyone = np.unique(self.rows.patient)
            owners = [(c.name, everyone) for c in self.confounders]
            owners += [(p.response, np.unique(self.rows.patient[p.hidden_number >= 0])) for p in self.parts]
            for name, patients in owners:
                if len(patients) and self.parameters.place(hidden_name(name)) < self.size:
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
    confounders = confounders_of(model, rows)
    parts = softened(parts, confounders)
    links = links_of(rows, confounders, parts)
    all_parts: tuple[Confounder | Part, ...] = (*confounders, *parts)
    integrated = {hidden_name(link.name) for link in links} if are_normal(confounders, parts) else set()
    others = [block for part in all_parts for block in part.others]
    parameters = lay_out(
        [block for part in all_parts for block in part.blocks],
        [block for block in others if block.variable not in integrated],
        [block for block in others if block.variable in integrated],
        [known for confounder in confounders for known in confounder.known],
    )
    pack, count = _Pack(), len(confounders) + len(parts)
    head = np.full(at.HEAD + count * at.EQUATION, at.NONE, dtype=np.int64)
    pack.add_ints(head)
    head[at.SIZE], head[at.NATURAL] = parameters.size, parameters.natural_size
    head[at.EQUATIONS], head[at.ROWS], head[at.SINGLE] = count, rows.count, rows.single
    head[at.FRAMED], head[at.SAMPLED] = parameters.framed, parameters.sampled
    head[at.KNOWN], head[at.KNOWN_VALUES] = len(parameters.known), pack.add_floats([k.value for k in parameters.known])
    head[at.SPLIT] = pack.add_ints([len(rows.split), *(number for pair in rows.split for number in pair)])
    constant = _pack_priors(pack, head, parameters)
    numbers = {name: j for j, name in enumerate([*(c.name for c in confounders), *(p.response for p in parts)])}
    records = head[at.HEAD :].reshape(count, at.EQUATION)
    for confounder in confounders:
        record = records[numbers[confounder.name]]
        record[[at.REDUCED, at.AUX, at.FIXED]] = 0
        record[[at.UNMEASURED, at.DEFERRED]] = 1
        record[at.HIDDEN_COUNT], record[at.HIDDEN] = rows.count, pack.add_ints(range(rows.count))
    for part in parts:
        record = records[numbers[part.response]]
        _pack_equation(pack, record, part, parameters, rows)
        _pack_terms(pack, record, part, parameters, numbers)
        if FAMILIES[part.family].response == "count":
            once = [*range(rows.single), *(first for first, _ in rows.split)]
            seen = part.y[once][part.state[once] == at.SEEN]
            constant -= likelihood_power * float(gammaln(seen + 1.0).sum())
    _pack_links(pack, head, links, parameters, numbers)
    head[at.MOST_AUX] = (records[:, at.AUX] + records[:, at.FIXED]).max()
    head[at.ANY_DEFERRED] = records[:, at.DEFERRED].max()
    head[at.LOG_CONSTANT] = pack.add_floats([constant, likelihood_power])
    ints, floats = np.concatenate(pack.ints), np.concatenate(pack.floats)
    ints[: len(head)] = head
    start = start_of(parts, parameters, confounders)[: parameters.sampled]
    return Program(ints, floats, parameters, parts, rows, start, confounders, links)


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
        if block.start >= parameters.sampled:  # integrated out, its density with it
            continue
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


def _pack_links(
    pack: _Pack, head: Ints, links: tuple[Link, ...], parameters: Parameters, numbers: dict[str, int]
) -> None:
    """Write which equations hidden values depend on; rows of one patient share their standardised value."""
    found, members = [], 0
    for link in links:
        place = at.NONE
        if link.hidden is not None:
            first = parameters.place(hidden_name(link.name))
            place = pack.add_ints(np.where(link.hidden >= 0, first + link.hidden, at.NONE))
            head[at.HEAD + numbers[link.name] * at.EQUATION + at.MEMBER] = members
            members += 1
        target = at.NONE if link.target is None else pack.add_floats(link.target)
        weight = at.NONE if link.weight is None else pack.add_floats(link.weight)
        found.append([numbers[link.name], place, target, weight, link.precision])
    head[at.MEMBERS], head[at.LINK_COUNT], head[at.LINKS] = members, len(links), pack.add_ints(found)


def _pack_equation(pack: _Pack, record: Ints, part: Part, parameters: Parameters, rows: Rows) -> None:
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
    hidden: Ints = np.flatnonzero(part.hidden_number >= 0) if has_hidden(part) else np.empty(0, dtype=np.int64)
    record[at.UNMEASURED] = 0
    record[at.REDUCED] = int(
        part.family == "normal"
        and rows.count == rows.single
        and len(hidden) == 0
        and part.offset is None
        and part.groups is None
        and not part.terms
    )
    record[at.DEFERRED] = int(len(hidden) > 0 or rows.count > rows.single)
    record[at.TABLE] = int(part.y[part.state == at.SEEN].max()) + 1 if family.sized else 0
    record[at.HIDDEN_COUNT], record[at.HIDDEN] = len(hidden), pack.add_ints(hidden)
    if record[at.REDUCED]:
        _pack_reduced(pack, record, part)
        return
    record[at.EQUATION_ROWS] = rows.count
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


def _pack_reduced(pack: _Pack, record: Ints, part: Part) -> None:
    """QR factor of [X, y]: with Q [R, r], |y - X beta|^2 = |r - R beta|^2, so p + 1 rows stand for n."""
    seen = part.state == at.SEEN
    columns = part.x.shape[1]
    factor = np.linalg.qr(np.column_stack([part.x[seen], part.y[seen]]), mode="r")
    square = np.zeros((columns + 1, columns + 1))
    square[: len(factor)] = factor
    record[at.EQUATION_ROWS] = columns + 1
    record[at.X] = pack.add_floats(square[:, :-1].T)
    record[at.Y] = pack.add_floats(square[:, -1])
    record[at.RECORDS] = pack.add_floats([float(seen.sum())])


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
