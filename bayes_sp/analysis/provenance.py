"""Where a result comes from, as attributes that travel with it."""

from __future__ import annotations

import json

import pandas as pd

from bayes_sp.analysis.conditioned import Conditioned
from bayes_sp.inference.versions import versions
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.write import specification_digest, specification_text
from bayes_sp.records.sets import Sets
from bayes_sp.records.survey import Survey


def provenance(fit: Conditioned) -> dict[str, object]:
    """Return seed, versions, data digest, what the records are, and the specification of a fit."""
    return provenance_of(fit.model, fit.survey, int(fit.posterior.attrs["seed"]))


def provenance_of(model: PathModel, survey: Survey, seed: int) -> dict[str, object]:
    """Return the same of an analysis that fits for itself."""
    return {
        "model": model.name,
        "specification": specification_text(model),
        "specification_digest": specification_digest(model),
        "data_digest": survey.digest,
        "data_source": survey.mark,
        "reconstructed_from_published_moments": int(survey.reconstructed),
        "seed": seed,
        "versions": json.dumps(versions()),
    }


def records_of(survey: Survey) -> pd.DataFrame:
    """Return the records; those of several sets one after the other, with a column that says of which set a row is."""
    if not isinstance(survey, Sets):
        return survey.records
    return pd.concat([one.records.assign(member=k) for k, one in enumerate(survey.each, start=1)], ignore_index=True)


def records_table(survey: Survey) -> dict[str, object]:
    """Return what the records are, as ``run.toml`` has it."""
    found: dict[str, object] = {
        "source": survey.mark,
        "origin": survey.origin,
        "reconstructed_from_published_moments": survey.reconstructed,
        "records": len(survey),
        "digest": survey.digest,
    }
    if not isinstance(survey, Sets):
        return found
    sets = {"sets": list(survey.set_labels), "digests": [one.digest for one in survey.each]}
    return {**sets, **found, "drawn_from": survey.words}
