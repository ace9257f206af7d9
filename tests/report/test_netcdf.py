"""Arrays on disk: what xarray reads back is what was written, as its own writer has it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_sp.report.folders.netcdf import write_netcdf


def test_what_is_read_back_is_what_was_written(tmp_path):
    """Groups, inherited coordinates, texts, flags, missing values and attributes, with their types."""
    own = xr.Dataset(
        {
            "slope": (("chain", "term"), [[0.5, np.nan]], {"why": "ü"}),
            "diverging": ("chain", [True]),
            "depth": ("chain", np.array([3], np.uint64)),
            "alone": ((), 2.0),
        },
        coords={
            "term": ["age", "intercept"],
            "member": ("chain", [7]),
            "words": ("term", np.array(["a", "é"], object)),
        },
        attrs={"library": "x", "version": 2, "limits": np.array([0.5, 1.0])},
    )
    tree = xr.DataTree.from_dict({"/": xr.Dataset(coords={"chain": [4]}, attrs={"seed": 1}), "posterior": own})
    for written in (tree.copy(), own.copy()):
        write_netcdf(written, tmp_path / "own.nc")
        written.to_netcdf(tmp_path / "theirs.nc", engine="h5netcdf")
        read = xr.open_datatree if isinstance(written, xr.DataTree) else xr.open_dataset
        with read(tmp_path / "own.nc") as found, read(tmp_path / "theirs.nc") as expected:
            xr.testing.assert_identical(found.load(), expected.load())
            for name, variable in found.get("posterior", found).variables.items():
                known = expected.get("posterior", expected).variables[name]
                assert variable.dtype == known.dtype
