"""Whether verdicts and intervals are right as often as they say, in studies whose truth is known.

Simulates studies in the worlds of ``worlds.py``, judges each as ``lrlab compare`` does, and writes
``benchmarks/results/calibration.json`` and the tables of ``docs/statistics.md``. It takes some
minutes; the tests do the same with fewer studies.

    python benchmarks/calibration.py
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tuning
from lrlab import Constant
from lrlab.problems.metrics import make_binary_task
from lrlab.studies import Comparison, ComparisonRow, compare_scores
from lrlab.studies.statistics import Verdict, find_winners
from tuning import Curves, Fitted, SuitedRows, Tried, Tuning
from worlds import FixedRows, Learners, Rows, Simulated, World

STUDIES = 2000
TRUTHS = 2000
"""Seeds that stand for all there are, where the truth on a data set has no formula."""

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "calibration.json"
DOCUMENT = REPOSITORY / "docs" / "statistics.md"

NONE = (0.0,) * 6
ALIKE = (0.3,) * 4
UNLIKE = (0.3, 0.32, 0.36, 0.25)
SOME = (0.0, 0.002, 0.006, -0.004, 0.0, -0.02)

# No schedule is better on this data, and so none for new data.
NULLS: dict[str, World] = {
    "fixed test rows, 30 seeds": FixedRows(NONE),
    "fixed test rows, 5 seeds": FixedRows(NONE, seeds=5),
    "fixed test rows, 3 % of runs diverge": FixedRows(NONE, diverging=0.03),
    "overlapping splits, classifiers that differ by their start": Learners(ALIKE, same=True),
}
# Some are better on this data, since they suit its rows, and none is for new data.
NULLS_OF_NEW_DATA: dict[str, World] = {
    "overlapping splits, rows that suit schedules": Rows(NONE),
    "the same, a quarter of the variance from the runs": Rows(NONE, of_run=0.0047),
    "overlapping splits, classifiers": Learners(ALIKE),
}
COVERED: dict[str, World] = {
    "fixed test rows, 30 seeds": FixedRows(SOME),
    "fixed test rows, 5 seeds": FixedRows(SOME, seeds=5),
    "overlapping splits, rows that suit schedules": Rows(SOME),
    "the same, a quarter of the variance from the runs": Rows(SOME, of_run=0.0047),
    "the same, half of the variance from the runs": Rows(SOME, of_run=0.0081),
    "the same, nine tenths of the variance from the runs": Rows(SOME, of_run=0.0243),
    "overlapping splits, classifiers": Learners(UNLIKE),
    "the same, 60 rows": Learners(UNLIKE, rows=60, tested=18),
    "the same, 5 seeds": Learners(UNLIKE, seeds=5),
    "overlapping splits, classifiers that differ by their start": Learners(ALIKE, same=True),
}
POWERS: dict[str, Callable[[float], World]] = {
    "on this data": lambda effect: FixedRows((0.0, effect, 0.0, 0.0)),
    "for new data": lambda effect: Rows((0.0, effect, 0.0, 0.0)),
}
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)

# Settings are chosen, and at its best no schedule is better than another, on this data or, in the
# worlds of rows, for new data. Numbers are what is lost one step of the grid from the best rate.
TUNED: dict[str, Tuning] = {
    "flat: 0.1 points are lost a step from the best rate": Curves([0.001] * 6),
    "0.5 points": Curves([0.005] * 6),
    "1 point": Curves([0.01] * 6),
    "sharp: 2 points": Curves([0.02] * 6),
    "1 point, best rates between those tried": Curves([0.01] * 6, between=True),
    "2 points, best rates between those tried": Curves([0.02] * 6, between=True),
    "the baseline's 5 points, others' 0.1, between, 12 schedules": Curves(
        [0.05] + [0.001] * 11, between=True
    ),
    "rows that suit schedules and settings, 0.5 points": SuitedRows([0.005] * 6),
    "rows that suit settings alone, the baseline's 2 points, others' 0, 12 schedules": SuitedRows(
        [0.02] + [0.0] * 11, own=0.0, of_schedule=0.0, of_settings=0.1
    ),
    "classifiers, fitted": Fitted(),
}
POWERS_TUNED: dict[str, Callable[[float], Tuning]] = {
    "0.1 points lost a step away": lambda gain: Curves([0.001] * 6, (0.0, gain, *[0.0] * 4)),
    "1 point": lambda gain: Curves([0.01] * 6, (0.0, gain, *[0.0] * 4)),
    "1 point, best rates between those tried": lambda gain: Curves(
        [0.01] * 6, (0.0, gain, *[0.0] * 4), between=True
    ),
}
GAINS = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02)


def compare_study(study: Simulated, test_train_ratio: float | None) -> Comparison:
    """The comparison of a simulated study."""
    scores = {Constant(float(i + 1)): own for i, own in enumerate(study.scores)}
    return compare_scores(scores, Constant(1.0), make_binary_task().metric, test_train_ratio)


def draw_comparisons(world: World, studies: int) -> Iterator[Simulated]:
    """Studies of a world, the same with every call."""
    random = np.random.default_rng(0)
    return (world.draw(random) for _ in range(studies))


def compute_fraction(hits: NDArray[Any] | list[float]) -> dict[str, float]:
    """A mean over studies, and its standard error."""
    return {"share": float(np.mean(hits)), "error": float(np.std(hits) / np.sqrt(len(hits)))}


def count_false_winners(world: World, studies: int) -> dict[str, dict[str, float]]:
    """How many studies name any winner, or tell any schedule from the baseline, in each reading."""
    named, told = {"here": [], "new": []}, {"here": [], "new": []}
    for study in draw_comparisons(world, studies):
        comparison = compare_study(study, world.test_train_ratio)
        verdicts = [row.verdict for row in comparison.other_rows]
        named["here"].append(bool(find_winners(comparison)))
        told["here"].append(any(verdict.is_better or verdict.is_worse for verdict in verdicts))
        named["new"].append(Verdict.BETTER_ON_NEW_DATA in verdicts)
        told["new"].append(
            not {Verdict.BETTER_ON_NEW_DATA, Verdict.WORSE_ON_NEW_DATA}.isdisjoint(verdicts)
        )
    readings = ("here",) if world.test_train_ratio is None else ("here", "new")
    return {
        reading: {
            "named": compute_fraction(named[reading]),
            "told": compute_fraction(told[reading]),
        }
        for reading in readings
    }


def measure_coverage(world: World, studies: int) -> dict[str, dict[str, float]]:
    """How many 95 % intervals have the true difference to the baseline in them."""
    truth = None
    if isinstance(world, Learners):
        truth, _ = world.truth(np.random.default_rng(1), 20 * studies)
    hits: dict[str, list[float]] = {"here": [], "new": []}
    for study in draw_comparisons(world, studies):
        new = study.new if truth is None else truth
        found: dict[str, list[bool]] = {"here": [], "new": []}
        for row in compare_study(study, world.test_train_ratio).other_rows:
            i = int(float(row.schedule[len("Constant(") : -1])) - 1
            here, other = row.vs_baseline.on_this_data, row.vs_baseline.for_new_data
            for name, reading, means in (("here", here, study.here), ("new", other, new)):
                if means is not None and reading is not None and reading.ci_low is not None:
                    found[name].append(reading.ci_low <= means[i] - means[0] <= reading.ci_high)
        for name, of_study in found.items():
            if of_study:
                hits[name].append(float(np.mean(of_study)))
    return {name: compute_fraction(of) for name, of in hits.items() if of}


def measure_coverage_on_this_data(world: Learners, studies: int) -> dict[str, float]:
    """The same on this data, where its truth is the mean over many more seeds."""
    random, hits = np.random.default_rng(0), []
    for _ in range(studies):
        study = world.draw(random, TRUTHS)
        # The mean over so many seeds has an error too, which the interval is not to blame for.
        slack = np.sqrt(1 + world.seeds / TRUTHS)
        of_study = []
        for row in compare_study(study, world.test_train_ratio).other_rows:
            i = int(float(row.schedule[len("Constant(") : -1])) - 1
            here = row.vs_baseline.on_this_data
            half = slack * (here.ci_high - here.ci_low) / 2
            of_study.append(
                abs(row.vs_baseline.difference - (study.here[i] - study.here[0])) <= half
            )
        hits.append(float(np.mean(of_study)))
    return compute_fraction(hits)


def measure_power(
    estimate: str, studies: int, steps: Sequence[float] = STEPS
) -> list[dict[str, float]]:
    """How many studies find the one schedule that is better, by multiples of what is visible."""
    world = POWERS[estimate]
    visible = []
    for study in draw_comparisons(world(0.0), 200):
        for row in compare_study(study, world(0.0).test_train_ratio).other_rows:
            visible.append(row.vs_baseline.estimates[-1].min_detectable)
    unit = float(np.mean(visible))
    found = []
    for step in steps:
        better = []
        for study in draw_comparisons(world(step * unit), studies):
            rows = compare_study(study, world(step * unit).test_train_ratio).other_rows
            (row,) = [row for row in rows if row.schedule == "Constant(2.0)"]
            better.append(
                row.vs_baseline.estimates[-1].significant and row.vs_baseline.difference > 0
            )
        found.append({"step": step, "effect": step * unit, **compute_fraction(better)})
    return found


def count_false_winners_tuned(world: Tuning, studies: int) -> dict[str, dict[str, float]]:
    """How many studies that choose settings name a winner that is none: as they do, for new data;
    and on this data if rivals were those at the rates of the grid alone, and without any.
    """
    names = ("here", "new", "no halves", "no rivals")
    named: dict[str, list[bool]] = {name: [] for name in names}
    random = np.random.default_rng(0)
    for _ in range(studies):
        study = world.draw(random)
        comparison = tuning.compare_tuned(study, world.test_train_ratio)
        won = find_winners(comparison)
        named["here"].append(any(is_false_winner(study, row) for row in won))
        named["new"].append(any(row.verdict is Verdict.BETTER_ON_NEW_DATA for row in won))
        coarse = find_winners(tuning.compare_tuned(study, world.test_train_ratio, halves=False))
        named["no halves"].append(any(is_false_winner(study, row) for row in coarse))
        named["no rivals"].append(
            any(is_false_winner(study, row) for row in find_better_as_tuned(comparison))
        )
    if world.test_train_ratio is None:
        del named["new"]
    return {name: compute_fraction(hits) for name, hits in named.items()}


def find_better_as_tuned(comparison: Comparison) -> list[ComparisonRow]:
    """Whom a study would name if a winner had to beat the baseline as it was tuned, and no more."""
    told = (row for row in comparison.other_rows if row.vs_baseline.on_this_data.significant)
    edge = comparison.baseline_row.at_grid_edge
    return [
        row for row in told if row.vs_baseline.difference > 0 and not row.at_grid_edge and not edge
    ]


def is_false_winner(study: Tried, row: ComparisonRow) -> bool:
    """Whether a schedule is in truth no better on this data than the baseline can be."""
    if study.here is None:
        return True
    own = study.here[int(float(row.schedule[len("Constant(") : -1])) - 1]
    return bool(own.max() <= study.here[0].max())


def measure_power_tuned(
    world: Callable[[float], Tuning], studies: int, gains: Sequence[float] = GAINS
) -> list[dict[str, Any]]:
    """How many studies name the one schedule that is better at its best, by how much it is; and how
    many would without rivals.
    """
    found = []
    for gain in gains:
        random, studied = np.random.default_rng(0), world(gain)
        named, before = [], []
        for _ in range(studies):
            comparison = tuning.compare_tuned(studied.draw(random), studied.test_train_ratio)
            named.append("Constant(2.0)" in [row.schedule for row in find_winners(comparison)])
            before.append(
                "Constant(2.0)" in [row.schedule for row in find_better_as_tuned(comparison)]
            )
        found.append(
            {"gain": gain, "named": compute_fraction(named), "no rivals": compute_fraction(before)}
        )
    return found


def main() -> None:
    found: dict[str, Any] = {"studies": STUDIES, "none": {}, "none of new data": {}}
    for group, worlds in (("none", NULLS), ("none of new data", NULLS_OF_NEW_DATA)):
        for name, world in worlds.items():
            found[group][name] = count_false_winners(world, STUDIES)
            print(group, name, found[group][name], flush=True)
    found["coverage"] = {}
    for name, world in COVERED.items():
        found["coverage"][name] = measure_coverage(world, STUDIES)
        if isinstance(world, Learners) and world.seeds == 30:
            found["coverage"][name]["here"] = measure_coverage_on_this_data(world, STUDIES // 4)
        print(name, found["coverage"][name], flush=True)
    found["tuned"] = {}
    for name, world in TUNED.items():
        found["tuned"][name] = count_false_winners_tuned(world, STUDIES)
        print(name, found["tuned"][name], flush=True)
    found["power, tuned"] = {
        name: measure_power_tuned(world, STUDIES // 4) for name, world in POWERS_TUNED.items()
    }
    found["power"] = {reading: measure_power(reading, STUDIES // 2) for reading in POWERS}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    write(found)
    print(f"wrote {RESULTS} and {DOCUMENT}")


def write(results: dict[str, Any]) -> None:
    """Puts the tables into the document."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition("<!-- calibration -->\n")
    _, _, after = rest.partition("<!-- end of calibration -->\n")
    middle = f"<!-- calibration -->\n{format_tables(results)}<!-- end of calibration -->\n"
    DOCUMENT.write_text(before + middle + after)


def format_tables(results: dict[str, Any]) -> str:
    """What was found, as Markdown."""
    many = results["studies"]
    lines = [
        f"Of {many} studies each, in percent, with Monte-Carlo standard errors ({many // 2}",
        f"for power, {many // 4} where settings are chosen and for classifiers on this data, whose",
        f"truth takes {TRUTHS} more seeds).",
        "",
        "| no schedule is better, and a study names a winner | on this data | for new data |",
        "| --- | --: | --: |",
    ]
    for name, readings in results["none"].items():
        cells = [
            format_percent(readings[r]["named"]) if r in readings else "" for r in ("here", "new")
        ]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    lines += [
        "",
        "| some are better on this data, none for new data | on this data | for new data |",
        "| --- | --: | --: |",
    ]
    for name, readings in results["none of new data"].items():
        cells = [format_percent(readings[reading]["named"]) for reading in ("here", "new")]
        lines.append(f"| {name} | {cells[0]}, rightly | {cells[1]} |")
    lines += [
        "",
        "| settings are chosen, no schedule is better at its best, and a study names a winner | "
        "on this data | for new data | on this data, rivals at the rates of the grid alone "
        "| without rivals |",
        "| --- | --: | --: | --: | --: |",
    ]
    for name, shares in results["tuned"].items():
        columns = ("here", "new", "no halves", "no rivals")
        cells = [format_percent(shares[column]) if column in shares else "" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    gains = " | ".join(f"{100 * gain:g}" for gain in GAINS)
    lines += [
        "",
        f"| settings are chosen, and one schedule is better at its best by ... points | {gains} |",
        f"| --- |{' --: |' * len(GAINS)}",
    ]
    for name, rows in results["power, tuned"].items():
        for words, key in (("", "named"), (", without rivals", "no rivals")):
            cells = [format_percent(row[key], error=False) for row in rows]
            lines.append(f"| {name}{words} | {' | '.join(cells)} |")
    lines += [
        "",
        "| the 95 % interval has the true difference in it | on this data | for new data |",
        "| --- | --: | --: |",
    ]
    for name, readings in results["coverage"].items():
        cells = [format_percent(readings[r]) if r in readings else "" for r in ("here", "new")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    steps = " | ".join(f"{row['step']:g}" for row in results["power"]["on this data"])
    lines += [
        "",
        f"| the better one is found, at a difference of ... times the visible | {steps} |",
        f"| --- |{' --: |' * len(STEPS)}",
    ]
    for reading, rows in results["power"].items():
        lines.append(
            f"| {reading} | {' | '.join(format_percent(row, error=False) for row in rows)} |"
        )
    return "\n".join(lines) + "\n"


def format_percent(found: dict[str, float], error: bool = True) -> str:
    """``4.7 ± 0.5``."""
    words = f"{100 * found['share']:.1f}"
    return f"{words} ± {100 * found['error']:.1f}" if error else words


if __name__ == "__main__":
    main()
