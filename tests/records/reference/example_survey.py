"""The example survey: invented answers of 240 patients in two waves. Run it to write the files that the package ships.

.venv/bin/python tests/records/reference/example_survey.py

Only uniform numbers are drawn; everything else is their quantiles, so that the answers do not hang on how a version of
NumPy draws normal numbers or counts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
from scipy import special, stats

FOLDER = Path(__file__).parents[3] / "bayes_sp" / "records" / "example"
PATIENTS, SEED = 240, 2019
UNANSWERED, REFUSED = -99.0, -88.0
WORDING = (
    "I lack companionship", "There is no one I can turn to", "I am an outgoing person", "I feel left out",
    "I feel isolated from others", "I can find companionship when I want it", "I am unhappy being so withdrawn",
    "People are around me but not with me",
)  # fmt: skip
GROUPS = ("sport or exercise", "residents", "religion", "education or arts", "social club", "support group", "other")
HOW_OFTEN = {1.0: "Never", 2.0: "Rarely", 3.0: "Sometimes", 4.0: "Always"}
STRENGTH = {1.0: "Very weak", 2.0: "Somewhat weak", 3.0: "Somewhat strong", 4.0: "Very strong"}
MISSING = {UNANSWERED: "Not answered", REFUSED: "Prefer not to say"}
LOADINGS = np.array([0.75, 0.7, 0.5, 0.75, 0.8, 0.5, 0.6, 0.65])


def cut(normal: np.ndarray, ends: tuple[float, ...]) -> np.ndarray:
    """Return in which interval between ``ends`` numbers lie, the first being 1."""
    return 1.0 + (normal[..., None] > np.array(ends)).sum(axis=-1)


def make() -> tuple[pd.DataFrame, dict[str, str], dict[str, dict[float, str]]]:
    """Return the answers with their codes for missing ones, labels of columns, and labels of values."""
    rng = np.random.Generator(np.random.PCG64(SEED))

    def normal(*shape: int) -> np.ndarray:
        return special.ndtri(rng.random(shape))

    n = PATIENTS
    columns: dict[str, np.ndarray] = {"PatientID": np.arange(1001.0, 1001 + n)}
    labels, words = {"PatientID": "Patient's number in the clinic"}, {}
    age = np.clip(np.round(55 + 14 * normal(n)), 18, 92)
    columns |= {"Q1_age": age, "Q2_sex": cut(normal(n), (-0.2,)), "Q3_educ": cut(normal(n), (-0.8, 0.4, 1.1))}
    labels |= {"Q1_age": "Age in years", "Q2_sex": "Sex", "Q3_educ": "Highest education"}
    words["Q2_sex"] = {1.0: "Man", 2.0: "Woman"}
    words["Q3_educ"] = {1.0: "No certificate", 2.0: "School", 3.0: "College", 4.0: "University"}
    trait, visits_trait = normal(n), normal(n)
    before: dict[str, np.ndarray] = {}
    joined = 0.35 * normal(n)
    for wave in ("T0", "T1"):
        late = wave == "T1"
        propensity = 0.6 * trait[:, None] + (joined[:, None] + 0.2 if late else 0.0) + 0.7 * normal(n, len(GROUPS))
        ticked = (propensity > np.array([0.9, 0.7, 1.0, 1.1, 0.9, 1.3, 1.2])).astype(float)
        groups = ticked.sum(axis=1)
        change = groups - before["groups"] if late else 0.0
        belonging = 0.5 * trait + 0.3 * change + 0.75 * normal(n)
        lonely = -0.6 * belonging - 0.2 * trait + 0.75 * normal(n)
        size = LOADINGS * np.where(np.isin(np.arange(8), (2, 5)), -1, 1)
        answers = cut(size * lonely[:, None] + np.sqrt(1 - LOADINGS**2) * normal(n, 8), (-0.7, 0.3, 1.2))
        rate = np.exp(0.7 + 0.3 * lonely + 0.5 * visits_trait + 0.01 * (age - 55))
        visits = stats.nbinom.ppf(rng.random(n), 2.0, 2.0 / (2.0 + rate))
        before = {"groups": groups}
        columns[f"Q4_belong_{wave}"] = cut(belonging, (-1.0, -0.1, 0.9))
        labels[f"Q4_belong_{wave}"] = f"Sense of belonging to the local community ({wave})"
        words[f"Q4_belong_{wave}"] = STRENGTH
        for k, wording in enumerate(WORDING, start=1):
            columns[f"Q5_{k}_{wave}"] = answers[:, k - 1]
            labels[f"Q5_{k}_{wave}"] = f"{wording} ({wave})"
            words[f"Q5_{k}_{wave}"] = HOW_OFTEN | MISSING
        for k, group in enumerate(GROUPS, start=1):
            columns[f"Q6_{k}_{wave}"] = ticked[:, k - 1]
            labels[f"Q6_{k}_{wave}"] = f"Member of: {group} ({wave})"
            words[f"Q6_{k}_{wave}"] = {0.0: "Not ticked", 1.0: "Ticked"}
        columns[f"Q7_gp_{wave}"] = visits
        labels[f"Q7_gp_{wave}"] = f"Appointments in the last three months ({wave})"
        words[f"Q7_gp_{wave}"] = dict(MISSING)
    return pd.DataFrame(lose(columns, rng)), labels, words


def lose(columns: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return columns of which some answers are codes, and all of T1 empty for who did not come back."""
    gone = rng.random(PATIENTS) < 0.12
    for name, values in columns.items():
        lost = rng.random(PATIENTS)
        if name.startswith("Q5_"):
            values[lost < 0.015] = UNANSWERED
            values[lost > 0.99] = REFUSED
        if name.startswith("Q7_"):
            values[lost < 0.02] = UNANSWERED
        if name.endswith("_T1"):
            values[gone] = np.nan
    return columns


def write() -> None:
    """Write the SPSS file and the same as CSV."""
    frame, labels, words = make()
    declared = {name: [UNANSWERED, REFUSED] for name in frame if MISSING.items() <= words.get(name, {}).items()}
    pyreadstat.write_sav(
        frame, str(FOLDER / "survey.sav"), file_label="Invented answers, two waves", column_labels=labels,
        variable_value_labels=words, missing_ranges=declared, variable_format=dict.fromkeys(frame, "F8.0"),
        row_compress=True,
    )  # fmt: skip
    whole = frame.astype("Int64")
    (FOLDER / "survey.csv").write_text(whole.to_csv(index=False, lineterminator="\n"), encoding="utf-8")


if __name__ == "__main__":
    write()
