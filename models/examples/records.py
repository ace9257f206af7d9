"""``python models/examples/records.py FOLDER``: records of three public data sets, which statsmodels brings along.

RAND Health Insurance Experiment (public domain; Cameron & Trivedi 2005, Microeconometrics, section 20.3), Fair's survey
of marriages (included in statsmodels with the author's permission; Fair 1978, doi:10.1086/260651), American National
Election Study 1996 (public domain). Each has a specification of the same name beside this file, the first one
``plans`` too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.datasets import anes96, fair, randhie


def randhie_records() -> pd.DataFrame:
    """Return 20,190 person-years: chronic diseases, fair or poor health, outpatient visits."""
    data = randhie.load_pandas().data
    columns = data[["disea", "mdvis", "lncoins", "idp", "lpi", "fmde"]]
    columns = columns.assign(coinsurance=(np.exp(data["lncoins"]) - 1).round())
    return columns.assign(poor_health=((data["hlthf"] == 1) | (data["hlthp"] == 1)).astype(int)).round(6)


def fair_records() -> pd.DataFrame:
    """Return 6,366 wives: years of marriage, their rating of it from 1 to 5, whether there was an affair."""
    data = fair.load_pandas().data
    return data[["yrs_married", "rate_marriage", "religious", "educ"]].assign(affair=(data["affairs"] > 0).astype(int))


def anes96_records() -> pd.DataFrame:
    """Return 944 voters of 1996: education, their place from left to right, vote for Dole (1) or Clinton (0)."""
    return anes96.load_pandas().data[["educ", "selfLR", "vote", "age", "income"]]


RECORDS = {"randhie": randhie_records, "plans": randhie_records, "fair": fair_records, "anes96": anes96_records}

if __name__ == "__main__":
    for name, records in RECORDS.items():
        records().to_csv(Path(sys.argv[1]) / f"{name}.csv", index=False)
