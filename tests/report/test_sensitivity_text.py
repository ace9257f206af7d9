"""The text of sensitivity says what the tables say, and is read without stumbling."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from sensitivities import analysed, linear, unlucky

from bayes_sp.names import ATTRITION, CONFOUNDING, KAPPA, PARTS, PRIORS
from bayes_sp.report.text.layout import aligned
from bayes_sp.report.text.sensitivity import NAMES, TITLES, effect_name, section, sensitivity_text
from bayes_sp.sensitivity.conclusion import ANALYSES
from bayes_sp.sensitivity.target import estimate_of
from bayes_sp.shown import WIDTH

SERIAL = "walks -> mood -> sleep -> visits"
NUMBER = r"-?\d+\.\d+"
FORBIDDEN = ("significan", "p-value", "p value", "p <", "confidence", "reject", "null hypothesis", "nan")
VARIANTS = [
    {},
    {"mediators": 2, "published": True, "reconstructed": True, "absent": 60},
    {"missing": 40, "keys": 2},
    {"absent": 60, "keys": 0},
    pytest.param({"outcome": "normal", "absent": 60, "keys": 3}, marks=pytest.mark.slow),
]


def flowing(text: str) -> str:
    """Return a text as one line, so that a sentence is found wherever its lines break."""
    return " ".join(text.split())


def row_of(text: str, start: str) -> list[float]:
    """Return the numbers behind the first line that starts so."""
    line = next(line for line in text.splitlines() if line.strip().startswith(start))
    return [float(found) for found in re.findall(NUMBER, line.strip().removeprefix(start))]


def near(estimate) -> object:
    return pytest.approx([estimate.median, estimate.lower, estimate.upper], abs=0.00051)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_text_fits_the_page_and_speaks_plainly(variant):
    """No line above 120, none ends in blanks, no word of tests of hypotheses, no number that is none."""
    text = sensitivity_text(analysed(**variant))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert [word for word in FORBIDDEN if re.search(rf"\b{re.escape(word)}", text.lower())] == []
    assert text.endswith(".\n")
    assert ".." not in text
    assert "None" not in text


def test_every_part_has_its_words_and_its_section():
    """None is left without a title, a name in sentences, or anything to say."""
    for words, place in ((ANALYSES, "ANALYSES of sensitivity/conclusion.py"), (TITLES, "TITLES of report/text"),
                         (NAMES, "NAMES of report/text")):  # fmt: skip
        assert set(words) == set(PARTS), f"{place} has other parts than PARTS of names.py"
    everything = analysed(absent=60)
    assert not [part for part in PARTS if not any(section(everything, part))], "a section in report/text/sensitivity.py"


def test_the_sections_are_numbered_as_they_were_asked_for():
    """Each part, what they say together, what they assume."""
    text = sensitivity_text(analysed((PRIORS, ATTRITION), absent=60))
    assert re.findall(r"^\d\. .*", text, flags=re.MULTILINE) == [
        "1. Other priors",
        "2. Patients who did not come back",
        "3. What keeps the sign of the effect, and what does not",
        "4. What all of this assumes",
    ]


def test_records_are_called_what_they_are():
    """Reconstructed ones are marked and explained; a user's own survey is not called so."""
    made = sensitivity_text(analysed(mediators=2, published=True, reconstructed=True, absent=60))
    own = sensitivity_text(analysed())
    assert "200 records reconstructed from published moments (seed 1)" in made
    assert "no real patient stands behind a row" in flowing(made)
    assert own.splitlines()[1] == "Data: 200 records from clinic.csv."
    for word in ("reconstruct", "real patient", "article", "Table 2", "belonging", "appointments", "published"):
        assert word not in own.lower()


def test_the_effect_in_question_is_the_fits_own():
    """Its mean and interval, the contrast, the unit, and what was published."""
    found = analysed(mediators=2, published=True, reconstructed=True, absent=60)
    text = flowing(sensitivity_text(found))
    assert "serial: Mood, then Hours of sleep, difference of" in text
    head = text.partition("The effect in question")[2].partition("published")[0]
    assert [float(n) for n in re.findall(NUMBER, head)] == near(found.base)
    assert "visits a year for 2 against 0; published -0.2 [-0.4, -0.01]." in text
    assert effect_name(found) == "serial"
    assert effect_name(analysed()) == "via Mood"


def test_power_scaling_and_named_priors_say_their_numbers():
    """Every row's mean and interval are the tables'."""
    found = analysed()
    text = sensitivity_text(found)
    for block in ("slope", "phi", "all priors"):
        numbers = row_of(text, f"{block} ")
        assert numbers[:3] == near(found.power.estimate(found.target, block, 0.5))
        assert numbers[3:6] == near(found.power.estimate(found.target, block, 2.0))
    named = text.partition("Fitted again under named priors")[2]
    for case in ("sceptical", "primary", "wide", "flat"):
        assert row_of(named, case) == near(found.grid.estimate(case))
    assert row_of(named, "primary") == near(found.base)


def test_the_crossed_priors_are_the_arrays_means():
    """Each cell of the matrix; the count of intervals on one side; the range."""
    found = analysed(mediators=2, missing=40, keys=2)
    text = sensitivity_text(found).partition("crossed with intercept.sigma")[2]
    at = found.grid.crossed.sel(path=SERIAL, scale="difference")
    for sigma in (0.25, 0.5, 1.0):
        assert row_of(text, f"{sigma:g} ") == pytest.approx(
            at["median"].sel({"slope.sigma": sigma}).to_numpy(), abs=6e-4
        )
    excluded = int(((at["upper"] < 0) | (at["lower"] > 0)).sum())
    assert f"The interval excludes 0 in {excluded} of 6 fits" in flowing(text)
    low, high = at["median"].min(), at["median"].max()
    assert f"posterior medians run from {float(low):.3f} to {float(high):.3f}" in flowing(text)


@pytest.mark.parametrize(("keys", "words"), [(0, ""), (1, "with slope.sigma"), (3, "crossed with sigma.sigma")])
def test_grids_of_other_shapes_are_told(keys, words):
    """No crossing has no heading; one and three keys have no matrix, but their count and range."""
    text = sensitivity_text(analysed((PRIORS,), keys=keys))
    assert ("Fitted again with" in text) == bool(keys)
    assert words in text
    assert "\\" not in text
    fits = {0: 0, 1: 3, 3: 12}[keys]
    assert (f"of {fits} fits" in text) == bool(keys)


def test_a_cell_that_failed_says_so():
    """In the matrix, in the count, and below the named priors with its reason."""
    found = analysed((PRIORS,), keys=2, failing=unlucky)
    text = sensitivity_text(found)
    assert text.partition("crossed with")[2].count("failed") == 2
    assert "of 4 fits" in flowing(text)
    doubtful = sensitivity_text(analysed((PRIORS,), keys=2, doubtful=unlucky))
    assert len(re.findall(r"-\d+\.\d{3}\)?\*", doubtful)) == 2
    assert "2 failed the diagnostics, marked *" in flowing(doubtful)
    named = sensitivity_text(analysed((PRIORS,), keys=0, failing=unlucky))
    assert re.search(r"sceptical +not fitted", named)
    assert "sceptical failed: it could not be fitted." in flowing(named)


def test_kappa_says_the_range_of_every_path():
    """Means and limits are the band's; where nothing depends on kappa that is said."""
    found = analysed(mediators=2, published=True, reconstructed=True, absent=60)
    text = sensitivity_text(found).partition(". Kappa")[2]
    band = found.kappa.band
    row = band[(band["path"] == SERIAL) & (band["scale"] == "difference") & (band["decomposition"] == "average")]
    expected = row[["lowest_median", "highest_median", "lower", "upper"]].to_numpy().ravel()
    assert row_of(text, "serial: Mood, then Hours of sleep") == pytest.approx(expected, abs=6e-4)
    assert "moves nothing" not in flowing(text)
    alone = sensitivity_text(analysed((KAPPA,)))
    assert "Here it moves nothing at all" in flowing(alone)
    assert (
        "Kappa, how alike a mediator's unexplained part is at both exposures: the sign holds at 95 % in its only case."
        in flowing(alone)
    )


def test_confounding_says_multiples_and_e_values():
    """The multiple in the sentence is the table's, starred there; the E-values are their table's."""
    found = analysed((CONFOUNDING,))
    text = sensitivity_text(found)
    strongest = found.confounding.multiples.query("refitted > 0").iloc[0]
    assert found.confounding.sentence() in flowing(text)
    shown = f"> {strongest['most']:.1f}" if np.isnan(strongest["multiple"]) else f"{strongest['multiple']:.1f}*"
    assert shown in text
    surface = next(iter(found.confounding.surfaces.values())).sel(path=found.target.path, scale="difference")
    fitted = surface["fitted"]
    excluded = int((((surface["upper"] < 0) | (surface["lower"] > 0)) & fitted).sum())
    assert f"the interval excludes 0 in {excluded} of {int(fitted.sum())} fits" in flowing(text)
    table = found.e_values.table.set_index("path")
    numbers = row_of(text.partition("E-values")[2], "via Mood")
    row = table.loc[found.target.path]
    assert numbers == pytest.approx([*row[["median", "lower", "upper", "e_value", "e_value_limit"]]], abs=6e-3)


def test_an_outcome_without_ratios_has_no_e_values():
    """The text says so instead of an empty table."""
    text = sensitivity_text(analysed((CONFOUNDING,), outcome="normal"))
    assert "there are no E-values" in text


def test_attrition_says_each_population():
    """Those who came back, those who did not, everyone, each as in its table."""
    found = analysed((ATTRITION,), absent=60)
    text = sensitivity_text(found)
    table = found.attrition.standardised
    for population, words in (("responders", "those who came back"), ("nonresponders", "those who did not"),
                              ("all", "everyone")):  # fmt: skip
        own = estimate_of(table[table["population"] == population], found.target)
        assert row_of(text, words) == near(own)
    assert row_of(text, "those who came back") == near(found.base)
    for tip in found.attrition.tipping:
        assert flowing(tip.sentence)[1:] in flowing(text)


def test_under_an_identity_link_levels_do_nothing():
    """The normal outcome: every level keeps the interval where it is, and the text says why."""
    found = linear((ATTRITION,))
    text = flowing(sensitivity_text(found))
    assert "under an identity link without interactions a level changes no difference" in text
    levels = [name for name in found.attrition.curves["shifted"].to_numpy() if str(name).startswith("level")]
    at = found.attrition.curves.sel(shifted=levels, path=found.target.path, scale="difference", population="all")
    assert float(np.ptp(at["median"].to_numpy())) < 1e-12


def test_shifts_of_missing_rows_say_their_numbers():
    """A row for each finding, with its estimate."""
    found = analysed((ATTRITION,), missing=40)
    text = sensitivity_text(found)
    own = text.partition("1. Patients who did not come back")[2].partition("\n2.")[0]
    for finding in found.delta.findings():
        estimate = finding.estimate
        assert f"{estimate.median:.3f} [{estimate.lower:.3f}, {estimate.upper:.3f}]" in own
    for tip in found.delta.tipping:
        assert flowing(tip.sentence)[1:] in flowing(own)


def test_what_cannot_be_made_is_told_in_its_place():
    """``Not done``, which analysis, and why, in the part's own section."""
    text = sensitivity_text(analysed())
    last = PARTS.index("attrition") + 1
    own = text.partition(f"{last}. Patients who did not come back")[2].partition(f"\n{last + 1}.")[0]
    assert flowing(own).startswith("Not done, attrition: nothing is known of patients who did not come back")
    assert "--nonresponders FILE" in flowing(own)


def test_the_conclusion_counts_the_findings():
    """The quotable sentence has as many cases as can be used."""
    found = analysed(mediators=2, published=True, reconstructed=True, absent=60)
    text = flowing(sensitivity_text(found))
    counted = re.search(r"keeps its sign at 95 % in (\d+) of (\d+) cases", text)
    if not found.base.sign():  # of other records
        assert counted is None
        return
    kept, total = map(int, counted.groups())
    usable = [finding.estimate for finding in found.findings() if finding.estimate and finding.estimate.trustworthy]
    signs = [estimate.sign() for estimate in usable]
    undecided = re.search(r"is undecided within Monte Carlo error in (\d+)", text)
    most = kept + (int(undecided[1]) if undecided else 0)
    assert total == len(signs)
    assert kept <= signs.count(found.base.sign()) <= most
    assert "no probability" in text


def test_a_fit_that_cannot_be_trusted_says_so_first():
    """Before any number."""
    found = analysed((KAPPA,))
    verdict = replace(found.verdict, trustworthy=False, reasons=("3 divergent transitions",))
    assert sensitivity_text(replace(found, verdict=verdict)).startswith("DO NOT USE THESE RESULTS: 3 divergent")


def test_a_wide_table_is_folded_and_loses_no_cell():
    """Columns that do not fit stand below each other, each block with the first column; a narrow one stays."""
    rows = [["", *(f"column {i}" for i in range(20))], ["a long name " * 9, *(f"{i}.5" for i in range(20))]]
    lines = aligned(rows, "l" + "r" * 20)
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    assert all(f" {i}.5" in text and f"column {i}" in text for i in range(20))
    assert text.count("a long name") >= 18
    assert aligned([["a", "1"], ["bb", "2"]], "lr") == ["   a   1", "   bb  2"]
