"""Tables of a report: effects and what else a run has of them, coefficients, priors, convergence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from bayes_sp.model.named_effects import scale_words
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, distinct, name_parts
from bayes_sp.report.document.parts import Block, Table
from bayes_sp.report.document.words import contrast, rows_of
from bayes_sp.report.folders.finished import Run
from bayes_sp.report.text.assumptions import path_words, product_scale
from bayes_sp.report.text.coefficients import coefficient_cells, symbols
from bayes_sp.report.text.layout import as_published, estimated, interval
from bayes_sp.shown import decimals_for, number, probability

MOST_DIAGNOSTICS = 400


def coefficient_table(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield every parameter of every equation beside its maximum-likelihood estimate."""
    if run.coefficients is None:
        return
    rows: list[tuple[str, ...]] = []
    for response, own in run.coefficients.groupby("equation", sort=False):
        rows.append((model.variable(str(response)).label, *[""] * 5))
        for _, row in own.iterrows():
            term, *others = coefficient_cells(row)
            rows.append((f"    {term}", *others))
    note = (
        "For one unit of the column as the specification codes it. Ratios are exp(coefficient) where the link has "
        f"them. ML: maximum likelihood without any prior, with its standard error. {symbols(model)}"
    )
    head = ("term", "mean", "SD", "95 % interval", "ratio", "ML (SE)")
    yield Table("coefficients", "Coefficients of every equation", head, tuple(rows), note)


def prior_table(model: PathModel) -> Iterator[Block]:
    """Yield every prior with its reason."""
    rows = tuple(
        (model.variable(where).label if where in model.chain else "all equations", name, str(prior), prior.why)
        for where, name, prior in model.priors
    )
    yield Table("priors", "Priors, with reasons", ("equation", "parameter", "prior", "reason"), rows, words=True)


def diagnostics_table(run: Run) -> Iterator[Block]:
    """Yield convergence of every parameter and effect."""
    formats = {"name": "", "r_hat": ".4f", "ess_bulk": ",.0f", "ess_tail": ",.0f", "mcse_mean": ".2g"}
    rows = tuple(
        tuple(format(row[name], spec) for name, spec in formats.items())
        for _, row in run.diagnostics.head(MOST_DIAGNOSTICS).iterrows()
    )
    head = ("quantity", "R-hat", "bulk ESS", "tail ESS", "Monte Carlo error of the mean")
    yield Table("diagnostics", "Convergence of every parameter and effect", head, rows)


SCALES = (DIFFERENCE, RATE_RATIO, RISK_RATIO, COEFFICIENT)
CAPTIONS = {
    "conditional": "Effects at levels of the moderators",
    "conditional_differences": "Differences between levels of the moderators",
    "moderated_mediation": "Index of moderated mediation, for each unit or comparison of the moderator",
    "contrasts": "Contrasts between effects",
    "standardised": "Standardised effects",
    "proportion_mediated": "Share of the total effect that is indirect",
    "practical": "Against the region that does not matter",
    "pooled": "Variance between and within sets of records",
}
_ABOUT = ("moderator", "at", "level", "from", "to", "unit")  # of a row of effects at levels, in its heading
_HEADS = {
    "path": "effect", "prob_negative": "P(< 0)", "prob_larger": "P(larger)", "prob_share": "P(0 < share < 1)",
    "prob_below": "P(below)", "prob_inside": "P(inside)", "prob_above": "P(above)",
}  # fmt: skip
_REGION = ("region_lower", "region_upper")
_PLAIN = (
    "mean", "median", "sd", "lower", "upper", "ci_kind", "ci_prob", "kappa", "decomposition", "scale", "mcse_mean",
    "mcse_median", "ess_tail", "ess_bulk", "r_hat",
)  # fmt: skip


def effects_table(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield the effects of every path: difference, and ratio where the outcome has one."""
    scales = [scale for scale in SCALES[:-1] if (run.effects["scale"] == scale).any()]
    tables = {scale: rows_of(run.effects, scale) for scale in scales}
    words = [scale_words(model, scale) for scale in scales]
    head = ("effect", *(text for word in words for text in (word, f"{word}: interval")), "P(< 0)")
    rows = []
    for path in distinct([str(path) for path in tables[DIFFERENCE].index]):
        cells = [path]
        for scale in scales:
            row = tables[scale].loc[path]
            decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
            cells += [number(row["median"], decimals), interval(row, decimals)]
        rows.append((*cells, probability(tables[DIFFERENCE].loc[path, "prob_negative"])))
    first = tables[DIFFERENCE].iloc[0]
    note = (
        f"Posterior medians and {100 * first['ci_prob']:.3g} % equal-tailed intervals; differences in "
        f"{model.outcome_unit}, for {contrast(model)}; means over the orders in which paths can be counted; "
        "P(< 0) is the posterior probability that the difference is negative."
    )
    yield Table("effects", "Path-specific effects", head, parted(model, rows), note)


def parted(model: PathModel, rows: Sequence[tuple[str, ...]], about: Sequence[str] = ()) -> tuple[tuple[str, ...], ...]:
    """Return rows that begin with an effect's name by its words, below a heading wherever it is about something else.

    ``rows`` are the name of an effect, then its cells; ``about`` is what else each is about, such as a moderator's
    level.
    """
    found: list[tuple[str, ...]] = []
    labels = [name_parts(name)[1] for name, *_ in rows]
    others = about or [""] * len(rows)
    headed = any(about) or len(set(labels)) > 1
    last = ""
    for (name, *cells), label, other in zip(rows, labels, others, strict=True):
        if headed and (heading := "; ".join(filter(None, (other, label)))) != last:
            found.append((heading, *[""] * len(cells)))
            last = heading
        found.append((f"    {path_words(model, name_parts(name)[0])}" if headed else path_words(model, name), *cells))
    return tuple(found)


def comparison_tables(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield Bayes, bootstrap and publication side by side, a table for each scale."""
    told = ""  # below the table before
    for scale, name, words, own in _compared(run, model):
        columns = [name for name in ("published", "bootstrap", "posterior") if (own["inference"] == name).any()]
        several = own.loc[own["likelihood"] != "published", "likelihood"].nunique() > 1
        rows: list[tuple[str, ...]] = []
        for path in distinct(list(dict.fromkeys(own["path"]))):
            part = own[own["path"] == path]
            likelihoods = [name for name in dict.fromkeys(part["likelihood"]) if name != "published"]
            if several:
                rows.append((path_words(model, path), *[""] * len(columns)))
            for place, likelihood in enumerate(likelihoods):
                cells = []
                for inference in columns:
                    named = "published" if inference == "published" and place == 0 else likelihood
                    found = part[(part["inference"] == inference) & (part["likelihood"] == named)]
                    cells.append(_cell(found.iloc[0]) if len(found) else "")
                label = f"    {likelihood.replace('_', ' ')}" if several else path
                rows.append((label, *cells))
        caption = f"{scale_words(model, scale).capitalize()}{words}"
        caption += ": along a row only the inference changes" if len(columns) > 1 else ""
        body = tuple(rows) if several else parted(model, rows)
        note = _interval_kinds(run, columns)
        yield Table(name, caption, ("effect", *columns), body, "" if note == told else note)
        told = note


def _compared(run: Run, model: PathModel) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Yield (scale, name, words, rows) of each table of the comparison; products of unlike scales stand apart."""
    for scale in SCALES:
        own = run.comparison[run.comparison["scale"] == scale]
        likelihoods = [name for name in dict.fromkeys(own["likelihood"]) if name != "published"]
        if scale != COEFFICIENT:
            alone = f" ({likelihoods[0].replace('_', ' ')})" if len(likelihoods) == 1 else ""
            yield from [(scale, f"comparison_{scale}", alone, own)] if likelihoods else []
            continue
        for likelihood in likelihoods:
            normal = likelihood == "normal"
            on = "in the outcome's unit" if normal else product_scale(model.outcome_family)
            part = own[own["likelihood"].isin([likelihood, *(["published"] if normal else [])])]
            per = "" if model.categories else " per unit of exposure"
            words = f" of coefficients{per}{f', {on}' if on else ''} ({likelihood.replace('_', ' ')})"
            yield scale, f"comparison_{scale}_{likelihood}", words, part


def _interval_kinds(run: Run, columns: Sequence[str]) -> str:
    """Return what the intervals of each column are."""
    table = run.bootstrap
    count = f" of {int(table['replicates'].iloc[0])} resamples" if len(table) and "replicates" in table else ""
    kinds = {
        "published": "as printed", "bootstrap": f"percentile{count} of the maximum-likelihood fit",
        "posterior": "equal-tailed",
    }  # fmt: skip
    told = (f"{name}: {kinds[name]}" if len(columns) > 1 else kinds[name] for name in columns)
    return f"95 % intervals: {'; '.join(told)}."


def _cell(row: pd.Series) -> str:
    if row["inference"] == "published":
        return as_published(row.to_frame().T)
    return estimated(row, "estimate", decimals_for(float(row["upper"]) - float(row["lower"])))


def other_tables(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield the tables that only some runs have: medians and intervals of differences, with what they are about."""
    for name, caption in CAPTIONS.items():
        path = run.folder / f"{name}.csv"
        if path.is_file():
            table = pd.read_csv(path)
            yield _pooled(model, table, caption) if name == "pooled" else estimates_table(model, table, name, caption)


def _pooled(model: PathModel, table: pd.DataFrame, caption: str) -> Table:
    """Return how much of each effect's variance comes from not having the records."""
    rows = []
    for path, row in rows_of(table).iterrows():
        decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
        cells = [number(row[name], decimals) for name in ("within_sd", "between_sd")]
        cells += [f"{100 * row['share']:.0f} %", _range(row, "lowest", "highest", decimals)]
        if "bounds_lowest" in row:
            cells.append(_range(row, "bounds_lowest", "bounds_highest", decimals))
        rows.append((str(path), *cells))
    head = ("effect", "SD within", "SD between", "share", "medians of sets", "extreme shapes")
    note = (
        "SD within: of the posterior given one set of records; SD between: of the sets' posterior means; share of the "
        "variance that comes from not having the records (Rubin's fraction of missing information)."
    )
    return Table("pooled", caption, head[: len(rows[0])], parted(model, rows), note)


def _range(row: pd.Series, low: str, high: str, decimals: int) -> str:
    return f"{number(row[low], decimals)} to {number(row[high], decimals)}"


def estimates_table(model: PathModel, table: pd.DataFrame, name: str, caption: str) -> Table:
    """Return a table of estimates: what each is about, median, interval, and what else there is of it."""
    if "decomposition" in table:
        table = table[table["decomposition"] != ALONE]
    if "scale" in table and (table["scale"] == DIFFERENCE).any():
        table = table[table["scale"] == DIFFERENCE]
    estimated, moderated = "median" in table, "moderator" in table
    kept = [column for column in table.columns if column not in (*_PLAIN, *_REGION, *(_ABOUT if moderated else ()))]
    scales = list(dict.fromkeys(table["scale"])) if "scale" in table else []
    kept += ["scale"] if len(scales) > 1 else []
    kept.sort(key=lambda column: (column != "path", column == "prob_negative"))
    numbers = kept.index("prob_negative") if "prob_negative" in kept else len(kept)
    rows = []
    for _, row in table.iterrows():
        cells = [_shown(model, column, row[column]) for column in kept]
        if estimated and math.isnan(row["median"]):
            cells[numbers:numbers] = ["", ""]
        elif estimated:
            decimals = decimals_for(float(row["upper"]) - float(row["lower"]))
            cells[numbers:numbers] = [number(row["median"], decimals), interval(row, decimals)]
        rows.append(tuple(cells))
    heads = [_HEADS.get(column, column.replace("_", " ")) for column in kept]
    heads[numbers:numbers] = [*(("median", "interval") if estimated else ())]
    about = [_about(model, row) for _, row in table.iterrows()] if moderated else []
    body = parted(model, rows, about) if kept[:1] == ["path"] else tuple(rows)
    return Table(name, caption, tuple(heads), body, _estimates_note(model, table, scales))


def _about(model: PathModel, row: pd.Series) -> str:
    """Return the moderators and their levels, two of these, or the unit that a row is about."""
    names = str(row["moderator"]).split(", ")
    labels = [model.variable(name).label for name in names]
    if "at" in row:
        whys = str(row.get("level", "")).split(", ")
        parts = [
            f"{label}: at {words}{f' ({why})' if why not in ('given', 'category', '') else ''}"
            for label, words, why in zip(labels, _levels(model, names, row["at"]), whys, strict=True)
        ]
        return "; ".join(parts)
    if "from" in row:
        pairs = zip(_levels(model, names, row["from"]), _levels(model, names, row["to"]), strict=True)
        words = [f"at {low}" if low == high else f"{high} less {low}" for low, high in pairs]
        return "; ".join(f"{label}: {between}" for label, between in zip(labels, words, strict=True))
    return f"{', '.join(labels)}: {row['unit']}"


def _levels(model: PathModel, names: Sequence[str], values: object) -> list[str]:
    """Return the value of each moderator in words."""
    return [model.words_of(name, float(value)) for name, value in zip(names, str(values).split(", "), strict=True)]


def _estimates_note(model: PathModel, table: pd.DataFrame, scales: list[str]) -> str:
    """Return what the numbers of a table of estimates are."""
    if set(_REGION) <= set(table.columns) and len(table):
        low, high = (f"{table[end].iloc[0]:g}" for end in _REGION)
        return f"Posterior probabilities that an effect lies below, in or above {low} to {high} {model.outcome_unit}."
    if not {"median", "ci_prob"} <= set(table.columns) or table.empty:
        return ""
    note = f"Posterior medians and {100 * table['ci_prob'].iloc[0]:.3g} % equal-tailed intervals"
    note += f"; differences in {model.outcome_unit}" if scales == [DIFFERENCE] else ""
    ratio = ", of a ratio that it is below 1" if len(scales) > 1 else ""
    return note + (f"; P(< 0): posterior probability that it is negative{ratio}." if "prob_negative" in table else ".")


def _shown(model: PathModel, column: str, value: object) -> str:
    if column == "path":
        return str(value)
    if column == "scale":
        words = scale_words(model, str(value))  # of two levels, where a table has ratios beside products
        return f"ratio of {words}s" if value in (RATE_RATIO, RISK_RATIO) else words
    if column.startswith("prob_") and isinstance(value, float):
        return "" if math.isnan(value) else probability(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value).replace("_", " ")
