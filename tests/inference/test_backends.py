"""The engine behind one door: without its folder, fit samples the PyMC model."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bayes_sp

PACKAGE = Path(bayes_sp.__file__).parent
WITHOUT_ENGINE = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("bayes_sp.inference.engine"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Blocker())
import bayes_sp as sp
from bayes_sp.errors import FitError
from bayes_sp.inference import backends
assert not backends.HAS_ENGINE
survey = sp.reconstruct(1)
"""


def run(code: str) -> str:
    """Return what a process without the engine prints."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_ENGINE + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_file_alone_imports_the_engine():
    """Every other module goes through it."""
    importers = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [f"{node.module}.{a.name}" for a in node.names] if isinstance(node, ast.ImportFrom) else []
            if any(name.startswith("bayes_sp.inference.engine") for name in names):
                importers.add(path.relative_to(PACKAGE).as_posix())
    assert {name for name in importers if not name.startswith("inference/engine/")} == {"inference/backends.py"}


@pytest.mark.slow
def test_without_the_engine_laplace_is_refused_and_everything_can_be_imported():
    """Before anything is sampled, with what to do."""
    code = """
import bayes_sp.sensitivity.every, bayes_sp.report.folders.analysis, bayes_sp.cli.main
try:
    sp.fit("primary", survey, options=sp.SamplerOptions(method="laplace"))
except FitError as error:
    print(error)
"""
    assert "use nuts" in run(code)


@pytest.mark.slow
def test_without_the_engine_fit_samples_the_pymc_model():
    """A few draws, their effects, and the method on record."""
    code = """
fit = sp.fit("primary", survey, options=sp.SamplerOptions(draws=20, tune=20, chains=1, cores=1))
assert fit.effects().table()["mean"].notna().all()
print(fit.posterior.attrs["method"])
"""
    assert "pymc" in run(code)
