"""An ensemble of reconstructions: which records stand for those that nobody has, drawn from a stated distribution."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_sp.errors import SurveyError
from bayes_sp.records.published.count_shapes import COUNT_SHAPES, EXTREME_SHAPES, SHAPE_WORDS
from bayes_sp.records.published.reconstruct import Reconstruction, of_the_study
from bayes_sp.records.sets import Sets, sets_of
from bayes_sp.records.survey import RECONSTRUCTED
from bayes_sp.threads import shared

MEMBERS = 20


@dataclass(frozen=True)
class Member:
    """One reconstruction of an ensemble."""

    seed: int  # of its margins and of their arrangement
    shape: str  # of the counts' margins, a key of ``COUNT_SHAPES`` or ``EXTREME_SHAPES``

    def records(self) -> Reconstruction:
        """Return its records; see `bayes_sp.reconstruct`."""
        return of_the_study(self.seed, self.shape)

    def __str__(self) -> str:
        return f"seed {self.seed}, {SHAPE_WORDS[self.shape]}"


def members(count: int = MEMBERS, first: int = 1) -> tuple[Member, ...]:
    """Return the members of an ensemble: seeds in order, and each shape of the counts as often as the others.

    The first is ``reconstruct(seed=first)``. By its seed each draws, beside the arrangement, what the moments leave
    open: the shares of people who never come or come very often, the shares of education and relationship, and how even
    the answers about belonging are.
    """
    shapes = tuple(COUNT_SHAPES)
    return tuple(Member(first + k, shapes[k % len(shapes)]) for k in range(count))


def extremes(seed: int = 1) -> tuple[Member, ...]:
    """Return one member of each shape at the edge of what the moments allow: bounds, not part of any ensemble."""
    return tuple(Member(seed, shape) for shape in EXTREME_SHAPES)


def ensemble(count: int = MEMBERS, first: int = 1) -> Sets:
    """Return the records of an ensemble's members as one survey, with those of the extreme shapes beside them.

    Raises SurveyError for a count that is no whole number of at least 1.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise SurveyError("members", [f"must be a whole number of at least 1, found {count!r}"])
    chosen, edges = members(count, first), extremes(first)
    records = shared(Member.records, [*chosen, *edges])
    return sets_of(
        records[: len(chosen)],
        f"{RECONSTRUCTED} ({count} sets, seeds {first} to {first + count - 1})",
        [str(member) for member in chosen],
        list(zip(map(str, edges), records[len(chosen) :], strict=True)),
        distribution_words(),
    )


def distribution_words() -> str:
    """Return the distribution that members are drawn from, in one sentence."""
    shapes = "; ".join(SHAPE_WORDS[shape] for shape in COUNT_SHAPES)
    return (
        f"Members differ in seed and in the shape of the appointments' margins, each as often as the others: {shapes}. "
        "The shares of education (each at least 12%), of patients in a relationship (35% to 65%) and of the four "
        "answers about belonging are drawn anew for each."
    )
