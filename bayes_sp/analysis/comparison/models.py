"""Does the conclusion depend on how it was asked? Several specifications of the same records, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.diagnostics import Verdict
from bayes_sp.analysis.criticism.loo import Loo, elpd_difference
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import BayesSpError
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import AVERAGE, DIFFERENCE, MULTIVERSE_COLUMNS, TOTAL, TOTAL_INDIRECT, effect_name, path_name
from bayes_sp.shown import Part, Shown, short

SERIAL, DIRECT = "serial", "direct"
EFFECTS = (SERIAL, DIRECT, TOTAL_INDIRECT, TOTAL)
WORDS = {SERIAL: "serial", TOTAL_INDIRECT: "indirect"}
REFERENCE = "others are compared with it"


@dataclass(frozen=True, eq=False)
class KnownEffects:
    """Effects of a finished run: the table that it keeps, in the place of draws."""

    table: pd.DataFrame  # ``effects.csv``
    # contrast, unit, mark: as in `Effects`.
    contrast: tuple[float, float]
    unit: str
    mark: str

    def intervals(self, ci_prob: float = CI_PROB) -> pd.DataFrame:
        """Return the table.

        Raises ValueError for intervals of another probability than its own, which no table can give.
        """
        if not (self.table["ci_prob"] == ci_prob).all():
            raise ValueError(f"the run keeps intervals of {self.table['ci_prob'].iloc[0]}, not of {ci_prob}")
        return self.table


@dataclass(frozen=True, eq=False)
class ModelResult:
    """One specification with what became of it.

    Attributes
    ----------
    name
        Under which it stands in the table.
    model
        None where it could not be read.
    effects, verdict, loo
        None where it was not fitted; ``loo`` also where it could not be computed, and where ``elpd`` is known.
    reason
        Why it was not fitted, or has no ``loo``.
    mistake
        Whether the reason is in the specification or the records, not in the fit.
    elpd
        The table's columns on elpd, where an earlier comparison with the same first specification has them.
    """

    name: str
    model: PathModel | None = None
    effects: Effects | KnownEffects | None = None
    verdict: Verdict | None = None
    loo: Loo | None = None
    reason: str = ""
    mistake: bool = False
    elpd: Mapping[str, object] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Multiverse(Shown):
    """Effects of several specifications.

    Attributes
    ----------
    table
        One row for each specification, effect (serial: through all mediators in the specification's own order; direct;
        total indirect; total) and scale, with the difference in elpd of the outcome from the first specification that
        was fitted, or the reason why there is none. A specification that was not fitted has one row that says why.
    sentence
        The conclusion on the effect in question in one sentence.
    effect
        The effect in question: ``serial``, or ``total_indirect`` where no specification has two mediators in a row.
    notes
        What the sentence leaves out.
    entries
        The specifications in the order given.
    ci_prob
        Probability of the intervals.
    """

    table: pd.DataFrame
    sentence: str
    notes: tuple[str, ...]
    entries: tuple[ModelResult, ...]
    ci_prob: float
    effect: str = SERIAL

    @property
    def shown(self) -> tuple[str, ...]:
        """Effects to show side by side: the indirect one too, where a specification has no serial path."""
        serial = set(self.table.loc[self.table["effect"] == SERIAL, "specification"])
        fitted = {entry.name for entry in self.entries if entry.effects is not None}
        first = (SERIAL,) if serial else ()
        return (*first, *((TOTAL_INDIRECT,) if not serial or fitted - serial else ()), DIRECT, TOTAL)

    @property
    def failed_fit(self) -> bool:
        """Whether a specification could not be sampled, or its fit failed the diagnostics."""
        return any(
            not entry.mistake if entry.verdict is None else not entry.verdict.trustworthy for entry in self.entries
        )

    @property
    def mistake(self) -> bool:
        """Whether a specification is wrong or does not fit the records."""
        return any(entry.mistake for entry in self.entries)

    def _shown(self) -> tuple[str, list[Part]]:
        rows = self.table[self.table["scale"].isin([DIFFERENCE]) | self.table["scale"].isna()]
        return self.sentence, [short(rows.drop(columns=["effect", "scale"]), rows=len(rows)), list(self.notes)]


def serial_path(model: PathModel) -> str:
    """Return the name of the effect through all of a specification's mediators, in its order; '' where there is none.

    Of several moves it is that of the first, as in all that is about one effect.
    """
    view = model.views[0]
    path = (view.source, *model.chain[1:])
    return of_first(model, path_name(path)) if len(path) > 3 and path in view.named_paths() else ""


def of_first(model: PathModel, path: str) -> str:
    """Return the name of a path's effect, or of a total: of the first move where there are several."""
    return effect_name(path, model.moves[0].label if model.moves else "")


def main_path(model: PathModel) -> str:
    """Return the path that a specification is about, unless another one is named.

    The path through all mediators; where there is none the only indirect path, or all indirect paths together
    (``total_indirect``), or, without any, the total.
    """
    indirect = [path_name(path) for path in model.views[0].named_paths() if len(path) > 2]
    if serial := serial_path(model):
        return serial
    return of_first(model, TOTAL if not indirect else indirect[0] if len(indirect) == 1 else TOTAL_INDIRECT)


def multiverse(entries: Sequence[ModelResult], ci_prob: float = CI_PROB) -> Multiverse:
    """Set the effects of several specifications side by side."""
    reference = next((entry.loo for entry in entries if entry.loo is not None), None)
    rows = [row for entry in entries for row in _rows(entry, reference, ci_prob)]
    table = pd.DataFrame(rows, columns=list(MULTIVERSE_COLUMNS))
    effect = SERIAL if (table["effect"] == SERIAL).any() or table["effect"].isna().all() else TOTAL_INDIRECT
    sentence, notes = _conclusion(table, effect, entries, ci_prob)
    return Multiverse(table, sentence, tuple(notes), tuple(entries), ci_prob, effect)


def _rows(entry: ModelResult, reference: Loo | None, ci_prob: float) -> Iterator[dict[str, object]]:
    """Yield a specification's rows; one without numbers where it was not fitted."""
    if entry.model is None or entry.effects is None or entry.verdict is None:
        yield {"specification": entry.name, "trustworthy": False, "verdict": f"not fitted: {entry.reason}"}
        return
    common = {
        "specification": entry.name, "family": entry.model.equations[-1].family,
        "trustworthy": entry.verdict.trustworthy, "verdict": str(entry.verdict),
        **_elpd(entry, reference),
    }  # fmt: skip
    direct = path_name((entry.model.exposure, entry.model.outcome))
    others = (of_first(entry.model, path) for path in (direct, TOTAL_INDIRECT, TOTAL))
    paths = dict(zip(EFFECTS, (serial_path(entry.model), *others), strict=True))
    table = entry.effects.intervals(ci_prob)
    table = table[table["decomposition"].isin(["", AVERAGE])]
    for effect, path in paths.items():
        for row in table[table["path"] == path].to_dict("records"):
            yield {**common, **{name: row[name] for name in MULTIVERSE_COLUMNS if name in row}, "effect": effect}


def _elpd(entry: ModelResult, reference: Loo | None) -> dict[str, object]:
    """Return the difference in elpd of the outcome from the reference, or why there is none."""
    if entry.elpd is not None:
        return dict(entry.elpd)
    if entry.loo is None or reference is None or entry.model is None:
        return {"elpd_reason": entry.reason or "not computed"}
    if entry.loo is reference:
        return {"elpd_difference": 0.0, "elpd_se": 0.0, "elpd_reason": REFERENCE}
    outcome = entry.model.outcome
    try:
        found = elpd_difference(reference, entry.loo, outcome)
    except BayesSpError as error:
        return {"elpd_reason": f"not comparable: {'; '.join(error.problems)}"}
    return {"elpd_difference": found.difference, "elpd_se": found.se, "elpd_reason": "; ".join(found.notes)}


def _conclusion(
    table: pd.DataFrame, effect: str, entries: Sequence[ModelResult], ci_prob: float
) -> tuple[str, list[str]]:
    """Return the conclusion on the effect in question, and a note on each specification that it leaves out."""
    rows = table[(table["effect"] == effect) & (table["scale"] == DIFFERENCE)]
    kept = rows[rows["trustworthy"].astype(bool)]
    word = WORDS[effect]
    notes = [
        f"{entry.name} has no path through all of two or more mediators, so no serial effect; its indirect effect "
        "stands in the table"
        for entry in entries
        if entry.effects is not None and entry.name not in set(rows["specification"])
    ]
    notes += [
        f"{entry.name} compares several things; the first, {entry.model.moves[0].label}, stands in the table"
        for entry in entries
        if entry.model is not None and len(entry.model.moves) > 1
    ]
    dropped = [name for name in rows["specification"] if name not in set(kept["specification"])]
    if dropped:
        notes.append(f"{', '.join(dropped)} failed the diagnostics and must not be used")
    failed = [entry.name for entry in entries if entry.effects is None]
    notes += [f"{', '.join(failed)} could not be fitted"] if failed else []
    if kept.empty:
        return f"No specification gives {_article(word)} {word} effect that can be used.", notes
    units = {
        entry.effects.unit
        for entry in entries
        if entry.effects is not None and entry.name in set(kept["specification"])
    }
    contrasts = {entry.effects.contrast for entry in entries if entry.effects is not None}
    if len(units) > 1 or len(contrasts) > 1:
        notes.append("specifications differ in the outcome's unit or in the contrast, so sizes are not comparable")
    low, high = float(kept["median"].min()), float(kept["median"].max())
    negative, positive = int((kept["upper"] < 0).sum()), int((kept["lower"] > 0).sum())
    count = len(kept)
    size = (
        f"its posterior median runs from {_short(low)} to {_short(high)}"
        if count > 1
        else f"its posterior median is {_short(low)}"
    )
    unit = f" {units.pop()}" if len(units) == 1 else ""
    excludes = f"with a {100 * ci_prob:g} % interval that excludes 0"
    of = f"{count} specifications"
    if count == 1:
        sign = f"is {'negative' if negative else 'positive'} {excludes}"
        sign = sign if negative or positive else f"has a {100 * ci_prob:g} % interval that includes 0"
        clear = f"In the one specification that gives it, the {word} effect {sign}"
    elif negative and positive:
        clear = f"In {negative} of {of} the {word} effect is negative, in {positive} positive, {excludes}"
    elif negative or positive:
        side = "negative" if negative else "positive"
        clear = f"In {negative or positive} of {of} the {word} effect is {side} {excludes}"
    else:
        clear = f"In none of {of} is there {_article(word)} {word} effect {excludes}"
    return f"{clear}; {size}{unit}.", notes


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _short(value: float) -> str:
    """Return a number with two digits."""
    return np.format_float_positional(float(f"{value:.2g}"), trim="-")
