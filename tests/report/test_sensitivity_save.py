"""The folder of sensitivity: exactly its files, readable by others, and no patient in it."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sensitivities import analysed, unlucky

from bayes_sp.errors import RunError
from bayes_sp.model.reading.load import load_model
from bayes_sp.model.reading.write import specification_digest
from bayes_sp.names import ATTRITION, CONFOUNDING, KAPPA, PARTS, PRIORS
from bayes_sp.report.folders.disclosed import disclosed
from bayes_sp.report.folders.sensitivity import findings_table, save_sensitivity

ALWAYS = {"run.toml", "summary.txt", "effects.csv", "findings.csv"}
POWER = {"power_scaling.csv", "power_scaling.nc", "power_scaling.png", "overlap.csv", "prior_tipping.csv"}
FILES = {
    PRIORS: POWER | {"prior_grid.csv", "prior_grid.nc", "prior_grid.png", "named_priors.png"},
    KAPPA: {"kappa.csv", "kappa_band.csv", "kappa.nc", "kappa.png"},
    CONFOUNDING: {
        "e_values.csv", "confounding.csv", "confounding_tipping.csv", "confounding_multiples.csv",
        "covariate_strengths.csv", "confounding-mood-visits.nc", "confounding.png",
    },
    ATTRITION: {"attrition.csv", "attrition.nc", "attrition.png"},
}  # fmt: skip


def files_of(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return an analysis of everything and its folder."""
    found, folder = analysed(absent=60), tmp_path_factory.mktemp("saved") / "what_if"
    save_sensitivity(found, folder, summary="said\n")
    return found, folder


def test_the_folder_has_exactly_the_files_of_its_parts(saved):
    """Tables, arrays, figures, what was said and what it was made of."""
    _, folder = saved
    assert set(FILES) == set(PARTS), "FILES above needs the files of each part"
    assert files_of(folder) == ALWAYS.union(*FILES.values())
    assert (folder / "summary.txt").read_text(encoding="utf-8") == "said\n"
    assert all(path.stat().st_size > 5_000 for path in folder.glob("*.png"))
    assert files_of(folder.parent) == {"what_if"}
    assert [one.path for one in disclosed(folder) if one.findings] == []


@pytest.mark.parametrize(
    ("part", "options", "files"),
    [
        (PRIORS, {"keys": 0}, POWER | {"prior_grid.csv", "named_priors.png"}),
        pytest.param(
            PRIORS, {"keys": 2}, POWER | {"prior_grid.csv", "prior_grid.nc", "prior_grid.png"}, marks=pytest.mark.slow
        ),
        (PRIORS, {"keys": 3}, POWER | {"prior_grid.csv", "prior_grid.nc"}),
        pytest.param(KAPPA, {}, FILES[KAPPA], marks=pytest.mark.slow),
        pytest.param(CONFOUNDING, {}, FILES[CONFOUNDING], marks=pytest.mark.slow),
        (ATTRITION, {"missing": 40}, FILES[ATTRITION]),
    ],
)
def test_each_part_alone_writes_its_own_files(part, options, files, tmp_path):
    """And no other part's."""
    save_sensitivity(analysed((part,), **options), tmp_path / "one")
    assert files_of(tmp_path / "one") == ALWAYS | files


def test_arrays_have_named_dims_and_say_what_the_records_are(saved):
    """Plain xarray reads them, with their dims, coordinates and where they come from."""
    found, folder = saved
    dims = {
        "prior_grid": {"paths_to_mediators", "paths_to_outcome", "path", "scale"},
        "power_scaling": {"block", "path", "scale", "alpha"},
        "kappa": {"kappa", "path", "scale", "decomposition"},
        "confounding-mood-visits": {"mood", "visits", "path", "scale"},
        "attrition": {"shifted", "step", "population", "path", "scale"},
    }
    for name, expected in dims.items():
        with xr.open_dataset(folder / f"{name}.nc", engine="h5netcdf") as data:
            assert set(data["median"].dims) == expected, name
    with xr.open_dataset(folder / "prior_grid.nc", engine="h5netcdf") as data:
        xr.testing.assert_equal(data["median"].load(), found.grid.crossed["median"])
        assert data.attrs["data_source"] == "200 records from clinic.csv"
        assert data.attrs["reconstructed_from_published_moments"] == 0
        assert data.attrs["seed"] == 1
    with xr.open_dataset(folder / "confounding-mood-visits.nc", engine="h5netcdf") as data:
        assert data["fitted"].dtype == bool
        assert data.attrs["contrast"] == "[0.0, 2.0]"


def test_tables_are_the_analyses_own(saved):
    """Columns and numbers as in memory."""
    found, folder = saved
    for name, table in (("kappa", found.kappa.table), ("prior_tipping", found.tipping.table),
                        ("e_values", found.e_values.table), ("attrition", found.attrition.table),
                        ("confounding_multiples", found.confounding.multiples)):  # fmt: skip
        read = pd.read_csv(folder / f"{name}.csv")
        assert list(read.columns) == list(table.columns)
        numbers = table.select_dtypes("number").columns
        np.testing.assert_allclose(read[numbers].to_numpy(float), table[numbers].to_numpy(float), rtol=1e-12)


def test_the_findings_have_a_sign_each(saved):
    """The signs are those of the intervals, against the specification's own."""
    found, folder = saved
    table = pd.read_csv(folder / "findings.csv")
    assert list(table.columns) == ["analysis", "case", "median", "lower", "upper", "trustworthy", "sign", "note"]
    assert len(table) == len(found.findings())
    side = found.base.sign()
    own = np.where(table["upper"] < 0, -1, np.where(table["lower"] > 0, 1, 0)) * side
    expected = np.select([own > 0, own < 0], ["kept", "turned"], "lost")
    assert list(table["sign"]) == list(expected)
    assert set(table["analysis"]) == set(PARTS)


def test_a_finding_that_cannot_be_used_has_no_sign():
    """Neither where the fit failed nor where it is doubtful."""
    for how in ("failing", "doubtful"):
        found = analysed((PRIORS,), keys=0, **{how: unlucky})
        table = findings_table(found.findings(), found.verdicts()).set_index("case")
        assert table.loc["sceptical priors", "sign"] == "unusable"
        assert not table.loc["sceptical priors", "trustworthy"]
        assert table.loc["wide priors", "sign"] == "kept"


def test_run_toml_says_how_it_was_made(saved):
    """Effect, analyses, seed, sampler, data and the specification, which can be loaded again."""
    found, folder = saved
    info = tomllib.loads((folder / "run.toml").read_text(encoding="utf-8"))
    assert info["sensitivity"]["effect"] == {"path": "walks -> mood -> visits", "scale": "difference"}
    assert info["sensitivity"]["analyses"] == list(PARTS)
    assert (info["sensitivity"]["seed"], info["sensitivity"]["sampler"]["draws"]) == (1, found.fit.options.draws)
    assert info["sensitivity"]["refused"] == {}
    assert info["data"] == {
        "source": "200 records from clinic.csv", "origin": "file", "reconstructed_from_published_moments": False,
        "records": 200, "digest": found.fit.survey.digest,
    }  # fmt: skip
    assert info["verdict"] == {"trustworthy": True, "reasons": [], "cautions": []}
    assert load_model(info["fitted"]["specification"], name="walks") == found.fit.model
    assert info["fitted"]["specification_digest"] == specification_digest(found.fit.model)
    assert {"python", "numpy", "bayes_sp"} <= info["versions"].keys()


def test_what_was_refused_is_in_run_toml(tmp_path):
    """With its reason."""
    save_sensitivity(analysed(), tmp_path / "run")
    info = tomllib.loads((tmp_path / "run" / "run.toml").read_text(encoding="utf-8"))
    assert list(info["sensitivity"]["refused"]) == ["attrition"]


def test_reconstructed_records_are_flagged(tmp_path):
    """For a program to read, in the record and in the arrays."""
    save_sensitivity(analysed((KAPPA,), mediators=2, published=True, reconstructed=True), tmp_path / "run")
    info = tomllib.loads((tmp_path / "run" / "run.toml").read_text(encoding="utf-8"))
    assert info["data"]["reconstructed_from_published_moments"] is True
    with xr.open_dataset(tmp_path / "run" / "kappa.nc", engine="h5netcdf") as data:
        assert data.attrs["reconstructed_from_published_moments"] == 1
        assert "reconstructed from published moments" in data.attrs["data_source"]


@pytest.fixture(scope="module")
def saved_with_gaps(tmp_path_factory):
    """Return an analysis of a survey with empty rows, and its folder."""
    found, folder = analysed(missing=40, mediators=2, keys=2), tmp_path_factory.mktemp("gaps") / "what_if"
    save_sensitivity(found, folder)
    return found, folder


@pytest.mark.parametrize("of", ["saved", pytest.param("saved_with_gaps", marks=pytest.mark.slow)])
def test_no_cell_of_the_survey_is_written(of, request):
    """Every age ends in .123456, and no file holds one, as text or as a number."""
    found, folder = request.getfixturevalue(of)
    ages = found.fit.survey.records["age"].to_numpy()
    for path in folder.iterdir():
        content = path.read_bytes()
        assert b".123456" not in content, path.name
        assert not any(np.float64(age).tobytes() in content for age in ages), path.name
    for path in folder.glob("*.nc"):
        with xr.open_dataset(path, engine="h5netcdf") as data:
            assert "patient" not in data.dims


def test_a_folder_is_not_replaced_unless_asked(tmp_path):
    """The first stays; a folder of something else is never replaced."""
    found, folder = analysed((KAPPA,)), tmp_path / "run"
    save_sensitivity(found, folder, summary="first")
    with pytest.raises(RunError, match="exists already"):
        save_sensitivity(found, folder, summary="second")
    assert (folder / "summary.txt").read_text(encoding="utf-8") == "first"
    save_sensitivity(found, folder, overwrite=True, summary="second")
    assert (folder / "summary.txt").read_text(encoding="utf-8") == "second"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").touch()
    with pytest.raises(RunError, match="is not the folder of a run"):
        save_sensitivity(found, other, overwrite=True)
