"""Rules between the entries of a study: every name that one of them uses is that of a variable or label of another."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_sp.errors import nearest
from bayes_sp.names import ARROW, TOTAL, TOTAL_INDIRECT
from bayes_sp.records.published.study.form import Study


def name_problems(study: Study) -> list[str]:
    """Return one sentence for each name that nothing else in the study has."""
    known = sorted({name for table in study.tables for name in table.names})
    labels = [test.label for test in study.every_test()]
    problems = [
        f"{where}: no table has the variable {name!r}{nearest(name, known)}"
        for where, name in _variables_used(study)
        if name not in known
    ]
    problems += [
        f"sample_size[{i}].effect_of: no test has the label {item.effect_of!r}{nearest(item.effect_of, labels)}"
        for i, item in enumerate(study.sample_sizes, start=1)
        if item.effect_of and item.effect_of not in labels
    ]
    problems += [f"{kind}: {name!r} stands twice" for kind, name in _twice(study)]
    return problems + [
        f"chain[{i}]: {name!r} stands twice in it"
        for i, chain in enumerate(study.chains, start=1)
        for name in sorted({*chain.variables, *chain.covariates})
        if [*chain.variables, *chain.covariates].count(name) > 1
    ]


def _variables_used(study: Study) -> Iterator[tuple[str, str]]:
    """Yield every name of a variable with the place at which it is used."""
    for i, change in enumerate(study.changes, start=1):
        yield from ((f"change[{i}].{key}", getattr(change, key)) for key in ("score", "before", "after"))
    for i, total in enumerate(study.totals, start=1):
        yield f"total[{i}].variable", total.variable
    for i, paired in enumerate(study.paired, start=1):
        yield from ((f"paired[{i}].{key}", getattr(paired, key)) for key in ("before", "after"))
    for i, chain in enumerate(study.chains, start=1):
        yield from ((f"chain[{i}]", name) for name in (*chain.variables, *chain.covariates))
    for i, scale in enumerate(study.scales, start=1):
        yield from ((f"scale[{i}].variables", name) for name in scale.variables)
    if study.tables:
        for i, coefficient in enumerate(study.coefficients, start=1):
            yield from ((f"coefficient[{i}].{key}", getattr(coefficient, key)) for key in ("response", "term"))
        for i, effect in enumerate(study.effects, start=1):
            if effect.path not in (TOTAL, TOTAL_INDIRECT):
                yield from ((f"effect[{i}].path", name.strip()) for name in effect.path.split(ARROW.strip()))


def _twice(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what must be there once and stands more than once."""
    named = {
        "sample.name": [sample.name for sample in study.samples],
        "table.name": [table.name for table in study.tables],
        "scale.variables": [name for scale in study.scales for name in scale.variables],
        "coefficient": [item.label for item in study.coefficients],
        "effect": [item.label for item in study.effects],
        "test label": [test.label for test in study.every_test()],
    }
    for kind, names in named.items():
        yield from ((kind, name) for name in sorted({name for name in names if names.count(name) > 1}))
