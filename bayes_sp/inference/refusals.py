"""What cannot be sampled, told before it is tried."""

from __future__ import annotations

from numbers import Integral

from bayes_sp.errors import FitError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.inference.samplers.laplace import GROUPS
from bayes_sp.inference.samplers.target import Program
from bayes_sp.model.path_model import PathModel
from bayes_sp.records.survey import Survey

MOST_VALUES = 400_000_000  # draws x parameters: 3 GiB, of which there are several copies for a moment


def check_seed(seed: object) -> None:
    """Refuse what is not a whole number from 0 to 2^63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2^63 - 1, found {seed!r}")


def check_power(program: Program, model: PathModel, survey: Survey) -> None:
    """Refuse a power of the likelihood given hidden values: it is not that of what was observed."""
    hidden = [part.response for part in program.parts if (part.hidden_number >= 0).any()]
    incomplete = [part.response for part in program.parts[: len(program.parts) - len(model.equations)]]
    names = list(dict.fromkeys((*incomplete, *hidden, *(confounder.name for confounder in model.confounders))))
    if names:
        what = f"values of {', '.join(names)} are missing, measured with error or unmeasured"
        raise FitError(survey.source, [f"{what}: a power of the likelihood given them is not one of what was observed"])


def check_memory(program: Program, options: SamplerOptions, survey: Survey) -> None:
    """Refuse more draws of single patients' values than memory holds."""
    chains = GROUPS if options.method == "laplace" else options.chains
    each = -(-options.draws // GROUPS) if options.method == "laplace" else options.draws
    size = program.parameters.size
    if size * chains * each > MOST_VALUES:
        most = MOST_VALUES // size // (1 if options.method == "laplace" else chains)
        raise FitError(
            survey.source,
            [
                f"the draws of {size:,} values, one or more for each patient (missing, or measured with error), would "
                f"take {size * chains * each * 8 / 2**30:,.0f} GiB; give fewer draws (at most {most:,}) or records"
            ],
        )
