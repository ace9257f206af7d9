"""Tables of a report, from the tables of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ALONE, COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO
from bayes_sp.report.document.parts import Block, Table
from bayes_sp.report.document.words import contrast, probability, rows_of
from bayes_sp.report.folders.finished import Run
from bayes_sp.report.text.assumptions import distinct, path_words
from bayes_sp.report.text.layout import decimals_for, interval, number
from bayes_sp.sensitivity.effect_words import scale_words

SCALES = (DIFFERENCE, RATE_RATIO, RISK_RATIO, COEFFICIENT)
MOST_DIAGNOSTICS = 400
CAPTIONS = {
    "conditional": "Effects at levels of the moderators",
    "conditional_differences": "Differences between levels of the moderators",
    "moderated_mediation": "Index of moderated mediation",
    "contrasts": "Contrasts between effects",
    "standardised": "Standardised effects",
    "proportion_mediated": "Share of the total effect that is indirect",
    "practical": "Against the region that does not matter",
    "pooled": "Variance between and within sets of records",
}
_PLAIN = (
    "mean", "median", "sd", "lower", "upper", "ci_kind", "ci_prob", "kappa", "decomposition", "scale", "mcse_mean",
    "mcse_median", "ess_tail", "ess_bulk", "r_hat",
)  # fmt: skip


def effects_table(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield the effects of every path: difference, and ratio where the outcome has one."""
    scales = [scale for scale in SCALES[:-1] if (run.effects["scale"] == scale).any()]
    tables = {scale: rows_of(run.effects, scale) for scale in scales}
    head = ["effect"]
    for scale in scales:
        head += [scale_words(model, scale), f"{scale_words(model, scale)}: interval"]
    rows = []
    for path in distinct([str(path) for path in tables[DIFFERENCE].index]):
        cells = [path_words(model, path)]
        for scale in scales:
            row = tables[scale].loc[path]
            decimals = decimals_for(float(row["upper"] - row["lower"]))
            cells += [number(row["median"], decimals), interval(row, decimals)]
        rows.append((*cells, probability(tables[DIFFERENCE].loc[path, "prob_negative"])))
    first = tables[DIFFERENCE].iloc[0]
    note = (
        f"Posterior medians and {100 * first['ci_prob']:.3g} % equal-tailed intervals; differences in "
        f"{model.outcome_unit}, for {contrast(model)}; means over the orders in which paths can be counted; "
        "P(< 0) is the posterior probability that the difference is negative."
    )
    yield Table("effects", "Path-specific effects", (*head, "P(< 0)"), tuple(rows), note)


def comparison_tables(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield Bayes, bootstrap and publication side by side, a table for each scale."""
    for scale in SCALES:
        own = run.comparison[run.comparison["scale"] == scale]
        if own.empty:
            continue
        columns = [name for name in ("published", "bootstrap", "posterior") if (own["inference"] == name).any()]
        rows: list[tuple[str, ...]] = []
        for path in distinct(list(dict.fromkeys(own["path"]))):
            part = own[own["path"] == path]
            rows.append((path_words(model, path), *[""] * len(columns)))
            likelihoods = [name for name in dict.fromkeys(part["likelihood"]) if name != "published"]
            for place, likelihood in enumerate(likelihoods):
                cells = []
                for inference in columns:
                    named = "published" if inference == "published" and place == 0 else likelihood
                    found = part[(part["inference"] == inference) & (part["likelihood"] == named)]
                    cells.append(_cell(found.iloc[0]) if len(found) else "")
                rows.append((f"    {likelihood.replace('_', ' ')}", *cells))
        caption = f"{scale_words(model, scale).capitalize()}: along a row only the inference changes"
        yield Table(f"comparison_{scale}", caption, ("", *columns), tuple(rows))


def _cell(row: pd.Series) -> str:
    if row["inference"] == "published":
        limits = "" if math.isnan(row["lower"]) else f" [{row['lower']:g}, {row['upper']:g}]"
        return f"{row['estimate']:g}{limits}"
    decimals = decimals_for(float(row["upper"] - row["lower"]))
    return f"{number(row['estimate'], decimals)} {interval(row, decimals)}"


def coefficient_table(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield every parameter of every equation beside its maximum-likelihood estimate."""
    if run.coefficients is None:
        return
    rows: list[tuple[str, ...]] = []
    for response, own in run.coefficients.groupby("equation", sort=False):
        rows.append((model.variable(str(response)).label, *[""] * 5))
        for _, row in own.iterrows():
            decimals = decimals_for(float(row["upper"] - row["lower"]))
            others = ("ratio", "ml_estimate", "ml_se")
            shown = {name: "" if math.isnan(row[name]) else number(row[name], decimals) for name in others}
            likelihood = f"{shown['ml_estimate']} ({shown['ml_se']})" if shown["ml_estimate"] else ""
            rows.append((
                f"    {row['term']}", number(row["mean"], decimals), number(row["sd"], decimals),
                interval(row, decimals), shown["ratio"], likelihood,
            ))  # fmt: skip
    note = (
        "For one unit of the column as the specification codes it. Ratios are exp(coefficient) where the link has "
        "them. ML: maximum likelihood without any prior, with its standard error."
    )
    head = ("term", "mean", "SD", "95 % interval", "ratio", "ML (SE)")
    yield Table("coefficients", "Coefficients of every equation", head, tuple(rows), note)


def prior_table(model: PathModel) -> Iterator[Block]:
    """Yield every prior with its reason."""
    rows = tuple(
        (where if where in model.chain else "all equations", name, str(prior), prior.why)
        for where, name, prior in model.priors
    )
    yield Table("priors", "Priors, with reasons", ("equation", "parameter", "prior", "reason"), rows, words=True)


def diagnostics_table(run: Run) -> Iterator[Block]:
    """Yield convergence of every parameter and effect."""
    own = run.diagnostics.head(MOST_DIAGNOSTICS)
    rows = tuple(
        (
            str(row["name"]), f"{row['r_hat']:.4f}", f"{row['ess_bulk']:,.0f}", f"{row['ess_tail']:,.0f}",
            f"{row['mcse_mean']:.2g}",
        )
        for _, row in own.iterrows()
    )  # fmt: skip
    head = ("quantity", "R-hat", "bulk ESS", "tail ESS", "Monte Carlo error of the mean")
    yield Table("diagnostics", "Convergence of every parameter and effect", head, rows)


def other_tables(run: Run, model: PathModel) -> Iterator[Block]:
    """Yield the tables that only some runs have: medians and intervals of differences, with what they are about."""
    for name, caption in CAPTIONS.items():
        path = run.folder / f"{name}.csv"
        if path.is_file():
            table = pd.read_csv(path)
            yield _pooled(model, table, caption) if name == "pooled" else _plain(model, table, name, caption)


def _pooled(model: PathModel, table: pd.DataFrame, caption: str) -> Table:
    """Return how much of each effect's variance comes from not having the records."""
    rows = []
    for path, row in rows_of(table).iterrows():
        decimals = decimals_for(float(row["upper"] - row["lower"]))
        cells = [number(row[name], decimals) for name in ("within_sd", "between_sd")]
        cells += [f"{100 * row['share']:.0f} %", _range(row, "lowest", "highest", decimals)]
        if "bounds_lowest" in row:
            cells.append(_range(row, "bounds_lowest", "bounds_highest", decimals))
        rows.append((path_words(model, str(path)), *cells))
    head = ("effect", "SD within", "SD between", "share", "medians of sets", "extreme shapes")
    note = (
        "SD within: of the posterior given one set of records; SD between: of the sets' posterior means; share of the "
        "variance that comes from not having the records (Rubin's fraction of missing information)."
    )
    return Table("pooled", caption, head[: len(rows[0])], tuple(rows), note)


def _range(row: pd.Series, low: str, high: str, decimals: int) -> str:
    return f"{number(row[low], decimals)} to {number(row[high], decimals)}"


def _plain(model: PathModel, table: pd.DataFrame, name: str, caption: str) -> Table:
    """Return a table of estimates: what each is about, median, interval, and what else there is of it."""
    if "decomposition" in table:
        table = table[table["decomposition"] != ALONE]
    if "scale" in table and (table["scale"] == DIFFERENCE).any():
        table = table[table["scale"] == DIFFERENCE]
    kept = [column for column in table.columns if column not in _PLAIN]
    kept.sort(key=lambda column: column != "path")
    estimated = "median" in table
    head, rows = [*(column.replace("_", " ") for column in kept), *(("median", "interval") if estimated else ())], []
    for _, row in table.iterrows():
        cells = [_shown(model, column, row[column]) for column in kept]
        if estimated and math.isnan(row["median"]):
            cells += ["", ""]
        elif estimated:
            decimals = decimals_for(float(row["upper"] - row["lower"]))
            cells += [number(row["median"], decimals), interval(row, decimals)]
        rows.append(tuple(cells))
    return Table(name, caption, tuple(head), tuple(rows))


def _shown(model: PathModel, column: str, value: object) -> str:
    if column == "path":
        return path_words(model, str(value))
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value).replace("_", " ")
