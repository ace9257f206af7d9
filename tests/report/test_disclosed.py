"""What a folder discloses is found in its files' content, whatever their names."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_sp.cli.main import main
from bayes_sp.errors import RunError
from bayes_sp.report.folders.analysis import save_analysis
from bayes_sp.report.folders.disclosed import disclosed, disclosed_text
from bayes_sp.report.folders.finished import read_run


@pytest.fixture
def criticised(own_analysis):
    """Return a hand-made analysis with its criticism."""
    from dataclasses import replace

    tree = own_analysis.fit.posterior.drop_nodes("log_likelihood")
    fit = replace(own_analysis.fit, posterior=tree)
    return replace(own_analysis, fit=fit, criticism=fit.criticise())


def found_in(folder) -> dict[str, str]:
    return {one.path: "; ".join(one.findings) for one in disclosed(folder)}


@pytest.mark.slow
def test_a_run_discloses_nothing_unless_it_keeps_records(criticised, tmp_path, capsys):
    """Each file is listed; with the records, each that holds some of them, and the saved run says so itself."""
    save_analysis(criticised, tmp_path / "run")
    assert set(found_in(tmp_path / "run").values()) == {""}
    assert set(found_in(tmp_path / "run")) == {path.name for path in (tmp_path / "run").iterdir()}
    save_analysis(criticised, tmp_path / "all", keep_records=True)
    loud = {name: words for name, words in found_in(tmp_path / "all").items() if words}
    assert set(loud) >= {"records.csv", "influence.csv", "influence.png", "posterior.nc", "predictive.csv", "run.toml"}
    assert "a value for each of 120 patients" in loud["posterior.nc"]
    assert "keeps_records" in loud["posterior.nc"]
    assert main(["inspect", str(tmp_path / "all")]) == 0
    assert "records.csv" in capsys.readouterr().out.splitlines()[-1]


def test_content_is_looked_at_and_not_names(criticised, tmp_path):
    """Records under other names, an array along patients, names of groups, small counts, rows in a text."""
    folder = tmp_path / "run"
    save_analysis(criticised, folder)
    criticised.fit.survey.records.to_csv(folder / "effects.csv", index=False)
    text = (folder / "run.toml").read_text(encoding="utf-8")
    varying = text.replace('response = "visits"', 'response = "visits"\nvarying = "clinic"')
    (folder / "run.toml").write_text(varying, encoding="utf-8")
    xr.Dataset(
        {"u": (("chain", "somebody"), np.zeros((2, 120)))}, coords={"clinic": ["Elm Street", "Oak Lane"]}
    ).to_netcdf(folder / "more.nc", engine="h5netcdf")
    pd.DataFrame({"patients": [4, 50]}).to_csv(folder / "sizes.csv", index=False)
    (folder / "note.txt").write_text("Look at row 17.\n", encoding="utf-8")
    shutil.copy(folder / "paths.png", folder / "paths.pdf")
    loud = {name: words for name, words in found_in(folder).items() if words}
    assert set(loud) == {"effects.csv", "more.nc", "sizes.csv", "note.txt", "paths.pdf"}
    assert "120 rows, one for each record" in loud["effects.csv"]
    assert "120 patients (somebody)" in loud["more.nc"]
    assert "names of 2 groups: Elm Street, Oak Lane" in loud["more.nc"]
    assert "1 counts of fewer than 10 patients" in loud["sizes.csv"]
    assert "Look at effects.csv, more.nc" in disclosed_text(disclosed(folder))


def test_files_that_cannot_be_read_are_named(tmp_path):
    """A broken file is no reason for silence; no folder is one for a refusal."""
    (tmp_path / "a.nc").write_bytes(b"\x89HDF no")
    (tmp_path / "b.csv").write_bytes(b"")
    (tmp_path / "c.toml").write_bytes(b"= =")
    assert all("nothing is known" in words for words in found_in(tmp_path).values())
    for name in ("none", "x" * 300):  # the second is longer than a name can be
        with pytest.raises(RunError, match="no such folder"):
            disclosed(tmp_path / name)
        with pytest.raises(RunError, match="no such folder"):
            read_run(tmp_path.joinpath(*[name] * 20))
