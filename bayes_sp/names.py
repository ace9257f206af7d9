"""Names that files, posteriors and tables share: they are an interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

ARROW = " -> "
TOTAL = "total"
TOTAL_INDIRECT = "total_indirect"

COEFFICIENT = "coefficient"
RATE_RATIO = "rate_ratio"
RISK_RATIO = "risk_ratio"
DIFFERENCE = "difference"

MEMBER = "member"  # coordinate of chains: which of several sets of records they are about
VARIANCE_FACTOR = "variance_factor"  # coordinate of resampled draws, beside chain and draw

RESIDUAL_CORRELATION = "residual_correlation"  # of two mediators

DIRECT = "direct"
VIA = "via "  # followed by a mediator
MEDIATED_INTERACTION = "mediated_interaction"
DEPENDENCE = "dependence"

ALONE = "alone"
AVERAGE = "average"

INTERVAL_COLUMNS = ("lower", "upper", "ci_kind", "ci_prob", "prob_negative")
SUMMARY_COLUMNS = ("mean", "median", "sd", *INTERVAL_COLUMNS)  # of draws
CONVERGENCE_COLUMNS = ("ess_bulk", "ess_tail", "r_hat", "mcse_mean", "mcse_median")
_SUMMARISED = ("path", "scale", *SUMMARY_COLUMNS, *CONVERGENCE_COLUMNS)
EFFECT_COLUMNS = ("path", "scale", "decomposition", "kappa", *SUMMARY_COLUMNS, *CONVERGENCE_COLUMNS)
COMPARED = ("exposure", "from", "to")  # stand before them where effects are of several moves of the exposures
CONDITIONAL_COLUMNS = ("moderator", "at", "level", *EFFECT_COLUMNS)
CONTRAST_COLUMNS = ("moderator", "from", "to", *_SUMMARISED)
CONTRASTED_COLUMNS = (
    "contrast", "first", "second", "scale", *SUMMARY_COLUMNS, "prob_larger", "prob_one_sign", *CONVERGENCE_COLUMNS,
)  # fmt: skip
INDEX_COLUMNS = ("moderator", "unit", *_SUMMARISED)
CURVE_EFFECT_COLUMNS = ("value", "path", "scale", "mean", "median", "lower", "upper", "ci_kind", "ci_prob")
COEFFICIENT_COLUMNS = (
    "equation", "term", "mean", "sd", "lower", "upper", "ci_kind", "ci_prob", "prob_negative", "ratio", "ml_estimate",
    "ml_se", "r_hat", "ess_bulk", "ess_tail",
)  # fmt: skip
COMPARISON_COLUMNS = (
    "path", "scale", "likelihood", "inference", "estimate", "lower", "upper", "ci_kind", "ci_prob", "replicates",
    "failed", "boundary", "patients",
)  # fmt: skip
BOOTSTRAP_COLUMNS = (
    "path", "scale", "decomposition", "likelihood", "estimate", "lower", "upper", "lower_mcse", "upper_mcse",
    "ci_kind", "ci_prob", "replicates", "failed", "reasons", "undefined", "boundary", "boundaries",
)  # fmt: skip
CHECK_COLUMNS = (
    "response", "statistic", "exposure", "patients", "observed", "replicated", "lower", "upper", "ci_kind", "ci_prob",
    "share_at_or_above",
)  # fmt: skip
PRIOR_COLUMNS = ("response", "quantity", "lower", "median", "upper", "ci_prob", "probability")
FREQUENCY_COLUMNS = ("response", "bin", "center", "width", "observed", "replicated", "lower", "upper")
LOO_COLUMNS = (
    "response", "family", "predicts", "patients", "elpd", "se", "p_loo", "worst_k", "high_k", "refitted",
)  # fmt: skip
INFLUENCE_COLUMNS = ("row", "mean", "median", "lower", "upper", "shift", "shift_sd", "pareto_k", "method")
MULTIVERSE_COLUMNS = (
    "specification", "effect", "path", "scale", "mean", "median", "lower", "upper", "ci_kind", "ci_prob",
    "prob_negative", "family", "elpd_difference", "elpd_se", "elpd_reason", "trustworthy", "verdict",
)  # fmt: skip
E_VALUE_COLUMNS = (
    "path", "scale", "contrast_from", "contrast_to", "median", "lower", "upper", "ci_kind", "ci_prob", "e_value",
    "e_value_limit", "words",
)  # fmt: skip
BENCHMARK_COLUMNS = ("covariate", "response", "link", "strength", "lower", "upper", "ci_kind", "ci_prob")
CONFOUNDING_COLUMNS = (
    "first", "second", "first_strength", "second_strength", "path", "scale", "mean", "median", "lower", "upper",
    "ci_kind", "ci_prob", "prob_negative", "trustworthy", "fitted", "reason",
)  # fmt: skip
CURVE_COLUMNS = ("first", "second", "first_strength", "second_strength", "slope_bias")
MULTIPLE_COLUMNS = (
    "first", "second", "covariate", "first_strength", "second_strength", "sign", "multiple", "most", "mcse",
    "refitted",
)  # fmt: skip
DELTA_COLUMNS = (
    "shifted", "step", "shift", "delta", "path", "scale", "mean", "median", "lower", "upper", "ci_kind",
    "ci_prob", "prob_negative", "trustworthy", "reason",
)  # fmt: skip
DIAGNOSTIC_COLUMNS = ("name", "r_hat", "ess_bulk", "ess_tail", "mcse_mean", "mcse_median")


def path_name(variables: Sequence[str]) -> str:
    """Return a path's name: its variables joined by `` -> ``."""
    return ARROW.join(variables)


def effect_name(path: str, label: str) -> str:
    """Return an effect's name: its path, or a total, and in brackets what it compares where that is to be told."""
    return f"{path} [{label}]" if label else path


def name_parts(name: str) -> tuple[str, str]:
    """Return the path or total of an effect's name, and what it compares, '' where that is not told."""
    path, _, label = name.removesuffix("]").partition(" [")
    return path, label


def typed_name(name: str) -> str:
    """Return an effect's name as people write it: ``direct``, ``via a, b``, ``total indirect``, ``total``.

    Examples
    --------
    >>> typed_name("x -> a -> b -> y [x: 2 against 1]"), typed_name("total_indirect")
    ('via a, b [x: 2 against 1]', 'total indirect')
    """
    path, label = name_parts(name)
    first, *between = path.split(ARROW)[:-1] or [""]
    words = f"via {', '.join(between)}" if between else "direct" if first else path.replace("_", " ")
    return effect_name(words, label)


def distinct(paths: Sequence[str]) -> list[str]:
    """Leave the total indirect effect out where one indirect path is all of it."""
    indirect = Counter(name_parts(path)[1] for path in dict.fromkeys(paths) if path.count(ARROW) > 1)
    parts = {path: name_parts(path) for path in paths}
    return [path for path in paths if parts[path][0] != TOTAL_INDIRECT or indirect[parts[path][1]] != 1]


def is_total(name: str) -> bool:
    """Return whether an effect is the total one."""
    return name_parts(name)[0] == TOTAL


def observed_name(response: str) -> str:
    """Return the name of a response's observed variable (``belonging_t1`` itself names its coefficients)."""
    return f"{response}_observed"


# The sensitivity analyses: keys of their words, and options of the command line.
PARTS = ("priors", "kappa", "confounding", "attrition")
PRIORS, KAPPA, CONFOUNDING, ATTRITION = PARTS
VARYING = "_varying"  # ends the names of groups' intercepts in a posterior
LEAST_COUNT = 10  # patients: what says something of fewer is not shown
KEEPS_RECORDS = "keeps_records"  # of a saved run: whether it holds patients' records
NUMBERED = "numbered"  # attribute of a coordinate of groups whose names are not written
