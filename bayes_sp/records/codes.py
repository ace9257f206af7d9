r"""Codes for missing values: those that a specification names become missing, those that pass for data are named.

A usual code (-99, 999, ...) that enters as a number is suspected where it stands alone at one end of its column, in a
way that the column's own tail does not explain. Let d be the distances from the median of the values that are not
suspected, on the code's side of it, u their 90 % quantile (lower where there are few), and s the mean excess of d over
u. In an exponential tail the gap g below the k largest values exceeds t with probability exp(-k t / s); so it does on
the log scale in a power-law tail, whatever its index (Renyi 1953). Both are asked for: k g / s > 10 on the scale of the
values and > 4 on the log scale, where s is at least the distance between neighbouring values, and g at least twice that
and a quarter of the range of the rest. A negative code among values of which none is below 0 needs k g / s > 2 only:
its sign already sets it apart; and so does a code beside two values alone, such as 0 and 1, of what is no count. A
single -1 below whole numbers that begin at 0 or 1 is suspected where these do not thin out towards their end. Codes
that stand beside others as a rule (98, 997) are suspected alone where both ratios are twice as large.

References
----------
Renyi (1953). On the theory of order statistics. Acta Mathematica Academiae Scientiarum Hungaricae 4, 191-231.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayes_sp.arrays import Array, Mask
from bayes_sp.model.parts import Code
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.groups import NUMBER, says_no_answer
from bayes_sp.records.levels import numbered
from bayes_sp.records.survey import Coded, Survey

LEADING = [
    *(float(digit * width) for digit in "6789" for width in range(2, 11)),  # 66, 77, 88, 99, 666, ...
    *(9.0, 9.9, 99.9, 999.9, 9.99, 99.99, 999.99),
    *(32767.0, 32768.0, 65535.0, 2147483647.0, 2147483648.0),  # ends of whole numbers in two and four bytes
    *(3.4028234663852886e38, 3.4028235e38, 1.7976931348623157e308, 8.98846567431158e307),  # and of floats
    *(1e20, 1e30, 9.969209968386869e36),  # what numerical programs fill with
]
LEADING = [*LEADING, *(-code for code in LEADING), -1.0, -7.0, -8.0]
BESIDE = [float("9" * width + digit) for digit in "5678" for width in (1, 2, 3)] + [8.0, 7.0]  # with 99, 999 or 9
BESIDE = [*BESIDE, *(-code for code in BESIDE), -2.0, -3.0, -4.0, -5.0, -6.0]
USUAL = np.unique([*LEADING, *BESIDE])
TAIL = 0.1  # share of values on one side whose mean excess says how fast the tail falls
LEAST_TAIL = 10  # values in it, as far as half of the side allows
LINEAR, LOGARITHMIC = 10.0, 4.0  # least k g / s on both scales
ALONE = 2.0  # times as large for codes that stand beside others as a rule, where they do not
APART = 2.0  # least k g / s of a negative code where nothing else is below 0, and of a code beside two values
LEAST_GAP = 0.25  # of the range of the rest
MOST_CODES = 12  # of one column on one side
LEVEL = 0.5  # of the cells of the rest's levels on average, above which a number is no rare one
LONG_SCALE = 4.0  # least maximum of whole numbers beside which -1 is no answer, unlike in -1, 0, 1
ROUNDING = 1e-9  # of a distance between values
LEAST_REST = 5  # values that are no codes, for any suspicion


@dataclass(frozen=True)
class Suspect:
    """A usual code that stands far from the rest of its column: how often, and between what the rest lies."""

    column: str
    code: float
    count: int
    total: int
    low: float
    high: float


def without_codes(model: PathModel, survey: Survey) -> Survey:
    """Return a survey without the codes that the specification names, with how many of each, and with texts as numbers.

    Texts are the levels that the specification lists.
    """
    given = survey.records
    records, found = decoded(model, given)
    ready = numbered(model, records)
    changed = found or ready is not given
    return replace(survey, records=ready, coded=(*survey.coded, *found)) if changed else survey


def decoded(model: PathModel, records: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Coded, ...]]:
    """Return records without the codes that the specification names, and (column, code, how many cells)."""
    found: list[Coded] = []
    changed = {}
    for name in model.columns:
        codes = model.missing_codes_of(name)
        if not codes or name not in records or isinstance(records[name], pd.DataFrame):
            continue
        column = records[name]
        masks = [(code, code_cells(column, code)) for code in codes]
        hits = [(name, code_words(code), int(mask.sum())) for code, mask in masks if mask.any()]
        if hits:
            gone = np.any([mask for _, mask in masks], axis=0)
            number = pd.api.types.is_numeric_dtype(column)
            changed[name] = column.astype(float).mask(gone) if number else column.astype(object).mask(gone, None)
            found += hits
    return (records.assign(**changed) if changed else records), tuple(found)


def labelled_as_missing(name: str, column: pd.Series, labels: Mapping[float | str, str]) -> Iterator[str]:
    """Yield a sentence for each value that enters though its label says that there is no answer."""
    for value, label in labels.items():
        count = int((column == value).sum())
        if count and says_no_answer(str(label)):
            code = f"{value:g}" if isinstance(value, float) else str(value)
            yield (
                f"{name}: {code} in {count} of {len(column)} cells is labelled {str(label)!r} in the file and enters "
                f"as a value; where it means a missing one, write missing_codes = [{code}] into the specification or "
                "the codebook"
            )


def code_cells(column: pd.Series, code: Code) -> Mask:
    """Return which cells of a column hold a code, (n,)."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        return np.asarray(column.to_numpy(dtype=float, na_value=np.nan) == code, dtype=bool)
    words = code_words(code)
    return np.array([isinstance(cell, str | int) and str(cell).strip() == words for cell in column], dtype=bool)


def code_words(code: Code) -> str:
    """Return a code as it stands in a cell."""
    return f"{code:.15g}" if isinstance(code, float) else code


def suspects(model: PathModel, records: pd.DataFrame) -> Iterator[Suspect]:
    """Yield the usual codes that stand far from the rest of a column that the model uses, on a side without a limit.

    Columns with levels and binary ones have their own rules for what may stand in them; for groups see
    `group_suspects`.
    """
    levelled = {covariate.name for covariate in model.covariates if covariate.levels}
    for name in model.columns:
        variable = model.variable(name)
        if name in levelled or name in model.grouping or variable.kind == "binary":
            continue
        values = records[name].to_numpy(dtype=float, na_value=np.nan)
        floor = variable.minimum is not None or variable.kind in ("count", "positive") or name in model.windows
        sides = (() if floor else (-1.0,)) + (() if variable.maximum is not None else (1.0,))
        yield from column_suspects(name, values, sides, count=variable.kind == "count")


def column_suspects(
    name: str, column: Array, sides: Sequence[float] = (-1.0, 1.0), *, count: bool
) -> Iterator[Suspect]:
    """Yield the usual codes that stand far from the rest of a column, on the lower (-1) or upper (1) side of it."""
    values = column[np.isfinite(column)]
    ends = {side: _candidates(values, side) for side in (-1.0, 1.0)}
    for side in sides:
        other = values[~np.isin(values, ends[-side])]
        if codes := _isolated(other, ends[side], side, count=count):
            rest = values[~np.isin(values, [*codes, *_isolated(values, ends[-side], -side, count=count)])]
            for code in codes:
                cells = int((values == code).sum())
                yield Suspect(name, code, cells, len(column), float(rest.min()), float(rest.max()))


def group_suspects(labels: list[str]) -> list[str]:
    """Return the names of groups that are usual codes: far from the other numbers, or where the others are words."""
    distinct = dict.fromkeys(labels)
    numbers = {label: float(label) for label in distinct if NUMBER.fullmatch(label)}
    codes = LEADING
    if len(numbers) == len(distinct):
        values = np.array([numbers[label] for label in labels])
        ends = [(_candidates(values, side), side) for side in (-1.0, 1.0)]
        codes = [code for end, side in ends for code in _isolated(values, end, side, count=False)]
    return [label for label, number in numbers.items() if number in codes and not 0 <= number < 10]


def _candidates(values: Array, side: float) -> Array:
    """Return the usual codes that are the last of the values on one side, negative on the lower, the farthest first."""
    distinct = np.unique(values * side)[::-1]
    known = np.isin(distinct * side, USUAL) & (distinct > 0)
    return distinct[: int(np.argmin(known)) if not known.all() else 0] * side


def _isolated(values: Array, candidates: Array, side: float, *, count: bool) -> list[float]:
    """Return the candidates that stand apart from the rest: as many of the farthest as the gap before them allows."""
    best: list[float] = []
    for k in range(1, min(len(candidates), MOST_CODES) + 1):
        rest = values[~np.isin(values, candidates[:k])]
        cells = len(values) - len(rest)
        if len(rest) < LEAST_REST or _levels(rest, candidates[:k], cells, side):
            continue
        times = 1.0 if np.isin(candidates[:k], LEADING).any() else ALONE
        if _far(rest, candidates[:k], cells / times, side, count=count):
            best = [float(code) for code in candidates[:k]]
    return best


def _levels(rest: Array, codes: Array, cells: int, side: float) -> bool:
    """Return whether codes of one digit are as good as sure to be levels: -1 beside 1, or 8 among other numbers."""
    if np.abs(codes).min() >= 10:
        return False
    levels = np.unique(rest)
    frequent = cells / len(codes) >= LEVEL * len(rest) / len(levels)
    if np.isin(codes, LEADING).any():
        return frequent and np.array_equal(np.sort(-codes), levels)
    return frequent or not (rest.min() >= 0 if side < 0 else len(levels) == 2)


def _far(rest: Array, codes: Array, cells: float, side: float, *, count: bool) -> bool:
    """Return whether the gap between the rest and the nearest code is more than the rest's tail explains."""
    distance = (rest - np.median(rest)) * side
    nearest = float(((codes - np.median(rest)) * side).min())
    levels = np.unique(distance)
    step = float(np.diff(levels).min()) if len(levels) > 1 else abs(float(np.median(rest))) or 1.0
    end = max(float(levels[-1]), 0.0)
    gap = nearest - end
    tail = distance[distance > 0]
    if side < 0 and codes.tolist() == [-1.0] and _begins_at_once(rest):
        return True
    if not gap >= 2 * step * (1 - ROUNDING):
        return False
    alone = (side < 0 and rest.min() >= 0) or (len(levels) == 2 and not count)
    if not len(tail):
        return cells * gap / step > (APART if alone else LINEAR)
    u = float(np.quantile(tail, 1.0 - min(0.5, max(TAIL, LEAST_TAIL / len(tail)))))
    over = tail[tail >= u]
    linear = max(float((over - u).mean()), step)
    if alone:
        return cells * gap / linear > APART
    if gap < LEAST_GAP * np.ptp(rest):
        return False  # such as ages that were cut off at 99
    logarithmic = max(float(np.log(over / u).mean()), float(np.log1p(step / end)))
    return cells * gap / linear > LINEAR and cells * np.log(nearest / end) / logarithmic > LOGARITHMIC


def _begins_at_once(rest: Array) -> bool:
    """Return whether whole numbers from 0 or 1 are half as frequent there as on average up to their median, or more."""
    low = rest.min()
    if low not in (0, 1) or rest.max() < LONG_SCALE or (rest != np.round(rest)).any():
        return False
    middle = np.median(rest)
    return bool((rest == low).sum() >= 0.5 * (rest <= middle).sum() / (middle - low + 1.0))
