"""Reference values of alpha and omega by independent packages; run as the first lines say, in an environment apart.

uv venv /tmp/reliability && uv pip install --python /tmp/reliability/bin/python pingouin factor_analyzer semopy
/tmp/reliability/bin/python tests/records/reference/reliability.py
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import semopy

HERE = Path(__file__).parent


def answers(seed: int, persons: int, loadings: list[float], levels: int, *, turned: tuple[int, ...] = ()) -> np.ndarray:
    """Return whole-number answers of persons to items of one factor; items in ``turned`` are turned round."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(persons, 1))
    size = np.array(loadings)
    latent = factor * size + rng.normal(size=(persons, len(size))) * np.sqrt(1 - size**2)
    found = np.clip(np.round((latent + 2.5) / 5 * (levels - 1)) + 1, 1, levels)
    for item in turned:
        found[:, item] = levels + 1 - found[:, item]
    return found


CASES = {
    "eight items, four answers": answers(1, 178, [0.8, 0.7, 0.6, 0.75, 0.8, 0.5, 0.55, 0.7], 4),
    "three items, three answers": answers(2, 90, [0.8, 0.7, 0.6], 3),
    "four items, eleven answers": answers(3, 250, [0.9, 0.85, 0.8, 0.4], 11),
    "weak items": answers(4, 400, [0.3, 0.2, 0.4, 0.35, 0.25], 5),
}


def omega(items: np.ndarray) -> float:
    """Return omega of semopy's confirmatory factor analysis by maximum likelihood, in the items' units."""
    names = [f"x{k}" for k in range(items.shape[1])]
    model = semopy.Model("f =~ " + " + ".join(names))
    model.fit(pd.DataFrame(items, columns=names), obj="MLW", solver="SLSQP")
    table = model.inspect()
    loadings = table[(table.op == "~") & (table.rval == "f")].Estimate.astype(float)
    variance = float(table[(table.op == "~~") & (table.lval == "f") & (table.rval == "f")].Estimate.iloc[0])
    unique = table[(table.op == "~~") & (table.lval == table.rval) & (table.lval != "f")].Estimate.astype(float)
    common = float(loadings.sum()) ** 2 * variance
    return common / (common + float(unique.sum()))


found = {}
for name, items in CASES.items():
    alpha, interval = pingouin.cronbach_alpha(pd.DataFrame(items))
    found[name] = {
        "alpha": float(alpha),
        "interval_of_three_digits": [float(limit) for limit in interval],
        "omega": omega(items),
        "answers": items.astype(int).tolist(),
    }
packages = {name: version(name) for name in ("pingouin", "semopy", "numpy")}
text = json.dumps({"python": sys.version.split()[0], "packages": packages, "cases": found}, separators=(",", ":"))
(HERE / "reliability.json").write_text(text + "\n", encoding="utf-8")
