"""What starting costs: the package, the help and a refused command load no heavy library."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bayes_sp
from bayes_sp.exports import homes_in

HEAVY = {"pymc", "pytensor", "nutpie", "arviz", "xarray", "pandas", "numpy", "numba", "scipy", "matplotlib"}
SCRIPT = """
import json, sys
{code}
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})), file=sys.stderr)
"""
COMMAND = """
from bayes_sp.cli.main import main
try:
    print(main({arguments!r}))
except SystemExit as stop:
    print(stop.code)
"""


def loaded_by(code: str, folder: Path) -> tuple[str, set[str], list[str]]:
    """Return what a fresh Python prints, the libraries it has then loaded, and its lines of errors."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(code=code)], capture_output=True, text=True, cwd=folder, check=True
    )
    *errors, modules = done.stderr.splitlines()
    return done.stdout, set(json.loads(modules)), errors


@pytest.mark.parametrize(
    "code",
    [
        "import bayes_sp",
        "import bayes_sp.cli.main",
        "import bayes_sp.report.folders.run",
        "import bayes_sp.model.reading.load",
        "import bayes_sp.sensitivity; dir(bayes_sp.sensitivity)",
        "import bayes_sp.plot; dir(bayes_sp.plot)",
    ],
)
def test_importing_loads_no_heavy_library(code, tmp_path):
    """A name that needs a library loads it when it is first used, not before."""
    assert loaded_by(code, tmp_path)[1] & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["fit", "--help"], 0),
        (["models"], 0),
        (["fit", "--seed", "x"], 2),
        (["sensitivity", "--help"], 0),
        (["sensitivity", "--workers", "x"], 2),
    ],
)
def test_help_and_lists_load_no_heavy_library(arguments, status, tmp_path):
    """Help, the list of models and a mistyped option answer at once."""
    printed, modules, _ = loaded_by(COMMAND.format(arguments=arguments), tmp_path)
    assert printed.splitlines()[-1] == str(status)
    assert modules & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", "primery"], "primary"),
        (["fit", "broken.toml"], "TOML"),
        (["fit", "--out", "taken"], "exists already"),
        (["fit", "--data", "nowhere.csv"], "no such file"),
        (["sensitivity"], "name the analyses that you want"),
        (["sensitivity", "primery", "--all"], "primary"),
        (["sensitivity", "--all", "--out", "taken"], "exists already"),
        (["sensitivity", "--all", "--data", "nowhere.csv"], "no such file"),
        (["sensitivity", "--attrition", "--nonresponders", "nowhere.toml"], "nowhere.toml: is not a file"),
    ],
)
def test_a_refused_command_loads_no_heavy_library(arguments, words, tmp_path):
    """A wrong model, file or folder is reported before anything slow is imported."""
    (tmp_path / "broken.toml").write_text("title = ", encoding="utf-8")
    (tmp_path / "taken").mkdir()
    printed, modules, errors = loaded_by(COMMAND.format(arguments=arguments), tmp_path)
    assert printed == "2\n"
    assert words in "\n".join(errors)
    assert modules & HEAVY == set()


SPACES = [bayes_sp, bayes_sp.sensitivity, bayes_sp.plot]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.__name__)
def test_every_public_name_is_found_where_the_space_says(space):
    """Each name is the object of the module that defines it, and ``dir`` lists these names alone."""
    homes = homes_in(space.__file__)
    for name in space.__all__:
        place, there = homes[name]
        home = importlib.import_module(place)
        found, expected = getattr(space, name), getattr(home, there)
        assert found is expected or (space is bayes_sp.plot and inspect.unwrap(found) is inspect.unwrap(expected))
    assert dir(space) == sorted(space.__all__) == sorted(homes)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.__name__)
def test_type_checkers_are_told_the_same(space):
    """The stub beside each file lists the names that it hands on as the file does."""
    stub = ast.parse(Path(space.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    listed = next(ast.literal_eval(line.value) for line in stub.body if isinstance(line, ast.Assign))
    assert sorted(listed) == sorted(space.__all__)


def test_no_public_name_of_sensitivity_hides_a_module():
    """Importing a module sets its name on the room: a function of the same name would be hidden by it."""
    room = bayes_sp.sensitivity
    folder = Path(room.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    assert {*room.__all__, *room._OLD} & modules == set()


def test_an_unknown_name_is_an_attribute_error():
    """The package has no name but the public ones."""
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        bayes_sp.fitt  # noqa: B018 - the look-up is the point


def test_the_version_is_that_of_the_project():
    """The version stands once, in the project's metadata."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert bayes_sp.__version__ == project["version"]
