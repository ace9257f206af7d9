"""Write the answers of scrutipy (https://pypi.org/project/scrutipy) that test_granular.py compares with.

It needs scrutipy, which the package does not: python scrutipy_answers.py, in an environment of its own. The cases are
drawn once by the seed below.
"""

from __future__ import annotations

import json
import random
from pathlib import Path


def cases(seed: int = 7, count: int = 400) -> list[dict[str, str | int]]:
    """Draw means, SDs, numbers of patients and items, possible and impossible ones."""
    rng = random.Random(seed)  # noqa: S311 - cases, no secrets
    drawn: list[dict[str, str | int]] = []
    for _ in range(count):
        n, items, decimals = rng.randint(5, 60), rng.choice([1, 1, 1, 2, 4]), 2
        if rng.random() < 0.5:  # possible: from scores
            scores = [sum(rng.randint(1, 5) for _ in range(items)) / items for _ in range(n)]
            mean = sum(scores) / n
            sd = (sum((x - mean) ** 2 for x in scores) / (n - 1)) ** 0.5
        else:
            mean, sd = rng.uniform(1.5, 4.5), rng.uniform(0.4, 1.8)
        drawn.append({"mean": f"{mean:.{decimals}f}", "sd": f"{sd:.{decimals}f}", "n": n, "items": items})
    return drawn


def main() -> None:
    """Ask scrutipy and write its answers."""
    import scrutipy

    drawn = cases()
    for case in drawn:
        arguments = {"rounding": "up_or_down", "items": case["items"]}
        case["grim"] = bool(scrutipy.grim_scalar(case["mean"], case["n"], **arguments))
        if case["items"] == 1:  # all that scrutipy knows
            one = ([case[key]] for key in ("mean", "sd", "n"))
            case["grimmer"] = bool(scrutipy.grimmer(*one, rounding="up_or_down", items=[1])[0])
    rng = random.Random(8)  # noqa: S311 - records, not secrets
    shares = []
    for _ in range(200):
        n = rng.randint(5, 80)
        ones = rng.randint(1, n - 1)
        sd = (ones * (n - ones) / (n * (n - 1))) ** 0.5
        if rng.random() < 0.5:
            sd += rng.choice([-1, 1]) * rng.uniform(0.0, 0.06)
        shares.append({"mean": f"{ones / n:.2f}", "sd": f"{abs(sd):.2f}", "n": n})
    answers = scrutipy.debit(*([share[key] for share in shares] for key in ("mean", "sd", "n")))
    for share, answer in zip(shares, answers, strict=True):
        share["debit"] = bool(answer)
    path = Path(__file__).with_name("scrutipy_answers.json")
    lines = ",\n".join(f"  {json.dumps(case)}" for case in [*drawn, *shares])
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
