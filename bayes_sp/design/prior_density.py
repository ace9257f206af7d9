"""Which priors a posterior variable's elements have."""

from __future__ import annotations

from collections.abc import Sequence

from bayes_sp.model.distributions import Prior
from bayes_sp.model.path_model import PathModel


def priors_of(model: PathModel, variable: str, names: Sequence[str]) -> list[Prior]:
    """Return the prior of each element of a posterior variable."""
    responses = {equation.response for equation in model.equations}
    found = [model.prior(variable, name) if variable in responses else model.prior(name, variable) for name in names]
    missing = [name for name, prior in zip(names, found, strict=True) if prior is None]
    if missing:  # check_model reports this for specifications read from files
        raise ValueError(f'the specification "{model.name}" has no prior for {variable} of {", ".join(missing)}')
    return [prior for prior in found if prior is not None]
