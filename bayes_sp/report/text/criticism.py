"""Criticism in words: what the priors imply, whether the model fits the records, and who carries the result."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayes_sp.analysis.criticism.influence import Influence
from bayes_sp.analysis.criticism.loo import JOINT, Loo
from bayes_sp.analysis.criticism.pit import LooPit
from bayes_sp.analysis.criticism.pointwise import Criticism
from bayes_sp.analysis.criticism.predictive import ALL, PredictiveChecks
from bayes_sp.analysis.criticism.prior_check import PriorCheck
from bayes_sp.analysis.criticism.statistics import ENDS
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import LEAST_COUNT
from bayes_sp.report.text.assumptions import path_words
from bayes_sp.report.text.layout import aligned, bullets, decimals_of, interval, wrapped
from bayes_sp.shown import number

SHOWN = 5  # most influential patients, and statistics outside their interval
COVERAGES = (0.5, 0.9)


def prior_text(model: PathModel, found: PriorCheck) -> str:
    """Return what ``priors`` prints."""
    lines = [f"{model.name}: {model.title}", f"Rows: {found.mark}. {found.draws} draws from the priors."]
    for response, rows in found.table.groupby("response", sort=False):
        equation = next(e for e in model.equations if e.response == response)
        variable = model.variable(str(response))
        unit = f", {variable.unit}" if variable.unit else ""
        lines += ["", f"{variable.label} ({equation.family.replace('_', ' ')}{unit})"]
        cells = [["", "median", f"central {_percent(rows['ci_prob'].max())}", "probability"]]
        for row in rows.to_dict("records"):
            known = not np.isnan(row["median"])
            limits = f"{_short(row['lower'])} to {_short(row['upper'])}" if known else ""
            chance = "" if known else f"{row['probability']:.3f}"
            cells.append([str(row["quantity"]), _short(row["median"]) if known else "", limits, chance])
        lines += aligned(cells, "lrrr")
    note = (
        "Before any response is seen: parameters drawn from the priors, responses from the likelihoods, for each "
        "patient's own exposure, covariates and observed mediators. A prior that often puts a mean where no survey can "
        "have one claims too much; make it tighter, or say why."
    )
    return "\n".join([*lines, "", *wrapped(note, margin="")]) + "\n"


def criticism_sections(
    model: PathModel, found: Criticism, *, keep_records: bool = False, least: int = LEAST_COUNT
) -> Iterator[tuple[str, list[str]]]:
    """Yield title and lines of each section that ``fit --check`` adds to the summary.

    What goes patient by patient or says something of fewer than ``least`` of them only with ``keep_records``.
    """
    shown = found.checks if keep_records else found.checks.without_patients(least)
    yield "Would the model have produced these records?", _checks(model, shown)
    yield "How well are patients predicted who were left out?", _prediction(model, found.loo, found.pit)
    yield "Does one patient carry the result?", _influence(model, found.influence, keep_records=keep_records)


def _checks(model: PathModel, checks: PredictiveChecks) -> list[str]:
    lines: list[str] = []
    for response, rows in checks.table.groupby("response", sort=False):
        cells = [["", "observed", "replicated", f"{_percent(rows['ci_prob'].max())} interval", "at or above"]]
        cells += [_check(row) for row in rows[rows["exposure"] == ALL].to_dict("records")]
        lines += [f"   {model.variable(str(response)).label}", *aligned(cells, "lrrrr"), ""]
    outside = checks.outside
    groups = [str(name) for name in dict.fromkeys(checks.table["exposure"]) if name != ALL]
    label = model.variable(model.exposure).label
    note = (
        f"Statistics of the records beside those of {checks.replicates} surveys replicated from the posterior (median "
        "and equal-tailed interval). At or above: share of replicates at or above the observed value; near 0 or 1 the "
        "model does not produce such records."
    )
    if checks.least and checks.table["statistic"].isin(ENDS).any():
        note += " The observed minimum and maximum are the values of single patients and are not shown."
    if checks.least:
        note += f" What would tell of fewer than {checks.least} patients is left out."
    lines += wrapped(note)
    also = f", counting each for all patients and by {label} ({', '.join(groups)})" if groups else ""
    lines += wrapped(f"{len(outside)} of {len(checks.table)} statistics lie outside their interval{also}.")
    known = set(
        zip(*(outside.loc[outside["exposure"] == ALL, name] for name in ("response", "statistic")), strict=True)
    )
    new = [pair not in known for pair in zip(outside["response"], outside["statistic"], strict=True)]
    apart = checks.table.loc[outside.index[new]]
    lines += wrapped("Outside at a level of the exposure, though not for all patients:") if len(apart) else []
    for row in apart.head(SHOWN).to_dict("records"):
        what = f"{model.variable(str(row['response'])).label}, {row['statistic']}, {label} {row['exposure']}"
        limits = f"{_short(row['lower'])} to {_short(row['upper'])}"
        own = "" if pd.isna(row["observed"]) else f"observed {_short(row['observed'])}, "
        lines += bullets([f"{what}: {own}replicated {limits}."])
    if len(apart) > SHOWN:
        lines += bullets([f"and {len(apart) - SHOWN} more in predictive.csv."])
    return lines


def _check(row: dict[str, object]) -> list[str]:
    share = float(str(row["share_at_or_above"]))
    limits = f"[{_short(row['lower'])}, {_short(row['upper'])}]"
    shown = "" if np.isnan(share) else f"{share:.3f}"
    observed = "" if np.isnan(float(str(row["observed"]))) else _short(row["observed"])
    return [f"   {row['statistic']}", observed, _short(row["replicated"]), limits, shown]


def _prediction(model: PathModel, loo: Loo, pit: LooPit) -> list[str]:
    heads = [f"in {_percent(prob)} intervals" for prob in COVERAGES]
    rows = [["", "elpd (SE)", "parameters", "worst k", "k > 0.7", *heads]]
    covered = [pit.coverage(prob) for prob in COVERAGES]
    for row in loo.table.to_dict("records"):
        name = str(row["response"])
        label = JOINT if name == JOINT else model.variable(name).label
        shares = ["" if name == JOINT else f"{100 * found[name]:.0f} %" for found in covered]
        elpd = f"{row['elpd']:.1f} ({row['se']:.1f})"
        rows.append([label, elpd, f"{row['p_loo']:.1f}", f"{row['worst_k']:.2f}", str(row["high_k"]), *shares])
    note = (
        "elpd: log density (or probability) of each patient's response, predicted from the other patients, summed over "
        "patients; only comparable between fits to the same records. Parameters: their effective number. k: "
        "reliability of each patient's part, good up to 0.7. The last columns: share of patients inside the central "
        "predictive intervals, to be near their probability."
    )
    leaving = [model.variable(name).label for name, leaves in pit.leaves_band().items() if leaves]
    calibrated = (
        f"The predictions of {', '.join(leaving)} are not calibrated: LOO-PIT leaves its 95 % band (loo_pit.png)."
        if leaving
        else "No sign of miscalibration: LOO-PIT stays within its 95 % band in every equation."
    )
    notes = [line for text in loo.notes for line in wrapped(f"{text}.")]
    return [*aligned(rows, "lrrrrrr"), *wrapped(note), *wrapped(calibrated), *notes]


def _influence(model: PathModel, found: Influence, *, keep_records: bool) -> list[str]:
    decimals = decimals_of(pd.DataFrame([{"lower": found.lower, "upper": found.upper}]))
    percent = _percent(found.ci_prob)
    rows = [["patient", "median without", f"{percent} interval", "shift", "in posterior SDs", "k"]]
    for _, row in found.table.head(SHOWN).iterrows():
        k = "refitted" if row["method"] == "refit" else f"{row['pareto_k']:.2f}"
        shift = f"{row['shift']:+.{decimals}f}"
        median = number(row["median"], decimals)
        rows.append([f"row {row['row']}", median, interval(row, decimals), shift, f"{row['shift_sd']:+.2f}", k])
    whole = f"{number(found.median, decimals)} [{number(found.lower, decimals)}, {number(found.upper, decimals)}]"
    changed = [str(row) for row in found.changes_conclusion["row"]]
    without = f" without row {', or '.join(changed)}" if keep_records else " without that patient"
    zero = (
        f"Whether the interval excludes 0 depends on a single patient: it changes{without}."
        if changed
        else "Whether the interval excludes 0 does not depend on any single patient."
    )
    words = path_words(model, found.path)
    head = f"{words[:1].upper()}{words[1:]}: {whole} {found.unit} with all patients."
    if not keep_records:
        most = math.ceil(10 * float(found.table["shift_sd"].abs().max())) / 10
        rows = []
        head += (
            f" Without any one of them its median moves by {most:.1f} posterior SDs at most. Which patients move it, "
            "by row of the file: with --keep-records, or fit.influence()."
        )
    else:
        head += " The most influential:"
    notes = [line for text in found.notes for line in wrapped(f"{text}.")]
    return [*wrapped(head), *(aligned(rows, "lrrrrr") if rows else []), *wrapped(zero), *notes]


def _percent(prob: float) -> str:
    return f"{100 * prob:g} %"


def _short(value: object) -> str:
    """Return a whole number as it is, any other with three digits."""
    found = float(str(value))
    if found == round(found) or 1000 <= abs(found) < 1e7:
        return f"{found:.0f}" if abs(found) < 1e7 else f"{found:.3g}"
    return f"{found:#.3g}".rstrip(".")
