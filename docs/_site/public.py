"""The public names, in the order of an analysis, and the classes that their functions return."""

from __future__ import annotations

import inspect
import re
import sys
from types import ModuleType

import bayes_sp

ORDER = {
    "Records": ("read_survey", "Survey", "check", "synthesize"),
    "Specifications": ("draft", "load_model", "PathModel", "prior_predictive", "pymc_model"),
    "Fits": ("fit", "mediate", "SamplerOptions", "Fit", "bootstrap", "compare_models", "read_run"),
    "Published numbers": ("published", "audit", "Moments", "reconstruct"),
    "Evidence and planning": ("calibrate", "design_study"),
    "Errors": ("BayesSpError",),
}
SPACES = ("plot", "sensitivity")  # modules, each on a page of its own
HIDDEN = "Shown"  # how results show themselves, on every one of them


def names() -> str:
    """Return every public name but those of the two modules."""
    return "\n".join(f"## {title}\n\n{_entries(bayes_sp, group)}" for title, group in ORDER.items())


def sensitivity() -> str:
    """Return the names of ``bayes_sp.sensitivity``: functions first, then what they return."""
    space = bayes_sp.sensitivity
    functions = [name for name in space.__all__ if inspect.isroutine(getattr(space, name))]
    classes = [name for name in space.__all__ if inspect.isclass(getattr(space, name))]
    constants = [name for name in space.__all__ if name not in (*functions, *classes)]
    return f"## Functions\n\n{_entries(space, functions + constants)}\n## Results\n\n{_entries(space, classes)}"


def figures() -> str:
    """Return the names of ``bayes_sp.plot``."""
    return _entries(bayes_sp.plot, bayes_sp.plot.__all__)


def results() -> str:
    """Return the classes that public functions and the methods of a fit return, and that have no public name."""
    public = {getattr(space, name) for space in (bayes_sp, bayes_sp.sensitivity) for name in space.__all__
              if inspect.isclass(getattr(space, name))}  # fmt: skip
    asked = [getattr(bayes_sp, name) for name in bayes_sp.__all__ if inspect.isroutine(getattr(bayes_sp, name))]
    asked += [each for name, each in inspect.getmembers(bayes_sp.Fit, inspect.isfunction) if name[0] != "_"]
    words = {word for each in asked for word in re.findall(r"\w+", str(each.__annotations__.get("return", "")))}
    loaded = {
        name: each
        for module in [module for name, module in sys.modules.items() if name.startswith("bayes_sp.")]
        for name, each in vars(module).items()
        if inspect.isclass(each) and each.__module__.startswith("bayes_sp.") and not name.startswith("_")
    }
    found = sorted({loaded[word] for word in words & set(loaded)} - public, key=lambda each: each.__name__)
    return "\n".join(_directive("class", f"{each.__module__}.{each.__name__}") for each in found)


def _entries(space: ModuleType, group: tuple[str, ...] | list[str]) -> str:
    lines = []
    for name in group:
        each = getattr(space, name)
        if inspect.isclass(each) or inspect.isroutine(each):
            kind = "class" if inspect.isclass(each) else "function"
            lines.append(_directive(kind, f"{space.__name__}.{name}"))
        else:
            lines.append(f"```{{eval-rst}}\n.. py:data:: {space.__name__}.{name}\n   :value: {each!r}\n```\n")
    return "\n".join(lines)


def _directive(kind: str, path: str) -> str:
    options = "   :members:\n   :inherited-members: object, Exception\n" if kind == "class" else ""
    return f"```{{eval-rst}}\n.. auto{kind}:: {path}\n{options}```\n"
