"""Measures the tutorial's claim: its schedules over 300 paired seeds.

Trains the tutorial's network with the tutorial's settings. Writes
``benchmarks/results/tutorial.json``, the source of the figures in the README, the table of
``docs/studies.md``, and ``docs/tutorial.png``. Runs are stored in a database in the current folder,
so that a second call trains nothing.

    LRLAB_DATA=folder-of-ionosphere.csv python benchmarks/tutorial.py
"""

import json
import platform
import re
from pathlib import Path

import numpy as np
import torch

import lrlab
from lrlab.studies import BASELINE
from lrlab.studies.execution.local import count_cores
from lrlab.views import study_plots
from lrlab.views.answer import VERDICT_LABELS
from lrlab.views.study_table import format_table

SEEDS = 300
SCHEDULES = {
    "constant": BASELINE,
    "linear": lrlab.Linear(1.0, 0.5, over=30),
    "exponential": lrlab.Exponential(0.99),
    "inverse_time": lrlab.InverseTime(0.01),
    "lambda_double": lrlab.Formula("0.1 / (1 + 0.01*t)"),
}
REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "tutorial.json"
DOCUMENT = REPOSITORY / "docs" / "studies.md"
MARKED = re.compile(r"(?<=<!-- tutorial -->\n).*?(?=<!-- end of tutorial -->)", re.DOTALL)
PICTURE = REPOSITORY / "docs" / "tutorial.png"
CLAIM = 2  # test rows of 106 by which the tutorial's second run beats its first: 1.89 points


def compute_luck_fraction(scores: list[float], rows: int) -> float:
    """Return how often a run beats one of another seed, but the same schedule, by the claim."""
    right = np.round(np.array(scores) * rows)
    gains = right[:, None] - right[None, :]
    return float(np.mean(gains[~np.eye(len(right), dtype=bool)] >= CLAIM))


def main() -> None:
    study = lrlab.compare(
        "ionosphere", SCHEDULES.values(), tune=False, seeds=SEEDS, db="tutorial.db"
    )
    comparison = study.comparison
    rows = {row.label: row for row in comparison.rows}
    luck = compute_luck_fraction(
        [result.test_score for result in study.final_results[BASELINE]], rows=106
    )
    table = f"```\n{format_table(study)}\n```\n"
    DOCUMENT.write_text(MARKED.sub(lambda _: table, DOCUMENT.read_text()))
    print(f"{study.answer}\n\n{table}")
    linear = rows[repr(SCHEDULES["linear"])].vs_baseline
    assert linear is not None
    for scope, estimate in zip(("on this data", "for new data"), linear.estimates, strict=False):
        print(f"the interval {scope} contains the claim: {estimate.contains(CLAIM / 106)}")
    print(f"\na gain of {100 * CLAIM / 106:.2f} points by luck alone: {luck:.0%} of pairs")

    measured = {}
    for name, schedule in SCHEDULES.items():
        row = rows[repr(schedule)]
        measured[name] = {"schedule": row.label, "mean": row.mean, "sd": row.sd}
        if (gain := row.vs_baseline) is not None:
            here, new = gain.on_this_data, gain.for_new_data
            measured[name] |= {
                "difference": gain.difference,
                "ci_low": here.ci_low,
                "ci_high": here.ci_high,
            }
            measured[name] |= {
                "new_ci_low": new.ci_low,
                "new_ci_high": new.ci_high,
                "verdict": VERDICT_LABELS[row.verdict],
            }
    machine = f"{platform.machine()}, {count_cores()} cores"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "seeds": SEEDS,
                "luck_fraction": luck,
                "machine": f"{machine}, torch {torch.__version__}",
                "schedules": measured,
            },
            indent=1,
        )
        + "\n"
    )
    study_plots.save_study_plot(study, PICTURE)
    print(f"wrote {RESULTS}, {PICTURE} and the table of {DOCUMENT}")


if __name__ == "__main__":
    main()
