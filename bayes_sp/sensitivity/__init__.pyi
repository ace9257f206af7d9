from bayes_sp.analysis.batch.runner import Runner as Runner
from bayes_sp.names import PARTS as PARTS
from bayes_sp.records.nonresponders import NonResponders as NonResponders
from bayes_sp.records.nonresponders import nonresponders_from_moments as nonresponders_from_moments
from bayes_sp.records.nonresponders import nonresponders_from_records as nonresponders_from_records
from bayes_sp.records.published.referred import published_nonresponders as published_nonresponders
from bayes_sp.sensitivity.asked import confounding as confounding
from bayes_sp.sensitivity.asked import delta as delta
from bayes_sp.sensitivity.asked import priors as priors
from bayes_sp.sensitivity.asked import tipping_point as tipping_point
from bayes_sp.sensitivity.confounder.benchmarks import benchmark_strengths as benchmarks
from bayes_sp.sensitivity.confounder.confounding import Confounding as Confounding
from bayes_sp.sensitivity.confounder.e_values import EValues as EValues
from bayes_sp.sensitivity.confounder.e_values import e_values as e_values
from bayes_sp.sensitivity.coupling import KappaCurve as KappaCurve
from bayes_sp.sensitivity.coupling import kappa_curve as kappa
from bayes_sp.sensitivity.crossings import Tipping as Tipping
from bayes_sp.sensitivity.every import Sensitivity as Sensitivity
from bayes_sp.sensitivity.every import analyse_fit as all
from bayes_sp.sensitivity.missing.attrition import Attrition as Attrition
from bayes_sp.sensitivity.missing.attrition import attrition as attrition
from bayes_sp.sensitivity.missing.delta import DeltaCurve as DeltaCurve
from bayes_sp.sensitivity.power.overlap import prior_overlap as overlap
from bayes_sp.sensitivity.power.power import power_scaling as power_scaling
from bayes_sp.sensitivity.power.result import PowerScaling as PowerScaling
from bayes_sp.sensitivity.prior.grid import PriorGrid as PriorGrid
from bayes_sp.sensitivity.prior.rules import alternative as alternative
from bayes_sp.sensitivity.prior.tipping import TippingPoint as TippingPoint
from bayes_sp.sensitivity.target import Target as Target
from bayes_sp.sensitivity.tipping_search import find_tipping as find_tipping

__all__ = [
    "PARTS",
    "Attrition",
    "Confounding",
    "DeltaCurve",
    "EValues",
    "KappaCurve",
    "NonResponders",
    "PowerScaling",
    "PriorGrid",
    "Runner",
    "Sensitivity",
    "Target",
    "Tipping",
    "TippingPoint",
    "all",
    "alternative",
    "attrition",
    "benchmarks",
    "confounding",
    "delta",
    "e_values",
    "find_tipping",
    "kappa",
    "nonresponders_from_moments",
    "nonresponders_from_records",
    "overlap",
    "power_scaling",
    "priors",
    "published_nonresponders",
    "tipping_point",
]
