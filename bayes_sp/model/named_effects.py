"""Effects by the names that people write: ``total``, ``via sleep``, ``direct [sport against none] at gender = 2``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bayes_sp.errors import nearest
from bayes_sp.model.checks.products import no_moderator
from bayes_sp.model.path_model import PathModel
from bayes_sp.names import ARROW, COEFFICIENT, RATE_RATIO, RISK_RATIO, TOTAL, TOTAL_INDIRECT, effect_name, path_name

AT = re.compile(r"(?P<effect>.+?)\s+at\s+(?P<held>\w+\s*=.*)")
COMPARED = re.compile(r"(?P<path>[^\[]*)\[(?P<label>[^\]]*)\]")
TOTALS = {
    "total": TOTAL,
    "total indirect": TOTAL_INDIRECT,
    "total_indirect": TOTAL_INDIRECT,
    "indirect": TOTAL_INDIRECT,
}


@dataclass(frozen=True)
class NamedEffect:
    """One effect: its name in a table of effects, and the values at which covariates are held for it."""

    name: str
    held: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {value:.6g}" for name, value in self.held)
        return f"{self.name} at {at}" if at else self.name


def named_effect(model: PathModel, text: str) -> NamedEffect:
    """Return the effect that a text names.

    ``total``, ``total indirect``, ``direct``, ``via a`` or ``via a, b`` (through these mediators and no others), or a
    path as tables name it; then in brackets what it compares, where the specification compares several things; then
    ``at covariate = value`` for the population that has this value.

    Raises ValueError with what the text names that the model has not.
    """
    found = AT.fullmatch(text.strip())
    effect, held = (found["effect"], found["held"]) if found else (text, "")
    within = COMPARED.fullmatch(effect.strip())
    words, label = (within["path"].strip(), within["label"].strip()) if within else (effect.strip(), "")
    labels = {view.move.label if view.move else "": view for view in model.views}
    if not label and len(labels) == 1:
        (label,) = labels
    if label not in labels:
        known = "; ".join(f"[{one}]" for one in labels if one)
        if not known:
            raise ValueError(
                f'"{text}": this specification compares one thing, so [{label}] names nothing; leave it out'
            )
        raise ValueError(f'"{text}": add what is compared: {known}')
    return NamedEffect(effect_name(_path(labels[label], words, text), label), tuple(_held(model, held, text)))


def _path(view: PathModel, words: str, text: str) -> str:
    """Return the path, or total, that words name."""
    if words.lower() in TOTALS:
        return TOTALS[words.lower()]
    paths = [path_name(path) for path in view.named_paths()]
    name = words
    if words.lower() == "direct":
        name = path_name((view.source, view.outcome))
    elif words.lower().startswith("via "):
        through = [part.strip() for part in re.split(r",|\band\b", words[4:])]
        name = path_name((view.source, *(part for part in through if part), view.outcome))
    name = path_name([part.strip() for part in name.split(ARROW.strip())]) if ARROW.strip() in name else name
    if name not in paths:
        known = ["direct", *(f"via {', '.join(path[1:-1])}" for path in view.named_paths() if len(path) > 2), *TOTALS]
        raise ValueError(f'"{text}" is no effect of this model{nearest(words, [*known, *paths])}')
    return name


def _held(model: PathModel, held: str, text: str) -> list[tuple[str, float]]:
    """Return the covariates and values of ``a = 1, b = 2``."""
    known = {covariate.name: covariate for covariate in model.covariates}
    found = []
    for part in held.split(",") if held else []:
        name, _, value = (piece.strip() for piece in part.partition("="))
        if reason := no_moderator(model, name):
            raise ValueError(f'"{text}": {name}: {reason}')
        if name not in known:
            raise ValueError(f'"{text}": {name} is not in [covariates]{nearest(name, known)}')
        texts = known[name].texts
        if texts and value not in texts:
            raise ValueError(f'"{text}": {value!r} is no level of {name}{nearest(value, texts)}')
        try:
            found.append((name, float(texts.index(value)) if texts else float(value)))
        except ValueError:
            raise ValueError(f'"{text}": {value!r} is no number') from None
    return found


def scale_words(model: PathModel, scale: str) -> str:
    """Return a scale of effects in words: a ratio by what the outcome is, a rate, a risk or a mean."""
    words = dict.fromkeys((RATE_RATIO, RISK_RATIO), model.outcome_family.ratio) | {COEFFICIENT: "product"}
    return words.get(scale, scale)
