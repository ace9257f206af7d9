"""What takes longer than a minute, in a line that is printed before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_sp.inference.options import SamplerOptions

if TYPE_CHECKING:
    from bayes_sp.model.path_model import PathModel

LONG = 60.0  # seconds
STEP = 8e-8  # seconds for each record of an equation that is not normal, in each of the gradients of a draw
GRADIENTS = 7  # of a draw of NUTS, or so
REFITTED = {"priors": "other priors", "confounding": "unmeasured confounders", "attrition": "shifts of missing values"}
SAMPLES = 5000  # of the bootstrap, where nothing else is asked for
MANY = 100_000  # records: from here on there is a bootstrap only where one is asked for
WORK = 2e7  # records x columns^2, of an equation: likewise, because a fit takes time in proportion to it


def fit_takes(model: PathModel, records: int, options: SamplerOptions) -> str:
    """Say about how long sampling by NUTS takes where that is over a minute; '' otherwise.

    A rough number, from two cores of a server: time is in proportion to draws, records and the equations that are not
    normal (of a normal one only moments are needed).
    """
    if options.method != "nuts":
        return ""
    rounds = -(-options.chains // min(options.cores, options.chains))
    equations = sum(equation.family != "normal" for equation in model.equations)
    seconds = STEP * records * equations * GRADIENTS * (options.draws + options.tune) * rounds
    if seconds <= LONG:
        return ""
    return f"{records:,} records: sampling may take about {seconds / 60:.0f} min; --method laplace takes far less."


def bootstrap_samples(asked: int | None, records: int, columns: int) -> tuple[int, str]:
    """Return how many bootstrap samples to take, and a line where the default is none because there is much to fit.

    Every sample is a fit of its own to all records. ``columns`` are those of the widest equation.
    """
    if asked is not None:
        return asked, ""
    if records < MANY and records * columns**2 < WORK:
        return SAMPLES, ""
    what = f"{records:,} records" if records >= MANY else f"{records:,} records of {columns} columns"
    return 0, f"{what}: no bootstrap, because each sample is a fit to all; --bootstrap N asks for one."


def sensitivity_takes(parts: Sequence[str], cells: Path) -> str:
    """Say that an analysis refits the model many times, and what is kept of it; '' where nothing is refitted."""
    asked = [words for part, words in REFITTED.items() if part in parts]
    if not asked:
        return ""
    listed = " and ".join(filter(None, (", ".join(asked[:-1]), asked[-1])))
    return f"The model is fitted again, many times, with {listed}: minutes. Finished fits are kept in {cells}."
