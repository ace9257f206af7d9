"""Writing a program's two flat arrays, see `layout`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.parameters import Block, Parameters, hidden_name, varying_name
from bayes_sp.design.rows import Rows
from bayes_sp.design.sequence import givens, jacobian_powers
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.families import FAMILY_NUMBERS, PRIOR_NUMBERS
from bayes_sp.inference.engine.links import Link, shifted
from bayes_sp.model.densities import lkj_constant
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.families.special import TABLE
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import RESIDUAL_CORRELATION
from bayes_sp.triangular import triangle

Ints = NDArray[np.int64]
TRANSFORMS = {
    "identity": at.IDENTITY,
    "log": at.LOG,
    "increasing": at.INCREASING,
    "share": at.SHARE,
    "soft": at.SOFT,
    "tanh": at.TANH,
}


@dataclass
class Pack:
    """Arrays put one after the other; each `add` returns where its array begins."""

    ints: list[Ints] = field(default_factory=list)
    floats: list[Array] = field(default_factory=list)
    int_count: int = 0
    float_count: int = 0

    def add_ints(self, values: Any) -> int:
        """Append whole numbers; return where they begin."""
        array = np.asarray(values, dtype=np.int64).ravel()
        self.ints.append(array)
        self.int_count += len(array)
        return self.int_count - len(array)

    def add_floats(self, values: Any) -> int:
        """Append numbers; return where they begin."""
        array = np.asarray(values, dtype=np.float64).ravel()
        self.floats.append(array)
        self.float_count += len(array)
        return self.float_count - len(array)


def pack_priors(pack: Pack, head: Ints, parameters: Parameters) -> float:
    """Write transforms and priors; return the sum of the priors' constants."""
    transform, dist = np.zeros(parameters.size, dtype=np.int64), np.full(parameters.size, PRIOR_NUMBERS["flat"])
    constants, units = np.ones((parameters.size, 3)), np.ones(parameters.size)
    simplexes, alphas, total = [], [], 0.0
    for block in parameters.blocks:
        places = range(block.start, block.start + block.size)
        transform[block.start : block.start + block.size] = TRANSFORMS[block.transform]
        powers = jacobian_powers(block.size) if block.transform == "tanh" else []
        units[block.start : block.start + block.size] = powers or block.unit
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
            total += prior.log_constant
        if any(powers):
            etas = [prior.numbers[0] for prior in block.priors]
            total += sum(lkj_constant(e + p) - lkj_constant(e) for e, p in zip(etas, powers, strict=True))
    head[at.TRANSFORM], head[at.DIST] = pack.add_ints(transform), pack.add_ints(dist)
    head[at.UNITS] = pack.add_floats(units)
    head[at.CONSTANTS] = pack.add_floats(constants)
    head[at.SIMPLEXES] = pack.add_ints([len(simplexes), *(number for simplex in simplexes for number in simplex)])
    head[at.ALPHAS] = pack.add_floats(alphas)
    return total


def pack_confounder(pack: Pack, record: Ints, rows: Rows, *, joint: bool) -> None:
    """Write an unmeasured confounder: every row is hidden."""
    record[[at.FIRST, at.AUX, at.FIXED]] = 0
    record[at.UNMEASURED] = 1
    record[at.INTEGRATED], record[at.DEFERRED] = int(joint), int(not joint)
    record[at.HIDDEN_COUNT], record[at.HIDDEN] = rows.count, pack.add_ints(range(rows.count))


def pack_links(
    pack: Pack,
    head: Ints,
    links: Sequence[Link],
    parts: Sequence[JointEquation],
    parameters: Parameters,
    numbers: dict[str, int],
    window: slice,
) -> None:
    """Write which equations hidden values depend on, of a ``window`` of rows that has all hidden values.

    Rows of one patient share their standardised value.
    """
    found, members = [], [link.name for link in links if link.hidden is not None]
    own = {part.response: part for part in parts}
    for link in links:
        place, measured = at.NONE, at.NONE
        if link.hidden is not None:
            first = parameters.place(hidden_name(link.name))
            place = pack.add_ints(np.where(link.hidden >= 0, first + link.hidden, at.NONE)[window])
            head[at.HEAD + numbers[link.name] * at.EQUATION + at.MEMBER] = members.index(link.name)
        terms, reach = [], 0
        if link.name in own:
            measured = pack.add_floats((own[link.name].state == at.MEASURED)[window])
            terms = _open_terms(pack, own[link.name], links, members, parameters, window)
            reach = max((parent + 1 for _, parent, _ in terms), default=0)
        target = at.NONE if link.target is None else pack.add_floats(link.target[window])
        weight = at.NONE if link.weight is None else pack.add_floats(link.weight[window])
        opened = pack.add_ints(terms)
        record = [numbers[link.name], place, target, weight, link.precision, measured, opened, len(terms), reach]
        found.append(record)
    head[at.MEMBERS], head[at.LINK_COUNT], head[at.LINKS] = len(members), len(links), pack.add_ints(found)


def _open_terms(
    pack: Pack,
    part: JointEquation,
    links: Sequence[Link],
    members: Sequence[str],
    parameters: Parameters,
    window: slice,
) -> list[tuple[int, int, int]]:
    hidden = {link.name: link.hidden >= 0 for link in links if link.hidden is not None}
    found = []
    for term in part.terms:
        if term.levels is None and not term.zero:
            times = hidden[term.source] * (1.0 if term.multiplier is None else term.multiplier)
            coefficient = parameters.place(term.variable or part.response, term.name)
            found.append((coefficient, members.index(term.source), pack.add_floats(times[window])))
    return found


def pack_equation(
    pack: Pack,
    record: Ints,
    part: JointEquation,
    parameters: Parameters,
    rows: Rows,
    parts: Sequence[JointEquation],
    *,
    joint: bool,
) -> None:
    """Write an equation; a ``joint`` one is condensed, and `compiled_integral` has its likelihood."""
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
    hidden: Ints = np.flatnonzero(part.hidden_number >= 0) if part.has_hidden else np.empty(0, dtype=np.int64)
    record[at.UNMEASURED] = 0
    whole = 0 if joint else _whole_rows(part, rows, parts)
    record[at.FIRST] = whole
    record[at.INTEGRATED] = int(joint)
    record[at.DEFERRED] = int(not joint and (len(hidden) > 0 or rows.count > rows.single))
    record[at.TABLE] = min(int(part.y[part.state == at.SEEN].max()) + 1, TABLE) if family.sized else 0
    record[at.HIDDEN_COUNT], record[at.HIDDEN] = len(hidden), pack.add_ints(hidden)
    if whole:
        _pack_factor(pack, record, part, whole)
    if whole == rows.count:
        return
    record[at.EQUATION_ROWS] = len(part.y)
    x, zero_x = (part.x, part.zero_x) if joint else (shifted(part, parts), shifted(part, parts, zero=True))
    record[at.X], record[at.ZERO_X] = pack.add_floats(x.T), pack.add_floats(zero_x.T)
    record[at.Y] = pack.add_floats(part.y)
    if (part.state != at.SEEN).any():
        record[at.STATE] = pack.add_ints(part.state)
    if part.offset is not None:
        record[at.OFFSET] = pack.add_floats(part.offset)
    if part.groups is not None:
        record[at.GROUPS] = pack.add_ints(part.groups)
        record[at.TAU] = parameters.place("tau", part.response)
        record[at.GROUP_Z] = parameters.place(varying_name(part.response))


def derived_blocks(model: PathModel, natural: int) -> tuple[Block, ...]:
    """Return the coefficients and the SD of every mediator given others with correlated errors, placed after others."""
    found = []
    for given in givens(model):
        found.append(Block(given.response, given.names, "identity", (), natural=natural))
        natural += len(given.names)
        found.append(Block("sigma", (given.response,), "identity", (), natural=natural))
        natural += 1
    return tuple(found)


def pack_sequence(pack: Pack, head: Ints, model: PathModel, parameters: Parameters) -> None:
    """Write what coefficients and SDs of mediators with correlated errors follow from."""
    names = model.correlated
    head[at.DERIVED] = sum(len(block.labels) for block in parameters.derived)
    if not names:
        return
    raw = replace(parameters, derived=())
    first = [raw.place(name) for name in names]
    records = [0]
    for given in givens(model):
        begin = parameters.place(given.response)
        sources = [(begin + place, k, first[k] + own) for place, k, own in given.sources]
        records.append(
            pack.add_ints(
                [parameters.place("sigma", given.response), begin, len(given.names), begin + given.intercept,
                 pack.add_floats(given.centers), pack.add_ints(sources), len(sources),
                 *(begin + place for place in given.slopes)]
            )
        )  # fmt: skip
    sigmas = [raw.place("sigma", name) for name in names]
    head[at.SEQUENCE] = pack.add_ints([len(names), raw.place(RESIDUAL_CORRELATION), *sigmas, *records])


def _whole_rows(part: JointEquation, rows: Rows, parts: Sequence[JointEquation]) -> int:
    """Return how many rows, the first ones, a QR factor can stand for: those of a normal equation's known numbers.

    None where so few of them are whole that the factor would have hardly fewer.
    """
    plain = all(term.levels is None and not term.variable for term in part.terms)
    if part.family != "normal" or part.offset is not None or part.groups is not None or not plain:
        return 0
    sources = {part.response, *(term.source for term in part.terms)}
    unknown = np.any([other.hidden_number >= 0 for other in parts if other.response in sources], axis=0)
    whole = min(rows.single, int(np.argmax(unknown)) if unknown.any() else rows.count)
    return whole if whole == rows.count or whole > 2 * (part.x.shape[1] + 1) else 0


def _pack_factor(pack: Pack, record: Ints, part: JointEquation, first: int) -> None:
    """QR factor of [X, y]: with Q [R, r], |y - X beta|^2 = |r - R beta|^2, so p + 1 rows stand for the ``first``."""
    seen = part.state[:first] == at.SEEN
    columns = part.x.shape[1]
    factor = triangle(np.column_stack([part.x[:first][seen], part.y[:first][seen]]))
    square = np.zeros((columns + 1, columns + 1))
    square[: len(factor)] = factor
    record[at.FACTOR_ROWS] = columns + 1
    record[at.FACTOR_X] = pack.add_floats(square[:, :-1].T)
    record[at.FACTOR_Y] = pack.add_floats(square[:, -1])
    record[at.FACTOR_RECORDS] = pack.add_floats([float(seen.sum())])


def pack_terms(pack: Pack, record: Ints, part: JointEquation, parameters: Parameters, numbers: dict[str, int]) -> None:
    """Write an equation's terms that no column can hold."""
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
            terms.append([at.HIDDEN_PARENT, int(term.zero), coefficient, numbers[term.source], multiplier, at.NONE])
    record[at.TERM_COUNT], record[at.TERMS] = len(terms), pack.add_ints(terms)
