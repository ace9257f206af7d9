"""A run's folder holds the whole analysis, and no patient's data unless asked."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tomli_w
import xarray as xr

from bayes_sp.analysis.fit import Fit, fit
from bayes_sp.errors import RunError
from bayes_sp.inference.options import SamplerOptions
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.report.folders.analysis import begin_drawing, save_analysis
from bayes_sp.report.folders.finished import read_run
from bayes_sp.report.folders.sealed import changed_files, sealed_tables

FILES = {
    "run.toml", "summary.txt", "posterior.nc", "effects.csv", "coefficients.csv", "comparison.csv", "bootstrap.csv",
    "diagnostics.csv", "paths.png", "comparison.png",
}  # fmt: skip


@pytest.fixture
def saved(own_analysis, tmp_path):
    save_analysis(own_analysis, tmp_path / "run", summary="said\n")
    return tmp_path / "run"


def test_a_path_diagram_that_was_begun_is_not_drawn_again(own_analysis):
    """It is taken as it comes, beside the other figures."""
    drawn = begin_drawing(own_analysis, 5, ("svg",), lambda: {"paths.svg": b"drawn before"})()
    assert drawn["paths.svg"] == b"drawn before"
    assert list(drawn) == ["paths.svg", "comparison.svg"]
    assert drawn["comparison.svg"].startswith(b"<?xml")


def test_a_run_has_these_files(saved):
    """Nothing is missing and nothing unexpected is written."""
    assert {path.name for path in saved.iterdir()} == FILES
    assert (saved / "summary.txt").read_text(encoding="utf-8") == "said\n"
    assert (saved / "paths.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_run_reads_back_as_it_was(saved, own_analysis):
    """Tables and draws are equal to those that were saved; empty texts stay texts."""
    run = read_run(saved)
    expected = own_analysis.effects.table()
    pd.testing.assert_frame_equal(run.effects, expected, check_dtype=False)
    pd.testing.assert_frame_equal(run.diagnostics, own_analysis.verdict.table, check_dtype=False)
    pd.testing.assert_frame_equal(run.bootstrap, own_analysis.comparison.bootstrap, check_dtype=False)
    np.testing.assert_allclose(run.comparison["estimate"], own_analysis.comparison.table["estimate"])
    xr.testing.assert_equal(
        run.posterior["posterior"].to_dataset(), own_analysis.fit.posterior["posterior"].to_dataset()
    )
    assert run.posterior.attrs["specification"] == own_analysis.fit.posterior.attrs["specification"]


def test_the_runs_record_says_what_went_in(saved, own_analysis):
    """run.toml holds the specification as used, the data's digest and origin, seed, options, versions and verdict."""
    info = tomllib.loads((saved / "run.toml").read_text(encoding="utf-8"))
    assert (info["model"], info["seed"]) == ("small", 4)
    assert info["data"] == {
        "source": "120 records from clinic.csv", "origin": "file", "reconstructed_from_published_moments": False,
        "records": 120, "digest": own_analysis.fit.survey.digest,
    }  # fmt: skip
    assert info["verdict"] == {"trustworthy": True, "reasons": [], "cautions": [], "r_hat": 1.0023,
                               "ess_bulk": 3210.4, "ess_tail": 2109.8, "divergences": 0.0, "e_bfmi": 0.914}  # fmt: skip
    assert info["sampler"]["draws"] == 100
    assert info["seconds"]["fit"] == 1.5
    assert {"python", "pymc", "numpy", "bayes_sp"} <= info["versions"].keys()
    assert load_model(info["specification"], name="small") == own_analysis.fit.model
    assert info["specification_digest"] == specification_digest(own_analysis.fit.model)


def test_a_run_on_reconstructed_records_says_so_in_its_record(study_analysis, tmp_path):
    """The flag can be read by a program."""
    save_analysis(study_analysis, tmp_path / "run")
    data = read_run(tmp_path / "run").info["data"]
    assert data["reconstructed_from_published_moments"] is True
    assert data["source"] == "150 records reconstructed from published moments (seed 1)"


def test_the_table_of_coefficients_comes_back(own_analysis, tmp_path):
    """As it was saved; a run of a version that had no such table is read without it."""
    save_analysis(own_analysis, tmp_path / "run")
    found = read_run(tmp_path / "run").coefficients
    pd.testing.assert_frame_equal(found, own_analysis.coefficients.table, rtol=1e-12)
    (tmp_path / "run" / "coefficients.csv").unlink()
    record = tmp_path / "run" / "run.toml"
    tables = tomllib.loads(record.read_text(encoding="utf-8"))
    record.write_text(tomli_w.dumps({key: tables[key] for key in tables.keys() - {"checksum", "digests"}}))
    assert read_run(tmp_path / "run").coefficients is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("run.toml", lambda text: text.replace(b"trustworthy = true", b"trustworthy = false")),
        ("run.toml", lambda text: text[: len(text) // 2]),
        ("run.toml", lambda _: b"[" * 100_000),
        ("run.toml", lambda text: text + b"\nwhen = 2026-01-01\n"),
        ("effects.csv", lambda text: text[: len(text) // 2]),
        ("diagnostics.csv", lambda text: text.replace(b"1.0023", b"1.0022")),
        ("posterior.nc", lambda text: text[:-1]),
        ("comparison.csv", lambda _: b""),
    ],
)
def test_a_changed_file_is_not_believed(saved, name, change):
    """Neither read back nor used again by a comparison, whatever the change; the message names the file."""
    before = (saved / name).read_bytes()
    after = change(before)
    assert after != before
    (saved / name).write_bytes(after)
    with pytest.raises(RunError, match=name):
        read_run(saved)
    tables = sealed_tables(saved / "run.toml")
    assert not tables or changed_files(saved, tables) == [name]


@pytest.fixture
def marked_analysis(analyse_by_hand, small_model, make_user_survey):
    """Return an analysis whose records can be recognised wherever they are written."""
    survey = make_user_survey()
    marked = survey.records.assign(age=survey.records["age"] + 0.123456789)
    return analyse_by_hand(small_model, replace(survey, records=marked))


def test_no_patients_data_is_written_by_default(marked_analysis, tmp_path):
    """No file holds a record, and the draws come without the groups that have a value for each patient."""
    save_analysis(marked_analysis, tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        content = path.read_bytes()
        assert b"123456789" not in content, path.name
        for age in marked_analysis.fit.survey.records["age"].to_numpy()[:5]:
            assert np.float64(age).tobytes() not in content, path.name
    tree = xr.load_datatree(tmp_path / "run" / "posterior.nc", engine="h5netcdf")
    assert set(tree.children) == {"posterior", "sample_stats"}
    assert all("patient" not in node.dims for node in tree.subtree)


def test_records_are_written_when_asked_for(marked_analysis, tmp_path):
    """With ``keep_records`` the records and what is computed for each patient are in the folder."""
    save_analysis(marked_analysis, tmp_path / "run", keep_records=True)
    records = pd.read_csv(tmp_path / "run" / "records.csv")
    pd.testing.assert_frame_equal(records, marked_analysis.fit.survey.records)
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES | {"records.csv"}
    assert {"observed_data", "constant_data", "log_likelihood"} <= set(read_run(tmp_path / "run").posterior.children)


def test_a_run_is_not_replaced_unless_asked(saved, own_analysis):
    """Saving twice to one place is refused, and the first run stays."""
    with pytest.raises(RunError, match="exists already"):
        save_analysis(own_analysis, saved, summary="again")
    assert (saved / "summary.txt").read_text(encoding="utf-8") == "said\n"
    save_analysis(own_analysis, saved, overwrite=True, summary="again")
    assert (saved / "summary.txt").read_text(encoding="utf-8") == "again"


@pytest.mark.parametrize("least", [pytest.param(10, marks=pytest.mark.slow), 9])
def test_groups_are_numbered_and_small_ones_say_nothing(own_analysis, small_tables, make_user_survey, tmp_path, least):
    """No file holds a group's name; the draws give the same effects again, or say that groups are lacking."""
    small_tables["equation"][-1]["varying"] = "clinic"
    small_tables["priors"]["visits"]["tau"] = {"dist": "half_normal", "sigma": 0.5, "why": "clinics are alike"}
    model, survey = load_model(small_tables, name="small"), make_user_survey(100)
    names = np.array(["St. Zita", "Miss A. Smith", "Praxis 9"])[np.repeat([0, 1, 2], [60, 40 - least, least])]
    survey = replace(survey, records=survey.records.assign(clinic=names))
    found = fit(model, survey, seed=1, options=SamplerOptions(draws=50, tune=50, chains=2))
    verdict = found.diagnose()
    assert {f"visits_varying[{i}]" for i in (1, 2, 3)} < set(verdict.table["name"])
    save_analysis(replace(own_analysis, fit=found, verdict=verdict), tmp_path / "run", summary="said\n")
    for path in (tmp_path / "run").iterdir():
        content = path.read_bytes()
        assert not any(name.encode() in content for name in ("St. Zita", "Smith", "Praxis")), path.name
    saved = read_run(tmp_path / "run").posterior
    again = Fit(model, survey, saved, 1, found.options)
    if least < 10:
        assert "visits_varying" not in saved["posterior"]
        assert again.lacking() == ["the groups of clinic"]
    else:
        assert saved["posterior"]["clinic"].to_numpy().tolist() == ["1", "2", "3"]
        pd.testing.assert_frame_equal(again.effects().table(), found.effects().table())
        np.testing.assert_allclose(again.loo().table["elpd"], found.loo().table["elpd"])
        save_analysis(replace(own_analysis, fit=found, verdict=verdict), tmp_path / "all", keep_records=True)
        kept = read_run(tmp_path / "all").posterior["posterior"]["clinic"].to_numpy().tolist()
        assert kept == ["Miss A. Smith", "Praxis 9", "St. Zita"]
