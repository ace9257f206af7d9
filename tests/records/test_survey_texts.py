"""Levels that are texts: numbered as the specification lists them, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayes_sp as sp
from bayes_sp.design.build import design_arrays
from bayes_sp.design.draft import draft_with_reasons
from bayes_sp.design.notes import survey_notes
from bayes_sp.errors import SpecificationError, SurveyError
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_tables
from bayes_sp.records.survey import Survey

NORMAL = {"dist": "normal", "mu": 0, "sigma": 2, "why": "wide"}
TABLES: dict[str, Any] = {
    "title": "t", "exposure": "arm", "outcome": "well",
    "variables": {
        "arm": {"levels": ["usual care", "link worker"]}, "mood": {"levels": ["low", "fair", "high"]},
        "well": {"levels": ["no", "yes"], "missing_codes": ["refused"]},
    },
    "covariates": {"town": {"levels": ["Kiel", "Ulm", "Köln"]}, "age": {"center": 50, "scale": 10}},
    "equation": [{"response": "mood", "family": "ordered_logit"}, {"response": "well", "family": "logistic"}],
    "priors": {"intercept": NORMAL, "slope": NORMAL, "cutpoint": NORMAL},
}  # fmt: skip
WORDS = {name: TABLES["variables"][name]["levels"] for name in ("arm", "mood", "well")} | {
    "town": TABLES["covariates"]["town"]["levels"],
}  # fmt: skip


@pytest.fixture
def codes() -> pd.DataFrame:
    """Return records as numbers."""
    rng = np.random.default_rng(8)
    return pd.DataFrame({name: rng.integers(0, len(words), 80) for name, words in WORDS.items()}).assign(
        age=rng.integers(20, 90, 80)
    )


@pytest.fixture
def texts(codes) -> pd.DataFrame:
    """Return the same records as texts."""
    return codes.assign(**{name: [words[k] for k in codes[name]] for name, words in WORDS.items()})


def test_texts_are_read_as_their_numbers(codes, texts, tmp_path):
    """From a file, a data frame and a survey; missing cells stay missing; blanks between words are folded."""
    model = load_model(TABLES)
    texts = texts.astype(dict.fromkeys(WORDS, object))
    texts.loc[3, "well"], texts.loc[4, "town"], texts.loc[5, "arm"] = "refused", None, " link  worker "
    codes = codes.astype(float)
    codes.loc[3, "well"], codes.loc[4, "town"], codes.loc[5, "arm"] = np.nan, np.nan, 1
    texts.to_csv(tmp_path / "s.csv", index=False)
    design = design_arrays(load_model(TABLES), Survey(codes[list(model.columns)], "memory", "numbers"))
    for given in (tmp_path / "s.csv", texts, Survey(texts, "memory", "texts")):
        survey = given if isinstance(given, Survey) else sp.read_survey(given, model)
        found = design_arrays(model, survey)
        np.testing.assert_array_equal(found.x, design.x)
        np.testing.assert_array_equal(found.y, design.y)
        np.testing.assert_array_equal(found.w, design.w)
    assert model.covariate_terms == ("town[Ulm]", "town[Köln]", "age")
    assert "arm: its texts are numbered; 'usual care' is 0, 'link worker' is 1." in survey_notes(model, survey)
    assert model.words_of("arm", 1.0) == "link worker"
    assert load_model(specification_tables(model), name=model.name) == model


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("Link worker", 'did you mean "link worker"?'),
        ("1", "must be one of its levels 'usual care', 'link worker'; found at"),
        ("other", "must be one of its levels"),
    ],
)
def test_no_other_text_is_a_level(texts, tmp_path, cell, words):
    """Neither in other letters, nor a number; the cell is named."""
    texts.loc[6, "arm"] = cell
    texts.to_csv(tmp_path / "s.csv", index=False)
    for given, row in ((tmp_path / "s.csv", "row 8"), (texts, r"row 6 \(from 0\)")):
        with pytest.raises(SurveyError, match=rf'column "arm": .*{row} \(.{cell}.\)') as caught:
            sp.read_survey(given, load_model(TABLES))
        assert words in str(caught.value)
    with pytest.raises(SurveyError, match=r'column "arm": .*row 7 \(.'):
        sp.bootstrap(load_model(TABLES), Survey(texts, "memory", "texts"), replicates=10)


@pytest.mark.parametrize(
    ("where", "levels", "words"),
    [
        ("variables.arm", ["a"], "2 or more different texts"),
        ("variables.arm", ["a", "a"], "2 or more different texts"),
        ("variables.arm", ["a[1]", "b"], "without square brackets"),
        ("variables.arm", [0, 1], "must be a list of texts"),
        ("covariates.town", ["a", "a"], "2 or more different texts"),
    ],
)
def test_levels_that_cannot_be_told_apart_are_refused(where, levels, words):
    """With their key."""
    table, name = where.split(".")
    tables = TABLES | {table: TABLES[table] | {name: {"levels": levels}}}
    with pytest.raises(SpecificationError, match=words) as caught:
        load_model(tables)
    assert where in str(caught.value)
    with pytest.raises(SpecificationError, match="leave kind, min and max out"):
        load_model(TABLES | {"variables": TABLES["variables"] | {"mood": TABLES["variables"]["mood"] | {"min": 1}}})


def test_columns_of_text_are_drafted(texts):
    """Two texts as two values, more as the levels of a covariate; what would need an order is refused."""
    draft = draft_with_reasons(texts, exposure="arm", mediators=["age"], outcome="well", covariates=["town"])
    assert draft.model.texts_of("arm") == ("link worker", "usual care")
    assert draft.model.equations[1].family == "bernoulli_logit"
    towns = texts["town"].value_counts()
    (reference,) = [town for town in towns.index if f"town[{town}]" not in draft.model.covariate_terms]
    assert towns[reference] == towns.max()
    assert draft.model.covariate_terms == tuple(f"town[{one}]" for one in sorted(towns.index.drop(reference)))
    assert "numbered 0 and 1: link worker, usual care" in draft.reasons["arm"]
    assert len(sp.read_survey(texts, draft.model)) == 80
    with pytest.raises(SurveyError, match='column "mood": holds 3 texts, whose order cannot be known'):
        sp.draft(texts, exposure="arm", mediators=["mood"], outcome="well")


@pytest.mark.slow
def test_a_fit_of_texts_is_that_of_their_numbers(codes, texts):
    """The same maximum likelihood, path by path, under the names of the levels."""
    numbers = {
        "arm": {"kind": "binary"}, "mood": {"kind": "integer", "min": 0, "max": 2}, "well": {"kind": "binary"},
    }  # fmt: skip
    covariates = TABLES["covariates"] | {"town": {"levels": [0, 1, 2]}}
    plain = load_model(TABLES | {"variables": numbers, "covariates": covariates})
    found = [sp.bootstrap(model, data, replicates=5) for model, data in ((load_model(TABLES), texts), (plain, codes))]
    np.testing.assert_array_equal(found[0].values, found[1].values)
