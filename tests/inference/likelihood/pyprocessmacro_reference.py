"""Records, and what PyProcessMacro says of them: writes ``pyprocessmacro.csv``.

Run with Python 3.8 where ``pip install pyprocessmacro "pandas<1.2" "numpy<1.20" "scipy<1.6"`` went (PyProcessMacro 1.0
does not know later ones): ``python tests/inference/likelihood/pyprocessmacro_reference.py``.
"""

import csv
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("pyprocessmacro.csv")
MODELS = {7: "w", 8: "w", 14: "v", 15: "v", 58: "w", 59: "w"}  # and the letter of the moderator
LEVELS = (1.5, 2.5, 3.5)


def records(seed=3, n=120):
    """Return columns of a chain with every product: x, w (moderator), z (covariate), m1, m2 and y."""
    r = np.random.RandomState(seed)  # whose numbers are the same in every version
    w = np.round(r.normal(2.5, 1.0, n), 2)
    x = np.round(0.3 * w + r.normal(0.0, 1.0, n), 2)
    z = np.round(r.normal(0.0, 1.0, n), 2)
    m1 = np.round(0.4 * x + 0.2 * w + 0.3 * x * w - 0.2 * z + r.normal(0.0, 1.0, n), 2)
    m2 = np.round(0.2 * x + 0.3 * m1 + 0.1 * w + 0.2 * m1 * w + 0.1 * x * w + r.normal(0.0, 1.0, n), 2)
    y = np.round(0.3 * x + 0.5 * m1 + 0.2 * m2 - 0.2 * w + 0.25 * m1 * w + 0.1 * x * w + r.normal(0.0, 1.0, n), 2)
    return {"x": x, "w": w, "z": z, "m1": m1, "m2": m2, "y": y}


def _rows():
    import pandas as pd
    from pyprocessmacro import Process

    data = pd.DataFrame(records())
    data["v"] = data["w"]
    for model, letter in MODELS.items():
        found = Process(
            data=data,
            model=model,
            x="x",
            y="y",
            m=["m1"],
            controls=["z"],
            controls_in="all",
            boot=100,
            seed=1,
            suppr_init=True,
            modval={letter: list(LEVELS)},
            **{letter: letter},
        )
        for _, row in found.indirect_model.coeff_summary().iterrows():
            yield model, "indirect", float(row[letter]), float(row["Effect"])
        direct = found.direct_model.coeff_summary()
        for _, row in direct.iterrows():
            yield model, "direct", float(row[letter]) if letter in direct.columns else "", float(row["Effect"])
        if model in (7, 8, 14, 15):
            for _, row in found.indirect_model.MM_index_summary().iterrows():
                yield model, "index", "", float(row["Index"])


if __name__ == "__main__":
    with FILE.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "what", "moderator", "value"])
        writer.writerows([model, what, level, repr(value)] for model, what, level, value in _rows())
