"""Tests, coefficients, effects and chains of a study's TOML file -> records."""

from __future__ import annotations

from dataclasses import replace

from bayes_sp.model.reading.table import Table as Reader
from bayes_sp.records.published.study.entry import (
    MISSING,
    about,
    figure,
    need_figure,
    need_whole,
    take_df,
    take_figure,
    take_list,
    take_whole,
)
from bayes_sp.records.published.study.figures import Figure
from bayes_sp.records.published.study.parts import Change, Moments
from bayes_sp.records.published.study.read_parts import read_moments
from bayes_sp.records.published.study.results import (
    EFFECT_SIZES,
    Chain,
    Coefficient,
    Effect,
    Paired,
    SampleSize,
    Test,
    TwoGroups,
)

_STATISTICS = ("t", "f", "z", "chi2", "r")
_DF_KEYS = {"t": ("df",), "f": ("df1", "df2"), "z": (), "chi2": ("df",), "r": ("df",)}
DESIGNS = ("repeated_measures", "paired_t", "two_sample_t", "one_way_anova", "regression", "correlation")
SIZES = ("partial_eta_squared", "f", "f2", "d", "dz", "r")
_UNCERTAINTY = ("se", "t", "p", "lower", "upper")


def _test(reader: Reader, label: str) -> Test:
    """Read a test whose keys stand in the entry itself."""
    given = [kind for kind in _STATISTICS if kind in reader.names()]
    if len(given) != 1:
        found = f"found {', '.join(given)}" if given else "found none"
        reader.report("t", f"one of {', '.join(_STATISTICS)} must be there, {found}")
        for kind in given:
            reader.take(kind)
    kind = given[0] if len(given) == 1 else "z"
    statistic = need_figure(reader, kind) if len(given) == 1 else MISSING
    df = tuple(need_figure(reader, key, low=1, count=True) for key in _DF_KEYS[kind])
    p = take_figure(reader, "p", low=0, high=1, bound=True)
    sizes = {name: take_figure(reader, name) for name in EFFECT_SIZES}
    sides = take_whole(reader, "sides", low=1) or 2
    if sides > 2:
        reader.report("sides", f"must be 1 or 2, found {sides}")
    effects = {name: size for name, size in sizes.items() if size is not None}
    return Test(label, kind, statistic, df, p, sides, effects)


def _placed(test: Test, place: str, bearing: str) -> Test:
    """Return a test with the place of the entry that it stands in."""
    return replace(test, place=place, bearing=bearing)


def read_test(reader: Reader) -> Test:
    """Read a test that stands alone."""
    test = _test(reader, reader.take_text("label", required=True))
    return _placed(test, **about(reader))


def read_paired(reader: Reader) -> Paired:
    """Read a comparison of two times."""
    label, before, after = (reader.take_text(key, required=True) for key in ("label", "before", "after"))
    beside = tuple(
        Moments(time, None, take_figure(reader, f"mean_{time}"), take_figure(reader, f"sd_{time}", low=0))
        for time in ("before", "after")
    )
    test = _test(reader, label)
    common = about(reader)
    return Paired(label, before, after, _placed(test, **common), (beside[0], beside[1]), **common)


def read_two_groups(reader: Reader) -> TwoGroups:
    """Read a comparison of two groups."""
    label, welch = reader.take_text("label", required=True), reader.take_flag("welch")
    groups = [read_moments(group) for group in reader.take_tables("groups", required=True)]
    for i, group in enumerate(groups, start=1):
        if group.n is None or group.mean is None or group.sd is None:
            reader.report(f"groups[{i}]", "must have n, mean and sd")
    if len(groups) != 2:
        reader.report("groups", f"must be two, found {len(groups)}")
        groups = [Moments(), Moments()]
    test, missing, variable = _test(reader, label), take_whole(reader, "missing") or 0, reader.take_text("variable")
    common = about(reader)
    return TwoGroups(label, _placed(test, **common), (groups[0], groups[1]), welch, missing, variable, **common)


def read_sample_size(reader: Reader) -> SampleSize:
    """Read a sample-size calculation."""
    label = reader.take_text("label", required=True)
    test, effect = reader.take_choice("test", DESIGNS), reader.take_choice("effect", SIZES)
    size, power = need_figure(reader, "size"), need_figure(reader, "power", low=0, high=1)
    alpha = take_figure(reader, "alpha", low=0, high=1) or Figure("0.05")
    n, groups = need_whole(reader, "n", low=2), take_whole(reader, "groups", low=2)
    predictors, effect_of = take_whole(reader, "predictors", low=1), reader.take_text("effect_of")
    return SampleSize(
        label, test, effect, size, power, n, alpha, groups or 2, predictors or 1, effect_of, **about(reader)
    )  # fmt: skip


def _uncertainty(reader: Reader) -> dict[str, Figure | None]:
    """Read standard error, t, p and limits."""
    lows = {"se": 0.0, "p": 0.0}
    return {key: take_figure(reader, key, low=lows.get(key), bound=key == "p") for key in _UNCERTAINTY}


def _model(reader: Reader) -> str:
    """Read the name or number of a model; ``""`` where there is none."""
    model = reader.take("model")
    if model is not None and (isinstance(model, bool) or not isinstance(model, str | int)):
        reader.report("model", f"must be a text or a whole number, found {model!r}")
    return "" if model is None else reader.line("model", str(model))


def read_coefficient(reader: Reader) -> Coefficient:
    """Read a regression coefficient."""
    response, term = (reader.take_text(key, required=True) for key in ("response", "term"))
    estimate, uncertainty, df = need_figure(reader, "estimate"), _uncertainty(reader), take_df(reader)
    return Coefficient(response, term, estimate, **uncertainty, df=df, model=_model(reader), **about(reader))  # type: ignore[arg-type] # figures


def read_effect(reader: Reader) -> Effect:
    """Read an effect of the exposure on the outcome."""
    path, printed = reader.take_text("path", required=True), reader.take_text("printed", required=True)
    texts = take_list(reader, "readings") or [printed]
    readings = tuple(found for text in texts if (found := figure(reader, "readings", text)) is not None)
    interval = reader.take_choice("interval", ("bootstrap", "t"), "bootstrap")
    uncertainty, df = _uncertainty(reader), take_df(reader)
    name = _model(reader)
    return Effect(path, readings, printed, name, **uncertainty, interval=interval, df=df, **about(reader))  # type: ignore[arg-type] # figures


def read_chain(reader: Reader) -> Chain:
    """Read the regressions of a mediation analysis."""
    exposure, outcome = (reader.take_text(key, required=True) for key in ("exposure", "outcome"))
    mediators, covariates, unprinted = (reader.take_texts(key) for key in ("mediators", "covariates", "unprinted"))
    if not mediators:
        reader.report("mediators", "must name at least one variable")
    name = _model(reader)
    return Chain(exposure, mediators, outcome, covariates, unprinted, name, **about(reader))


def read_change(reader: Reader) -> Change:
    """Read which variable is the difference of which others."""
    score, before, after = (reader.take_text(key, required=True) for key in ("score", "before", "after"))
    return Change(score, before, after, **about(reader))
