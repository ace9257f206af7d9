"""The benchmarks run, and print and write what they promise."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import reading
from benchmarks.figure import Figure, figure, ratio, repeat
from benchmarks.growth import growth_exponent, upper_sizes
from benchmarks.process import MeasurementError, environment, seconds_of
from benchmarks.table import number, section_text
from benchmarks.whole_fit import split_stages

ROOT = Path(__file__).parents[1]
CHEAP = {"startup": 4, "reconstruction": 1}  # section: measurements, without the ratios
MACHINE = ("date", "cpu", "cores", "memory_gb", "python", "numpy", "pymc", "nutpie", "numba", "pytensor", "arviz")


def measured(folder: Path, *sections: str) -> tuple[str, list[dict[str, str]]]:
    """Return what quick sections print, and the rows that they write."""
    out = folder / "figures.csv"
    only = [argument for name in sections for argument in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *only, "--out", str(out)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    with out.open(encoding="utf-8", newline="") as file:
        return done.stdout, list(csv.DictReader(file))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("benchmarks"), *CHEAP)


@pytest.mark.slow
def test_the_csv_has_every_section_that_was_asked_for(quick):
    """Each section writes its measurements beside its ratios."""
    found = dict.fromkeys(CHEAP, 0)
    for row in quick[1]:
        found[row["section"]] += row["unit"] != "ratio"
    assert found == CHEAP


@pytest.mark.slow
def test_every_number_is_positive_and_within_its_range(quick):
    """No time, no ratio and no limit of a range is zero, negative or missing where it was repeated."""
    for row in quick[1]:
        value = float(row["value"])
        assert math.isfinite(value)
        assert value > 0
        assert int(row["repeats"]) >= 3
        assert 0 < float(row["low"]) <= value <= float(row["high"])


@pytest.mark.slow
def test_the_csv_has_ratios_that_say_what_is_compared_with_what(quick):
    """A ratio is worth more than a time of a machine that nobody else has."""
    names = [row["figure"] for row in quick[1] if row["unit"] == "ratio"]
    assert len(names) == 2
    assert all(" / " in name for name in names)


@pytest.mark.slow
def test_the_bootstrap_is_compared_with_a_loop_in_both_kinds_of_equation(tmp_path):
    """Least squares and counts, each with its time, the loop's and their ratio."""
    _, rows = measured(tmp_path, "bootstrap")
    assert sorted(row["unit"] for row in rows) == ["ratio"] * 2 + ["s"] * 4
    assert all(float(row["value"]) > 0 for row in rows)


@pytest.mark.slow
def test_every_row_names_the_machine_the_date_and_the_versions(quick):
    """Rows of several machines can be put into one table."""
    for row in quick[1]:
        assert all(row[name] for name in MACHINE)
        assert (row["mode"], row["blas_threads"]) == ("quick", "1")


@pytest.mark.slow
def test_the_printed_table_holds_every_figure_of_the_csv(quick):
    """What is printed and what is written are the same figures."""
    printed, rows = quick
    assert "OPENBLAS_NUM_THREADS=1" in printed
    for row in rows:
        line = next(line for line in printed.splitlines() if line.startswith(f"{row['figure']}  "))
        assert number(float(row["value"])) in line


def test_figures_are_medians_with_their_range():
    """One slow repeat does not move a figure."""
    assert figure("wait", [1.0, 9.0, 2.0]) == Figure("wait", 2.0, "s", 1.0, 9.0, 3)


def test_a_ratio_has_the_range_that_both_sides_allow():
    """The smallest ratio sets the fastest above against the slowest below."""
    found = ratio("a / b", figure("a", [4.0, 6.0, 8.0]), figure("b", [1.0, 2.0, 4.0]))
    assert (found.value, found.low, found.high) == (3.0, 1.0, 8.0)


@pytest.mark.parametrize(("seconds", "times"), [(0.1, 3), (7.0, 1)])
def test_short_measurements_are_repeated_and_long_ones_are_not(seconds, times):
    """The limit keeps a run of all sections within reason."""
    assert repeat(lambda: seconds) == [seconds] * times


def test_stages_of_a_fit_add_up_to_the_whole_process():
    """Nothing is counted twice, and what no stage recorded is shown too."""
    recorded = {"compiling": 2.0, "sampling": 1.0, "fit": 3.5, "comparison": 0.5}
    stages = split_stages(recorded, 10.0)
    assert stages["rest of the fit"] == 0.5
    assert stages["imports, start and saving"] == 6.0
    assert sum(value for name, value in stages.items() if name != "total") == stages["total"] == 10.0


def test_growth_in_proportion_has_the_exponent_one():
    """The slope of log time on log n is the power of n that time grows with."""
    assert growth_exponent([10, 100, 1000], [0.2, 2.0, 20.0]) == pytest.approx(1.0)
    assert growth_exponent([10, 100], [1.0, 100.0]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("sizes", "upper"), [([178, 400], [178, 400]), ([1, 2, 3], [2, 3]), ([5, 1, 4, 2, 3], [3, 4, 5])]
)
def test_the_exponent_is_taken_over_the_upper_half_of_the_sizes(sizes, upper):
    """Fixed costs hide the growth among the small ones."""
    assert upper_sizes(sizes) == upper


def test_children_have_one_blas_thread_and_the_cache_they_are_given(tmp_path, monkeypatch):
    """Two threads on a busy machine make times that nobody can repeat."""
    monkeypatch.setenv("PYTENSOR_FLAGS", "floatX=float64")
    found = environment(tmp_path)
    assert found["OPENBLAS_NUM_THREADS"] == "1"
    assert found["PYTENSOR_FLAGS"] == f"floatX=float64,base_compiledir={tmp_path}"
    assert os.environ["PYTENSOR_FLAGS"] == "floatX=float64"


def test_a_child_that_fails_is_not_a_measurement():
    """The time of a command that broke down says nothing."""
    with pytest.raises(MeasurementError, match="status 1: ValueError: no"):
        seconds_of(["-c", "raise ValueError('no')"])


def test_a_missing_value_is_printed_as_none():
    """A size at which a method failed keeps its line, with the reason."""
    failed = Figure("n = 10: fit", math.nan, "s", math.nan, math.nan, note="failed: no mode")
    assert "none s" in section_text("Growth", [failed])


def test_a_file_is_read_in_three_ways():
    """By the library alone, whole, and for a specification; with the memory of the process."""
    found = reading.measure(200, ".csv", repeats=2)
    assert {name: len(values) for name, values in found.items()} == {
        "bare": 2,
        "whole": 2,
        "checked": 2,
        "megabytes": 1,
    }
    assert min(min(values) for values in found.values()) > 0


@pytest.mark.slow
def test_operating_characteristics_run_as_a_command_and_go_on(tmp_path):
    """Studies are simulated in worker processes; what a first run made is not made again."""
    command = [sys.executable, "-m", "benchmarks.operating", "--workers", "2", "--out", str(tmp_path)]
    made = ""
    for repeats in ("1", "2"):
        done = subprocess.run([*command, "--repeats", repeats], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        before, made = made, (tmp_path / "studies.csv").read_text(encoding="utf-8")
        assert made.startswith(before)
        with (tmp_path / "operating.csv").open(encoding="utf-8", newline="") as file:
            assert {row["studies"] for row in csv.DictReader(file)} == {repeats}
