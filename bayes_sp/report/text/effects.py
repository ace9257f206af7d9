"""The printed effects: path-specific ones, interventional ones, and which conclusions last."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bayes_sp.analysis.comparison.models import main_path
from bayes_sp.analysis.pooled import Pooled
from bayes_sp.analysis.workflow import Analysis
from bayes_sp.effects.stable_signs import KAPPAS, Sign
from bayes_sp.inference.pooling import few_words
from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import (
    ALONE,
    AVERAGE,
    DEPENDENCE,
    DIFFERENCE,
    DIRECT,
    MEDIATED_INTERACTION,
    RATE_RATIO,
    RISK_RATIO,
    TOTAL,
    VIA,
    distinct,
    name_parts,
)
from bayes_sp.report.text.assumptions import headed, listed, path_words
from bayes_sp.report.text.layout import aligned, bullets, decimals_of, interval, wrapped
from bayes_sp.shown import in_row, number, probability

RATIOS = (RATE_RATIO, RISK_RATIO)
OFTEN_TINY = (MEDIATED_INTERACTION, DEPENDENCE)
SIGNS = {-1: "negative", 1: "positive"}


def effect_lines(analysis: Analysis) -> list[str]:
    """Return the table of path effects, its note, interventional effects, and the line on what lasts."""
    table = analysis.effects.intervals()
    table = table[table["decomposition"].isin(["", AVERAGE])].set_index(["path", "scale"])
    ratio = next((scale for scale in RATIOS if scale in table.index.get_level_values("scale")), "")
    rows = _path_rows(analysis, table, ratio, analysis.spread)
    lines = [*aligned(rows, "lrrrrrr"), *wrapped(_note(analysis)), *_extrapolation(analysis)]
    return [*lines, *_sets(analysis), *_interventional(analysis), *_lasting(analysis)]


def short_lines(analysis: Analysis) -> list[str]:
    """Return the table of path effects as differences alone, and in a line what they are."""
    table = analysis.effects.intervals()
    table = table[table["decomposition"].isin(["", AVERAGE])].set_index(["path", "scale"])
    note = f"Differences in {analysis.effects.unit}: posterior medians and equal-tailed intervals."
    rows = _path_rows(analysis, table, "", None)
    return [*aligned(rows, "lrrr"), *wrapped(note), *_extrapolation(analysis)]


def _path_rows(analysis: Analysis, table: pd.DataFrame, ratio: str, spread: pd.DataFrame | None) -> list[list[str]]:
    model = analysis.fit.model
    decimals = decimals_of(table.xs(DIFFERENCE, level="scale"))
    rows = [["", "difference", "95 % interval", "P(< 0)"]]
    rows[0] += [scale_words(model, ratio), "95 % interval"] if ratio else []
    rows[0] += [] if spread is None else ["reconstructions"]
    for label, path in headed(list(table.index.get_level_values("path").unique())):
        if not path:
            rows.append([f"{label}:", *[""] * (len(rows[0]) - 1)])
            continue
        difference = table.loc[(path, DIFFERENCE)]
        row = [path_words(model, name_parts(path)[0]), number(difference["median"], in_row(difference, decimals))]
        row += [interval(difference, decimals), probability(difference["prob_negative"])]
        if ratio:
            one = table.loc[(path, ratio)]
            digits = max(3, decimals_of(table.xs(ratio, level="scale")))
            row += [number(one["median"], in_row(one, digits)), interval(one, digits)]
        if spread is not None:
            low, high = spread.loc[path].min(), spread.loc[path].max()
            row.append(f"{number(low, decimals)} to {number(high, decimals)}")
        rows.append(row)
    return rows


def _note(analysis: Analysis) -> str:
    spread = analysis.spread
    note = (
        f"Differences in {analysis.effects.unit}. Posterior medians and equal-tailed intervals; P(< 0) is the "
        "posterior probability that the difference is negative. "
    )
    names = "".join(f" and {confounder.name}" for confounder in analysis.fit.model.confounders)
    cells = "patients_in_cells" in analysis.effects.draws.attrs
    how = "To a hundredth of a posterior SD what each draw gives" if cells else "Exact for each draw"
    if analysis.effects.ordered:
        note += (
            f"{how}, for the patients' own covariates{names}. Where paths act on each other, what one "
            "of them adds depends on which were counted before it: an effect is the mean over all such orders, so that "
            "in every draw the paths add up to the total (their medians need not do so exactly; docs/estimands.md). "
        )
    if spread is not None:
        note += (
            f"Reconstructions: range of the maximum-likelihood difference over {spread.shape[1]} sets of records "
            f"(seeds {spread.columns.min()} to {spread.columns.max()}) that all reproduce the published moments; the "
            "moments leave that range open, and the intervals beside it, from one set, do not contain it."
        )
    return note


def _sets(analysis: Analysis) -> list[str]:
    """Return how much of each effect comes from not having the records, and what that changes."""
    fit, shares = analysis.fit, analysis.shares
    if not isinstance(fit, Pooled) or shares is None:
        return []
    table = shares[(shares["scale"] == DIFFERENCE) & (shares["decomposition"] != ALONE)].set_index("path")
    decimals, edges = decimals_of(table), "bounds_lowest" in table
    rows = [["", "SD within", "SD between", "share", "medians of sets", *(["extreme shapes"] if edges else [])]]
    for path in distinct(list(table.index)):
        one = table.loc[path]
        row = [path_words(fit.model, path), number(one["within_sd"], decimals), number(one["between_sd"], decimals)]
        row += [
            f"{100 * one['share']:.0f} %",
            f"{number(one['lowest'], decimals)} to {number(one['highest'], decimals)}",
        ]
        if edges:
            row.append(f"{number(one['bounds_lowest'], decimals)} to {number(one['bounds_highest'], decimals)}")
        rows.append(row)
    count = len(fit.fits)
    note = (
        f"SD within: of the posterior given one set of records; SD between: of the {count} sets' posterior means. "
        f"Share: (1 + 1/{count}) B / (U + (1 + 1/{count}) B) with the squares U and B of these, Rubin's fraction of "
        f"missing information: how much of the variance comes from {fit.survey.lack}."
    )
    shapes = "; ".join(label.partition(", ")[2] for label, _ in fit.survey.edges)
    note += f" Extreme shapes, which bound and are no part of the pool: medians given {shapes}." if edges else ""
    head = f"What comes from {fit.survey.lack}: {count} sets of records"
    texts = [note, fit.survey.words, few_words(count), _changed(analysis, decimals)]
    return ["", f"   {head}", *aligned(rows, "lrrrrr"), *(line for text in texts if text for line in wrapped(text))]


def _changed(analysis: Analysis, decimals: int) -> str:
    """Return what pooling does to the effect that the specification is about, against the first set alone."""
    table, path = analysis.members, main_path(analysis.fit.model)
    if table is None:
        return ""
    own = table[(table["scale"] == DIFFERENCE) & (table["decomposition"] != ALONE) & (table["path"] == path)]
    own, pooled = own[own["member"] > 0], analysis.effects.intervals()
    pooled = pooled[(pooled["scale"] == DIFFERENCE) & (pooled["decomposition"] != ALONE) & (pooled["path"] == path)]
    first, whole = own.iloc[0], pooled.iloc[0]
    without = int(((own["lower"] > 0) | (own["upper"] < 0)).sum())
    times = (whole["upper"] - whole["lower"]) / (first["upper"] - first["lower"])
    apart = "without 0" if whole["lower"] > 0 or whole["upper"] < 0 else "with 0 in it"
    return (
        f"What pooling changes, for {path_words(analysis.fit.model, path)}: given the first set alone "
        f"{number(first['median'], decimals)} {interval(first, decimals)}; pooled "
        f"{number(whole['median'], decimals)} {interval(whole, decimals)}, {apart}, {times:.1f} times as wide. "
        f"Given each set alone, the interval is without 0 in {without} of {len(own)}."
    )


def _extrapolation(analysis: Analysis) -> list[str]:
    """Say it where the contrast compares values of the exposure that no record comes near."""
    model = analysis.fit.model
    if model.moves:
        return []
    values = analysis.fit.survey.records[model.exposure]
    low, high = float(values.min()), float(values.max())
    if all(low <= u <= high for u in model.contrast):
        return []
    u0, u1 = model.contrast
    return wrapped(
        f"EXTRAPOLATED: the contrast {u0:g} to {u1:g} leaves the exposures in the data ({low:g} to {high:g}). Set "
        "`contrast` in the specification to values that occur."
    )


def _interventional(analysis: Analysis) -> list[str]:
    table = analysis.interventional
    if table is None:
        many = len(analysis.fit.model.mediators) > 2
        return ["", *wrapped("Interventional effects are computed for one or two mediators.")] if many else []
    rounding = 1e-9 * float((table["upper"] - table["lower"]).max())
    decimals = decimals_of(table[~table["effect"].map(lambda name: name_parts(name)[0]).isin(OFTEN_TINY)])
    rows = [["", "difference", "95 % interval", "P(< 0)"]]
    for row in table.itertuples():
        one = pd.Series({"lower": row.lower, "upper": row.upper})
        if max(abs(row.lower), abs(row.upper)) <= rounding:
            continue  # 0 by construction, as the dependence of mediators that have no arrow between them
        words = _interventional_words(analysis.fit.model, str(row.effect))
        median = number(row.median, in_row(one, decimals))
        rows.append([words, median, interval(one, decimals), probability(row.prob_negative)])
    head = (
        "Interventional effects, from the same draws: what it would do to give every patient a mediator as others have "
        "it at the other exposure, with no assumption on what one patient would have been like. In every draw they add "
        "up to the same total."
    )
    if len(analysis.fit.model.mediators) > 1:
        head += (
            " They are other effects than those above: one via a later mediator is all that comes through it, what "
            "reached it through an earlier mediator too."
        )
    return ["", *wrapped(head), *aligned(rows, "lrrr")]


def _interventional_words(model: PathModel, effect: str) -> str:
    effect, label = name_parts(effect)
    if label:
        return f"{label}: {_interventional_words(model, effect)}"
    if effect.startswith(VIA):
        return f"via {model.variable(effect.removeprefix(VIA)).label}"
    words = {
        DIRECT: "direct",
        MEDIATED_INTERACTION: "both mediators together, beyond each",
        DEPENDENCE: "dependence of the mediators",
        TOTAL: "total",
    }
    return words[effect]


def _lasting(analysis: Analysis) -> list[str]:
    """Say which signs hold at 95 % for which kappa, averaged over the orders of switching and in every order."""
    if analysis.signs is None:
        return []
    model, none = analysis.fit.model, list[str]()
    lines = wrapped(
        "Which sign the 95 % interval of each difference in the table has, for kappa "
        f"{_numbers(KAPPAS)} (kappa: how alike what a mediator's equation leaves unexplained in a patient would be at "
        "both exposures; no data can tell):"
    )
    alone = False
    for path in distinct(list(analysis.signs)):
        sign, words = analysis.signs[path], path_words(model, path)
        if not any(sign.average):
            none.append(words)
            continue
        lines += bullets([f"{words}: {_sign_words(sign)}."])
        alone |= bool(sign.lasting) and sign.single[:-1] != sign.average[:-1]
    if none:
        lines += bullets([f"No sign for any kappa: {'; '.join(none)}."])
    if alone:
        lines += wrapped(
            "Below kappa 1 the path that is counted first also takes up that a mediator's unexplained part differs "
            "between the exposures: in that order alone it is then not 0 even where the path's own effect is."
        )
    return ["", *lines]


def _sign_words(sign: Sign) -> str:
    """Return for which kappa an effect has which sign, and in which of them not in every single order."""
    if not sign.lasting:
        found = {
            word: [kappa for kappa, own in zip(KAPPAS, sign.average, strict=True) if own == value]
            for value, word in (*SIGNS.items(), (0, "no sign"))
        }
        return "; ".join(f"{word} with kappa {_numbers(kappas)}" for word, kappas in found.items() if kappas)
    failing = [kappa for kappa, own in zip(KAPPAS, sign.single, strict=True) if own != sign.lasting]
    head = f"{SIGNS[sign.lasting]} for each"
    return f"{head}, not in every single order with kappa {_numbers(failing)}" if failing else f"{head}, in every order"


def _numbers(kappas: Sequence[float]) -> str:
    return listed([f"{kappa:g}" for kappa in kappas])
