"""What analyses say together: which keep an effect's sign, and what it would take for its interval to reach none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bayes_sp.model.path_model import PathModel
from bayes_sp.sensitivity.confounder.confounding import Confounding
from bayes_sp.sensitivity.confounder.words import pair_words
from bayes_sp.sensitivity.missing.attrition import Attrition
from bayes_sp.sensitivity.missing.departures import SLOPES
from bayes_sp.sensitivity.prior.dials import CENTRED
from bayes_sp.sensitivity.prior.tipping import TippingPoint
from bayes_sp.sensitivity.target import Estimate, Finding, Target, label


def tipping_summary(
    model: PathModel, tipping: TippingPoint | None, confounding: Confounding | None, attrition: Attrition | None
) -> list[str]:
    """Return what each analysis that found a tipping point demands, as clauses; [] where the base holds no effect."""
    found = []
    if tipping is not None and tipping.tipping.first is not None and tipping.tipping.before in ("above", "below"):
        found.append(_prior(tipping))
    if confounding is not None:
        found += _confounder(model, confounding)
    if attrition is not None:
        found += _slope(model, attrition)
    return found


def _prior(tipping: TippingPoint) -> str:
    first = tipping.value
    if tipping.dial.kind == CENTRED:
        return f"priors of its coefficients centred at 0 with {first:.2g} times their scale"
    return f"{tipping.dial.words} of {first:.2g}"


def _confounder(model: PathModel, confounding: Confounding) -> Iterator[str]:
    """Yield the pair that needs least."""
    known = [s.multiple for s in confounding.statements if s.multiple.multiple > 0.0]  # not NaN, not 0
    if known:
        least = min(known, key=lambda multiple: multiple.multiple)
        error = f" (Monte Carlo error {least.mcse:.2f})" if least.mcse > 0.0 else ""  # none where interpolated
        yield (
            f"an unmeasured confounder of {pair_words(model, least.pair)} {least.multiple:.2g} times as strong as "
            f"{label(model, least.covariate)} in both equations{error}"
        )


def _slope(model: PathModel, attrition: Attrition) -> Iterator[str]:
    """Yield the slope that would have to change least among those who did not come back."""
    changes = [
        (abs(delta / departure.slope), departure, delta)
        for departure, tip in zip(attrition.departures, attrition.tipping, strict=True)
        for delta in tip.deltas
        if departure.kind == SLOPES and tip.sign and departure.slope and math.isfinite(delta)
    ]
    if changes:
        _, departure, delta = min(changes, key=lambda change: change[0])
        move = departure.moves[0][0]
        yield (
            f"a slope from {label(model, str(move.parent))} to {label(model, move.response)} of "
            f"{departure.slope + delta:.2g} in place of {departure.slope:.2g} among those who did not come back"
        )


ANALYSES = {
    "priors": "other priors",
    "kappa": "kappa, how alike a mediator's unexplained part is at both exposures",
    "confounding": "an unmeasured confounder",
    "attrition": "patients who did not come back",
}
MOST_NAMED = 6
KINDS = ("keep", "lose", "turn", "undecided", "unusable")


@dataclass(frozen=True)
class Verdicts:
    """The cases of one analysis, by what they say of the effect's sign."""

    analysis: str  # key of ``ANALYSES``
    # keep, lose, turn: cases whose interval lies on the side of the reference's median; includes no effect; lies on the
    # other side.
    keep: tuple[str, ...]
    lose: tuple[str, ...]
    turn: tuple[str, ...]
    # Cases in which the limit that matters is within two Monte Carlo standard errors of no effect.
    undecided: tuple[str, ...]
    unusable: tuple[str, ...]  # cases without an answer, or whose fit failed its diagnostics, with the reason

    @property
    def answered(self) -> int:
        """Number of cases that can be used."""
        return len(self.keep) + len(self.lose) + len(self.turn) + len(self.undecided)


def verdicts(findings: Sequence[Finding], base: Estimate, target: Target) -> list[Verdicts]:
    """Sort findings by analysis and by what they say of the sign of the reference estimate."""
    side = -1 if base.median < target.null else 1
    found = []
    for analysis in dict.fromkeys(finding.analysis for finding in findings):
        sorted_: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for finding in findings:
            if finding.analysis != analysis:
                continue
            if finding.estimate is None or not finding.estimate.trustworthy:
                failed = finding.estimate is not None
                reason = "its fit failed the diagnostics" if failed else finding.note or "no answer"
                sorted_["unusable"].append(f"{finding.case} ({reason})")
                continue
            if finding.estimate.undecided(target.null):
                sorted_["undecided"].append(finding.case)
                continue
            sign = finding.estimate.sign(target.null) * side
            sorted_["keep" if sign > 0 else "turn" if sign < 0 else "lose"].append(finding.case)
        found.append(Verdicts(analysis, *(tuple(sorted_[kind]) for kind in KINDS)))
    return found


def verdict_lines(found: Sequence[Verdicts], ci_prob: float) -> list[str]:
    """Return a sentence for each analysis: how many of its cases keep the sign, and which do not."""
    lines = []
    for one in found:
        words = ANALYSES.get(one.analysis, one.analysis)
        words = f"{words[:1].upper()}{words[1:]}"
        if one.answered == 0:
            line = f"{words}: no case can be used."
        elif len(one.keep) == one.answered:
            line = f"{words}: the sign holds at {100 * ci_prob:g} % in {_all(one.answered)}."
        else:
            line = f"{words}: the sign holds at {100 * ci_prob:g} % in {len(one.keep)} of {one.answered} cases"
            line += f". Not with {listed(one.lose)}" if one.lose else ""
            line += f". It is the opposite with {listed(one.turn)}" if one.turn else ""
            line += f". Undecided within Monte Carlo error with {listed(one.undecided)}" if one.undecided else ""
            line += "."
        line += f" Not used: {listed(one.unusable)}." if one.unusable else ""
        lines.append(line)
    return lines


def quotable(found: Sequence[Verdicts], base: Estimate, name: str, unit: str, ci_prob: float, null: float = 0.0) -> str:
    """Return one sentence that a reader can quote."""
    size = f"{_short(base.median)} [{_short(base.lower)}, {_short(base.upper)}]{f' {unit}' if unit else ''}"
    effect = f"effect {name}" if name.startswith("via ") else f"{name} effect"
    total, kept = sum(one.answered for one in found), sum(len(one.keep) for one in found)
    turned, open_ = (
        sum(len(cases) for cases in kind) for kind in ([o.turn for o in found], [o.undecided for o in found])
    )
    if total == 0:
        return f"The {effect} is {size}; no case can be used, so nothing is known of what would change that."
    cases = f"{total} case{'' if total == 1 else 's'}"
    if base.sign(null) == 0:
        return (
            f"The {100 * ci_prob:g} % interval of the {effect}, {size}, includes {null:g} already, so there is no "
            f"sign to keep; in {total - kept - turned - open_} of {cases} it still includes {null:g}"
            + (f", and in {open_} Monte Carlo error leaves it open" if open_ else "")
            + "."
        )
    return (
        f"The {effect}, {size}, keeps its sign at {100 * ci_prob:g} % in {kept} of {cases}"
        + (f", has the opposite sign in {turned}" if turned else "")
        + (f", is undecided within Monte Carlo error in {open_}" if open_ else "")
        + "; the cases were chosen to look for where it does not hold, so their number is no probability."
    )


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence, the first six of many; by semicolons where names have commas."""
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown.append(f"{len(names) - MOST_NAMED} more")
    if any(", " in name for name in shown):
        return "; ".join(shown)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _all(count: int) -> str:
    return "its only case" if count == 1 else f"all {count} cases"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.0005 or value == 0.0 else f"{value:.2g}"
