"""Numbers in a text have the decimals that their interval deserves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayes_sp.report.text.layout import aligned, interval, size_words
from bayes_sp.shown import decimals_for, page


@pytest.mark.parametrize(
    ("middle", "lower", "upper", "shown"),
    [
        (-71217.133, -83301.25, -59022.9, "-71217 [-83301, -59023]"),
        (431.2584, 400.1, 460.66, "431.26 [400.10, 460.66]"),
        (0.04449, 0.01, 0.0799, "0.044 [0.010, 0.080]"),
        (2.1e-5, -1e-6, 4.5e-5, "0.000021 [-0.000001, 0.000045]"),
    ],
)
def test_an_interval_has_four_or_five_digits_in_any_unit(middle: float, lower: float, upper: float, shown: str) -> None:
    assert size_words(middle, lower, upper) == shown


def test_decimals_never_grow_with_the_width_of_an_interval() -> None:
    widths = [10.0**power * 1.5 for power in range(-14, 10)]
    decimals = [decimals_for(width) for width in widths]
    assert decimals == sorted(decimals, reverse=True)
    assert decimals[-1] == 0
    assert decimals_for(math.inf) == decimals_for(math.nan) == decimals_for(0.0) == 3


def test_a_wide_interval_beside_a_narrow_one_has_few_decimals() -> None:
    """In a table whose narrowest interval deserves five decimals."""
    assert interval({"lower": -0.00031, "upper": 0.00052}, 5) == "[-0.00031, 0.00052]"
    assert interval({"lower": -153.79123, "upper": 184.33456}, 5) == "[-153.79, 184.33]"
    assert interval({"lower": -57.80, "upper": 191.61}, 2) == "[-57.80, 191.61]"


def test_an_interval_without_finite_limits_is_written_without_a_warning() -> None:
    """A ratio over an arm without events has limits that are infinite, both of them."""
    assert interval({"lower": np.float64(np.inf), "upper": np.float64(np.inf)}, 4) == "[infinity, infinity]"
    assert size_words(np.float64(np.inf), np.float64(np.inf), np.float64(np.inf)) == "infinity [infinity, infinity]"


def test_an_interval_stands_beside_its_estimate():
    """Where a table is too wide for the page, it is not divided between a ratio and the ratio's interval."""
    rows = [["", "difference", "95 % interval", "P(< 0)", "risk ratio", "95 % interval"]]
    rows.append(["via Rating of the marriage", "0.016", "[0.003, 0.029]", "0.008", "1.051", "[1.010, 1.099]"])
    with page(80):
        lines = aligned(rows, "lrrrrr")
    assert max(map(len, lines)) <= 80
    assert sum("risk ratio" in line and "95 % interval" in line for line in lines) == 1


def test_limits_that_are_withheld_are_said_in_words() -> None:
    """Where too many resamples have no value, there is no number to print."""
    assert interval({"lower": math.nan, "upper": math.nan}, 3) == "[no limits]"
    assert interval({"lower": math.nan, "upper": 0.25}, 3) == "[no limit, 0.250]"
