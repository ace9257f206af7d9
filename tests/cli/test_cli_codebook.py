"""Commands before a fit: the example, a codebook, a draft by it; and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes_sp.cli.main import main
from bayes_sp.design.build import design_arrays
from bayes_sp.design.read import read_survey
from bayes_sp.model.reading.load import load_model

CHAIN = ["--exposure", "group_change", "--mediators", "belonging_t1", "loneliness_t1", "--outcome", "visits_t1"]


@pytest.fixture
def clinic(in_folder: Path) -> Path:
    """Return the example's folder."""
    assert main(["example", "--out", "clinic"]) == 0
    return in_folder / "clinic"


@pytest.mark.parametrize("name", ["survey.sav", "survey.csv"])
def test_from_the_file_to_a_specification_that_fits_it(clinic: Path, name: str, capsys):
    """The specification that is written meets the records that the codebook reads."""
    capsys.readouterr()
    more = ["--covariates", "age", "sex", "education", "visits_t0", "--latent", "loneliness_t1"]
    book = ["--codebook", "clinic/codebook.toml", "--out", "clinic/my.toml"]
    status = main(["draft", f"clinic/{name}", *book, *CHAIN, *more])
    told = capsys.readouterr()
    assert status == 0
    assert f"--data clinic/{name} --codebook clinic/codebook.toml" in told.out
    assert "alpha 0.84" in told.out
    assert not told.err
    model = load_model(clinic / "my.toml")
    survey = read_survey(clinic / name, model, codebook=clinic / "codebook.toml")
    assert design_arrays(model, survey).n == 240
    assert [equation.family for equation in model.equations] == ["ordered_logit", "latent_normal", "negative_binomial"]
    assert {("visits_t1", '-99 ("Not answered")', 3)} <= set(survey.coded)


def test_a_codebook_is_printed_or_written(clinic: Path, capsys):
    """Printed as it is written; a file that is there is left alone."""
    capsys.readouterr()
    assert main(["codebook", "clinic/survey.sav"]) == 0
    printed = capsys.readouterr().out
    assert main(["codebook", "clinic/survey.sav", "--out", "clinic/my.toml"]) == 0
    assert (clinic / "my.toml").read_text(encoding="utf-8") == printed
    assert "37 variables" in capsys.readouterr().out
    assert main(["codebook", "clinic/survey.csv", "--out", "clinic/my.toml"]) == 2
    assert (clinic / "my.toml").read_text(encoding="utf-8") == printed
    assert "UCLA Loneliness Scale, eight items" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["example", "--out", "clinic"], "exists already"),
        (["codebook", "nobody.sav"], "cannot be read"),
        (["draft", "clinic/survey.csv", "--codebook", "nobody.toml", *CHAIN], "nobody.toml: cannot be read"),
        (["draft", "clinic/survey.csv", "--codebook", "clinic/survey.csv", *CHAIN], "is not a TOML file"),
        (["draft", "clinic/survey.csv", "--codebook", "clinic/codebook.toml", *CHAIN, "--latent", "loneliness_t1=x"],
         "--latent: must be a name"),
        (["fit", "--codebook", "clinic/codebook.toml"], "--codebook: goes with --data"),
    ],
)  # fmt: skip
def test_mistakes_end_with_status_2_and_nothing_written(clinic: Path, arguments, told, capsys):
    """One line or a list, no traceback, no new file."""
    before = sorted(clinic.parent.rglob("*"))
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
    assert sorted(clinic.parent.rglob("*")) == before


def test_a_cell_that_the_codebook_does_not_allow_stops_the_fit(clinic: Path, capsys):
    """The case, the column and what was found, before anything is sampled."""
    lines = (clinic / "survey.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[5].split(",")
    cells[lines[0].split(",").index("Q5_3_T0")] = "7"
    lines[5] = ",".join(cells)
    (clinic / "survey.csv").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["draft", "clinic/survey.csv", "--codebook", "clinic/codebook.toml", *CHAIN, "--out", "clinic/my.toml"]
    assert main(arguments) == 2
    assert "column \"Q5_3_T0\": must be at most 4; found at row 6 ('7')" in capsys.readouterr().err
    assert not (clinic / "my.toml").exists()
