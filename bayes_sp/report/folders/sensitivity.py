"""Sensitivity analyses -> their folder: tables, arrays, figures, summary; written whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import tomli_w
import xarray as xr

from bayes_sp.analysis.provenance import records_table
from bayes_sp.inference.versions import versions
from bayes_sp.model.people import speaking_of
from bayes_sp.model.reading.write import specification_digest, specification_tables
from bayes_sp.names import effect_name
from bayes_sp.report.figures.sensitivity import plot_attrition, plot_estimates, plot_kappa
from bayes_sp.report.figures.style import FONT, Drawn, write_figures
from bayes_sp.report.figures.surfaces import plot_confounding, plot_prior_grid
from bayes_sp.report.folders.analysis import write_text
from bayes_sp.report.folders.netcdf import write_netcdf
from bayes_sp.report.folders.run import FILES_KEY, RUN_FILE, Destination, RunFolder
from bayes_sp.safe_text import write_csv
from bayes_sp.sensitivity.conclusion import Verdicts
from bayes_sp.sensitivity.every import Sensitivity
from bayes_sp.sensitivity.target import Finding

SUMMARY = "summary.txt"


def save_sensitivity(
    found: Sensitivity,
    folder: Path | Destination,
    *,
    overwrite: bool = False,
    summary: str = "",
    formats: Sequence[str] = ("png",),
) -> Path:
    """Write a folder with every table as CSV, every array as netCDF, a figure for each analysis, and the summary.

    No row of the survey is written.

    Returns where it stands: ``folder``, or the next free name where that is taken in the meantime.

    Raises RunError where the folder exists and may not be replaced, or cannot be written.
    """
    with RunFolder(folder, overwrite=overwrite) as new:
        write_text(new.file(SUMMARY), summary)
        for name, table in _tables(found):
            write_csv(table, new.file(f"{name}.csv"))
        for name, dataset in _arrays(found):
            write_netcdf(_plain_attrs(dataset), new.file(f"{name}.nc"))
        with mpl.rc_context(FONT), speaking_of(found.fit.model, [found.fit.survey.source]):
            for name, drawn in figures(found):
                write_figures(drawn, new.file, name, formats)
        write_text(new.file(RUN_FILE), tomli_w.dumps({**_run_tables(found), FILES_KEY: new.names}))
    return new.folder


def _tables(found: Sensitivity) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "effects", found.effects.table()
    yield "findings", findings_table(found.findings(), found.verdicts())
    confounding, absent = found.confounding, found.attrition or found.delta
    tables = {
        "power_scaling": found.power and found.power.table,
        "overlap": found.overlap,
        "prior_grid": found.grid and found.grid.table,
        "prior_tipping": found.tipping and found.tipping.table,
        "kappa": found.kappa and found.kappa.table,
        "kappa_band": found.kappa and found.kappa.band,
        "e_values": found.e_values and found.e_values.table,
        "confounding": confounding and confounding.table,
        "confounding_tipping": confounding and confounding.tipping,
        "confounding_multiples": confounding and confounding.multiples,
        "covariate_strengths": confounding and confounding.benchmarks,
        "attrition": absent and absent.table,
    }
    yield from ((name, table) for name, table in tables.items() if table is not None)


def result_of(found: Sensitivity) -> dict[str, Any]:
    """Return sensitivity analyses as mappings and tables: what ``run.toml`` has, and every table."""
    facts = {key: value for key, value in _run_tables(found).items() if key != "fitted"}
    return {**facts, "takes": found.tipping_summary(), "tables": dict(_tables(found))}


def _arrays(found: Sensitivity) -> Iterator[tuple[str, xr.Dataset]]:
    if found.power is not None:
        yield "power_scaling", found.power.dataset
    if found.grid is not None and found.grid.keys:
        yield "prior_grid", found.grid.crossed
    if found.kappa is not None:
        yield "kappa", found.kappa.dataset
    if found.confounding is not None:
        for pair, surface in found.confounding.surfaces.items():
            name = "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", response) for response in pair)
            yield f"confounding-{name}", surface
    if absent := found.attrition or found.delta:
        yield "attrition", absent.curves


def figures(found: Sensitivity) -> Iterator[tuple[str, Drawn]]:
    """Yield the name and the figure of each analysis."""
    model, mark = found.fit.model, found.fit.survey.mark
    if found.power is not None:
        rows = [(finding.case, finding.estimate) for finding in found.power.findings(found.target)]
        note = "Half as strong: the prior's density to the power 0.5; twice as strong: to the power 2."
        yield "power_scaling", plot_estimates(model, found.target, rows, found.base, mark, note)
    if found.grid is not None and not found.grid.named.empty:
        cases = list(dict.fromkeys(found.grid.named["case"]))
        named = [(str(case).replace("_", "-"), found.grid.estimate(str(case))) for case in cases]
        yield "named_priors", plot_estimates(model, found.target, named, found.base, mark, "Refits under other priors.")
    if found.grid is not None and len(found.grid.keys) in (1, 2):
        yield "prior_grid", plot_prior_grid(found.grid)
    if found.kappa is not None:
        yield "kappa", plot_kappa(found.kappa)
    if found.confounding is not None and found.confounding.surfaces:
        yield "confounding", plot_confounding(found.confounding)
    if found.attrition is not None:
        yield "attrition", plot_attrition(found.attrition)
    if found.delta is not None:
        shifted = [(finding.case, finding.estimate) for finding in found.delta.findings()]
        note = "Missing values shifted by delta."
        yield "attrition", plot_estimates(model, found.target, shifted, found.base, mark, note)


def findings_table(findings: list[Finding], verdicts: list[Verdicts]) -> pd.DataFrame:
    """Return one row for each case: ``analysis, case, median, lower, upper, trustworthy, sign, note``.

    ``sign``: ``kept``, ``lost``, ``turned``, ``undecided`` or ``unusable``.
    """
    signs = {
        (one.analysis, case): word
        for one in verdicts
        for cases, word in ((one.keep, "kept"), (one.lose, "lost"), (one.turn, "turned"), (one.undecided, "undecided"))
        for case in cases
    }
    rows = []
    for finding in findings:
        estimate = finding.estimate
        numbers = (np.nan,) * 3 if estimate is None else (estimate.median, estimate.lower, estimate.upper)
        trusted = estimate is not None and estimate.trustworthy
        sign = signs.get((finding.analysis, finding.case), "unusable")
        rows.append((finding.analysis, finding.case, *numbers, trusted, sign, finding.note))
    return pd.DataFrame(rows, columns=["analysis", "case", "median", "lower", "upper", "trustworthy", "sign", "note"])


def _run_tables(found: Sensitivity) -> dict[str, Any]:
    """Return the content of ``run.toml``."""
    fit, used = found.fit, versions()
    return {
        "bayes_sp": used["bayes_sp"],
        "sensitivity": {
            "model": fit.model.name,
            "analyses": list(found.asked),
            "effect": {
                "path": effect_name(found.target.path, fit.model.move.label if fit.model.move else ""),
                "scale": found.target.scale,
            },
            "seed": fit.seed,
            "sampler": fit.options.chosen(),
            "refused": dict(found.refused),
            "seconds": dict(found.seconds),
        },
        "data": records_table(fit.survey),
        "verdict": {
            "trustworthy": found.verdict.trustworthy,
            "reasons": list(found.verdict.reasons),
            "cautions": list(found.verdict.cautions),
        },
        "versions": used,
        "fitted": {
            "specification_digest": specification_digest(fit.model),
            "specification": specification_tables(fit.model),
        },
    }


def _plain_attrs(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose attributes netCDF can hold: numbers, texts and arrays; the others as JSON."""
    attrs = {name: _plain(value) for name, value in dataset.attrs.items()}
    return dataset.assign_attrs(attrs)


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int | float | np.ndarray):
        return value
    return json.dumps(value, default=str) if isinstance(value, Mapping | list | tuple) else str(value)
