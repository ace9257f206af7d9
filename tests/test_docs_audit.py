"""The page on the audit shows what the audit finds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from audit_page import PAGE, sections

from bayes_sp.records.published.audit.audit import audit
from bayes_sp.records.published.study.read import _MANY, shipped_studies

pytestmark = pytest.mark.fixed_seed  # the page shows what the audit finds with its own seed

NUMBER = re.compile(r"-?\d+\.\d+|\d+%")


@pytest.fixture(scope="module")
def made() -> dict[str, list[str]]:
    return sections()


def shown(mark: str) -> list[str]:
    """Return the lines of a table of the page."""
    (body,) = re.findall(rf"<!-- {mark} -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return body.splitlines()


@pytest.mark.parametrize("mark", ["rules", "findings"])
def test_the_tables_of_the_page_are_made_by_the_program(mark: str, made):
    assert shown(mark) == made[mark], "run python tests/audit_page.py"


def test_the_table_of_paths_is_made_by_the_program(made):
    """Numbers to within what another machine's linear algebra can do to the last digit, shares to two per cent."""
    assert len(shown("paths")) == len(made["paths"])
    for old, new in zip(shown("paths"), made["paths"], strict=True):
        assert NUMBER.sub("#", old) == NUMBER.sub("#", new)
        pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
        for a, b in pairs:
            np.testing.assert_allclose(float(a.rstrip("%")), float(b.rstrip("%")), atol=2.0 if "%" in a else 0.0021)


def test_the_page_names_every_table_of_the_form_and_every_shipped_study():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `[[{key}]]` |" in text for key in _MANY)
    assert all(name in text for name in shipped_studies())


def test_no_contradiction_touches_the_serial_effect():
    """As the page says: neither its product nor its coefficients."""
    wrong = {finding.subject for finding in audit().of("inconsistent")}
    assert not any("loneliness_t1 -> appointments_t1" in subject or " ~ " in subject for subject in wrong)
