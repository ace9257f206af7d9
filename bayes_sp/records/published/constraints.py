"""How near a survey's moments come to the printed ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayes_sp.errors import SurveyError
from bayes_sp.records.published.article import published
from bayes_sp.records.published.printed import Printed
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.survey import Survey


def constraint_report(survey: Survey) -> pd.DataFrame:
    """Compare a survey's means, SDs and correlations with those of Table 2.

    A row for each printed mean, SD and correlation: ``statistic`` (``"mean"``, ``"sd"``, ``"r"``), ``variable``,
    ``other``, ``printed`` (text), ``target``, ``achieved`` and ``excess``, the distance beyond the rounding of the
    printed figure (0 within it).

    Raises SurveyError if a variable of Table 2 is missing.
    """
    study = published()
    missing = [name for name in study.names if name not in survey.records.columns]
    if missing:
        raise SurveyError(survey.source, [f'column "{name}" is missing; Table 2 has it.' for name in missing])
    values = survey.records[list(study.names)].to_numpy(dtype=np.float64)
    r = np.corrcoef(values, rowvar=False)
    rows: list[tuple[str, str, str, Printed | Figure, float]] = []
    for statistic, achieved in (("mean", values.mean(axis=0)), ("sd", values.std(axis=0, ddof=1))):
        for position, variable in enumerate(study.variables):
            figure = variable.mean if statistic == "mean" else variable.sd
            if figure is not None:
                rows.append((statistic, variable.name, "", figure, float(achieved[position])))
    for entry in study.correlation_table:
        pair = (study.names.index(entry.row), study.names.index(entry.column))
        rows.append(("r", entry.row, entry.column, entry.r, float(r[pair])))
    return beside_printed(rows)


def beside_printed(rows: Iterable[tuple[str, str, str, Printed | Figure, float]]) -> pd.DataFrame:
    """Return statistics beside their printed figures, from (statistic, variable, other, figure, achieved).

    Columns as of `constraint_report`.
    """
    return pd.DataFrame(
        [
            {
                "statistic": statistic,
                "variable": variable,
                "other": other,
                "printed": figure.text,
                "target": figure.value,
                "achieved": achieved,
                "excess": max(0.0, abs(achieved - figure.value) - float(figure.half_unit)),
            }
            for statistic, variable, other, figure, achieved in rows
        ]
    )
