"""Do the article's tests come back from the moments that it prints? Each within the rounding of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from bayes_sp.records.published.article import PublishedStudy
from bayes_sp.records.published.printed import Anova, Printed, TTest
from bayes_sp.records.tables.compare import groups_from_moments, repeated_from_moments


@dataclass(frozen=True)
class ComparedTest:
    """A printed test statistic beside the one that the printed moments give."""

    name: str  # the variable and the kind of test
    # published, p: the statistic and its p as printed.
    published: Printed
    p: Printed
    # found, found_p: from the printed moments.
    found: float
    found_p: float
    # lowest, highest: the statistic over everything that rounds to the printed moments.
    lowest: float
    highest: float

    @property
    def agrees(self) -> bool:
        """Whether something that rounds to the printed moments gives what rounds to the printed statistic."""
        return self.lowest <= self.published.upper and self.highest >= self.published.lower

    @property
    def sentence(self) -> str:
        """What comes back, in a line."""
        came = "comes back" if self.agrees else "does not come back"
        return (
            f"{self.name}: printed {self.published} (p = {self.p}); from the printed moments {self.found:.2f} "
            f"(p = {self.found_p:.3f}), {self.lowest:.2f} to {self.highest:.2f} within their rounding: {came}"
        )


def compared_tests(study: PublishedStudy) -> tuple[ComparedTest, ...]:
    """Compute every analysis of variance of two times and every t test from the moments printed beside it.

    The correlation of the two times is that of Table 2; an analysis of variance rests on its error's degrees of freedom
    plus one patients. Those who came back are the patients of Table 2.
    """
    return (*(_anova(study, test) for test in study.anovas), *(_t_test(study, test) for test in study.t_tests))


def _anova(study: PublishedStudy, test: Anova) -> ComparedTest:
    pair = {f"{test.variable}_t0", f"{test.variable}_t1"}
    r = next(c.r for c in study.correlation_table if {c.row, c.column} == pair)

    def statistic(m0: float, s0: float, m1: float, s1: float, r: float) -> tuple[float, float]:
        found = repeated_from_moments((m0, m1), (s0, s1), r, test.df2 + 1)
        return found.f, found.p

    inputs = (test.mean_t0, test.sd_t0, test.mean_t1, test.sd_t1, r)
    return _compared(f"{test.variable}, T0 against T1: F({test.df1}, {test.df2})", test.f, test.p, statistic, inputs)


def _t_test(study: PublishedStudy, test: TTest) -> ComparedTest:
    def statistic(m1: float, s1: float, m2: float, s2: float) -> tuple[float, float]:
        found = groups_from_moments(test.variable, (study.n, m1, s1), (test.df + 2 - study.n, m2, s2))
        return found.t, found.p

    inputs = (test.mean_responders, test.sd_responders, test.mean_nonresponders, test.sd_nonresponders)
    name = f"{test.variable}, those who did not come back against those who did: t({test.df})"
    return _compared(name, test.t, test.p, statistic, inputs)


def _compared(
    name: str,
    published: Printed,
    p: Printed,
    statistic: Callable[..., tuple[float, float]],
    inputs: tuple[Printed, ...],
) -> ComparedTest:
    """Compare one test; its extremes are at corners of the inputs' rounding, where it is monotone in each."""
    found, found_p = statistic(*(number.value for number in inputs))
    corners = [statistic(*corner)[0] for corner in product(*((number.lower, number.upper) for number in inputs))]
    return ComparedTest(name, published, p, found, found_p, min(corners), max(corners))
