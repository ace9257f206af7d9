"""Records that a clinic could have returned: whole numbers that reproduce the published moments after rounding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError, nearest
from bayes_sp.records.published import margins
from bayes_sp.records.published.arrange import Problem, copula, exchange
from bayes_sp.records.published.arrange import excess as beyond_rounding
from bayes_sp.records.published.article import PublishedStudy, published
from bayes_sp.records.published.constraints import constraint_report
from bayes_sp.records.published.count_shapes import COUNT_SHAPES, EXTREME_SHAPES, SHAPE_WORDS
from bayes_sp.records.published.margins import Steps, UnreachableError, Window
from bayes_sp.records.published.targets import Column, change_score, reachable_row
from bayes_sp.records.survey import RECONSTRUCTED, Survey

if TYPE_CHECKING:
    from bayes_sp.records.published.rebuild.rebuild import Rebuilt

_SOURCE = "reconstruct"
_ATTEMPTS = 8
_MARGIN_DRAWS = 200
_MAX_APPOINTMENTS = 80  # in three months: about one for each working day and some more
_AGES = (18, 100)
_GROUPS = (0, 10)
# No records satisfy all three correlations of the change with its parts; this far beyond rounding is still accepted.
_CHANGE_EXCESS = 0.001
_LONELINESS_STEP = 0.125
# Share of patients in a relationship and each level's least share in education are not published: kept ordinary.
_RELATIONSHIP = (0.35, 0.65)
_EDUCATION_CONCENTRATION = (4.0, 6.0, 5.0)
_EDUCATION_LEAST = 0.12
# Unevenness (SD of log weights) of the four answers about belonging, whose shape is not published.
_BELONGING_UNEVENNESS = 0.3
# Columns that move correlations in coarse steps come early, while the columns they must suit are few.
_ORDER = (
    "gender",
    "belonging_t0",
    "belonging_t1",
    "relationship",
    "education",
    "appointments_t0",
    "appointments_t1",
    "loneliness_t0",
    "loneliness_t1",
    "age",
)
_DEFAULT_SHAPE = "negative_binomial"
_SHAPES = {**COUNT_SHAPES, **EXTREME_SHAPES}
_ANCHORS = ("group_change", "groups_t0", "groups_t1")


class Reconstruction(Survey):
    """Records made from published moments."""

    def report(self) -> pd.DataFrame:
        """Compare the records' means, SDs and correlations with the printed ones; see `constraint_report`."""
        return constraint_report(self)


def reconstruct(
    seed: int = 1, *, count_shape: str = _DEFAULT_SHAPE, study: str | Path | Mapping[str, Any] | None = None
) -> Reconstruction | Rebuilt:
    """Reconstruct 178 records from the published moments: no real patient stands behind any of them.

    The records reproduce Table 2 after rounding to its printed decimals: every mean, SD (n - 1 in the denominator) and
    correlation. Group change is T1 - T0 in every record, appointments add up to the published totals, groups are whole
    numbers 0-10, belonging 1-4, loneliness multiples of 1/8 from 1 to 5, ages whole years, gender (1 male, 2 female) as
    published with the one unknown assigned by the seed, relationship 0/1, education 1-3. The three correlations of the
    change with its parts, which no records can satisfy together, come as near as whole numbers allow (within .0003
    beyond rounding).

    Parameters
    ----------
    seed
        Whole number, 0 or more; the same seed gives the same records.
    count_shape
        Shape of the appointments' margins: a key of ``COUNT_SHAPES`` or of ``EXTREME_SHAPES`` in
        `bayes_sp.records.published.count_shapes`; of another study the counts with a long tail.
    study
        Another study, as a TOML file of the form that ``docs/audit.md`` describes, its tables, or the name of a shipped
        one: records that give back its first table. What no records can have together stands in ``contradictions``.

    Returns
    -------
    Reconstruction
        A survey: columns in the order of Table 2, origin ``"reconstruction"``; ``report()`` holds it against Table 2.

    Raises
    ------
    StudyError
        If another study cannot be read.
    SurveyError
        If the seed is not a whole number of 0 or more, the shape is unknown, or the constraints cannot be met.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> len(sp.reconstruct(seed=1))
    178
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise SurveyError(_SOURCE, [f"the seed must be a whole number of 0 or more, got {seed!r}."])
    if count_shape not in _SHAPES:
        raise SurveyError(_SOURCE, [f'count_shape: no shape is called "{count_shape}"{nearest(count_shape, _SHAPES)}.'])
    if study is not None:
        from bayes_sp.records.published.rebuild.rebuild import rebuild

        return rebuild(study, seed=int(seed), count_shape=count_shape)
    return of_the_study(int(seed), count_shape)


def of_the_study(seed: int, count_shape: str) -> Reconstruction:
    """Return what `reconstruct` returns for this study, a seed and a shape of the counts."""
    article = published()
    rng = np.random.default_rng(seed)
    reasons: list[str] = []
    for _ in range(_ATTEMPTS):
        try:
            steps = _attempt(article, count_shape, rng)
        except UnreachableError as reason:
            reasons.append(str(reason))
            continue
        which = f"seed {seed}" if count_shape == _DEFAULT_SHAPE else f"seed {seed}, counts: {SHAPE_WORDS[count_shape]}"
        return Reconstruction(_records(steps, article), "reconstruction", f"{RECONSTRUCTED} ({which})")
    raise SurveyError(
        _SOURCE,
        [f"seed {seed} did not meet the published moments in {_ATTEMPTS} attempts ({reasons[-1]}); try another seed."],
    )


def _attempt(study: PublishedStudy, count_shape: str, rng: np.random.Generator) -> dict[str, Steps]:
    """Draw margins and arrange them once; UnreachableError if this draw does not meet every constraint."""
    change, t0, t1 = _groups(study, rng)
    placed = {name: Column.of(scores) for name, scores in zip(_ANCHORS, (change, t0, t1), strict=True)}
    rows: dict[str, Array] = {}
    for name in _ORDER:
        for _ in range(_MARGIN_DRAWS):
            column = Column.of(_margin(name, study, count_shape, rng))
            row = reachable_row(name, column, placed, study)
            if row is not None:
                break
        else:
            raise UnreachableError(f"no margin of {name} can reach the printed correlations")
        rows[name] = row
        placed[name] = column
    names = list(placed)
    where = np.ix_(*[[study.names.index(name) for name in names]] * 2)
    targets = study.correlations[where].copy()
    for name, row in rows.items():
        position = names.index(name)
        targets[position, :position] = targets[:position, position] = row
    problem = Problem(targets, study.correlations[where], study.correlation_half_units[where], len(_ANCHORS))
    columns = np.stack([column.scores for column in placed.values()]).astype(np.float64)
    basis = [_ANCHORS.index("groups_t0"), _ANCHORS.index("groups_t1")]
    arranged = exchange(copula(columns, problem, basis, rng), problem)
    if beyond_rounding(arranged, problem).max() > 0.0:
        raise UnreachableError("a correlation is beyond rounding")
    return {name: arranged[position].astype(np.int64) for position, name in enumerate(names)}


def _groups(study: PublishedStudy, rng: np.random.Generator) -> tuple[Steps, Steps, Steps]:
    """Change, T0 and T1 of the number of groups, patient by patient, as near to their printed moments as can be."""
    windows = {name: _window(name, study) for name in ("groups_t0", "groups_t1")}
    t0_window, t1_window = windows.values()
    total_t0, total_t1 = _group_totals(study, t0_window, t1_window)
    sd, r, half_unit = study.variable("group_change").moments[1], study.correlations, study.correlation_half_units[0, 1]
    printed = (sd.lower, sd.upper, r[0, 1], r[0, 2], r[1, 2], half_unit)
    sums = change_score(t0_window, t1_window, total_t0, total_t1, printed)
    if sums.excess > _CHANGE_EXCESS:
        raise UnreachableError(f"the change in groups stays {sums.excess:.4f} beyond rounding")
    parts = []
    for window, total, squares in (
        (t0_window, total_t0, sums.squares_t0),
        (t1_window, total_t1, sums.squares_t1),
    ):
        weights = margins.negative_binomial(window.lattice, total / window.n, window.sd)
        parts.append(rng.permutation(margins.draw(window, weights, rng, total=total, squares=squares)))
    t0, t1 = parts
    for _ in range(500):
        need = sums.products - int(t0 @ t1)
        if need == 0:
            return t1 - t0, t0, t1
        a, b = rng.integers(study.n, size=(2, 100))
        change = -(t0[a] - t0[b]) * (t1[a] - t1[b])
        best = int(np.argmin(np.abs(need - change)))
        t1[[a[best], b[best]]] = t1[[b[best], a[best]]]
    raise UnreachableError("the numbers of groups at T0 and T1 could not be paired")


def _group_totals(study: PublishedStudy, t0: Window, t1: Window) -> tuple[int, int]:
    """Totals at T0 and T1 whose means round to the printed ones, and their difference to the mean change."""
    change, _ = study.variable("group_change").moments
    pairs = [
        (first, second)
        for first in t0.totals
        for second in t1.totals
        if change.lower < (second - first) / study.n < change.upper
    ]
    if len(pairs) != 1:
        raise UnreachableError(f"{len(pairs)} pairs of group totals fit the printed means")
    return pairs[0]


def _window(name: str, study: PublishedStudy) -> Window:
    """Return what the printed mean and SD of a variable allow."""
    mean, sd = study.variable(name).moments
    if name.startswith("loneliness"):
        low, high = round(1 / _LONELINESS_STEP), round(5 / _LONELINESS_STEP)
        return Window.printed(study.n, mean, sd, low, high, _LONELINESS_STEP)
    bounds = {"groups": _GROUPS, "belonging": (1, 4), "appointments": (0, _MAX_APPOINTMENTS), "age": _AGES}
    return Window.printed(study.n, mean, sd, *bounds[name.partition("_")[0]])


def _margin(name: str, study: PublishedStudy, count_shape: str, rng: np.random.Generator) -> Steps:
    """Draw the margin of a variable, in steps."""
    if name == "gender":
        sample = study.sample("follow_up")
        unknown = rng.integers(1, 3, size=sample.unknown)
        return np.concatenate([np.ones(sample.male, np.int64), np.full(sample.female, 2), unknown])
    if name == "relationship":
        share = rng.uniform(*_RELATIONSHIP)
        return (np.arange(study.n) < round(share * study.n)).astype(np.int64)
    if name == "education":
        counts = rng.multinomial(study.n, rng.dirichlet(_EDUCATION_CONCENTRATION))
        while counts.min() < _EDUCATION_LEAST * study.n:
            counts = rng.multinomial(study.n, rng.dirichlet(_EDUCATION_CONCENTRATION))
        return np.repeat(np.arange(1, 4), counts)
    window = _window(name, study)
    middle = window.totals[len(window.totals) // 2] / window.n
    if name.startswith("appointments"):
        total = study.appointments.total_t0 if name.endswith("t0") else study.appointments.total_t1
        weights = _SHAPES[count_shape](window.lattice, total / window.n, window.sd, rng)
        return margins.draw(window, weights, rng, total=total)
    if name.startswith("belonging"):
        weights = np.exp(_BELONGING_UNEVENNESS * rng.standard_normal(len(window.lattice)))
    elif name.startswith("loneliness"):
        weights = margins.beta(window.lattice, middle, window.sd)
    else:
        weights = margins.normal(window.lattice, middle, window.sd)
    return margins.draw(window, weights, rng)


def _records(steps: dict[str, Steps], study: PublishedStudy) -> pd.DataFrame:
    """Put records into the measures' own units, columns in the order of Table 2."""
    return pd.DataFrame(
        {name: steps[name] * _LONELINESS_STEP if name.startswith("loneliness") else steps[name] for name in study.names}
    )
