from bayes_sp.report.figures.calibration import plot_assurance as assurance
from bayes_sp.report.figures.calibration import plot_calibration as calibration
from bayes_sp.report.figures.comparison import plot_comparison as comparison
from bayes_sp.report.figures.criticism import plot_influence as influence
from bayes_sp.report.figures.criticism import plot_loo_pit as loo_pit
from bayes_sp.report.figures.criticism import plot_predictive_checks as predictive_checks
from bayes_sp.report.figures.criticism import plot_prior_check as prior_check
from bayes_sp.report.figures.draws import plot_prior_posterior as prior_posterior
from bayes_sp.report.figures.draws import plot_rank as rank
from bayes_sp.report.figures.draws import plot_trace as trace
from bayes_sp.report.figures.effects import plot_densities as densities
from bayes_sp.report.figures.effects import plot_dose as dose
from bayes_sp.report.figures.effects import plot_forest as forest
from bayes_sp.report.figures.effects import plot_members as members
from bayes_sp.report.figures.models import plot_models as models
from bayes_sp.report.figures.moderation import plot_effect_curve as effect_curve
from bayes_sp.report.figures.paths import plot_paths as paths
from bayes_sp.report.figures.records import plot_change as change
from bayes_sp.report.figures.sensitivity import plot_attrition as attrition
from bayes_sp.report.figures.sensitivity import plot_kappa as kappa
from bayes_sp.report.figures.surfaces import plot_confounding as confounding
from bayes_sp.report.figures.surfaces import plot_prior_grid as prior_grid

__all__ = [
    "assurance",
    "attrition",
    "calibration",
    "change",
    "comparison",
    "confounding",
    "densities",
    "dose",
    "effect_curve",
    "forest",
    "influence",
    "kappa",
    "loo_pit",
    "members",
    "models",
    "paths",
    "predictive_checks",
    "prior_check",
    "prior_grid",
    "prior_posterior",
    "rank",
    "trace",
]
