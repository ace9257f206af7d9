"""Tables of a report on the model itself: coefficients, priors, convergence."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.model.path_model import PathModel
from bayes_sp.report.document.parts import Block, Table
from bayes_sp.report.folders.finished import Run
from bayes_sp.report.text.coefficients import coefficient_cells, symbols

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
