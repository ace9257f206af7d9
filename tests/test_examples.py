"""The examples in the docstrings of public names: each is run, and every function and class has one."""

from __future__ import annotations

import doctest

import pytest

import bayes_sp as sp

SPACES = ("plot", "sensitivity")  # their functions ask a fit, whose examples are in the documents
NAMES = [name for name in sp.__all__ if name not in SPACES]
# shown in the documents, on a fit, on a run's folder, or on many simulations
WITHOUT = {"Effects", "calibrate", "compare_models", "design_study", "read_run"}


def examples_of(name: str) -> list[doctest.DocTest]:
    found = getattr(sp, name)
    finder = doctest.DocTestFinder(recurse=False)
    return [test for test in finder.find(found, name, module=False, globs={}) if test.examples]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_public_name_holds(name, in_folder):
    """What it prints is what stands below it."""
    (example,) = examples_of(name) or [None]
    assert (example is None) == (name in WITHOUT), f"{name}: an example in its docstring, or a place in WITHOUT above"
    if example is not None:
        said: list[str] = []
        assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)
