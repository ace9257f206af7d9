"""The families an equation can have: adding one is one file and one line here."""

from __future__ import annotations

from bayes_sp.families.base import Family
from bayes_sp.families.negative_binomial import NEGATIVE_BINOMIAL
from bayes_sp.families.normal import NORMAL

FAMILIES: dict[str, Family] = {family.name: family for family in (NORMAL, NEGATIVE_BINOMIAL)}
