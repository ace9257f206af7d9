"""What a column of numbers is likely to be, from its own values alone: for drafting a specification."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bayes_sp.arrays import Array
from bayes_sp.errors import SurveyError
from bayes_sp.records.codebook.derived import kind_and_ends
from bayes_sp.records.codes import column_suspects
from bayes_sp.records.guesses import LEAST_VALUES, MOST_LEVELS, SKEWED, rounded, skewness, whole
from bayes_sp.records.levels import levels_or_numbers
from bayes_sp.records.survey import Survey
from bayes_sp.records.tables.describe import is_number, numbers_of
from bayes_sp.records.told import near_column

HOW_NUMBERED = ", in the file or by labels = { 0 = ..., 1 = ... } in a codebook"
MOST_TEXTS = 12  # of a covariate
MOST_CATEGORIES = 5  # of a covariate whose numbers are taken for categories
type Ends = tuple[float | None, float | None]  # limits of values, None where there is none


@dataclass(frozen=True)
class Guess:
    """A family (of a response), its variable's keys, and the reason in words."""

    family: str
    reason: str
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of the variable, '' where nothing is said."""
        return str(self.keys.get("kind", ""))


def guess_response(
    values: Array, *, mediator: bool, levels: bool, counts: bool = False, kind: str = "", ends: Ends = (None, None)
) -> Guess:
    """Return the family of a response whose values (n,) are known.

    ``values`` come without missing ones. A ``mediator`` stands before another response: skewed measurements are then
    drafted as numbers, and as a count only with ``counts``, where a codebook says so or its whole numbers are skewed;
    families of levels only with ``levels``. ``kind`` and ``ends`` are what a codebook says of it: its kind, and the
    limits of its values.
    """
    if kind:
        return _of_kind(values, kind, ends, mediator=mediator, levels=levels, counts=counts)
    found, low, high = np.unique(values), float(values.min()), float(values.max())
    seen = f"whole numbers from {low:g} to {high:g}"
    if len(found) == 2 and whole(found) and high == low + 1 and levels:
        return Guess(
            "bernoulli_logit", f"it holds two values, {low:g} and {high:g}", {"kind": "binary", "min": low, "max": high}
        )
    if whole(values) and len(found) <= MOST_LEVELS and high - low < MOST_LEVELS and (low >= 1 or mediator) and levels:
        keys = {"kind": "integer", "min": low, "max": high}
        return Guess("ordered_logit", f"it holds {seen}, as of an answer with levels", keys)
    middle = {"center": rounded(values.mean(), values.std())} if mediator else {}
    if whole(values) and low >= 0 and (not mediator or (counts and skewness(values) > SKEWED)):
        return Guess("negative_binomial", f"it holds {seen}, as of counts", {"kind": "count"} | middle)
    if not mediator and low > 0 and high < 1:
        return Guess("beta", "it holds fractions between 0 and 1", {"min": 0.0, "max": 1.0})
    if not mediator and low > 0 and skewness(values) > SKEWED:
        return Guess("gamma", f"it is above 0 and skewed, from {low:g} to {high:g}", {"kind": "positive"})
    what = "whole numbers" if whole(values) else "numbers"
    return Guess("normal", f"it holds {what} from {low:g} to {high:g}", middle)


def _of_kind(values: Array, kind: str, ends: Ends, *, mediator: bool, levels: bool, counts: bool) -> Guess:
    """Return the family of a response whose kind a codebook says."""
    found = np.unique(values)
    low, high = (float(seen) if end is None else end for end, seen in zip(ends, (found[0], found[-1]), strict=True))
    said = f"it is {kind} in the codebook, from {low:g} to {high:g}"
    limits = {name: end for name, end in zip(("min", "max"), ends, strict=True) if end is not None}
    middle = {"center": rounded(values.mean(), values.std())} if mediator else {}  # of a parent alone
    normal = Guess("normal", said, limits | middle)
    if kind == "binary" and levels and len(found) == 2 and found[1] == found[0] + 1:
        return Guess("bernoulli_logit", said, {"kind": "binary", "min": float(found[0]), "max": float(found[1])})
    if kind == "ordered" and levels and high - low < MOST_LEVELS:
        return Guess("ordered_logit", said, {"kind": "integer", "min": low, "max": high})
    if kind == "count" and (counts or not mediator):
        most = {k: v for k, v in limits.items() if k == "max"}
        return Guess("negative_binomial", said, {"kind": "count"} | most | middle)
    if mediator:
        return normal
    if kind == "bounded" and low < found[0] and found[-1] < high:
        return Guess("beta", said, {"min": low, "max": high})
    if kind == "continuous" and found[0] > 0 and skewness(values) > SKEWED:
        return Guess("gamma", f"{said}, above 0 and skewed", {"kind": "positive"})
    return normal


@dataclass(frozen=True)
class SuspectedCodes:
    """Numbers of a column that are taken for codes of missing values, and the reason in words."""

    codes: list[float]
    reason: str


def without_suspected_codes(survey: Survey, columns: Sequence[str]) -> tuple[Survey, dict[str, SuspectedCodes]]:
    """Return a survey whose usual codes for missing values are missing, and these by column.

    A column of numbers of which no codebook says what it holds is looked at; see `records.codes`.
    """
    records, found = survey.records, dict[str, SuspectedCodes]()
    for name in dict.fromkeys(columns):
        if name not in records or not is_number(records[name]) or kind_and_ends(survey.codebook, name)[0]:
            continue
        suspects = list(column_suspects(name, numbers_of(records, name), count=False))
        if not suspects:
            continue
        codes = [int(s.code) if s.code.is_integer() else s.code for s in suspects]
        words, rest = ", ".join(map(str, codes)), f"{suspects[0].low:g} to {suspects[0].high:g}"
        are = "are taken as codes for missing values" if len(codes) > 1 else "is taken as a code for a missing value"
        cells = f"{sum(s.count for s in suspects)} of {len(records)} cells"
        found[name] = SuspectedCodes(codes, f"{words} in {cells}, far from the other values ({rest}), {are}")
        records = records.assign(**{name: records[name].mask(records[name].isin(codes))})
    return replace(survey, records=records) if found else survey, found


def column_values(
    survey: Survey, columns: Sequence[str], ordered: Collection[str]
) -> tuple[dict[str, Array], dict[str, list[str]]]:
    """Return the known values of columns, and the texts that those of a column of text number from 0.

    Texts are in the order of the alphabet, which is any order where there are two; those of a column that must have an
    order (``ordered``) can be no more.

    Raises SurveyError saying of all columns at once why they cannot be used.
    """
    problems, found, texts = list[str](), dict[str, Array](), dict[str, list[str]]()
    known = [str(name) for name in survey.records.columns]
    for name in columns:
        if columns.count(name) > 1:
            problems.append(f'column "{name}" is named for two places of the model')
        elif name not in known:
            problems.append(f'column "{name}" is missing{near_column(name, known)}')
        else:
            values, words = levels_or_numbers(survey.records[name])
            most = 2 if name in ordered else MOST_TEXTS
            if len(words) > most:
                limit = f"{len(words)} different texts, and a category has at most {most}"
                order = f"{len(words)} texts, whose order cannot be known; number its answers{HOW_NUMBERED}"
                problems.append(f'column "{name}": holds {order if name in ordered else limit}')
                continue
            texts |= {name: words} if words else {}
            found[name] = values[np.isfinite(values)]
            if len(found[name]) < LEAST_VALUES:
                problems.append(f'column "{name}": has {len(found[name])} values, and needs at least {LEAST_VALUES}')
            elif np.ptp(found[name]) == 0:
                value = repr(words[0]) if words else f"{found[name][0]:g}"
                problems.append(f'column "{name}": holds one value only, {value}')
    if problems:
        raise SurveyError(survey.source, list(dict.fromkeys(problems)))
    return found, texts


def frequent_first(levels: Sequence[Any], values: Array) -> tuple[list[Any], str]:
    """Return levels with the most frequent one first, the others as they are, and the reason.

    A rare reference would make every comparison with it wide. ``values`` are as `column_values` returns them: they
    number the levels in their order.
    """
    counts = np.unique(values, return_counts=True)[1]
    most = int(np.argmax(counts))
    others = [level for place, level in enumerate(levels) if place != most]
    return [levels[most], *others], f"the most frequent ({counts[most]} of {len(values)})"


def guess_covariate(values: Array, kind: str = "", texts: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """Return a covariate's keys in a specification, constants as round numbers, and the reason.

    ``kind`` is what a codebook says of it: only a category has levels then. ``texts`` are what its numbers stand for.
    """
    if texts:
        levels, most = frequent_first(texts, values)
        return {"levels": levels}, f"{len(texts)} texts, categories that are compared with the first, {most}"
    found, low, high = np.unique(values), float(values.min()), float(values.max())
    if len(found) == 2:
        return {"center": float(found.mean())}, f"two values, {low:g} and {high:g}: their middle is its centre"
    if kind == "category" or (not kind and whole(values) and len(found) <= MOST_CATEGORIES):
        return {"levels": found.tolist()}, f"{len(found)} numbers, {'' if kind else 'taken for '}categories"
    if kind in ("", "count") and whole(values) and low >= 0 and skewness(values) > SKEWED:
        logs = np.log1p(values)
        keys = {"transform": "log1p", "center": rounded(logs.mean(), logs.std()), "scale": float(f"{logs.std():.2g}")}
        return keys, f"skewed counts from {low:g} to {high:g} enter as log(1 + count)"
    keys = {"center": rounded(values.mean(), values.std()), "scale": float(f"{values.std():.2g}")}
    return keys, "numbers: centre and scale are the mean and SD, rounded"


def spread_of(values: Array) -> float:
    """Return the SD by which a parent's slope is scaled: at least .5 for two neighbouring values, as in even groups.

    A rare value would otherwise be given a slope that no data could have.
    """
    found = np.unique(values)
    sd = float(values.std())
    return max(sd, 0.5 * float(np.ptp(found))) if len(found) == 2 else sd


def guess_contrast(values: Array) -> tuple[list[float], str]:
    """Return between which values of an exposure effects are drafted, and the reason."""
    found = np.unique(values)
    if len(found) == 2:
        return found.tolist(), "its two values"
    if whole(values):
        middle = float(np.round(np.median(values)))
        return [middle, middle + 1.0], "one more than its median"
    spread = float(values.std())
    low, high = (rounded(float(np.quantile(values, q)), spread) for q in (0.25, 0.75))
    return ([low, high], "its quartiles, rounded") if low < high else ([low, low + spread], "one SD")
