"""The fits of an analysis of unmeasured confounding: made in batches, each once, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bayes_sp.errors import FitError
from bayes_sp.many.cells import Answer, Cell, Failure, Outcome
from bayes_sp.many.run import Runner
from bayes_sp.sensitivity.confounders import Strengths, with_confounder
from bayes_sp.sensitivity.multiples import Multiple, Statement, refined
from bayes_sp.sensitivity.strength_grid import Grid, Place, cell_at, margins
from bayes_sp.sensitivity.surface import Surface
from bayes_sp.sensitivity.target import Estimate, Target, estimate_of


