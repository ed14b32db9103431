"""``lrlab compare``: what it prints, stores and draws."""

import json
import math
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from lrlab.studies import StoreReader
from lrlab.studies.store import frames
from tests.cli.stopping import command, ended, numbers, query

UNTUNED = ["--no-tune", "--epochs", "2", "--seeds", "3", "--engine", "loop"]
COSINE = ["--schedule", "Cosine()"]


def phases(err: str) -> list[str]:
    """The lines in which phases say that they are at their end."""
    return [line for line in err.splitlines() if re.fullmatch(r"[\w ]+: (\d+) of \1 runs", line)]


def test_the_default_schedules_ranked(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab("compare", "iris", *UNTUNED)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == (
        "iris · 12 schedules · 3 paired seeds · accuracy on the test rows after 2 epochs"
    )
    table = said.out[: said.out.index("epochs to")]
    for text in (
        "Constant(1.0)", "Linear(1.0, 0.5, over=30)", "Exponential(0.99)", "InverseTime(0.01)",
        'Step("30%")', "Polynomial(2.0)", "Cosine()", "Linear(1.0, 0.0)",
        'Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)', 'Warmup("10%") >> Cosine()',
        'Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()', "Plateau()",
    ):  # fmt: skip
        assert len(re.findall(rf"^     1  {re.escape(text)}(?:  |$)", table, re.MULTILINE)) == 1
    means = [float(mean) for mean in re.findall(r"  (\d+\.\d) %", table)]
    assert len(means) == 12
    assert means == sorted(means, reverse=True)
    (id,) = query(tmp_path / "lrlab.db", "SELECT id FROM study")[0]
    assert lines[-1] == f"wrote lrlab.db, iris.png · study {id}"
    assert (tmp_path / "iris.png").read_bytes().startswith(b"\x89PNG")
    assert len(numbers(tmp_path / "lrlab.db")) == 36


def test_every_phase_is_told_where_there_is_no_terminal(lrlab: Callable) -> None:
    grid = ["--lr", "0.03,0.3", "--momentum", "0.9", "--tuning-seeds", "1", "--widen", "1"]
    said = lrlab(
        "compare", "iris", *grid, "--seeds", "2", "--epochs", "1", *COSINE, "--engine", "loop"
    )
    assert said.code == 0
    # Of two rates either is at the edge, so that each schedule gets one more.
    assert phases(said.err)[:2] == ["tuning: 4 of 4 runs", "widening 1: 2 of 2 runs"]
    # The cosine at its best, the constant rate at all three and halfway between them.
    assert phases(said.err)[2] == "final: 12 of 12 runs"


def test_what_is_stored_of_a_phase_is_not_trained_again(lrlab: Callable, tmp_path: Path) -> None:
    few = ["compare", "iris", "--no-tune", "--epochs", "1", *COSINE, "--engine", "loop"]
    lrlab(*few, "--seeds", 1)
    before = ended(tmp_path / "lrlab.db")
    said = lrlab(*few, "--seeds", 3)
    assert "final: 2 of 6 runs are stored already" in said.err
    assert phases(said.err) == ["final: 4 of 4 runs"]
    after = ended(tmp_path / "lrlab.db")
    assert len(after) == 6
    assert after.items() >= before.items()


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command("compare", "iris", *UNTUNED, *COSINE),
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(parent)
    assert process.wait() == 0
    assert b"final" in shown
    assert "/6" in shown.decode()
    assert phases(shown.decode()) == []


def test_repeating_a_command_trains_nothing(lrlab: Callable, tmp_path: Path) -> None:
    tuned = [
        "compare", "iris", "--lr", "0.03,0.3", "--momentum", "0", "--tuning-seeds", "1",
        "--widen", "0", "--seeds", "2", "--epochs", "1", *COSINE, "--engine", "loop",
    ]  # fmt: skip
    first = lrlab(*tuned)
    before = ended(tmp_path / "lrlab.db")
    again = lrlab(*tuned)
    assert again.out == first.out
    assert again.err.splitlines()[-2:] == [
        "tuning: 4 of 4 runs are stored already",
        "final: 8 of 8 runs are stored already",
    ]
    assert ended(tmp_path / "lrlab.db") == before


def test_options_reach_the_runs(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab(
        "compare", "iris", *UNTUNED, "--schedule", "Step(1)", "--lr", 0.2, "--momentum", 0.5,
        "--batch-size", 10, "--per", "step", "--no-shuffle", "--db", "other.db", "--png", "p.png",
        "--workers", 1,
    )  # fmt: skip
    assert said.code == 0
    assert "sgd at base rate 0.2, momentum 0.5 for all" in said.out
    (row,) = query(tmp_path / "other.db", "SELECT DISTINCT settings FROM run")
    assert json.loads(row[0]) == {
        "lr": 0.2, "momentum": 0.5, "optimizer": "sgd", "epochs": 2, "batch_size": 10,
        "per": "step", "shuffle": False,
    }  # fmt: skip
    assert (tmp_path / "p.png").exists()
    assert not (tmp_path / "lrlab.db").exists()


def test_the_options_of_the_protocol(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab(
        "compare", "iris", "--lr", "0.03,0.3,3", "--momentum", "0", "--tuning-seeds", 2, *COSINE,
        "--widen", 0, "--seeds", 3, "--epochs", 3, "--score", "best", "--validation", 0.3,
        "--seed", 7, "--goal", 0.5, "--optimizer", "ADAM", "--engine", "loop",
    )  # fmt: skip
    assert said.code == 0
    assert "· 3 settings each · 3 paired seeds · " in said.out.splitlines()[0]
    assert "at each run's best epoch" in said.out.splitlines()[0]
    assert "over 2 other seeds by 32 of the 105 training rows held out" in said.out
    assert re.search(r" 50\.0 % +by$", said.out, re.MULTILINE)
    ((text,),) = query(tmp_path / "lrlab.db", "SELECT plan FROM study")
    assert json.loads(text)["protocol"] == {
        "seeds": 3, "tuning_seeds": 2, "widenings": 0, "score": "best", "seed": 7,
    }  # fmt: skip
    drawn = {
        phase: {seed for (seed,) in query(tmp_path / "lrlab.db", SEEDS.format(phase))}
        for phase in ("tuning", "final")
    }
    assert {phase: len(seeds) for phase, seeds in drawn.items()} == {"tuning": 2, "final": 3}
    assert not drawn["tuning"] & drawn["final"]


SEEDS = "SELECT seed FROM run JOIN planned_run ON run = id WHERE phase = '{}'"


def test_each_schedule_is_at_its_best_by_held_out_rows_and_scored_on_fresh_seeds(
    lrlab: Callable, tmp_path: Path
) -> None:
    said = lrlab(
        "compare", "wine", "--lr", "0.1,0.003,0.03", "--momentum", "0,0.9", "--tuning-seeds", 2,
        "--widen", 1, "--seeds", 3, "--epochs", 2, *COSINE, "--engine", "loop",
    )  # fmt: skip
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("wine · 2 schedules · 6 settings each · 3 paired seeds · ")
    table = said.out[: said.out.index("epochs to")].splitlines()
    assert any(line.split()[:4] == ["rank", "schedule", "rate", "momentum"] for line in table)
    catalog = StoreReader(tmp_path / "lrlab.db")
    runs = frames.read_runs(catalog, catalog.find_study().id)
    epochs = frames.read_epochs(catalog, catalog.find_study().id)
    last = epochs.groupby("run")["validation_score"].last()
    tuning = runs[runs["phase"] != "final"].assign(held_out=lambda found: found["run"].map(last))
    finals = runs[runs["phase"] == "final"]
    assert (runs["validation"] == 0.2).all()
    assert set(finals["seed"]).isdisjoint(tuning["seed"])
    for schedule, own in tuning.groupby("schedule"):
        # Chosen again from what is stored, by nothing of ours.
        means = own.groupby(["lr", "momentum"])["held_out"].mean().round(9).reset_index()
        ends = means["lr"].isin([means["lr"].min(), means["lr"].max()])
        order = means.assign(edge=ends).sort_values(
            ["held_out", "edge", "lr", "momentum"], ascending=[False, True, True, True]
        )
        best = order.iloc[0]
        at = (finals["lr"] == best["lr"]) & (finals["momentum"] == best["momentum"])
        scores = finals[at & (finals["schedule"] == schedule)]["score"]
        assert len(scores) == 3
        (line,) = [one for one in table if re.match(rf"     \d  {re.escape(schedule)}  ", one)]
        cells = line.split()
        assert (float(cells[2]), float(cells[3])) == (best["lr"], best["momentum"])
        assert cells[4] == f"{100 * scores.mean():.1f}"
        assert line.endswith("at the edge") == best["edge"]
    assert "by 25 of the 124 training rows held out, never by test rows" in said.out


def test_a_schedule_that_reads_a_metric_is_compared_too(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab(
        "compare", "iris", "--no-tune", "--epochs", 4, "--seeds", 2, "--engine", "loop",
        "--optimizer", "rmsprop", "--clip", 1, "--weight-decay", 0.01, "--validation", 0.25,
        "--schedule", 'Plateau(mode="max", patience=0, factor=0.5)',
    )  # fmt: skip
    assert said.code == 0
    ((text,),) = query(tmp_path / "lrlab.db", "SELECT DISTINCT settings FROM run")
    assert {"optimizer": "rmsprop", "lr": 0.001, "clip": 1.0, "weight_decay": 0.01,
            "validation": 0.25}.items() <= json.loads(text).items()  # fmt: skip
    catalog = StoreReader(tmp_path / "lrlab.db")
    epochs: pd.DataFrame = frames.read_epochs(catalog, catalog.find_study().id)
    last = epochs[epochs["epoch"] == 3].groupby("schedule")["before"]
    assert set(last.get_group("Constant(1.0)")) == {0.001}
    assert (last.max() < 0.001).sum() == 1


def test_the_engine_is_said_and_kept(lrlab: Callable, tmp_path: Path) -> None:
    few = ["compare", "iris", "--no-tune", "--epochs", 2, *COSINE]
    first = lrlab(*few, "--seeds", 2, "--engine", "ensemble", "--memory", "4 GB")
    assert first.code == 0
    assert "engine: ensemble (as asked for)" in first.err
    again = lrlab(*few, "--seeds", 2)
    assert "engine: ensemble (this study was begun with it)" in again.err
    more = lrlab(*few, "--seeds", 3)
    assert "engine: ensemble (4 of these runs were trained by it)" in more.err
    assert "final: 4 of 6 runs are stored already" in more.err
    loop = lrlab(*few, "--seeds", 3, "--engine", "loop")
    assert "already" not in loop.err
    engines = query(tmp_path / "lrlab.db", "SELECT engine, count(*) FROM run GROUP BY engine")
    assert engines == [("ensemble", 6), ("loop", 6)]
    # The same numbers, as far as they are shown.
    assert loop.out.splitlines()[:-1] == more.out.splitlines()[:-1]


def test_auto_probes_and_says_what_it_found(lrlab: Callable) -> None:
    said = lrlab("compare", "iris", "--no-tune", "--epochs", 2, "--seeds", 2, *COSINE)
    assert said.code == 0
    (line,) = [line for line in said.err.splitlines() if line.startswith("engine: ")]
    assert re.fullmatch(
        r"engine: (loop|ensemble) \(a step of a run takes \S+ (µs|ms) in the loop, "
        r"\S+ (µs|ms) among \d+ in the ensemble\)",
        line,
    )


def test_the_articles_mistake_is_warned_of(lrlab: Callable) -> None:
    said = lrlab("compare", "iris", *UNTUNED, "--schedule", "Formula('0.1/(1+0.01*t)')")
    assert said.err.count("the base rate is applied twice") == 1


def test_the_tutorials_differences_are_those_of_the_reference(
    lrlab: Callable, tutorial: dict, tmp_path: Path
) -> None:
    known = tutorial["results_over_300_paired_seeds_percent"]
    specs = {
        "linear": "Linear(1.0, 0.5, over=30)",
        "exp": "Exponential(0.99)",
        "inverse_time": "InverseTime(0.01)",
        "lambda_double": 'Formula("0.1/(1+0.01*t)")',
    }
    words = [word for spec in specs.values() for word in ("--schedule", spec)]
    said = lrlab("compare", "ionosphere", "--no-tune", "--seeds", 60, *words)
    assert said.code == 0

    rows = query(tmp_path / "lrlab.db", "SELECT schedule, seed, test_score FROM run ORDER BY seed")
    scores: dict[str, list[float]] = {}
    for schedule, _, score in rows:
        scores.setdefault(schedule, []).append(100 * score)
    constant = np.array(scores["Constant(1.0)"])
    errors = math.hypot(known["constant"]["sd"] / math.sqrt(300), constant.std(ddof=1) / 60**0.5)
    assert abs(constant.mean() - known["constant"]["mean"]) < 3 * errors
    for name, spec in specs.items():
        gains = np.array(scores[spec]) - constant
        joint = math.hypot(
            known[name]["standard_error_of_difference"], gains.std(ddof=1) / math.sqrt(60)
        )
        assert abs(gains.mean() - known[name]["paired_difference_to_constant"]) < 3 * joint
        assert any(f" {spec} " in line and "worse" in line for line in said.out.splitlines())
