"""How large the effects of a posterior are: standardised, as a share of the total, against a region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from bayes_sp.analysis.further import Further
from bayes_sp.arrays import sd_of
from bayes_sp.design.build import complete_cases
from bayes_sp.effects.comparisons.sizes import (
    Sizes,
    in_outcome_sds,
    per_exposure_sd,
    practical_equivalence,
    proportion_mediated,
)
from bayes_sp.effects.paths import Effects
from bayes_sp.effects.summary import CI_PROB
from bayes_sp.errors import SpecificationError
from bayes_sp.model.parts import PracticalRegion


@dataclass(frozen=True, eq=False)
class Sized(Further):
    """A posterior with what can be said of how large its effects are."""

    def standardised(self, *, kappa: float = 1.0, ci_prob: float = CI_PROB) -> Sizes:
        """Return standardised effects, or effects for one SD of the exposure where the outcome has no SD of its own.

        Parameters
        ----------
        kappa
            As in `effects`.
        ci_prob
            Probability of the intervals.

        Returns
        -------
        Sizes
            In SDs; ``size`` is ``partial``, ``complete``, or a scale per SD. See `bayes_sp.effects.comparisons.sizes`.
        """
        identity = self.model.outcome_family.outcome == "identity"
        tables, notes = [], list[str]()
        for one in self._views or (self,):
            label = one.model.move.label if one.model.move else ""
            sd = one._exposure_sd()
            if identity:
                found, said = in_outcome_sds(one.effects(kappa=kappa), label, one._sd(self.model.outcome), sd, ci_prob)
            elif sd is None:
                said = (f"{label}: a category, or several exposures, have no SD, and the outcome has none of its own.",)
                notes += said
                continue
            else:
                found, said = per_exposure_sd(one._moved_by(sd).effects(kappa=kappa), label, sd, ci_prob)
            tables.append(found)
            notes += [f"{label}: {text}" if label else text for text in said]
        table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["path", "size"])
        return Sizes(table, tuple(dict.fromkeys(notes)), self.survey.mark)

    def proportion_mediated(
        self, *, kappa: float = 1.0, ci_prob: float = CI_PROB, effects: Effects | None = None
    ) -> Sizes:
        """Return the share of the total effect that is indirect: median, interval, P(0 < share < 1).

        Withheld, with the reason, unless P(total < 0) or P(total > 0) exceeds .975.

        Parameters
        ----------
        kappa
            As in `effects`.
        ci_prob
            Probability of the intervals.
        effects
            What `effects` returned, where it is at hand.

        Returns
        -------
        Sizes
        """
        labels = [move.label for move in self.model.moves] or [""]
        table = proportion_mediated(effects or self.effects(kappa=kappa), labels, ci_prob)
        reasons = tuple(f"{path}: {why}." for path, why in zip(table["path"], table["withheld"], strict=True) if why)
        return Sizes(table, reasons, self.survey.mark)

    def practical(
        self,
        lower: float | None = None,
        upper: float | None = None,
        *,
        kappa: float = 1.0,
        effects: Effects | None = None,
    ) -> Sizes:
        """Return the probabilities that each difference lies below, inside and above a region that does not matter.

        Parameters
        ----------
        lower, upper
            Its ends in the outcome's unit; those of the specification's ``[practical]`` by default.
        kappa
            As in `effects`.
        effects
            What `effects` returned, where it is at hand.

        Returns
        -------
        Sizes

        Raises
        ------
        SpecificationError
            Where no region is stated: there is none by default.
        """
        region = self.model.practical
        if lower is not None and upper is not None:
            region = PracticalRegion(lower, upper, "as asked for")
        if region is None or (lower is None) != (upper is None):
            reason = "state the region of effects that do not matter, practical = { lower, upper, why }, or both ends"
            raise SpecificationError(self.model.name, [f"practical: {reason}; there is none by default"])
        if not region.lower < 0 < region.upper:
            raise SpecificationError(self.model.name, ["practical: the region must hold 0, lower < 0 < upper"])
        table = practical_equivalence(effects or self.effects(kappa=kappa), region.lower, region.upper)
        words = f"Region {region.lower:g} to {region.upper:g} {self.model.outcome_unit}: {region.why}."
        return Sizes(table, (words,), self.survey.mark)

    def _sd(self, name: str) -> float:
        """SD of a variable among the analysed patients, n - 1 in the denominator."""
        values = complete_cases(self.model, self.survey).records[name].dropna().to_numpy(dtype=float)
        return float(sd_of(values, ddof=1))

    def _exposure_sd(self) -> float | None:
        """SD of the one number that moves; None for a category, or for several exposures at once."""
        names = self.model.move.names if self.model.move else (self.model.exposure,)
        return None if len(names) > 1 or names[0] in self.model.categories else self._sd(names[0])

    def _moved_by(self, width: float) -> Self:
        """Return the same posterior with effects of moving the exposure from its first value by a width."""
        if (move := self.model.move) is not None:
            (name, u0, _) = move.moved[0]
            found = replace(self, model=replace(self.model, move=replace(move, moved=((name, u0, u0 + width),))))
            found.__dict__["_design"] = self._design
            return found
        u0 = self.model.contrast[0]
        found = replace(self, model=replace(self.model, contrast=(u0, u0 + width)))
        found.__dict__["_design"] = replace(self._design, contrast=(u0, u0 + width))
        return found
