"""PathModel + Design -> Program: the joint model as two flat arrays that the engine reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from bayes_sp.arrays import Array
from bayes_sp.design.design import Design
from bayes_sp.design.equations import JointEquation
from bayes_sp.design.joint import Confounder, JointModel, joint_model
from bayes_sp.design.parameters import Parameters, hidden_name, lay_out, varying_name
from bayes_sp.design.rows import Rows
from bayes_sp.errors import SpecificationError
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.condense import condensed
from bayes_sp.inference.engine.families import unknown_to_engine
from bayes_sp.inference.engine.links import Link, are_normal, links_of, with_softplus_loadings
from bayes_sp.inference.engine.packing import (
    Pack,
    derived_blocks,
    pack_confounder,
    pack_equation,
    pack_links,
    pack_priors,
    pack_sequence,
    pack_terms,
)
from bayes_sp.inference.samplers.starts import start_of
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel

Ints = NDArray[np.int64]
MOST_FRAMED = 500  # groups' intercepts that stand on the scale of their joint curvature with the coefficients


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Program:
    """A joint model with its records and priors, as `engine.log_density` reads it."""

    # ints, floats: the flat arrays; see `layout`.
    ints: Ints
    floats: Array
    parameters: Parameters  # their names and places
    joint: JointModel  # what was packed
    start: Array  # sampled parameters near the likelihood's maximum, (P,), from which a search can begin
    links: tuple[Link, ...] = ()  # equations that hidden values depend on, in the engine's order

    @property
    def parts(self) -> tuple[JointEquation, ...]:
        """The equations in the engine's order: those of incomplete covariates first, then the chain."""
        return self.joint.equations

    @property
    def rows(self) -> Rows:
        """Which rows are which patient."""
        return self.joint.rows

    @property
    def confounders(self) -> tuple[Confounder, ...]:
        """Unmeasured ones, before the equations in the engine's order."""
        return self.joint.confounders

    @property
    def size(self) -> int:
        """Number of unconstrained parameters that are sampled, P."""
        return self.parameters.sampled

    @property
    def framed(self) -> int:
        """Number of parameters on the scale of their joint curvature."""
        return self.parameters.framed

    @property
    def integrated(self) -> bool:
        """Whether hidden values are integrated out."""
        return bool(self.ints[at.LINK_RECORDS] != at.NONE)

    @property
    def deferred(self) -> bool:
        """Whether any equation's gradient waits for later equations or for the weights of split patients."""
        return bool(self.ints[at.ANY_DEFERRED])

    @property
    def standardised(self) -> Ints:
        """Places of the standardised hidden values that are sampled; given much that is known they are near N(0, 1)."""
        blocks = [b for b in self.parameters.blocks if b.variable in {hidden_name(link.name) for link in self.links}]
        places = [np.arange(b.start, b.start + b.size) for b in blocks if b.start < self.size]
        return np.concatenate(places) if places else np.empty(0, dtype=np.int64)

    @property
    def groups(self) -> tuple[tuple[int, int, int], ...]:
        """Place of the SD of each equation's groups, first place of their standardised intercepts, and their number."""
        found = {name: b for b in self.parameters.blocks for name in (b.variable, *((b.variable, x) for x in b.labels))}
        with_groups = (part.response for part in self.parts if part.groups is not None)
        own = ((found["tau", response].start, found[varying_name(response)]) for response in with_groups)
        return tuple((tau, block.start, block.size) for tau, block in own)

    def starting(self, start: Array) -> Program:
        """Return the same program with another start."""
        return replace(self, start=start)

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


def compile_program(model: PathModel, design: Design, likelihood_power: float = 1.0) -> Program:
    """Pack a specification, a survey's design arrays and the priors for the engine: milliseconds, nothing compiled.

    ``likelihood_power`` multiplies the log-likelihood given every hidden value.

    Raises ValueError where a parameter has no prior (`load_model` reports that for files); SurveyError where cells are
    missing of which the model has no account; SpecificationError where a family or a prior has no density here.
    """
    if lacking := unknown_to_engine(model, design):
        problem = f"the compiled engine has no density of {', '.join(lacking)}; PyMC has: use NUTS or --method pymc"
        raise SpecificationError(model.name, [problem])
    whole = joint_model(model, design)
    rows, confounders = whole.rows, whole.confounders
    parts = with_softplus_loadings(whole.equations, confounders)
    links = links_of(rows, confounders, parts)
    all_parts: tuple[Confounder | JointEquation, ...] = (*confounders, *parts)
    integrated = {hidden_name(link.name) for link in links} if are_normal(confounders, parts) else set()
    others = [block for part in all_parts for block in part.others]
    groups = [block for part in parts if part.groups is not None for block in part.others[:1]]
    groups = groups if sum(block.size for block in groups) <= MOST_FRAMED else []
    parameters = lay_out(
        [*(block for part in all_parts for block in part.blocks), *groups],
        [block for block in others if block not in groups and block.variable not in integrated],
        [block for block in others if block.variable in integrated],
        [known for confounder in confounders for known in confounder.known],
    )
    parameters = replace(parameters, derived=derived_blocks(model, parameters.natural_size))
    joint = condensed(parts, links) if integrated and rows.count == rows.single else None
    pack, count = Pack(), len(confounders) + len(parts)
    head = np.full(at.HEAD + count * at.EQUATION, at.NONE, dtype=np.int64)
    pack.add_ints(head)
    head[at.SIZE], head[at.NATURAL] = parameters.size, parameters.natural_size
    head[at.EQUATIONS], head[at.ROWS], head[at.SINGLE] = count, rows.count, rows.single
    head[at.FRAMED], head[at.SAMPLED] = parameters.framed, parameters.sampled
    head[at.KNOWN], head[at.KNOWN_VALUES] = len(parameters.known), pack.add_floats([k.value for k in parameters.known])
    head[at.SPLIT] = pack.add_ints([len(rows.split), *(number for pair in rows.split for number in pair)])
    constant = pack_priors(pack, head, parameters)
    pack_sequence(pack, head, model, parameters)
    numbers = {name: j for j, name in enumerate([*(c.name for c in confounders), *(p.response for p in parts)])}
    records = head[at.HEAD :].reshape(count, at.EQUATION)
    for confounder in confounders:
        pack_confounder(pack, records[numbers[confounder.name]], rows, joint=joint is not None)
    row_constants = np.zeros(rows.count) if rows.log_weights is None else rows.log_weights.copy()
    for part in parts:
        record, own = records[numbers[part.response]], joint.parts.get(part.response) if joint else None
        pack_equation(pack, record, own or part, parameters, rows, parts, joint=own is not None)
        pack_terms(pack, record, own or part, parameters, numbers)
        if FAMILIES[part.family].response == "count":
            each = np.where(part.state == at.SEEN, gammaln(part.y + 1.0), 0.0)
            constant -= likelihood_power * float(each[: rows.single].sum())
            row_constants -= each
    if row_constants[rows.single :].any():
        head[at.ROW_CONSTANTS] = pack.add_floats(row_constants)
    linked = (joint.links, tuple(joint.parts.values())) if joint else (links, parts)
    window = slice(0, len(joint.records)) if joint else _window(links)
    pack_links(pack, head, *linked, parameters, numbers, window)
    head[at.LINK_FIRST], head[at.LINK_ROWS] = window.start, window.stop - window.start
    head[at.LINK_RECORDS] = pack.add_floats(joint.records) if joint else at.NONE
    constant += likelihood_power * joint.constant if joint else 0.0
    head[at.MOST_AUX] = (records[:, at.AUX] + records[:, at.FIXED]).max()
    head[at.ANY_DEFERRED] = records[:, at.DEFERRED].max()
    head[at.LOG_CONSTANT] = pack.add_floats([constant, likelihood_power])
    ints, floats = np.concatenate(pack.ints), np.concatenate(pack.floats)
    ints[: len(head)] = head
    start = start_of(parts, parameters, confounders)[: parameters.sampled]
    return Program(ints, floats, parameters, replace(whole, equations=parts), start, links)


def _window(links: tuple[Link, ...]) -> slice:
    """Return the rows from the first to the last with a hidden value."""
    there = [np.flatnonzero(link.hidden >= 0) for link in links if link.hidden is not None]
    places = np.concatenate(there) if there else np.empty(0, dtype=np.int64)
    return slice(int(places.min()), int(places.max()) + 1) if len(places) else slice(0, 0)
