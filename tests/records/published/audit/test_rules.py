"""Every verdict on the published study and on small made ones, worked by hand or by another route."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from clean_studies import clean_study
from scipy import stats
from scipy.optimize import brentq

from bayes_sp.records.published.audit.audit import RULES, audit
from bayes_sp.records.published.audit.finding import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, range_text
from bayes_sp.records.published.audit.rules_change import beyond
from bayes_sp.records.published.audit.rules_coefficients import conflict, possible
from bayes_sp.records.published.audit.rules_comparisons import difference_variance, t_of_groups
from bayes_sp.records.published.audit.rules_tests import p_value
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Moments

TITLE = {"citation": {"title": "made"}}


@pytest.fixture(scope="module")
def published():
    return audit()


def found(result, subject: str, rule: str = ""):
    """Return the findings on a subject."""
    return [f for f in result.findings if f.subject == subject and (not rule or f.rule == rule)]


def only(tables: dict, rule: str):
    """Return the findings of one rule on a made study."""
    return [f for f in audit(TITLE | tables).findings if f.rule == rule]


@pytest.mark.parametrize(
    ("subject", "verdict", "low", "high"),
    [
        # 100 (1063 - 797) / 1063
        ("fewer appointments, in per cent", CONSISTENT, 25.0235, 25.0235),
        # 178 x 5.965 = 1061.8 and 178 x 5.975 = 1063.6; 178 x 4.475 = 796.6 and 178 x 4.485 = 798.3
        ("total of appointments_t0", CONSISTENT, 1062, 1063),
        ("total of appointments_t1", CONSISTENT, 797, 798),
        # n d^2 / (s0^2 + s1^2 - 2 r s0 s1): 177 x 1.48^2 / 42.606 and 178 x 1.50^2 / 41.154
        ("F: appointments, T0 against T1", CONSISTENT, 9.0998, 9.7319),
        # .05 per cent of F df1 / (F df1 + df2): 5.335 / 182.335 and 5.345 / 182.345
        ("partial eta squared: groups, T0 against T1", CONSISTENT, 0.029259, 0.029313),
        ("patients for power 0.80: repeated-measures analysis of variance", CONSISTENT, 48, 49),
        # 9.135 / 185.135 and 9.145 / 185.145
        ("partial eta squared of repeated-measures analysis of variance", INCONSISTENT, 0.049342, 0.049394),
        ("list of kinds of group", INCONSISTENT, 9, 9),
        # -cos(arccos .535 + arccos .695)
        ("r(groups_t0, groups_t1)", INCONSISTENT, 0.235632, None),
        ("mean of appointments_t0 beside the test", INCONSISTENT, 5.965, 5.975),
        ("SD of appointments_t0 beside the test", INCONSISTENT, 8.105, 8.115),
        ("SD of appointments_t1 beside the test", INCONSISTENT, 8.315, 8.325),
        ("mean of appointments_t1 beside the test", CONSISTENT, 4.475, 4.485),
        # .37 to .39 over sqrt(2.0605 (1/178 + 1/452)), SDs at their ends
        ("t: groups at T0, responders against non-responders", CONSISTENT, 2.9029, 3.0811),
        ("p: groups, T0 against T1", CONSISTENT, 0.021933, 0.022057),
        # 178 x 55.75 + 452 x 51.56 = 33228.6; / 630 = 52.7438
        ("mean: age at T0", CONSISTENT, None, None),
        ("SD: age at T0", CONSISTENT, None, None),
        ("SD of group_change", CONSISTENT, 2.1450, 2.1711),
    ],
)  # fmt: skip
def test_verdicts_on_the_published_study(published, subject, verdict, low, high):
    """Each by hand, from the printed numbers alone."""
    (one,) = found(published, subject)
    assert one.verdict == verdict
    for end, expected in ((one.low, low), (one.high, high)):
        assert expected is None or end == pytest.approx(expected, rel=2e-4)


def test_the_two_routes_to_the_test_of_groups(published):
    """178 x .31^2 / 4.714 to 178 x .33^2 / 4.601 from the parts; 178 x .325^2 / 2.155^2 to .335^2 / 2.145^2."""
    parts, change = found(published, "F: groups, T0 against T1")
    np.testing.assert_allclose([parts.low, parts.high], [3.6288, 4.2127], rtol=2e-4)
    np.testing.assert_allclose([change.low, change.high], [4.0484, 4.3416], rtol=2e-4)
    assert {parts.verdict, change.verdict} == {INCONSISTENT}
    assert stats.f.sf(4.34, 1, 177) > 0.038  # not the printed .022


def test_six_marks_do_not_follow(published):
    """Two-sided p of r with n = 178, by SciPy, at both ends of the rounding."""
    wrong = {f.subject for f in published.findings if f.rule == "significance mark" and f.verdict == INCONSISTENT}
    by_hand = set()
    (table,) = published.study.tables
    for item in table.correlations:
        ends = [stats.t.sf(abs(r) * math.sqrt(176 / (1 - r * r)), 176) * 2 for r in (item.r.low, item.r.high)]
        if item.r.low <= 0 <= item.r.high:
            ends.append(1.0)
        below = {"***": (0, 0.001), "**": (0.001, 0.01), "*": (0.01, 0.05), "†": (0.05, 0.1), "": (0.1, 1.1)}[item.mark]
        if max(ends) < below[0] or min(ends) >= below[1]:
            by_hand.add(f"mark of r({item.row}, {item.column})")
    assert wrong == by_hand
    assert len(wrong) == 6
    assert {"mark of r(loneliness_t1, belonging_t1)", "mark of r(relationship, loneliness_t0)"} <= wrong


def test_three_correlations_of_the_change_are_beyond_rounding(published):
    """The least widening of all three is found again by a root search on the sum of angles."""

    def missing(extra: float) -> float:
        return math.acos(0.535 + extra) + math.acos(0.695 + extra) + math.acos(0.235 + extra) - math.pi

    least = brentq(missing, 0, 0.01)
    assert beyond((Figure("-0.53"), Figure("0.69"), Figure("0.23"))) == pytest.approx(least, abs=1e-9)
    # On the first two alone, as the third stays within its rounding.
    assert brentq(lambda e: math.acos(0.535 + e) + math.acos(0.695 + e) + math.acos(0.235) - math.pi, 0, 0.01) < 3e-4


def test_a_p_value_that_its_t_does_not_give(published):
    """t = -.43 has p of .66 to .67 for every plausible df, not .68: the direct effect, and t and p alone contradict."""
    (one,) = found(published, "group_change -> appointments_t1 (model 6)")
    assert one.verdict == INCONSISTENT
    assert "t -0.43, p 0.68" in one.detail
    assert all(2 * stats.t.sf(0.425, df) < 0.675 - 1e-3 for df in range(83, 169))


def test_what_cannot_be_checked_says_why(published):
    """A total with unprinted parts, a product with unprinted coefficients, a mean that GRIM cannot refuse."""
    (total,) = found(published, "sum: total (model 6)")
    assert total.verdict == NOT_CHECKABLE
    assert "0.035 to 0.065" in total.detail  # -.07 +- .005 less (-.08 -.04) +- .01
    (product_4,) = found(published, "product: group_change -> loneliness_t1 -> appointments_t1 (model 4)")
    assert (product_4.verdict, product_4.printed) == (NOT_CHECKABLE, "-003")
    (grim,) = found(published, "mean of groups_t0", "GRIM")
    assert grim.verdict == NOT_CHECKABLE


def test_estimates_as_narrow_as_what_is_printed_of_them(published):
    """.09 (SE .04, t 2.61): .035 <= SE <= .045 leaves .0912 to .094 with t from 2.605 to 2.615 and the limits."""
    (one,) = found(published, "belonging_t1 ~ group_change")
    corners = possible(Figure("0.09"), Figure("0.04"), {"t": Figure("2.61")}, (160, 160))
    np.testing.assert_allclose([min(y for _, y in corners), max(x for x, _ in corners)], [0.035, 0.095], atol=1e-6)
    assert 0.0911 < one.low < one.high < 0.0941
    (serial,) = found(published, "product: group_change -> belonging_t1 -> loneliness_t1 -> appointments_t1 (model 6)")
    assert serial.verdict == CONSISTENT
    assert -0.0423 < serial.low < serial.high < -0.0363  # corners of .085-.095, .305-.315, 1.405-1.415


def test_conflicts_are_smallest():
    """The t alone contradicts estimate and SE; of p and interval only one does."""
    estimate, se = Figure("0.50"), Figure("0.10")
    assert conflict(estimate, se, {"t": Figure("6.00"), "p": Figure("<0.001")}, (100, 100)) == ("se", "t")
    others = {"lower": Figure("0.30"), "upper": Figure("0.90")}
    assert conflict(estimate, None, others, (100, 100)) == ("lower", "upper")


def test_variance_of_a_difference_is_exact():
    """A fine grid of SDs and correlations reaches both ends and goes beyond neither."""
    for first, second, r in (
        ((1, 2), (1.2, 1.6), (0.2, 0.9)),
        ((0.5, 0.6), (2, 3), (-0.4, 0.1)),
        ((1, 2), (1, 2), (0.9, 1)),
    ):
        low, high = difference_variance(first, second, r)
        axes = [np.linspace(*ends, 41) for ends in (first, second, r)]
        s1, s2, rho = np.meshgrid(*axes)
        values = s1**2 + s2**2 - 2 * rho * s1 * s2
        assert low - 1e-12 <= values.min() <= low + 0.01
        assert values.max() == pytest.approx(high)


@pytest.mark.parametrize("welch", [False, True])
def test_t_of_two_groups_is_that_of_records(welch: bool):
    """Records -> SciPy's t; the printed moments -> a narrow range that holds it."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(3, 1, 25), rng.normal(3.8, 2, 40)
    first, second = (Moments("", len(x), Figure(f"{x.mean():.4f}"), Figure(f"{x.std(ddof=1):.4f}")) for x in (a, b))
    (low, high), (d_low, d_high) = t_of_groups(first, second, 25, 40, welch=welch)
    t = abs(stats.ttest_ind(a, b, equal_var=not welch).statistic)
    assert low <= t <= high
    assert high - low < 0.01
    spread = math.sqrt((24 * a.var(ddof=1) + 39 * b.var(ddof=1)) / 63)
    assert d_low <= abs(a.mean() - b.mean()) / spread <= d_high


@pytest.mark.parametrize(("kind", "statistic", "df", "p"), [
    ("t", 2.086, (20,), 0.05), ("f", 4.351, (1, 20), 0.05), ("z", 1.96, (), 0.05), ("chi2", 3.841, (1,), 0.05),
    ("r", 0.4227, (20,), 0.05),
])  # fmt: skip
def test_p_values_at_tabulated_quantiles(kind, statistic, df, p):
    """The usual tables of 5 % points."""
    assert p_value(kind, statistic, df) == pytest.approx(p, abs=2e-4)


def test_one_sided_p_is_said():
    """t(20) = 1.80 has p = .087; .043 is that of one side."""
    (one,) = only({"test": [{"label": "x", "t": "1.80", "df": 20, "p": "0.043"}]}, "p value")
    assert one.verdict == INCONSISTENT
    assert "one-sided" in one.detail
    (stated,) = only({"test": [{"label": "x", "t": "1.80", "df": 20, "p": "0.043", "sides": 1}]}, "p value")
    assert stated.verdict == CONSISTENT


def test_sums_of_effects():
    """Direct -.10 and indirect -.05, -.03, -.02 make -.20 within .02; -.26 is beyond it."""
    paths = {"x -> y": "-0.10", "x -> m -> y": "-0.05", "x -> n -> y": "-0.03", "x -> m -> n -> y": "-0.02"}
    effects = [{"path": path, "printed": value} for path, value in paths.items()]
    chain = {"chain": [{"exposure": "x", "mediators": ["m", "n"], "outcome": "y"}],
             "table": [{"n": 100, "variable": [{"name": name} for name in "xmny"]}]}  # fmt: skip
    for total, verdict in (("-0.20", CONSISTENT), ("-0.22", CONSISTENT), ("-0.26", INCONSISTENT)):
        (one,) = only(chain | {"effect": [*effects, {"path": "total", "printed": total}]}, "total = direct + indirect")
        assert one.verdict == verdict
        np.testing.assert_allclose([one.low, one.high], [-0.22, -0.18])


def test_a_matrix_that_no_data_have_names_its_variables():
    """r = .9, .9 and 0 between three variables contradict each other; a fourth has no part in it."""
    rows = [{"name": "d"}, {"name": "a", "correlations": ["0.10"]}, {"name": "b", "correlations": ["0.10", "0.90"]},
            {"name": "c", "correlations": ["0.10", "0.90", "0.00"]}]  # fmt: skip
    (one,) = only({"table": [{"n": 50, "variable": rows}]}, "correlation matrix")
    assert one.verdict == INCONSISTENT
    assert "those of a, b, c:" in one.detail


def test_a_mean_that_grim_refuses_and_an_sd_that_no_scores_have():
    """5.19 of 28 patients; SD 3.00 on a scale from 1 to 7 with mean 6.00 (at most 2.27)."""
    table = {
        "n": 28,
        "variable": [{"name": "a", "mean": "5.19", "sd": "1.10"}, {"name": "b", "mean": "6.00", "sd": "3.00"}],
    }
    scale = {"variables": ["a", "b"], "minimum": "1", "maximum": "7", "step": "1"}
    result = audit(TITLE | {"table": [table], "scale": [scale]})
    (grim,) = found(result, "mean of a", "GRIM")
    assert (grim.verdict, grim.range) == (INCONSISTENT, "5.179 to 5.214")
    (bounds,) = found(result, "SD of b within its scale")
    assert bounds.verdict == INCONSISTENT
    # 23 patients at 7, one at 6 and four at 1: total 6 x 28 - 28 = 140 steps of 6 = 23 x 6 + 2
    scores = np.array([7] * 23 + [3] + [1] * 4)
    assert scores.sum() == 168
    assert bounds.high == pytest.approx(scores.std(ddof=1))


def test_a_share_and_its_sd():
    """40 of 100 yes: SD sqrt(.24 x 100 / 99) = .4924."""
    for sd, verdict in (("0.49", CONSISTENT), ("0.50", INCONSISTENT)):
        table = {"n": 100, "variable": [{"name": "a", "mean": "0.40", "sd": sd}]}
        scale = {"variables": ["a"], "minimum": "0", "maximum": "1", "step": "1"}
        (one,) = only({"table": [table], "scale": [scale]}, "DEBIT")
        assert one.verdict == verdict


KINDS = ("p", "t", "r", "estimate", "total", "effect")


@pytest.mark.parametrize(
    ("seeds", "least"), [(range(1), 1.0), pytest.param(range(2, 102), 0.9, marks=pytest.mark.slow)], ids=["1", "100"]
)
def test_planted_errors_are_found(seeds: range, least: float):
    """One printed figure of a clean study is moved far beyond rounding: the audit finds a contradiction."""
    for kind in KINDS:
        caught = 0
        for seed in seeds:
            tables = clean_study(seed)
            plant(tables, kind, 1 if seed % 2 else -1)
            caught += audit(tables).counts[INCONSISTENT] > 0
        assert caught >= least * len(seeds), (kind, caught)


def plant(tables: dict, where: str, change: int) -> None:
    """Move one figure of a study."""
    if where == "p":
        p = float(tables["paired"][0]["p"])
        tables["paired"][0]["p"] = f"{p + 0.05 if change > 0 or p < 0.1 else p - 0.05:.3f}"
    elif where == "t":
        tables["two_groups"][0]["t"] = f"{float(tables['two_groups'][0]['t']) + 1.5 * change:.2f}"
    elif where == "r":  # a change score with one of its parts
        row = tables["table"][0]["variable"][2]["correlations"]
        r = float(row[1].rstrip("*"))
        row[1] = f"{r + 0.15 * change if abs(r + 0.15 * change) < 1 else r - 0.15 * change:.2f}"
    elif where == "estimate":
        item = tables["coefficient"][0]
        item["estimate"] = f"{float(item['estimate']) * (1 + 0.5 * change) + 0.2 * change:.3f}"
    elif where == "total":
        tables["total"][0]["total"] += 60 * change
    else:
        item = tables["effect"][-2]
        item["printed"] = f"{float(item['printed']) * (1 + change) + 5.0 * change:.3f}"


@pytest.mark.parametrize(
    "seeds",
    [
        range(8),
        pytest.param(range(100, 600), marks=pytest.mark.slow),
        pytest.param(range(100, 10_100), marks=pytest.mark.exhaustive),
    ],
    ids=["8", "500", "10000"],
)
def test_clean_studies_are_never_called_inconsistent(seeds: range):
    """Records -> statistics -> rounding half up or half to even -> audit."""
    rules = {rule.name for rule in RULES if rule.exact}
    seen = set()
    for seed in seeds:
        result = audit(clean_study(seed))
        wrong = [f for f in result.of(INCONSISTENT) if f.rule in rules]
        assert wrong == [], (seed, wrong)
        seen |= {f.rule for f in result.findings}
    assert rules - seen == {"printed twice", "length of a list", "range in the table"}


def test_ranges_are_shown_with_the_figures_that_tell_their_ends_apart():
    """Four at least; whole numbers plainly."""
    assert range_text(1062, 1063) == "1062 to 1063"
    assert range_text(0.0493421, 0.0493439) == "0.049342 to 0.049344"
    assert range_text(3.62881, 4.21274) == "3.629 to 4.213"
    assert all(range_text(a, b).count("to") == (a != b) for a, b in product((0.1, 0.2), repeat=2))
