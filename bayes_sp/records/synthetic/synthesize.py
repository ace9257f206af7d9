r"""A table that can be shared in place of records: the same means, SDs and correlations, and no patient behind a row.

The engine is that of `bayes_sp.records.published`, on the records' own moments. Margins are drawn anew from shapes that
depend on 10 patients or more at every place, with the same mean and SD; a Gaussian copula and exchanges within columns
then bring every correlation to within .005, or as near as whole numbers allow. Categories are columns of 0 and 1 there,
one for each level but the first, and stay where they were put. Which cells are missing is a column of 0 and 1 too, so
that cells are missing as often, and together with the same values of other columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError, nearest
from bayes_sp.names import LEAST_COUNT
from bayes_sp.records.published.arrange import Problem, copula, correlations, exchange
from bayes_sp.records.published.margins import UnreachableError
from bayes_sp.records.reading.everything import Source, read_everything
from bayes_sp.records.survey import SYNTHETIC, Survey
from bayes_sp.records.synthetic.disclosure import Nearness, nearness
from bayes_sp.records.synthetic.margins import Scale, draw_margin

HALF_UNIT = 0.005
MOST_EXCHANGED = 1500  # records; of more the copula alone is within chance of the targets
LEAST_RECORDS = 2 * LEAST_COUNT
ATTEMPTS = 6


@dataclass(frozen=True, eq=False, repr=False)
class Synthetic(Survey):
    """A synthetic table, marked as such wherever it goes.

    Attributes
    ----------
    note
        What it keeps of the records, what not, and how near its rows are to them.
    nearness
        The numbers behind that.
    """

    note: str = ""
    nearness: Nearness = field(default_factory=lambda: Nearness((0.0, 0.0), (0.0, 0.0), 0, 0))

    def _repr_html_(self) -> str:
        from bayes_sp.safe_text import html

        return html(self.note, strong="Synthetic table:")


@dataclass(frozen=True, eq=False)
class _Parts:
    """Columns of whole numbers with what they stand for: a variable, one of its levels, or where it is missing."""

    names: list[tuple[str, float | str | None, bool]]
    observed: list[Array]  # with NaN where not known
    drawn: list[Array]
    scales: dict[str, Scale]


def synthesize(
    survey: Survey | Source, columns: Sequence[str] | None = None, *, categories: Sequence[str] = (), seed: int = 1
) -> Synthetic:
    """Make a table that can be shared: the same means, SDs, correlations and scales, and no patient behind a row.

    Parameters
    ----------
    survey
        The records, or what `read_survey` reads.
    columns
        Which ones; every one by default. Words with few levels are categories; other words are left out.
    categories
        Columns of numbers that are names of categories.
    seed
        Other seeds give other tables.

    Returns
    -------
    Synthetic
        With ``note``; ``records.to_csv`` writes it without its mark, ``python -m bayes_sp synthesize`` with it.

    Raises
    ------
    SurveyError
        Where a column is missing, there are too few records, or a column's moments cannot be reached.

    Examples
    --------
    >>> import bayes_sp as sp
    >>> table = sp.synthesize(sp.reconstruct(seed=1), ["age", "gender", "appointments_t1"], seed=2)
    >>> len(table)
    178
    """
    survey = survey if isinstance(survey, Survey) else read_everything(survey)
    records = survey.records
    names = [str(name) for name in records] if columns is None else list(columns)
    problems = [
        f'column "{name}" is missing{nearest(name, map(str, records))}' for name in names if name not in records
    ]
    if len(records) < LEAST_RECORDS:
        problems.append(f"has {len(records)} records, and at least {LEAST_RECORDS} are needed")
    if problems:
        raise SurveyError(survey.source, problems)
    rng, left = np.random.default_rng(seed), list[str]()
    parts, fixed = _parts(records[names], set(categories), rng, left, survey.source)
    arranged, reached = _arranged(parts, fixed, rng)
    made = _table(parts, arranged, names, records)
    own = records[list(made)]
    near = nearness(_as_numbers(own), _as_numbers(made, like=own))
    source = f"{SYNTHETIC} from the moments of {len(records)} records (seed {seed})"
    note = _note(survey, own, made, near, left, reached)
    return Synthetic(made, "simulation", source, note=note, nearness=near)


def _parts(
    records: pd.DataFrame, categories: set[str], rng: np.random.Generator, left: list[str], source: str
) -> tuple[_Parts, int]:
    """Return the columns to arrange, those of categories first, and how many these are."""
    n, found = len(records), _Parts([], [], [], {})
    later = list[tuple[str, Array]]()
    for name, column in records.items():
        number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
        missing = column.isna().to_numpy(dtype=bool)
        if number and name not in categories:
            later.append((str(name), column.to_numpy(dtype=float, na_value=np.nan)))
            continue
        counts = column.value_counts()
        if len(counts) < 1 or counts.min() < LEAST_COUNT or 0 < missing.sum() < LEAST_COUNT:
            left.append(f"{name} (a category with levels of fewer than {LEAST_COUNT} patients)")
            continue
        levels = [*counts.index, *([None] if missing.any() else [])]
        sizes = [*counts, *([missing.sum()] if missing.any() else [])]
        drawn = rng.permutation(np.repeat(np.arange(len(levels)), sizes))
        for k, level in enumerate(levels):
            own = missing if level is None else (column == level).to_numpy(dtype=bool)
            found.names.append((str(name), level, level is None))
            found.observed.append(own.astype(float))
            found.drawn.append((drawn == k).astype(float))
    fixed = len(found.names)
    for name, values in later:
        known = values[~np.isnan(values)]
        if len(known) < LEAST_RECORDS or (len(set(known)) == 2 and min(np.unique(known, return_counts=True)[1]) < 10):
            left.append(f"{name} (fewer than {LEAST_COUNT} patients have one of its values)")
            continue
        _add_numbers(found, name, values, n, rng, source)
    return found, fixed


def _add_numbers(found: _Parts, name: str, values: Array, n: int, rng: np.random.Generator, source: str) -> None:
    """Add a column of numbers, and one for where it is missing."""
    missing = np.isnan(values)
    known = values[~missing]
    if known.min() < known.max():
        try:
            drawn, scale = draw_margin(known, n, rng)
        except UnreachableError as reason:
            raise SurveyError(source, [f'column "{name}": {reason}; try another seed, or leave it out']) from reason
    else:
        drawn, scale = np.zeros(n, dtype=np.int64), Scale(float(known[0]), 1.0, 0, 0, np.ones(1))
    found.scales[name] = scale
    found.names.append((name, None, False))
    found.observed.append(values)
    found.drawn.append(rng.permutation(drawn).astype(float))
    if missing.sum() >= LEAST_COUNT:
        found.names.append((name, None, True))
        found.observed.append(missing.astype(float))
        found.drawn.append(rng.permutation(missing).astype(float))


def _arranged(parts: _Parts, fixed: int, rng: np.random.Generator) -> tuple[Array, float]:
    """Return the drawn columns arranged, (p, n), and the largest distance of a correlation from its target."""
    columns, observed = np.stack(parts.drawn), np.stack(parts.observed)
    varying = [k for k, column in enumerate(columns) if column.min() < column.max()]
    targets = _targets(observed[varying])
    norms = columns[varying].std(axis=1) * np.sqrt(columns.shape[1])
    reach = 1.0 / np.outer(norms, norms)  # by how much a correlation moves at least
    anchored = sum(k < fixed for k in varying)
    if len(varying) == anchored:
        return columns, 0.0
    basis = _independent(columns[varying][:anchored])
    start = copula(columns[varying], Problem(targets, targets, reach, anchored), basis, rng)
    found = start
    for power in range(ATTEMPTS if columns.shape[1] <= MOST_EXCHANGED else 0):
        half = 2.0**power * np.maximum(HALF_UNIT, reach)
        try:
            found = exchange(start, Problem(targets, targets, half, anchored))
            break
        except UnreachableError:
            continue
    away = np.abs(correlations(found) - targets)
    away[:anchored, :anchored] = 0.0
    columns[varying] = found
    return columns, float(away.max())


def _targets(observed: Array) -> Array:
    """Return correlations of columns where both are known, made possible where together they are not, (p, p)."""
    frame = pd.DataFrame(observed.T)
    found = frame.corr(min_periods=LEAST_COUNT).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(found, 1.0)
    values, vectors = np.linalg.eigh(found)
    if values.min() < 0:
        possible = (vectors * np.maximum(values, 0.0)) @ vectors.T
        sd = np.sqrt(np.diag(possible))
        found = possible / np.outer(sd, sd)
    return np.asarray(found)


def _independent(columns: Array) -> list[int]:
    """Return which of some columns are linearly independent of each other and of a constant."""
    basis, chosen = [np.ones(columns.shape[1]) / np.sqrt(columns.shape[1])], []
    for k, column in enumerate(columns):
        rest = column - sum((b @ column) * b for b in basis)
        if np.linalg.norm(rest) > 1e-6 * np.linalg.norm(column):
            basis.append(rest / np.linalg.norm(rest))
            chosen.append(k)
    return chosen


def _table(parts: _Parts, arranged: Array, names: list[str], records: pd.DataFrame) -> pd.DataFrame:
    """Put arranged columns back into variables."""
    made: dict[str, pd.Series] = {}
    for (name, level, missing), column in zip(parts.names, arranged, strict=True):
        if name in parts.scales and not missing:
            scale = parts.scales[name]
            made[name] = pd.Series(np.round(scale.origin + scale.step * column, 10))
        elif name in parts.scales:
            made[name] = made[name].mask(column > 0)
        else:
            made.setdefault(name, pd.Series(np.full(len(column), None, dtype=object)))[column > 0] = level
    for name, column in made.items():
        if name in parts.scales and column.notna().all() and (column == column.round()).all():
            made[name] = column.astype(int)
        elif pd.api.types.is_numeric_dtype(records[name]):
            made[name] = column.astype(float if column.isna().any() else records[name].dtype)
    return pd.DataFrame({name: made[name] for name in names if name in made})


def _as_numbers(table: pd.DataFrame, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a table in which words are the numbers of their levels."""
    like = table if like is None else like
    found = {}
    for name in table:
        if pd.api.types.is_numeric_dtype(like[name]):
            found[name] = table[name].astype(float)
        else:
            levels = {level: float(k) for k, level in enumerate(like[name].dropna().unique())}
            found[name] = table[name].map(levels).astype(float)
    return pd.DataFrame(found)


def _note(
    survey: Survey, own: pd.DataFrame, made: pd.DataFrame, near: Nearness, left: Sequence[str], reached: float
) -> str:
    """Return the note that goes with the table."""
    numbers = [name for name in made if pd.api.types.is_numeric_dtype(own[name])]
    sd = own[numbers].std().replace(0.0, 1.0)
    mean = float(((made[numbers].mean() - own[numbers].mean()) / sd).abs().max()) if numbers else 0.0
    ratio = float((made[numbers].std() / sd - 1.0)[own[numbers].std() > 0].abs().max()) if numbers else 0.0
    lines = [
        f"SYNTHETIC: no patient stands behind a row. {len(made)} rows made from the means, SDs, correlations and "
        f"shares of missing cells of {len(survey)} records.",
        f"Kept: {len(made.columns)} columns ({', '.join(map(str, made))}). Means differ by at most {mean:.3f} SDs, SDs "
        f"by at most {100 * ratio:.1f} %, correlations by at most {reached:.3f}.",
        "Not kept: how columns go together beyond their correlations (interactions, curves, sums of columns), and "
        "every value and shape that fewer than 10 patients stand for.",
    ]
    if left:
        lines.append(f"Left out: {'; '.join(left)}.")
    lines += [
        "Disclosure. Distance to the nearest record, in SDs over all columns: of a synthetic row "
        f"{near.synthetic[1]:.2f} (median; 5 % within {near.synthetic[0]:.2f}), of a record to its nearest other "
        f"record {near.records[1]:.2f} ({near.records[0]:.2f}).",
        f"Of {near.unique} records that are unique, {near.replicated} rows are a copy.",
        "LOOK AT IT BEFORE YOU SHARE IT: rows lie nearer to records than records to each other, or copy one; take "
        "fewer or other columns, or another seed."
        if near.near
        else "No row copies a unique record, and rows lie no nearer to records than records to each other.",
        "A synthetic table is for trying out an analysis. Conclusions are to be drawn from the records.",
    ]
    return "\n".join(lines) + "\n"
