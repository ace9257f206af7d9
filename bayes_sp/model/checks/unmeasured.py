"""Rules for unmeasured confounders: names, responses, and strengths from which their sign is known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator

from bayes_sp.errors import nearest
from bayes_sp.model.distributions import Prior
from bayes_sp.model.parts import Unmeasured
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.terms import ZERO


def unmeasured_problems(model: PathModel, taken: Collection[str]) -> Iterator[str]:
    """Yield every broken rule of the unmeasured confounders; ``taken`` are names that already have a meaning."""
    for name, count in Counter(unmeasured.name for unmeasured in model.unmeasured).items():
        if count > 1:
            yield f'unmeasured: "{name}" stands {count} times; give each confounder a name of its own'
    for unmeasured in model.unmeasured:
        yield from _name(model, unmeasured.name, taken)
        yield from _responses(model, unmeasured)
        yield from _strengths(unmeasured)


def _name(model: PathModel, name: str, taken: Collection[str]) -> Iterator[str]:
    key, responses = f"unmeasured.{name}", [equation.response for equation in model.equations]
    if not name.isidentifier():
        yield f"{key}: cannot name a confounder: use letters, digits and _, and no digit first"
    elif name in model.columns:
        yield f"{key}: is a column of the model; what was measured is a covariate or stands in the chain"
    elif name in taken or name.removeprefix(ZERO) in model.columns or f"{name}_term" in responses:
        yield f"{key}: has a meaning of its own here; rename the confounder"


def _responses(model: PathModel, unmeasured: Unmeasured) -> Iterator[str]:
    key, responses = f"unmeasured.{unmeasured.name}", [equation.response for equation in model.equations]
    given = Counter(response for response, _ in unmeasured.strengths)
    for response, count in given.items():
        if count > 1:
            yield f"{key}.{response}: stands {count} times"
        if response == model.exposure:
            yield f"{key}.{response}: is the exposure, of which the confounder is independent; name responses"
        elif response not in responses:
            yield f"{key}.{response}: no equation has this response{nearest(response, responses)}"
    if len(given) < 2:
        found = f"found {len(given)}" + (f" ({next(iter(given))})" if given else "")
        yield f"{key}: must act on at least two responses, {found}; what acts on one alone confounds nothing"


def _strengths(unmeasured: Unmeasured) -> Iterator[str]:
    """Yield what is wrong with strengths; U and -U fit alike where nothing says in which direction U acts."""
    key, signed = f"unmeasured.{unmeasured.name}", False
    for response, strength in unmeasured.strengths:
        if isinstance(strength, Prior):
            signed = signed or strength.support == "positive"
            if strength.support == "simplex":
                yield f"{key}.{response}.dist: {strength} is a distribution of shares; a strength is a number"
            elif strength.improper:
                yield f"{key}.{response}.dist: {strength} is improper, and the records do not say how strong U is"
        elif not math.isfinite(strength):
            yield f"{key}.{response}: must be a finite number, found {strength!r}"
        else:
            signed = signed or strength != 0.0
    if unmeasured.estimated and not signed:
        yield (
            f"{key}: U and -U fit alike, so that strengths and their negatives do too; give one strength as a number "
            f"other than 0, or a prior on the positive numbers"
        )
