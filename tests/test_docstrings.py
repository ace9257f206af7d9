"""Docstrings of what users call have the sections that a reader needs, as numpydoc reads them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import bayes_sp as sp

validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is in the group docs")

# A summary of one sentence; every parameter, and none that is not there; sections in numpydoc's order.
REQUIRED = {"GL07", "PR01", "PR02", "PR05", "PR09", "PR10", "SS01", "SS02", "SS03", "SS04"}
SPACES = {"bayes_sp": sp, "bayes_sp.sensitivity": sp.sensitivity, "bayes_sp.plot": sp.plot}
CALLED = {
    f"{path}.{name}": getattr(space, name)
    for path, space in SPACES.items()
    for name in space.__all__
    if inspect.isroutine(getattr(space, name))
} | {
    f"bayes_sp.{each.__name__}.{name}": getattr(each, name)
    for each in (sp.Fit, sp.Moments)
    for name in dir(each)
    if name[0] != "_" and (inspect.isfunction(getattr(each, name)) or inspect.ismethod(getattr(each, name)))
}
CLASSES = {
    f"{path}.{name}": getattr(space, name)
    for path, space in SPACES.items()
    for name in space.__all__
    if inspect.isclass(getattr(space, name))
}


def code(function: Callable[..., Any]) -> str:
    """Return a function's own source, without its docstring."""
    found = inspect.unwrap(function)
    return inspect.getsource(found).replace(found.__doc__ or "", "")


@pytest.mark.parametrize("name", sorted(CALLED))
def test_what_is_called_says_what_it_takes_gives_and_refuses(name: str):
    """Parameters, what is returned (one sentence is enough where nothing is taken), and errors of its own."""
    found = validate.validate(name)
    text = inspect.getdoc(CALLED[name]) or ""
    problems = [f"{kind} {what}" for kind, what in found["errors"] if kind in REQUIRED]
    takes = [p for p in inspect.signature(CALLED[name]).parameters if p not in ("self", "cls")]
    if takes and "Returns\n-------" not in text:
        problems.append("no section Returns")
    if re.search(r"^\s+raise \w", code(CALLED[name]), flags=re.MULTILINE) and "Raises\n------" not in text:
        problems.append("raises, and has no section Raises")
    assert problems == [], text


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_what_results_hold_is_said(name: str):
    """Each field of a public class stands among its attributes or parameters, or those of a class it extends."""
    fields = getattr(CLASSES[name], "__dataclass_fields__", {})
    said = "\n".join(inspect.getdoc(each) or "" for each in CLASSES[name].__mro__)
    names = {word for line in re.findall(r"^[\w, ]+$", said, flags=re.MULTILINE) for word in line.split(", ")}
    assert [field for field in fields if field[0] != "_" and field not in names] == []
