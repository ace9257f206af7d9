"""An ensemble's members reproduce the published moments, whatever the shape of their counts."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_sp.records.published.count_shapes import COUNT_SHAPES, EXTREME_SHAPES, SHAPE_WORDS
from bayes_sp.records.published.members import Member, distribution_words, extremes, members
from bayes_sp.records.published.reconstruct import reconstruct


def excess(member: Member) -> float:
    """Return how far the worst of a member's moments is beyond rounding."""
    return float(member.records().report()["excess"].max())


def test_members_differ_in_seed_and_shape() -> None:
    """Shapes take turns, the first member is the default reconstruction, and the words name every shape."""
    found = members(8)
    assert [member.seed for member in found] == list(range(1, 9))
    assert [member.shape for member in found[:4]] == [member.shape for member in found[4:]] == list(COUNT_SHAPES)
    assert found[0].records().digest == reconstruct(1).digest
    assert set(SHAPE_WORDS) == {*COUNT_SHAPES, *EXTREME_SHAPES}
    assert all(SHAPE_WORDS[shape] in distribution_words() for shape in COUNT_SHAPES)


@pytest.mark.parametrize("member", [*members(4), *extremes()], ids=str)
def test_a_member_reproduces_the_moments(member: Member) -> None:
    """Every mean, SD and correlation is within rounding but for the change's own, which no records satisfy."""
    assert excess(member) < 0.001


@pytest.mark.slow
def test_members_of_many_seeds_reproduce_the_moments() -> None:
    """200 of them."""
    assert max(map(excess, members(200))) < 0.001


@pytest.mark.fixed_seed  # members are made with seeds of their own
def test_shapes_are_what_they_are_called() -> None:
    """Zeros and tails of the extremes lie where their names say, and the ensemble between them."""
    counts = {member.shape: member.records().records["appointments_t1"].to_numpy() for member in extremes()}
    zeros = {shape: float(np.mean(values == 0)) for shape, values in counts.items()}
    assert zeros["few_zeros"] < 0.15 < 0.55 < zeros["many_zeros"]
    assert counts["short_tail"].max() < 42 < 60 < counts["very_heavy_users"].max()
    own = [member.records().records["appointments_t1"].to_numpy() for member in members(4)]
    assert all(zeros["few_zeros"] < np.mean(values == 0) < zeros["many_zeros"] for values in own)
