"""``python tests/references/public_data.py``: reference values for public data sets, without bayes_sp.

Coefficients are statsmodels' maximum likelihood; effects are averages over everybody of the predicted outcome, with the
mediator's distribution summed (binary, ordered) or integrated (normal, by quadrature), as written out below.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

sys.path.append(str(Path(__file__).parents[2] / "models" / "examples"))
from records import RECORDS


def path_effects(mean) -> dict[str, float]:
    """Return direct, indirect (averaged over both orders) and total effects of mean(exposure, mediator's world)."""
    low, high = mean(0, 0), mean(1, 1)
    direct = ((mean(1, 0) - low) + (high - mean(0, 1))) / 2
    return {"direct": float(direct), "indirect": float(high - low - direct), "total": float(high - low)}


def randhie() -> dict[str, object]:
    data = RECORDS["randhie"]()
    given = data[["disea", "lncoins", "idp", "lpi", "fmde"]]
    mediator = sm.Logit(data["poor_health"], sm.add_constant(given)).fit(disp=0, tol=1e-12)
    design = sm.add_constant(data[["disea", "poor_health", "lncoins", "idp", "lpi", "fmde"]])
    outcome = sm.NegativeBinomial(data["mdvis"], design).fit(disp=0, method="newton", maxiter=200, tol=1e-10)

    def mean(x: int, world: int) -> float:
        share = mediator.predict(sm.add_constant(given.assign(disea=[10, 20][world]), has_constant="add"))
        rates = [outcome.predict(design.assign(disea=[10, 20][x], poor_health=m)) for m in (0, 1)]
        return float(np.mean((1 - share) * rates[0] + share * rates[1]))

    slopes = {"poor_health": {"disea": mediator.params["disea"]}, "mdvis": {
        "disea": outcome.params["disea"], "poor_health": outcome.params["poor_health"],
        "phi": 1 / outcome.params["alpha"],
    }}  # fmt: skip
    return {"slopes": slopes, "effects": path_effects(mean)}


def plans() -> dict[str, object]:
    data = RECORDS["plans"]()
    levels = [25, 50, 95, 100]
    coded = data[["disea"]].assign(**{f"plan{k}": (data["coinsurance"] == k).astype(float) for k in levels})
    mediator = sm.Logit(data["poor_health"], sm.add_constant(coded)).fit(disp=0, tol=1e-12)
    design = sm.add_constant(coded.assign(poor_health=data["poor_health"]))
    outcome = sm.NegativeBinomial(data["mdvis"], design).fit(disp=0, method="newton", maxiter=200, tol=1e-10)

    def on_plan(table, paying: int):
        return table.assign(**{f"plan{k}": float(paying and k == 95) for k in levels})

    def mean(x: int, world: int) -> float:
        share = mediator.predict(sm.add_constant(on_plan(coded, world), has_constant="add"))
        rates = [outcome.predict(on_plan(design, x).assign(poor_health=m)) for m in (0, 1)]
        return float(np.mean((1 - share) * rates[0] + share * rates[1]))

    slopes = {"poor_health": {"coinsurance[95]": mediator.params["plan95"]}, "mdvis": {
        "coinsurance[95]": outcome.params["plan95"], "poor_health": outcome.params["poor_health"],
        "phi": 1 / outcome.params["alpha"],
    }}  # fmt: skip
    return {"slopes": slopes, "effects": path_effects(mean), "compared": "95 against 0"}


def fair() -> dict[str, object]:
    data = RECORDS["fair"]()
    given = data[["yrs_married", "religious", "educ"]]
    mediator = OrderedModel(data["rate_marriage"].astype(int), given, distr="logit").fit(
        disp=0, method="bfgs", gtol=1e-9
    )
    design = sm.add_constant(data[["yrs_married", "rate_marriage", "religious", "educ"]])
    outcome = sm.Logit(data["affair"], design).fit(disp=0, tol=1e-12)

    def mean(x: int, world: int) -> float:
        shares = np.asarray(mediator.predict(given.assign(yrs_married=[5, 15][world])))
        risks = [outcome.predict(design.assign(yrs_married=[5, 15][x], rate_marriage=m)) for m in range(1, 6)]
        return float(np.mean(np.sum(shares * np.column_stack(risks), axis=1)))

    slopes = {"rate_marriage": {"yrs_married": mediator.params["yrs_married"]}, "affair": {
        "yrs_married": outcome.params["yrs_married"], "rate_marriage": outcome.params["rate_marriage"]
    }}  # fmt: skip
    return {"slopes": slopes, "effects": path_effects(mean)}


def anes96() -> dict[str, object]:
    data = RECORDS["anes96"]()
    given = data[["educ", "age", "income"]]
    mediator = sm.OLS(data["selfLR"], sm.add_constant(given)).fit()
    design = sm.add_constant(data[["educ", "selfLR", "age", "income"]])
    outcome = sm.Logit(data["vote"], design).fit(disp=0, tol=1e-12)
    sigma = float(np.sqrt(mediator.ssr / len(data)))  # of maximum likelihood
    nodes, weights = hermegauss(60)
    weights = weights / weights.sum()

    def mean(x: int, world: int) -> float:
        centre = mediator.predict(sm.add_constant(given.assign(educ=[3, 6][world]), has_constant="add")).to_numpy()
        fixed = outcome.predict(design.assign(educ=[3, 6][x], selfLR=0), which="linear").to_numpy()
        values = centre[:, None] + sigma * nodes
        return float(np.mean(expit(fixed[:, None] + outcome.params["selfLR"] * values) @ weights))

    slopes = {"selfLR": {"educ": mediator.params["educ"], "sigma": sigma}, "vote": {
        "educ": outcome.params["educ"], "selfLR": outcome.params["selfLR"]
    }}  # fmt: skip
    return {"slopes": slopes, "effects": path_effects(mean)}


if __name__ == "__main__":
    found = {function.__name__: function() for function in (randhie, fair, anes96, plans)}
    Path(__file__).with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
