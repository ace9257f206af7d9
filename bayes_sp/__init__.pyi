from bayes_sp import plot as plot
from bayes_sp import sensitivity as sensitivity
from bayes_sp.analysis.calibration.calibrate import calibrate as calibrate
from bayes_sp.analysis.criticism.prior_predictive import prior_predictive as prior_predictive
from bayes_sp.analysis.fit import Fit as Fit
from bayes_sp.analysis.mediate import mediate as mediate
from bayes_sp.analysis.planning.new_study import design_study as design_study
from bayes_sp.analysis.several import fit as fit
from bayes_sp.analysis.workflow import compare_models as compare_models
from bayes_sp.design.checks.whole import check as check
from bayes_sp.design.draft import draft as draft
from bayes_sp.design.read import read_survey as read_survey
from bayes_sp.errors import BayesSpError as BayesSpError
from bayes_sp.inference.bootstrap.resampled import bootstrap as bootstrap
from bayes_sp.inference.moments import Moments as Moments
from bayes_sp.inference.options import SamplerOptions as SamplerOptions
from bayes_sp.inference.reference.pymc_model import pymc_model as pymc_model
from bayes_sp.model.path_model import PathModel as PathModel
from bayes_sp.model.reading.load import load_model as load_model
from bayes_sp.records.published.article import published as published
from bayes_sp.records.published.audit.audit import audit as audit
from bayes_sp.records.published.reconstruct import reconstruct as reconstruct
from bayes_sp.records.survey import Survey as Survey
from bayes_sp.records.synthetic.synthesize import synthesize as synthesize
from bayes_sp.report.document.write import read_run as read_run

__version__: str
__all__ = [
    "BayesSpError",
    "Fit",
    "Moments",
    "PathModel",
    "SamplerOptions",
    "Survey",
    "audit",
    "bootstrap",
    "calibrate",
    "check",
    "compare_models",
    "design_study",
    "draft",
    "fit",
    "load_model",
    "mediate",
    "plot",
    "prior_predictive",
    "published",
    "pymc_model",
    "read_run",
    "read_survey",
    "reconstruct",
    "sensitivity",
    "synthesize",
]
