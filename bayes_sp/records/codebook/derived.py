"""Variables that are computed from others, by a closed list of rules, and how reliable such scores are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bayes_sp.arrays import Array, Mask
from bayes_sp.errors import SurveyError, nearest
from bayes_sp.model.reading.table import Table
from bayes_sp.records.codebook.parts import RULES, Codebook, Derived, Described
from bayes_sp.records.scoring.reliability import Reliability, reliability
from bayes_sp.records.scoring.scales import Scale, scales, score
from bayes_sp.records.survey import Survey

type Latent = Sequence[str] | Mapping[str, float | None]  # scores, or scores with the reliability of some


def score_reliability(survey: Survey, name: str) -> Reliability | None:
    """Return how reliable a score is; None for what is no mean or sum of items, or where it cannot be said."""
    book = survey.codebook
    derived = book.computed(name) if book else None
    if book is None or derived is None or derived.rule not in ("mean", "sum"):
        return None
    if any(item not in survey.records for item in derived.items):
        return None
    values = {item: survey.records[item].to_numpy(dtype=float, na_value=np.nan) for item in derived.items}
    ends = {item: turn(derived, book.described(item)) for item in derived.reversed}
    return reliability(turned_items(derived, values, {item: pair for item, pair in ends.items() if pair}))


def measured_with_error(survey: Survey, mediators: Sequence[str], latent: Latent) -> dict[str, tuple[float, str]]:
    """Return the reliability of each score that is taken as measured with error, and where it comes from.

    Raises SurveyError with every name that is no mediator, number that is no reliability, and score of which none is
    known.
    """
    problems, found = list[str](), dict[str, tuple[float, str]]()
    for name in latent:
        given = latent[name] if isinstance(latent, Mapping) else None
        if name not in mediators:
            problems.append(f'latent: "{name}" is none of the mediators{nearest(name, mediators)}')
        elif given is not None and not 0 < given <= 1:
            problems.append(f'latent: the reliability of "{name}" must be above 0 and at most 1, found {given:g}')
        elif given is not None:
            found[name] = (given, f"reliability {given:g} as given")
        elif (said := score_reliability(survey, name)) is None:
            reason = "is no score of several items of a codebook, so that its reliability is not known"
            problems.append(f'latent: "{name}" {reason}; give it, as in {name}=0.87')
        elif not 0 < round(said.alpha, 2):
            problems.append(f'latent: the alpha of "{name}" is {said.alpha:.2f}, and no reliability')
        else:
            found[name] = (round(said.alpha, 2), said.sentence())
    if problems:
        raise SurveyError(survey.source, problems)
    return found


EMPTY = ("missing", "unticked")


def read_derived(name: str, table: Table) -> Derived | None:
    """Read how one variable is computed; None where it cannot be read, and the problem stands in the list."""
    label, unit = table.take_text("label"), table.take_text("unit")
    scale = _scale(table)
    rule = table.take_choice("rule", RULES, scale.rule if scale else None)
    if rule == "difference":
        if scale:
            table.report("scale", "goes with items, not with a difference")
        pair = (table.take_text("later", required=True), table.take_text("earlier", required=True))
        return Derived(name, rule, pair, label, unit) if all(pair) else None
    items = table.take_texts("items")
    if not items:
        table.report("items", "must be a list of variables, such as items = ['lonely1', 'lonely2']")
    if rule == "ticks":
        ticked = table.take_number("ticked", 1.0)
        empty = table.take_choice("empty", EMPTY, "missing")
        _length(table, scale, items)
        return Derived(
            name, rule, items, label, unit, answered=len(items), ticked=1.0 if ticked is None else ticked,
            empty_is_unticked=empty == "unticked", scale=scale.name if scale else "",
        )  # fmt: skip
    answers = table.take_numbers("answers", least=2)
    if len(answers) > 2 or (len(answers) == 2 and answers[0] >= answers[1]):
        table.report("answers", f"must be the lowest and the highest answer, such as [1, 4], found {list(answers)}")
    turned = table.take_optional_texts("reversed")
    if turned is None:
        turned = tuple(items[k - 1] for k in scale.reversed if k <= len(items)) if scale else ()
    _length(table, scale, items)
    ends = (answers[0], answers[-1]) if len(answers) == 2 else scale.answers if scale else None
    return Derived(
        name, rule, items, label or (scale.title if scale else ""), unit, turned, ends,
        _answered(table, scale, len(items)), scale=scale.name if scale else "",
    )  # fmt: skip


def _scale(table: Table) -> Scale | None:
    name = table.take_text("scale")
    if name and name not in scales():
        table.report("scale", f"unknown scale {name!r}{nearest(name, scales())}")
    return scales().get(name)


def _length(table: Table, scale: Scale | None, items: tuple[str, ...]) -> None:
    if scale and items and len(items) != scale.items:
        table.report("items", f"must be the {scale.items} items of {scale.name} in its order, found {len(items)}")


def _answered(table: Table, scale: Scale | None, items: int) -> int:
    """Read the least number of answered items: that of the scale, or all."""
    default = scale.answered if scale else items
    value = table.take_number("answered", float(default))
    if value is None or value != round(value) or not 1 <= value <= max(items, 1):
        table.report("answered", f"must be how many of the {items} items must be answered, found {value:g}")
        return default
    return int(value)


def turn(derived: Derived, described: Described | None) -> tuple[float, float] | None:
    """Return lowest and highest answer of an item, None where neither the rule nor the variable says them."""
    if derived.answers:
        return derived.answers
    if described and described.minimum is not None and described.maximum is not None:
        return described.minimum, described.maximum
    return None


def compute(derived: Derived, values: Mapping[str, Array], ends: Mapping[str, tuple[float, float]]) -> Array:
    """Compute a variable from the values of its items, (n,); NaN where too few are there.

    ``ends`` holds the lowest and highest answer of the items that are turned round.
    """
    items = turned_items(derived, values, ends)
    if derived.rule == "difference":
        return np.asarray(items[:, 0] - items[:, 1])
    if derived.rule == "ticks":
        empty = np.isnan(items)
        count = np.where(empty, 0.0, items == derived.ticked).sum(axis=1)
        return count if derived.empty_is_unticked else np.where(empty.any(axis=1), np.nan, count)
    return score(items, derived.rule, derived.answered)


def ends_of(derived: Derived) -> tuple[float | None, float | None]:
    """Return the lowest and highest value that a score can have, None where the rule does not say."""
    if derived.answers is None or derived.rule not in ("mean", "sum"):
        return None, None
    times = len(derived.items) if derived.rule == "sum" else 1
    return derived.answers[0] * times, derived.answers[1] * times


def kind_and_ends(book: Codebook | None, name: str) -> tuple[str, tuple[float | None, float | None]]:
    """Return the kind of a variable and the limits of its values, as far as a codebook says them."""
    described, derived = (book.described(name), book.computed(name)) if book else (None, None)
    if described:
        return described.kind, (described.minimum, described.maximum)
    if derived is None:
        return "", (None, None)
    return ("count", (None, None)) if derived.rule == "ticks" else ("continuous", ends_of(derived))


def unit_of(book: Codebook | None, name: str) -> str:
    """Return the unit of a variable, '' where a codebook says none."""
    about = (book.described(name) or book.computed(name)) if book else None
    return about.unit if about else ""


def turned_items(derived: Derived, values: Mapping[str, Array], ends: Mapping[str, tuple[float, float]]) -> Array:
    """Return the answers to a variable's items, (n, k), those that are to be turned round turned."""
    items = np.column_stack([values[item] for item in derived.items])
    for k, item in enumerate(derived.items):
        if item in derived.reversed:
            items[:, k] = sum(ends[item]) - items[:, k]
    return items


def off_answers(derived: Derived, values: Array) -> tuple[Mask, str]:
    """Return which values of an item cannot be what its rule takes, (n,), and the rule in words."""
    known = np.isfinite(values)
    where = f"because derived.{derived.name} takes it"
    if derived.rule == "ticks":
        others = np.unique(values[known & (values != derived.ticked)])
        off = known & (values != derived.ticked) & (values != (others[0] if len(others) else np.nan))
        return off, f"must hold two values at most, {derived.ticked:g} where it is ticked, {where}"
    if derived.rule == "difference" or derived.answers is None:
        return known & False, ""
    low, high = derived.answers
    return known & ((values < low) | (values > high)), f"must be an answer from {low:g} to {high:g}, {where}"
