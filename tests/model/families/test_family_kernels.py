"""Kernels: their values and hand-written derivatives against exact arithmetic, and against the families' densities."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from types import FunctionType

import numba
import numpy as np
import pytest
from exact_densities import cdf_normal, exact
from family_cases import Case, extreme_cases, left_out, random_case, run_kernel
from scipy import special, stats

from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.families.special import digamma, rising

PARTS = {"digamma": numba.njit(digamma), "rising": numba.njit(rising)}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def assert_matches(family, case):
    value, out = run_kernel(family, case)
    expected, slopes = exact(family.name, *case)
    assert value == pytest.approx(expected, rel=1e-10, abs=1e-11), case
    assert out[0] == pytest.approx(slopes[0], rel=1e-8, abs=1e-12), case
    if family.zero_part:
        assert out[1] == pytest.approx(slopes[1], rel=1e-10, abs=1e-300), case
    if family.ordered:
        np.testing.assert_allclose(out[2:], slopes[2:], rtol=1e-6, atol=1e-300, err_msg=str(case))
    count = len(family.parameters)  # on the log scale, on which parameters are sampled
    found, wanted = case.aux[:count] * out[2 : 2 + count], case.aux[:count] * np.array(slopes[2 : 2 + count])
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9, err_msg=str(case))


@every_family
def test_a_kernel_and_its_derivatives_are_those_of_the_density(family):
    """At random points of the size that surveys have."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        assert_matches(family, random_case(family, rng))


@every_family
def test_a_kernel_keeps_its_digits_at_extreme_points(family):
    """Predictors of 30, tiny and huge parameters, levels between cutpoints that almost coincide."""
    cases = extreme_cases(family)
    for i in np.random.default_rng(5).permutation(len(cases))[:6]:  # exact arithmetic takes its time
        assert_matches(family, cases[i])


@pytest.mark.parametrize("nu", [60.0, 101.0, 140.0, 400.0])
def test_the_constant_of_student_t_is_a_series_where_nu_is_large(nu):
    """Value against SciPy's gamma functions, slope against its digamma functions, either side of nu = 100."""
    family, x, z = FAMILIES["student_t"], nu / 2, 0.7
    value, out = run_kernel(family, Case(z, 0.0, 0.0, np.array([1.0, nu])))
    constant = special.gammaln(x + 0.5) - special.gammaln(x) - 0.5 * math.log(x)
    tail = math.log1p(z * z / nu)
    expected = constant - 0.5 * (nu + 1) * tail - 0.5 * math.log(2 * math.pi)
    assert value == pytest.approx(expected, abs=1e-12)
    assert family.log_density(np.array([z]), np.zeros(1), np.zeros(1), np.array([1.0, nu]))[0] == pytest.approx(
        expected, abs=1e-12
    )
    slope = special.psi(x + 0.5) - special.psi(x) - 0.5 / x
    by_nu = 0.5 * (slope - tail + (nu + 1) / nu * z * z / (nu + z * z))
    assert out[3] == pytest.approx(by_nu, abs=1e-13)


@pytest.mark.parametrize("middle", [0.0, -0.7, 1.5, -4.0])
def test_a_narrow_interval_keeps_every_digit(middle):
    """The normal probability of an interval about as wide as is measured at its middle, in kernel and density."""
    family, width = FAMILIES["ordered_probit"], 0.0199 / (1.0 + abs(middle))
    case = Case(1.0, 0.0, 0.0, np.array([middle - width / 2, middle + width / 2]))
    with localcontext(prec=60):
        low, high = (cdf_normal(Decimal(float(cut))) for cut in case.aux)
        expected = float((high - low).ln())
    assert run_kernel(family, case)[0] == pytest.approx(expected, abs=2e-12)
    found = family.log_density(np.ones(1), np.zeros(1), np.zeros(1), case.aux)
    assert found[0] == pytest.approx(expected, abs=2e-12)


@every_family
def test_a_kernel_is_the_density_without_the_constant_of_counts(family):
    """NumPy's density and the kernel are the same function."""
    rng = np.random.default_rng(2)
    for case in [random_case(family, rng) for _ in range(50)] + extreme_cases(family):
        density = family.log_density(np.array([case.y]), np.array([case.eta]), np.array([case.zeta]), case.aux)
        value = run_kernel(family, case)[0] + left_out(family, case.y)
        assert density == pytest.approx(value, rel=1e-10, abs=1e-10), case


@pytest.mark.slow  # each is compiled anew
@every_family
def test_a_compiled_kernel_is_the_same_function(family):
    """Numba compiles every kernel as it stands; values, derivatives and places left alone agree."""
    compiled = numba.njit(FunctionType(family.kernel.__code__, {**family.kernel.__globals__, **PARTS}))
    rng = np.random.default_rng(3)
    for case in [random_case(family, rng) for _ in range(20)] + extreme_cases(family):
        value, out = run_kernel(family, case)
        again, out_again = run_kernel(family, case, compiled)
        assert math.isfinite(again)
        assert again == pytest.approx(value, rel=1e-11, abs=1e-11), case
        np.testing.assert_allclose(out_again, out, rtol=1e-8, atol=1e-12, err_msg=str(case))


@every_family
def test_a_kernel_writes_the_derivatives_of_its_contract_and_no_others(family):
    """d/d eta and parameters always, d/d zeta with a zero part, never the measurement SD."""
    out = run_kernel(family, random_case(family, np.random.default_rng(4)))[1]
    unwritten = [not family.zero_part, *([False] * (len(out) - 2 - family.latent)), *([True] * family.latent)]
    assert list(np.isnan(out[1:])) == unwritten
    assert not np.isnan(out[0])


def test_what_lies_under_ordered_answers_has_the_spread_of_its_distribution():
    """Of a logistic and a normal variable, by SciPy."""
    assert FAMILIES["ordered_logit"].latent_sd == pytest.approx(stats.logistic.std(), rel=1e-12)
    assert FAMILIES["ordered_probit"].latent_sd == stats.norm.std()


@pytest.mark.parametrize("name", ["ordered_logit", "ordered_probit"])
def test_cutpoints_that_coincide_leave_no_probability(name):
    """A sampler that comes so far turns round; nothing is raised."""
    family = FAMILIES[name]
    out = np.zeros(4)
    assert family.kernel(1.0, 0.0, 0.0, np.array([0.5, 0.5]), np.zeros((2, 1)), out) == -math.inf
