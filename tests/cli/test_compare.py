"""``lrlab compare``: what it prints, stores and plots."""

import json
import math
import os
import pty
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrlab.lab import read_epochs, read_runs
from tests.cli.conftest import Lrlab, assert_refused
from tests.cli.database import query, read_numbers, read_rows
from tests.cli.processes import build_command

pytestmark = pytest.mark.slow

UNTUNED = ["--no-tune", "--epochs", "2", "--seeds", "3", "--engine", "loop"]
COSINE = ["--schedule", "Cosine()"]
SEEDS_OF_PHASE = "SELECT seed FROM run JOIN planned_run ON run = id WHERE phase = '{}'"


def find_finished_phases(err: str) -> list[str]:
    """Return the lines that say that a phase has finished."""
    return [line for line in err.splitlines() if re.fullmatch(r"[\w ]+: (\d+) of \1 runs", line)]


def read_study_id(db: Path) -> str:
    """Return the id of the only study."""
    ((study_id,),) = query(db, "SELECT id FROM study")
    return study_id


def find_ranking(out: str) -> str:
    """Return the table of scores: the first of the two."""
    return out[: out.index("epochs to")]


def test_the_default_schedules_ranked(lrlab: Lrlab, tmp_path: Path) -> None:
    result = lrlab("compare", "iris", *UNTUNED)
    assert result.code == 0
    assert result.out.startswith("iris · 12 schedules · 3 paired seeds · ")
    ranking = find_ranking(result.out)
    for text in (
        "Constant(1.0)", "Linear(1.0, 0.5, over=30)", "Exponential(0.99)", "InverseTime(0.01)",
        'Step("30%")', "Polynomial(2.0)", "Cosine()", "Linear(1.0, 0.0)",
        'Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)', 'Warmup("10%") >> Cosine()',
        'Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()', "Plateau()",
    ):  # fmt: skip
        assert len(re.findall(rf"^     1  {re.escape(text)}(?:  |$)", ranking, re.MULTILINE)) == 1
    means = [float(mean) for mean in re.findall(r"  (\d+\.\d) %", ranking)]
    assert len(means) == 12
    assert means == sorted(means, reverse=True)
    study_id = read_study_id(tmp_path / "lrlab.db")
    last_line = result.out.splitlines()[-1]
    assert all(text in last_line for text in ("lrlab.db", f"iris-{study_id}.png", study_id))
    assert (tmp_path / f"iris-{study_id}.png").read_bytes().startswith(b"\x89PNG")
    assert len(read_numbers(tmp_path / "lrlab.db")) == 36


def test_only_the_default_plot_is_replaced_without_force(lrlab: Lrlab, tmp_path: Path) -> None:
    study = ["compare", "iris", "--no-tune", "--epochs", "1", "--seeds", "1", *COSINE]
    assert lrlab(*study, "--engine", "loop").code == 0
    default = tmp_path / f"iris-{read_study_id(tmp_path / 'lrlab.db')}.png"
    plot = default.read_bytes()
    default.write_text("older")
    assert lrlab(*study).code == 0
    assert default.read_bytes() == plot
    (tmp_path / "mine.png").write_text("mine")
    assert_refused(lrlab(*study, "--output", "mine.png"), "mine.png", "--force")
    assert (tmp_path / "mine.png").read_text() == "mine"
    assert lrlab(*study, "--output", "mine.png", "--force").code == 0
    assert (tmp_path / "mine.png").read_bytes() == plot


def test_every_phase_is_printed_without_a_terminal(lrlab: Lrlab) -> None:
    result = lrlab(
        "compare", "iris", "--lr", "0.03,0.3", "--momentum", "0.9", "--tuning-seeds", "1",
        "--grid-extensions", "1", "--seeds", "2", "--epochs", "1", *COSINE, "--engine", "loop",
    )  # fmt: skip
    assert result.code == 0
    phases = find_finished_phases(result.err)
    # Of two learning rates either is at the edge, so that each schedule gets one more.
    assert phases[:2] == ["tuning: 4 of 4 runs", "grid extension 1: 2 of 2 runs"]
    # The cosine at its best, the constant rate at all three and halfway between them.
    assert phases[2] == "final: 12 of 12 runs"


def test_stored_runs_of_a_phase_are_not_trained_again(lrlab: Lrlab, tmp_path: Path) -> None:
    study = ["compare", "iris", "--no-tune", "--epochs", "1", *COSINE, "--engine", "loop"]
    lrlab(*study, "--seeds", 1)
    before = read_rows(tmp_path / "lrlab.db")
    result = lrlab(*study, "--seeds", 3)
    assert "final: 2 of 6 runs are already stored" in result.err
    assert find_finished_phases(result.err) == ["final: 4 of 4 runs"]
    after = read_rows(tmp_path / "lrlab.db")
    assert len(after) == 6
    assert after.items() >= before.items()


@pytest.mark.integration
def test_a_terminal_shows_a_progress_bar(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        build_command("compare", "iris", *UNTUNED, *COSINE),
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(child)
    output = b""
    while True:
        try:
            chunk = os.read(parent, 4096)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(parent)
    assert process.wait() == 0
    assert b"final" in output
    assert b"/6" in output
    assert find_finished_phases(output.decode()) == []


def test_repeating_a_command_trains_nothing(lrlab: Lrlab, tmp_path: Path) -> None:
    tuned = [
        "compare", "iris", "--lr", "0.03,0.3", "--momentum", "0", "--tuning-seeds", "1",
        "--grid-extensions", "0", "--seeds", "2", "--epochs", "1", *COSINE, "--engine", "loop",
    ]  # fmt: skip
    first = lrlab(*tuned)
    before = read_rows(tmp_path / "lrlab.db")
    again = lrlab(*tuned)
    assert again.out == first.out
    assert again.err.splitlines()[-2:] == [
        "tuning: 4 of 4 runs are already stored",
        "final: 8 of 8 runs are already stored",
    ]
    assert read_rows(tmp_path / "lrlab.db") == before


def test_options_reach_the_runs(lrlab: Lrlab, tmp_path: Path) -> None:
    result = lrlab(
        "compare", "iris", *UNTUNED, "--schedule", "Step(1)", "--lr", 0.2, "--momentum", 0.5,
        "--batch-size", 10, "--step-every", "step", "--no-shuffle", "--db", "other.db",
        "--output", "plot.png", "--workers", 1,
    )  # fmt: skip
    assert result.code == 0
    ((text,),) = query(tmp_path / "other.db", "SELECT DISTINCT settings FROM run")
    assert {
        "lr": 0.2, "momentum": 0.5, "optimizer": "sgd", "epochs": 2, "batch_size": 10,
        "step_every": "step", "shuffle": False, "validation_size": 0.0,
    }.items() <= json.loads(text).items()  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.db", "plot.png"]


def test_the_options_of_the_protocol(lrlab: Lrlab, tmp_path: Path) -> None:
    result = lrlab(
        "compare", "iris", "--lr", "0.03,0.3,3", "--momentum", "0", "--tuning-seeds", 2, *COSINE,
        "--grid-extensions", 0, "--seeds", 3, "--epochs", 3, "--score", "best",
        "--validation-size", 0.3, "--seed", 7, "--target-score", 0.5, "--optimizer", "ADAM",
        "--engine", "loop",
    )  # fmt: skip
    assert result.code == 0
    assert "· 3 settings each · 3 paired seeds · " in result.out.splitlines()[0]
    assert "32 of the 105 training rows" in result.out
    assert re.search(r" 50\.0 %", result.out[result.out.index("epochs to") :])
    ((text,),) = query(tmp_path / "lrlab.db", "SELECT plan FROM study")
    assert json.loads(text)["protocol"] == {
        "seeds": 3, "tuning_seeds": 2, "grid_extensions": 0, "score": "best", "seed": 7,
    }  # fmt: skip
    seeds = {
        phase: {seed for (seed,) in query(tmp_path / "lrlab.db", SEEDS_OF_PHASE.format(phase))}
        for phase in ("tuning", "final")
    }
    assert {phase: len(values) for phase, values in seeds.items()} == {"tuning": 2, "final": 3}
    assert not seeds["tuning"] & seeds["final"]


def test_settings_are_selected_by_validation_rows_and_scored_on_fresh_seeds(
    lrlab: Lrlab, tmp_path: Path
) -> None:
    result = lrlab(
        "compare", "wine", "--lr", "0.1,0.003,0.03", "--momentum", "0,0.9", "--tuning-seeds", 2,
        "--grid-extensions", 1, "--seeds", 3, "--epochs", 2, *COSINE, "--engine", "loop",
    )  # fmt: skip
    assert result.code == 0
    assert result.out.startswith("wine · 2 schedules · 6 settings each · 3 paired seeds · ")
    assert "25 of the 124 training rows" in result.out
    ranking = find_ranking(result.out).splitlines()
    assert any(line.split()[:4] == ["rank", "schedule", "lr", "momentum"] for line in ranking)
    runs, epochs = read_runs(db=tmp_path / "lrlab.db"), read_epochs(db=tmp_path / "lrlab.db")
    last_scores = epochs.groupby("run")["validation_score"].last()
    tuning = runs[runs["phase"] != "final"].copy()
    tuning["validation_score"] = tuning["run"].map(last_scores)
    final = runs[runs["phase"] == "final"]
    assert (runs["validation_size"] == 0.2).all()
    assert set(final["seed"]).isdisjoint(tuning["seed"])
    for schedule, tried in tuning.groupby("schedule"):
        # Selected once more from the stored runs, by none of lrlab's code.
        means = tried.groupby(["lr", "momentum"])["validation_score"].mean().round(9).reset_index()
        at_edge = means["lr"].isin([means["lr"].min(), means["lr"].max()])
        best = (
            means.assign(at_edge=at_edge)
            .sort_values(
                ["validation_score", "at_edge", "lr", "momentum"],
                ascending=[False, True, True, True],
            )
            .iloc[0]
        )
        has_best = (final["lr"] == best["lr"]) & (final["momentum"] == best["momentum"])
        scores = final[has_best & (final["schedule"] == schedule)]["test_score"]
        assert len(scores) == 3
        (line,) = [row for row in ranking if re.match(rf"     \d  {re.escape(schedule)}  ", row)]
        cells = line.split()
        assert (float(cells[2]), float(cells[3])) == (best["lr"], best["momentum"])
        assert cells[4] == f"{100 * scores.mean():.1f}"
        assert line.endswith("at the edge") == best["at_edge"]


def test_a_metric_driven_schedule(lrlab: Lrlab, tmp_path: Path) -> None:
    result = lrlab(
        "compare", "iris", "--no-tune", "--epochs", 4, "--seeds", 2, "--engine", "loop",
        "--optimizer", "rmsprop", "--max-grad-norm", 1, "--weight-decay", 0.01,
        "--validation-size", 0.25, "--schedule", 'Plateau(mode="max", patience=0, factor=0.5)',
    )  # fmt: skip
    assert result.code == 0
    ((text,),) = query(tmp_path / "lrlab.db", "SELECT DISTINCT settings FROM run")
    assert {"optimizer": "rmsprop", "lr": 0.001, "max_grad_norm": 1.0, "weight_decay": 0.01,
            "validation_size": 0.25}.items() <= json.loads(text).items()  # fmt: skip
    epochs: pd.DataFrame = read_epochs(db=tmp_path / "lrlab.db")
    last_lrs = epochs[epochs["epoch"] == 3].groupby("schedule")["lr_start"]
    assert set(last_lrs.get_group("Constant(1.0)")) == {0.001}
    assert (last_lrs.max() < 0.001).sum() == 1


def test_a_study_keeps_its_engine(lrlab: Lrlab, tmp_path: Path) -> None:
    study = ["compare", "iris", "--no-tune", "--epochs", 2, *COSINE]
    first = lrlab(*study, "--seeds", 2, "--engine", "ensemble", "--memory", "4 GB")
    assert first.code == 0
    assert "engine: ensemble " in first.err
    again = lrlab(*study, "--seeds", 2)
    assert "engine: ensemble " in again.err
    more = lrlab(*study, "--seeds", 3)
    assert re.search(r"engine: ensemble \(.*\b4\b", more.err)  # four of its runs are stored
    assert "final: 4 of 6 runs are already stored" in more.err
    loop = lrlab(*study, "--seeds", 3, "--engine", "loop")
    assert "already stored" not in loop.err
    engines = query(tmp_path / "lrlab.db", "SELECT engine, count(*) FROM run GROUP BY engine")
    assert engines == [("ensemble", 6), ("loop", 6)]
    # The same numbers, as far as they are shown.
    assert loop.out.splitlines()[:-1] == more.out.splitlines()[:-1]


def test_auto_prints_the_times_it_measured(lrlab: Lrlab) -> None:
    result = lrlab("compare", "iris", "--no-tune", "--epochs", 2, "--seeds", 2, *COSINE)
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if line.startswith("engine: ")]
    assert re.match(r"engine: (loop|ensemble) \(", line)
    assert len(re.findall(r"[\d.]+ (?:µs|ms)", line)) == 2


def test_a_likely_mistake_gives_one_warning(lrlab: Lrlab) -> None:
    result = lrlab("compare", "iris", *UNTUNED, "--schedule", "Formula('0.1/(1+0.01*t)')")
    assert result.code == 0
    assert len(re.findall(r"^warning: .*twice", result.err, re.MULTILINE)) == 1


def test_the_tutorials_differences_are_those_of_the_reference(
    lrlab: Lrlab, tutorial: dict, tmp_path: Path
) -> None:
    known = tutorial["results_over_300_paired_seeds_percent"]
    schedules = {
        "linear": "Linear(1.0, 0.5, over=30)",
        "exp": "Exponential(0.99)",
        "inverse_time": "InverseTime(0.01)",
        "lambda_double": 'Formula("0.1/(1+0.01*t)")',
    }
    options = [word for schedule in schedules.values() for word in ("--schedule", schedule)]
    result = lrlab("compare", "ionosphere", "--no-tune", "--seeds", 60, *options)
    assert result.code == 0

    rows = query(tmp_path / "lrlab.db", "SELECT schedule, seed, test_score FROM run ORDER BY seed")
    scores: dict[str, list[float]] = {}
    for schedule, _, score in rows:
        scores.setdefault(schedule, []).append(100 * score)
    constant = np.array(scores["Constant(1.0)"])
    error = math.hypot(known["constant"]["sd"] / math.sqrt(300), constant.std(ddof=1) / 60**0.5)
    assert abs(constant.mean() - known["constant"]["mean"]) < 3 * error
    for name, schedule in schedules.items():
        gains = np.array(scores[schedule]) - constant
        joint_error = math.hypot(
            known[name]["standard_error_of_difference"], gains.std(ddof=1) / math.sqrt(60)
        )
        assert abs(gains.mean() - known[name]["paired_difference_to_constant"]) < 3 * joint_error
        assert any(f" {schedule} " in line and "worse" in line for line in result.out.splitlines())


def test_settings_of_an_optimizer(lrlab: Lrlab, tmp_path: Path) -> None:
    options = ("--optimizer", "adamw", "--betas", "0.8,0.95", "--eps", "1e-6")
    assert lrlab("compare", "iris", *UNTUNED, *COSINE, *options).code == 0
    runs = read_runs(db=tmp_path / "lrlab.db")
    assert set(runs["eps"]) == {1e-6}
    assert set(map(tuple, runs["betas"])) == {(0.8, 0.95)}
    assert_refused(lrlab("compare", "iris", "--betas", "0.9"), "--betas", "0.9")
    assert_refused(lrlab("compare", "iris", *UNTUNED, "--nesterov"), "--momentum", "0.0")
