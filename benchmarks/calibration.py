"""Checks that verdicts and intervals are right as often as promised, on studies with known truth.

Simulates studies in the worlds of ``worlds.py`` and ``tuning.py``, compares their schedules as
``lrlab compare`` does, and writes ``benchmarks/results/calibration.json`` and the tables of
``docs/statistics.md``. It takes some minutes; the tests do the same with fewer studies.

    python benchmarks/calibration.py
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tuning
from lrlab.studies import (
    Comparison,
    ComparisonRow,
    RecommendationReason,
    Verdict,
    compare_scores,
    find_winners,
    recommend,
)
from tuning import Curves, FavoringRows, FittedClassifiers, TunedStudy, TuningWorld
from worlds import FixedRows, LinearClassifiers, OverlappingSplits, SimulatedStudy, World

STUDIES = 2000
TRUTH_SEEDS = 2000
"""Number of seeds that estimate a true mean on this data, where it has no formula."""

REPOSITORY = Path(__file__).parents[1]
RESULTS = REPOSITORY / "benchmarks" / "results" / "calibration.json"
DOCUMENT = REPOSITORY / "docs" / "statistics.md"

NO_EFFECTS = (0.0,) * 6
EFFECTS = (0.0, 0.002, 0.006, -0.004, 0.0, -0.02)
EQUAL_WEIGHTS = (0.3,) * 4
UNEQUAL_WEIGHTS = (0.3, 0.32, 0.36, 0.25)

NULL_WORLDS: dict[str, World] = {
    "fixed test rows, 30 seeds": FixedRows(NO_EFFECTS),
    "fixed test rows, 5 seeds": FixedRows(NO_EFFECTS, seeds=5),
    "fixed test rows, 3 % of runs diverge": FixedRows(NO_EFFECTS, diverged_fractions=(0.03,)),
    "overlapping splits, classifiers that differ only in initial weights": LinearClassifiers(
        EQUAL_WEIGHTS, same_inputs=True
    ),
}
"""No schedule is better, neither on this data nor for new data."""

RARE_DIVERGENCE_WORLDS: dict[str, World] = {
    "5 % of the runs of one schedule diverge": FixedRows(
        (0.0, 0.009, *[0.0] * 4), diverged_fractions=(0.0, 0.05, *[0.0] * 4)
    ),
    "5 % of the runs of all 11 others diverge": FixedRows(
        (0.0, *[0.009] * 11), diverged_fractions=(0.0, *[0.05] * 11)
    ),
}
"""Where runs diverge, the schedule is 0.9 points better without and 0.3 points worse with them."""

NEW_DATA_NULL_WORLDS: dict[str, World] = {
    "overlapping splits, rows that favor schedules": OverlappingSplits(NO_EFFECTS),
    "the same, a quarter of the variance from the runs": OverlappingSplits(
        NO_EFFECTS, run_sd=0.0047
    ),
    "overlapping splits, classifiers": LinearClassifiers(EQUAL_WEIGHTS),
}
"""Some schedules are better on this data, since its rows favor them; none is for new data."""

COVERAGE_WORLDS: dict[str, World] = {
    "fixed test rows, 30 seeds": FixedRows(EFFECTS),
    "fixed test rows, 5 seeds": FixedRows(EFFECTS, seeds=5),
    "overlapping splits, rows that favor schedules": OverlappingSplits(EFFECTS),
    "the same, a quarter of the variance from the runs": OverlappingSplits(EFFECTS, run_sd=0.0047),
    "the same, half of the variance from the runs": OverlappingSplits(EFFECTS, run_sd=0.0081),
    "the same, nine tenths of the variance from the runs": OverlappingSplits(
        EFFECTS, run_sd=0.0243
    ),
    "overlapping splits, classifiers": LinearClassifiers(UNEQUAL_WEIGHTS),
    "the same, 60 rows": LinearClassifiers(UNEQUAL_WEIGHTS, rows=60, test_rows=18),
    "the same, 5 seeds": LinearClassifiers(UNEQUAL_WEIGHTS, seeds=5),
    "overlapping splits, classifiers that differ only in initial weights": LinearClassifiers(
        EQUAL_WEIGHTS, same_inputs=True
    ),
}
POWER_WORLDS: dict[str, Callable[[float], World]] = {
    "this_data": lambda effect: FixedRows((0.0, effect, 0.0, 0.0)),
    "new_data": lambda effect: OverlappingSplits((0.0, effect, 0.0, 0.0)),
}
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""True differences, in multiples of the smallest detectable one."""

TUNED_WORLDS: dict[str, TuningWorld] = {
    "flat: 0.1 points lost one grid step from the best learning rate": Curves([0.001] * 6),
    "0.5 points": Curves([0.005] * 6),
    "1 point": Curves([0.01] * 6),
    "sharp: 2 points": Curves([0.02] * 6),
    "1 point, best learning rates off the grid": Curves([0.01] * 6, off_grid=True),
    "2 points, best learning rates off the grid": Curves([0.02] * 6, off_grid=True),
    "baseline 5 points, others 0.1, off the grid, 12 schedules": Curves(
        [0.05] + [0.001] * 11, off_grid=True
    ),
    "rows that favor schedules and settings, 0.5 points": FavoringRows([0.005] * 6),
    "rows that favor settings alone, baseline 2 points, others 0, 12 schedules": FavoringRows(
        [0.02] + [0.0] * 11, run_sd=0.0, schedule_sd=0.0, settings_sd=0.1
    ),
    "fitted classifiers": FittedClassifiers(),
}
"""Settings are tuned, and no schedule is better than another at its best: on this data or, where
rows favor schedules or settings, for new data. Points are lost one grid step from the best.
"""

TUNED_POWER_WORLDS: dict[str, Callable[[float], TuningWorld]] = {
    "0.1 points lost one grid step away": lambda gain: Curves([0.001] * 6, (0.0, gain, *[0.0] * 4)),
    "1 point": lambda gain: Curves([0.01] * 6, (0.0, gain, *[0.0] * 4)),
    "1 point, best learning rates off the grid": lambda gain: Curves(
        [0.01] * 6, (0.0, gain, *[0.0] * 4), off_grid=True
    ),
}
GAINS = (0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02)


def compare_study(study: SimulatedStudy, test_train_ratio: float | None) -> Comparison:
    """Compare the schedules of a simulated study, labelled by their indices."""
    scores = {str(i): schedule_scores for i, schedule_scores in enumerate(study.scores)}
    return compare_scores(
        scores,
        "0",
        greater_is_better=True,
        test_train_ratio=test_train_ratio,
        diverged_counts={str(i): count for i, count in enumerate(study.diverged_counts)},
    )


def get_schedule_index(row: ComparisonRow) -> int:
    """Return the index of the schedule of a row in its study."""
    return int(row.label)


def draw_studies(world: World, count: int) -> Iterator[SimulatedStudy]:
    """Draw studies of a world, the same with every call."""
    rng = np.random.default_rng(0)
    return (world.draw_study(rng) for _ in range(count))


def compute_fraction(values: NDArray[Any] | Sequence[float]) -> dict[str, float]:
    """Return the mean of one value per study, and its standard error."""
    error = np.std(values) / np.sqrt(len(values))
    return {"fraction": float(np.mean(values)), "error": float(error)}


def count_false_winners(world: World, studies: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the fraction of studies that name a winner, and that find any clear difference."""
    has_winner: dict[str, list[bool]] = {"this_data": [], "new_data": []}
    has_difference: dict[str, list[bool]] = {"this_data": [], "new_data": []}
    for study in draw_studies(world, studies):
        comparison = compare_study(study, world.test_train_ratio)
        verdicts = {row.verdict for row in comparison.other_rows}
        has_winner["this_data"].append(bool(find_winners(comparison)))
        has_difference["this_data"].append(any(v.is_better or v.is_worse for v in verdicts))
        has_winner["new_data"].append(Verdict.BETTER_ON_NEW_DATA in verdicts)
        has_difference["new_data"].append(
            bool(verdicts & {Verdict.BETTER_ON_NEW_DATA, Verdict.WORSE_ON_NEW_DATA})
        )
    senses = ("this_data",) if world.test_train_ratio is None else ("this_data", "new_data")
    return {
        sense: {
            "winner": compute_fraction(has_winner[sense]),
            "clear_difference": compute_fraction(has_difference[sense]),
        }
        for sense in senses
    }


def count_recommendations(world: World, studies: int) -> dict[str, float]:
    """Return the fraction of studies that recommend another schedule than the baseline."""
    recommendations = (
        recommend(compare_study(study, world.test_train_ratio))
        for study in draw_studies(world, studies)
    )
    return compute_fraction([r.reason is RecommendationReason.BETTER for r in recommendations])


def measure_coverage(world: World, studies: int) -> dict[str, dict[str, float]]:
    """Return the fraction of 95 % intervals that contain the true difference to the baseline."""
    estimated_means = None
    if isinstance(world, LinearClassifiers):
        estimated_means, _ = world.estimate_means_for_new_data(
            np.random.default_rng(1), 20 * studies
        )
    fractions: dict[str, list[float]] = {"this_data": [], "new_data": []}
    for study in draw_studies(world, studies):
        new_means = study.means_for_new_data if estimated_means is None else estimated_means
        is_covered: dict[str, list[bool]] = {"this_data": [], "new_data": []}
        for row in compare_study(study, world.test_train_ratio).other_rows:
            i, paired = get_schedule_index(row), row.vs_baseline
            for sense, estimate, means in (
                ("this_data", paired.on_this_data, study.means_on_this_data),
                ("new_data", paired.for_new_data, new_means),
            ):
                if means is not None and estimate is not None and estimate.ci_low is not None:
                    difference = means[i] - means[0]
                    is_covered[sense].append(estimate.ci_low <= difference <= estimate.ci_high)
        for sense, values in is_covered.items():
            if values:
                fractions[sense].append(float(np.mean(values)))
    return {sense: compute_fraction(values) for sense, values in fractions.items() if values}


def measure_coverage_on_this_data(world: LinearClassifiers, studies: int) -> dict[str, float]:
    """Return the same on this data, where true means are estimated by many more seeds."""
    rng, fractions = np.random.default_rng(0), []
    for _ in range(studies):
        study = world.draw_study(rng, TRUTH_SEEDS)
        means = study.means_on_this_data
        # The mean over so many seeds has an error, too, which does not count against the interval.
        slack = np.sqrt(1 + world.seeds / TRUTH_SEEDS)
        is_covered = []
        for row in compare_study(study, world.test_train_ratio).other_rows:
            difference = means[get_schedule_index(row)] - means[0]
            estimate = row.vs_baseline.on_this_data
            half_width = slack * (estimate.ci_high - estimate.ci_low) / 2
            is_covered.append(abs(row.vs_baseline.difference - difference) <= half_width)
        fractions.append(float(np.mean(is_covered)))
    return compute_fraction(fractions)


def measure_power(
    sense: str, studies: int, multiples: Sequence[float] = MULTIPLES
) -> list[dict[str, float]]:
    """Return the fraction of studies that find the one schedule that is better.

    Args:
        sense: ``"this_data"`` or ``"new_data"``.
        studies: number of studies.
        multiples: true differences, in multiples of the smallest detectable one.
    """
    make_world = POWER_WORLDS[sense]
    null_world = make_world(0.0)
    min_detectable = float(
        np.mean(
            [
                row.vs_baseline.estimates[-1].min_detectable
                for study in draw_studies(null_world, 200)
                for row in compare_study(study, null_world.test_train_ratio).other_rows
            ]
        )
    )
    power = []
    for multiple in multiples:
        world, is_found = make_world(multiple * min_detectable), []
        for study in draw_studies(world, studies):
            rows = compare_study(study, world.test_train_ratio).other_rows
            (paired,) = [row.vs_baseline for row in rows if row.label == "1"]
            is_found.append(paired.estimates[-1].significant and paired.difference > 0)
        effect = multiple * min_detectable
        power.append({"multiple": multiple, "effect": effect, **compute_fraction(is_found)})
    return power


def count_false_winners_tuned(world: TuningWorld, studies: int) -> dict[str, dict[str, float]]:
    """Return the fraction of studies with tuned settings that name a false winner.

    Returns:
        Fractions on this data and for new data; and on this data if a winner had to beat the
        baseline only at the learning rates of the grid (``without_midpoints``), or only at its
        tuned settings (``tuned_baseline_only``).
    """
    is_wrong: dict[str, list[bool]] = {
        name: [] for name in ("this_data", "new_data", "without_midpoints", "tuned_baseline_only")
    }
    rng = np.random.default_rng(0)
    for _ in range(studies):
        study = world.draw_study(rng)
        comparison = tuning.compare_tuned(study, world.test_train_ratio)
        grid_only = tuning.compare_tuned(study, world.test_train_ratio, with_midpoints=False)
        winners = {
            "this_data": find_winners(comparison),
            "without_midpoints": find_winners(grid_only),
            "tuned_baseline_only": find_winners_over_tuned_baseline(comparison),
        }
        for name, rows in winners.items():
            is_wrong[name].append(any(is_false_winner(study, row) for row in rows))
        is_wrong["new_data"].append(
            any(row.verdict is Verdict.BETTER_ON_NEW_DATA for row in winners["this_data"])
        )
    if world.test_train_ratio is None:
        del is_wrong["new_data"]
    return {name: compute_fraction(values) for name, values in is_wrong.items()}


def find_winners_over_tuned_baseline(comparison: Comparison) -> tuple[ComparisonRow, ...]:
    """Return the winners if they had to beat the baseline only at its tuned settings."""
    if comparison.baseline_row.at_grid_edge:
        return ()
    return tuple(
        row
        for row in comparison.other_rows
        if row.verdict.is_better or row.verdict is Verdict.BETTER_AS_TUNED
        if not row.at_grid_edge
    )


def is_false_winner(study: TunedStudy, row: ComparisonRow) -> bool:
    """Return whether a schedule is in truth no better on this data than the best baseline."""
    means = study.means_on_this_data
    return means is None or bool(means[get_schedule_index(row)].max() <= means[0].max())


def measure_power_tuned(
    make_world: Callable[[float], TuningWorld], studies: int, gains: Sequence[float] = GAINS
) -> list[dict[str, Any]]:
    """Return the fraction of studies with tuned settings that name the one better schedule.

    Args:
        make_world: returns the world for a gain.
        studies: number of studies.
        gains: how much better the schedule is at its best.
    """
    power = []
    for gain in gains:
        rng, world = np.random.default_rng(0), make_world(gain)
        is_named, is_named_over_tuned = [], []
        for _ in range(studies):
            comparison = tuning.compare_tuned(world.draw_study(rng), world.test_train_ratio)
            for values, winners in (
                (is_named, find_winners(comparison)),
                (is_named_over_tuned, find_winners_over_tuned_baseline(comparison)),
            ):
                values.append("1" in [row.label for row in winners])
        power.append(
            {
                "gain": gain,
                "winner": compute_fraction(is_named),
                "tuned_baseline_only": compute_fraction(is_named_over_tuned),
            }
        )
    return power


def main() -> None:
    results: dict[str, Any] = {"studies": STUDIES, "null": {}, "new_data_null": {}}
    for key, worlds in (("null", NULL_WORLDS), ("new_data_null", NEW_DATA_NULL_WORLDS)):
        for name, world in worlds.items():
            results[key][name] = count_false_winners(world, STUDIES)
            print(key, name, results[key][name], flush=True)
    results["recommendations"] = {
        name: count_recommendations(world, STUDIES)
        for name, world in (NULL_WORLDS | RARE_DIVERGENCE_WORLDS).items()
    }
    results["coverage"] = {}
    for name, world in COVERAGE_WORLDS.items():
        coverage = results["coverage"][name] = measure_coverage(world, STUDIES)
        if isinstance(world, LinearClassifiers) and world.seeds == 30:
            coverage["this_data"] = measure_coverage_on_this_data(world, STUDIES // 4)
        print(name, coverage, flush=True)
    results["tuned"] = {}
    for name, tuning_world in TUNED_WORLDS.items():
        results["tuned"][name] = count_false_winners_tuned(tuning_world, STUDIES)
        print(name, results["tuned"][name], flush=True)
    results["tuned_power"] = {
        name: measure_power_tuned(make_world, STUDIES // 4)
        for name, make_world in TUNED_POWER_WORLDS.items()
    }
    results["power"] = {sense: measure_power(sense, STUDIES // 2) for sense in POWER_WORLDS}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    update_document(results)
    print(f"wrote {RESULTS} and {DOCUMENT}")


def update_document(results: dict[str, Any]) -> None:
    """Replace the tables of the document."""
    before, _, rest = DOCUMENT.read_text().partition("<!-- calibration -->\n")
    _, _, after = rest.partition("<!-- end of calibration -->\n")
    tables = f"<!-- calibration -->\n{format_tables(results)}<!-- end of calibration -->\n"
    DOCUMENT.write_text(before + tables + after)


def format_tables(results: dict[str, Any]) -> str:
    """Return the results as Markdown tables."""
    studies = results["studies"]
    lines = [
        f"Percent of {studies} studies per row, with Monte-Carlo standard errors; of "
        f"{studies // 2} studies for power,",
        f"and of {studies // 4} for power with tuned settings and for the coverage of classifiers "
        "on this data, whose",
        f"truth takes {TRUTH_SEEDS} more seeds per study.",
        "",
        "| no schedule is better, but a study names a winner | on this data | for new data |",
        "| --- | --: | --: |",
    ]
    for name, senses in results["null"].items():
        winners = {sense: counts["winner"] for sense, counts in senses.items()}
        lines.append(format_row(name, winners, ("this_data", "new_data")))
    lines += [
        "",
        "| no schedule is better, but a study recommends another than the constant rate | |",
        "| --- | --: |",
    ]
    for name, fraction in results["recommendations"].items():
        lines.append(f"| {name} | {format_percent(fraction)} |")
    lines += [
        "",
        "| some schedules are better on this data, none for new data; a study names a winner "
        "| on this data, rightly | for new data, wrongly |",
        "| --- | --: | --: |",
    ]
    for name, senses in results["new_data_null"].items():
        winners = {sense: counts["winner"] for sense, counts in senses.items()}
        lines.append(format_row(name, winners, ("this_data", "new_data")))
    lines += [
        "",
        "| settings are tuned, no schedule is better at its best, but a study names a winner "
        "| on this data | for new data | on this data, without midpoints "
        "| on this data, tuned baseline only |",
        "| --- | --: | --: | --: | --: |",
    ]
    columns = ("this_data", "new_data", "without_midpoints", "tuned_baseline_only")
    for name, fractions in results["tuned"].items():
        lines.append(format_row(name, fractions, columns))
    gains = " | ".join(f"{100 * gain:g}" for gain in GAINS)
    lines += [
        "",
        "| settings are tuned, one schedule is better at its best, and a study names it: gain in "
        f"points | {gains} |",
        f"| --- |{' --: |' * len(GAINS)}",
    ]
    for name, rows in results["tuned_power"].items():
        for suffix, key in (("", "winner"), (", tuned baseline only", "tuned_baseline_only")):
            cells = [format_percent(row[key], error=False) for row in rows]
            lines.append(f"| {name}{suffix} | {' | '.join(cells)} |")
    lines += [
        "",
        "| the 95 % interval contains the true difference | on this data | for new data |",
        "| --- | --: | --: |",
    ]
    for name, senses in results["coverage"].items():
        lines.append(format_row(name, senses, ("this_data", "new_data")))
    multiples = " | ".join(f"{multiple:g}" for multiple in MULTIPLES)
    lines += [
        "",
        "| a study finds the better schedule: difference in multiples of the smallest detectable "
        f"one | {multiples} |",
        f"| --- |{' --: |' * len(MULTIPLES)}",
    ]
    for title, sense in (("on this data", "this_data"), ("for new data", "new_data")):
        cells = [format_percent(row, error=False) for row in results["power"][sense]]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def format_row(name: str, fractions: dict[str, dict[str, float]], columns: Sequence[str]) -> str:
    """Return a row of a Markdown table; a cell is empty if its fraction is missing."""
    cells = [format_percent(fractions[column]) if column in fractions else "" for column in columns]
    return f"| {name} | {' | '.join(cells)} |"


def format_percent(fraction: dict[str, float], error: bool = True) -> str:
    """Format a fraction in percent, such as ``4.7 ± 0.5``."""
    percent = f"{100 * fraction['fraction']:.1f}"
    return f"{percent} ± {100 * fraction['error']:.1f}" if error else percent


if __name__ == "__main__":
    main()
