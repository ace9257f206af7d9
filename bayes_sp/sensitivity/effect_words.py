"""Effects and variables as they stand in a sentence."""

from __future__ import annotations

from bayes_sp.analysis.comparison.models import serial_path
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ARROW, COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, TOTAL, TOTAL_INDIRECT, name_parts
from bayes_sp.sensitivity.target import Target


def effect_words(model: PathModel, target: Target) -> str:
    """Return an effect in words, as it stands in a sentence: its path, and its scale where that is no difference."""
    scale = "" if target.scale == DIFFERENCE else f" ({scale_words(model, target.scale)})"
    path, compared = name_parts(target.path)
    scale = f", {compared}{scale}" if compared else scale
    if path in (TOTAL, TOTAL_INDIRECT):
        return f"the {path.replace('_', ' ')} effect{scale}"
    between = [label(model, name) for name in path.split(ARROW)[1:-1]]
    if not between:
        return f"the direct effect{scale}"
    if target.path == serial_path(model):
        return f"the serial effect{scale}"
    return f"the {'indirect ' if len(between) == 1 else ''}effect via {', then '.join(between)}{scale}"


def scale_words(model: PathModel, scale: str) -> str:
    """Return a scale of effects in words: a ratio by what the outcome is, a rate, a risk or a mean."""
    words = dict.fromkeys((RATE_RATIO, RISK_RATIO), model.outcome_family.ratio) | {COEFFICIENT: "product"}
    return words.get(scale, scale)


def label(model: PathModel, name: str) -> str:
    """Return a variable's label within a sentence: its first letter small, unless it begins with an abbreviation."""
    words = model.variable(name).label
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
