"""Means and SDs of whole-number scores: hand-worked cases, every small case, and another program's answers."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest

from bayes_sp.records.published.audit import granular
from bayes_sp.records.published.audit.granular import Grid
from bayes_sp.records.published.study.figures import Figure

ANSWERS = json.loads(Path(__file__).with_name("scrutipy_answers.json").read_text(encoding="utf-8"))
WHOLE = Grid(Fraction(1))


@pytest.mark.parametrize(
    ("mean", "n", "found"),
    [
        ("5.19", 28, []),  # Brown & Heathers's example: 145 / 28 = 5.18, 146 / 28 = 5.21
        ("5.18", 28, [145]),
        ("2.5", 2, [5]),
        ("0.5", 16, [8]),
        ("0.3", 4, [1]),  # 0.25 rounds to 0.3 half up
        ("0.2", 4, [1]),  # and to 0.2 half to even
    ],
)
def test_totals_that_round_to_a_mean(mean: str, n: int, found: list[int]):
    """Both ends of the interval belong to it."""
    assert list(granular.totals(Figure(mean), n, WHOLE)) == found


def test_items_and_an_origin_make_the_grid_finer_and_move_it():
    """The mean of 10 scores that are means of 4 items moves in steps of 1/40; scores 1, 3, 5 have means 1 + 2k/n."""
    assert not granular.totals(Figure("3.26"), 10, WHOLE)
    assert list(granular.totals(Figure("3.25"), 10, Grid(Fraction(1, 4)))) == [130]
    odd = Grid(Fraction(2), Fraction(1), bounded_below=True, steps=2)
    assert list(granular.totals(Figure("1.67"), 3, odd)) == [1]
    assert not granular.totals(Figure("2.00"), 3, odd)


def test_every_small_sample_agrees_with_enumeration():
    """Of all samples of 5 scores from 1 to 4: which pairs of mean and SD, both with two decimals, exist."""
    grid = Grid(Fraction(1), Fraction(1), bounded_below=True, steps=3)
    samples = [np.array(scores) for scores in combinations_with_replacement(range(1, 5), 5)]
    real = {(f"{x.mean():.2f}", f"{x.std(ddof=1):.2f}") for x in samples}
    means = {mean for mean, _ in real}
    for hundredths in range(100, 401):
        mean = f"{hundredths / 100:.2f}"
        assert bool(granular.totals(Figure(mean), 5, grid)) == (mean in means)
    claimed = {
        (mean, f"{sd / 100:.2f}")
        for mean in means
        for sd in range(180)
        if list(granular.grimmer(Figure(mean), Figure(f"{sd / 100:.2f}"), 5, grid))
    }
    assert real <= claimed
    assert len(claimed - real) == 4  # sums of squares between the ends, of the right parity, that no five scores have
    for mean in means:
        low, high = granular.sd_bounds(Figure(mean), 5, grid)
        sds = [x.std(ddof=1) for x in samples if f"{x.mean():.2f}" == mean]
        np.testing.assert_allclose([low, high], [min(sds), max(sds)], atol=1e-12)


def test_debit_by_hand():
    """27 of 29 yes: share .93, SD sqrt(27 x 2 / (29 x 28)) = .2579."""
    low, high = granular.debit(Figure("0.93"), 29)
    assert low == pytest.approx(high) == pytest.approx(0.257881, abs=1e-6)
    with pytest.raises(ValueError, match="no scores"):
        granular.debit(Figure("0.95"), 10)


def test_scrutipy_gives_the_same_answers():
    """GRIM and GRIMMER agree in all 400 cases."""
    for case in ANSWERS:
        if "grim" in case:
            grid = Grid(Fraction(1, case["items"]))
            assert bool(granular.totals(Figure(case["mean"]), case["n"], grid)) == case["grim"], case
        if "grimmer" in case:
            found = list(granular.grimmer(Figure(case["mean"]), Figure(case["sd"]), case["n"], WHOLE))
            assert bool(found) == case["grimmer"], case


def test_debit_is_narrower_than_scrutipys_by_the_whole_numbers():
    """scrutipy takes every share that rounds to the mean, here only whole numbers of patients count."""
    stricter = 0
    for case in (case for case in ANSWERS if "debit" in case):
        n, sd = case["n"], Figure(case["sd"])
        ones = granular.totals(Figure(case["mean"]), n, WHOLE)
        exists = any(sd.low - 1e-9 <= np.sqrt(k * (n - k) / (n * (n - 1))) <= sd.high + 1e-9 for k in ones)
        low, high = granular.debit(Figure(case["mean"]), n)
        assert (low <= sd.high + 1e-9 and high >= sd.low - 1e-9) == exists, case
        assert case["debit"] or not exists, case
        stricter += case["debit"] and not exists
    assert stricter == 5
