from bayes_sp.report.figures.calibration import plot_calibration as calibration
from bayes_sp.report.figures.criticism import plot_influence as influence
from bayes_sp.report.figures.criticism import plot_loo_pit as loo_pit
from bayes_sp.report.figures.criticism import plot_predictive_checks as predictive_checks
from bayes_sp.report.figures.criticism import plot_prior_check as prior_check
from bayes_sp.report.figures.models import plot_models as models
from bayes_sp.report.figures.moderation import plot_effect_curve as effect_curve
from bayes_sp.report.figures.paths import plot_comparison as comparison
from bayes_sp.report.figures.paths import plot_paths as paths
from bayes_sp.report.figures.planning import plot_assurance as assurance

__all__ = [
    "assurance",
    "calibration",
    "comparison",
    "effect_curve",
    "influence",
    "loo_pit",
    "models",
    "paths",
    "predictive_checks",
    "prior_check",
]
