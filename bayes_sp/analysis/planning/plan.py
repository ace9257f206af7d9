"""The plan of a new study: sizes, what is believed of the truth, and what the study is to show. Read from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bayes_sp.analysis.comparison.models import of_first
from bayes_sp.errors import SpecificationError, nearest
from bayes_sp.model.distributions import Prior
from bayes_sp.model.families.registry import FAMILIES
from bayes_sp.model.path_model import PathModel
from bayes_sp.model.reading.load import find_model, load_model
from bayes_sp.model.reading.priors import read_prior
from bayes_sp.model.reading.table import Table
from bayes_sp.model.reading.toml_text import read_tables, table_problems
from bayes_sp.names import COEFFICIENT, DIFFERENCE, RATE_RATIO, RISK_RATIO, TOTAL_INDIRECT, path_name

type Source = Plan | Mapping[str, Any] | str | Path
Base = Literal["fit", "priors"]
SERIAL = "serial"
LEAST_PATIENTS = 20
SCALES = (DIFFERENCE, COEFFICIENT, RATE_RATIO, RISK_RATIO)


@dataclass(frozen=True)
class Plan:
    """What a new study is to be like.

    Attributes
    ----------
    model
        Its analysis, which also simulates its records.
    recruited, follow_up
        Numbers of patients at referral, and shares of them who come back, whoever they are.
    simulations
        Simulated studies of each size.
    base
        Where truths are drawn from: ``fit``, the posterior of a fit to the records at hand, or ``priors``.
    truth
        (response, parameter, number or prior) in place of the base.
    effect, scale
        Path, ``total_indirect`` or ``total``, and its scale.
    region, region_why
        Values of the effect that are as good as none, with the reason; None for no region.
    width
        The width that the interval shall not exceed; None for none.
    ci_prob
        Probability of the interval.
    assurance
        The probability that is asked for.
    source
        For messages.
    """

    model: PathModel
    recruited: tuple[int, ...]
    follow_up: tuple[float, ...] = (1.0,)
    simulations: int = 200
    base: Base = "fit"
    truth: tuple[tuple[str, str, float | Prior], ...] = ()
    effect: str = TOTAL_INDIRECT
    scale: str = DIFFERENCE
    region: tuple[float, float] | None = None
    region_why: str = ""
    width: float | None = None
    ci_prob: float = 0.95
    assurance: float = 0.8
    source: str = "the plan"

    @property
    def asked_for(self) -> str:
        """The effect in question and its scale, in words: ``total indirect (rate ratio)``."""
        effect = self.effect.replace("_", " ", 1) if self.effect.startswith(TOTAL_INDIRECT) else self.effect
        return f"{effect} ({self.scale.replace('_', ' ')})"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of patients with a follow-up that any combination leads to, each once, in order."""
        return tuple(sorted({analysed(count, share) for count in self.recruited for share in self.follow_up}))


def analysed(recruited: int, share: float) -> int:
    """Return how many patients come back."""
    return round(recruited * share)


def read_plan(source: Source) -> Plan:
    """Read the plan of a study: a TOML file, or its tables.

    Raises SpecificationError with every mistake of the file, each with its key.
    """
    if isinstance(source, Plan):
        return source
    named = "the plan" if isinstance(source, Mapping) else str(source)
    tables = source if isinstance(source, Mapping) else read_tables(source)
    if problems := table_problems(tables):
        raise SpecificationError(named, problems)
    top = Table(tables, "", problems)
    folder = "" if isinstance(source, Mapping) else str(Path(source).resolve().parent)
    model = _model(top, folder)
    recruited = tuple(int(n) for n in top.take_numbers("recruited", least=1) or _lacks(top, "recruited"))
    follow_up = top.take_numbers("follow_up", least=1) or (1.0,)
    simulations = top.take_number("simulations", 200) or 0
    truth_table, goal = top.take_table("truth"), top.take_table("goal")
    base = truth_table.take_choice("from", ("fit", "priors"), "fit")
    truth = tuple(_truth(truth_table, model)) if model else ()
    effect, scale = _effect(goal, model), goal.take_choice("scale", SCALES, DIFFERENCE)
    region, why = goal.take_numbers("region", least=2), goal.take_text("region_why")
    width, ci_prob = goal.take_positive("width"), goal.take_number("ci_prob", 0.95) or 0.0
    assurance = goal.take_number("assurance", 0.8) or 0.0
    for table in (goal, top):
        table.finish()
    _check_numbers(top, recruited, follow_up, simulations)
    _check_goal(goal, region, why, ci_prob, assurance)
    if problems or model is None:
        raise SpecificationError(named, problems)
    plan = Plan(
        model, recruited, follow_up, int(simulations), "fit" if base == "fit" else "priors", truth, effect, scale,
        (region[0], region[1]) if region else None, why, width, ci_prob, assurance, named,
    )  # fmt: skip
    least = max(LEAST_PATIENTS, len(model.columns) + 3)
    if plan.sizes[0] < least:
        small = f"{plan.sizes[0]} patients come back of the smallest study; at least {least} are needed for its columns"
        raise SpecificationError(named, [f"recruited, follow_up: {small}"])
    return plan


def _lacks(top: Table, name: str) -> tuple[float, ...]:
    if not any(problem.startswith(f"{name}:") for problem in top.problems):
        top.report(name, "is missing: the numbers of patients to try, such as [200, 400]")
    return ()


def _model(top: Table, folder: str) -> PathModel | None:
    named = top.take("model", required=True)
    if named is None:
        return None
    try:
        return load_model(named if isinstance(named, Mapping) else find_model(str(named), folder))
    except SpecificationError as error:
        top.problems += [f"model: {error.source}: {problem}" for problem in error.problems]
        return None


def _truth(table: Table, model: PathModel) -> list[tuple[str, str, float | Prior]]:
    """Read what is believed of single parameters: ``[truth.<response>] <parameter> = number or prior``."""
    found: list[tuple[str, str, float | Prior]] = []
    equations = {equation.response: equation for equation in model.equations}
    for response in table.names():
        if response not in equations:
            table.take(response)
            table.report(response, f"is no response of {model.name}{nearest(response, list(equations))}")
            continue
        below, equation = table.take_table(response), equations[response]
        known = [*model.terms(equation), *FAMILIES[equation.family].parameters]
        for name in below.names():
            value = below.take(name)
            if name not in known:
                below.report(name, f"is no parameter of the equation of {response}{nearest(name, known)}")
            elif isinstance(value, dict):
                prior = read_prior(Table(value, below.key(name), below.problems))
                found += [(response, name, prior)] if prior is not None else []
                if prior is not None and prior.improper:
                    below.report(name, f"{prior} is improper; nothing can be drawn from it")
            elif (number := below.number(name, value)) is not None:
                found.append((response, name, number))
    return found


def _effect(goal: Table, model: PathModel | None) -> str:
    """Return the effect's name: ``serial`` is the path through all mediators."""
    named = goal.take_text("effect", default=SERIAL)
    if model is None:
        return named
    known = model.effect_names
    if named == SERIAL:
        named = of_first(model, path_name((model.views[0].source, *model.chain[1:])))
        if named not in known:
            goal.report("effect", f"there is no path through all mediators; choose one of {', '.join(known)}")
    elif named not in known:
        goal.report("effect", f"unknown effect {named!r}{nearest(named, known)}; known: {', '.join(known)}")
    return named


def _check_numbers(top: Table, recruited: tuple[int, ...], follow_up: tuple[float, ...], simulations: float) -> None:
    if any(count < 1 for count in recruited):
        top.report("recruited", f"must be numbers of patients, found {list(recruited)}")
    if any(not 0 < share <= 1 for share in follow_up):
        top.report("follow_up", f"must be shares above 0 and up to 1, found {list(follow_up)}")
    if simulations != int(simulations) or simulations < 10:
        top.report("simulations", f"must be a whole number of at least 10, found {simulations:g}")


def _check_goal(goal: Table, region: tuple[float, ...], why: str, ci_prob: float, assurance: float) -> None:
    if region and (len(region) != 2 or region[0] >= region[1]):
        goal.report("region", f"must be two numbers, the lower first, found {list(region)}")
    if region and not why:
        goal.report("region_why", "is missing: say why effects in the region are as good as none")
    for name, value in (("ci_prob", ci_prob), ("assurance", assurance)):
        if not 0 < value < 1:
            goal.report(name, f"must be between 0 and 1, found {value:g}")
