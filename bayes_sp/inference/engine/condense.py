"""A few rows that stand for all patients where hidden values are integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_sp.arrays import Array
from bayes_sp.design.equations import JointEquation
from bayes_sp.inference.engine import layout as at
from bayes_sp.inference.engine.links import Link, shifted
from bayes_sp.model.families.registry import FAMILIES

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)  # no patient in a notebook or a log
class Condensed:
    """Linked equations with rows that have the same log-likelihood as the patients'."""

    # parts, links: with those rows, R of them; responses are on the scale of their predictors, parents without their
    # centres.
    parts: dict[str, JointEquation]
    links: tuple[Link, ...]
    records: Array  # how many patients each row stands for in what does not depend on residuals, (R,)
    constant: float  # log-density of the responses less that on the scale of their predictors


def condensed(parts: Sequence[JointEquation], links: Sequence[Link]) -> Condensed:
    """Return the linked equations in as few rows as there are columns, for each pattern of patients.

    Among n patients with the same cells hidden and observed and the same multipliers, the log-likelihood is n times a
    function of the parameters plus a quadratic form in the rows of [X, y] of all equations. Q [X, y] has the same form
    for orthogonal Q, so the rows of the QR factor stand for the patients. Groups and monotonic effects have no such
    columns, and leave every row as it is.
    """
    says = {link.name: link for link in links}
    linked = [part for part in parts if part.response in says]
    columns = [_columns(part, says[part.response], parts) for part in linked]
    table = np.hstack(columns)
    if any(part.groups is not None or any(term.levels is not None for term in part.terms) for part in linked):
        chosen, records = np.arange(len(table)), np.ones(len(table))
    else:
        table, chosen, records = _rotated(table, _patterns(linked))
    ends = np.cumsum([own.shape[1] for own in columns])[:-1]
    found = {
        part.response: _with_rows(part, own, chosen) for part, own in zip(linked, np.split(table, ends, 1), strict=True)
    }
    logs = [part.y[part.state == at.SEEN] for part in linked if FAMILIES[part.family].logged]
    constant = -float(sum(np.log(y).sum() for y in logs))
    return Condensed(found, tuple(_link_with_rows(link, found, chosen) for link in links), records, constant)


def _columns(part: JointEquation, link: Link, parts: Sequence[JointEquation]) -> Array:
    """Return all that is linear in an equation: columns, response and offset, (n, p + 2)."""
    nothing = np.zeros(len(part.y))
    target = nothing if link.target is None else link.target
    return np.column_stack([shifted(part, parts), target, nothing if part.offset is None else part.offset])


def _patterns(linked: Sequence[JointEquation]) -> Array:
    """Return what must be the same among patients whose rows are rotated together, (n, ...)."""
    found = [np.stack([part.state, part.hidden_number >= 0]).astype(float) for part in linked]
    found += [term.multiplier for part in linked for term in part.terms if term.multiplier is not None]
    return np.vstack(found).T


def _rotated(table: Array, patterns: Array) -> tuple[Array, Ints, Array]:
    """Return rows that stand for the table's, a row of each one's pattern, and how many rows each stands for."""
    unique, place = np.unique(table, axis=1, return_inverse=True)
    _, first, pattern = np.unique(patterns, axis=0, return_index=True, return_inverse=True)
    rows, chosen, records = [], [], []
    for number, example in enumerate(first):
        own = unique[pattern.ravel() == number]
        factor = np.linalg.qr(own, mode="r")[:, place.ravel()] if len(own) > own.shape[1] else own[:, place.ravel()]
        rows.append(factor)
        chosen += [example] * len(factor)
        records += [len(own) / len(factor)] * len(factor)
    return np.concatenate(rows), np.array(chosen), np.array(records)


def _with_rows(part: JointEquation, columns: Array, chosen: Ints) -> JointEquation:
    terms = [
        replace(term, multiplier=_taken(term.multiplier, chosen), levels=_taken(term.levels, chosen))
        for term in part.terms
    ]
    return replace(
        part, x=columns[:, :-2], y=columns[:, -2], offset=None if part.offset is None else columns[:, -1],
        zero_x=part.zero_x[chosen], state=part.state[chosen], hidden_number=part.hidden_number[chosen],
        groups=_taken(part.groups, chosen), terms=tuple(terms),
    )  # fmt: skip


def _link_with_rows(link: Link, parts: dict[str, JointEquation], chosen: Ints) -> Link:
    target = None if link.target is None else parts[link.name].y
    return replace(link, hidden=_taken(link.hidden, chosen), target=target, weight=_taken(link.weight, chosen))


def _taken[Values: (Array, Ints)](values: Values | None, chosen: Ints) -> Values | None:
    return None if values is None else values[chosen]
