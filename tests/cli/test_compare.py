"""``lrlab compare``: what it prints, stores and draws, and what survives a kill."""

import json
import math
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

QUICK = ["--epochs", "2", "--seeds", "3", "--engine", "loop"]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lrlab", *map(str, arguments)]


def query(db: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(db, timeout=30)) as connection:
        return connection.execute(question).fetchall()


def stored(db: Path) -> dict[str, tuple]:
    rows = query(db, "SELECT id, score, epochs, ended FROM run")
    return {row[0]: row[1:] for row in rows}


def test_the_default_schedules_ranked(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab("compare", "iris", *QUICK)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == (
        "iris · 6 schedules · 3 paired seeds · accuracy on the test rows after 2 epochs"
    )
    for text in ("Constant(1.0)", "Linear(1.0, 0.5, over=30)", "Exponential(0.99)",
                 "InverseTime(0.01)", "Cosine()", 'Warmup("10%") >> Cosine()'):  # fmt: skip
        assert sum(line.startswith(f"     1  {text} ") for line in lines) == 1
    table = [line for line in lines if line.startswith("     1  ")]
    means = [float(line.split(" %")[0].split()[-1]) for line in table]
    assert means == sorted(means, reverse=True)
    assert lines[-1].startswith("wrote lrlab.db, iris.png")
    assert (tmp_path / "iris.png").read_bytes().startswith(b"\x89PNG")
    assert len(stored(tmp_path / "lrlab.db")) == 18


def test_one_line_per_finished_schedule_where_there_is_no_terminal(lrlab: Callable) -> None:
    said = lrlab("compare", "iris", *QUICK, "--schedule", "Cosine()")
    done = [line for line in said.err.splitlines() if line.endswith("is done")]
    assert sorted(line.split(": ")[1] for line in done) == [
        "Constant(1.0) is done",
        "Cosine() is done",
    ]


def test_a_schedule_that_was_there_in_part_is_finished_too(lrlab: Callable) -> None:
    half = ["compare", "iris", "--epochs", "1", "--schedule", "Cosine()", "--engine", "loop"]
    lrlab(*half, "--seeds", 1)
    said = lrlab(*half, "--seeds", 3)
    assert "2 of 6 runs are in lrlab.db already" in said.err
    done = [line for line in said.err.splitlines() if line.endswith("is done")]
    assert sorted(line.split(": ")[1] for line in done) == [
        "Constant(1.0) is done",
        "Cosine() is done",
    ]
    assert done[-1].startswith("4 of 4 runs")


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        command("compare", "iris", *QUICK, "--schedule", "Cosine()"),
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
    assert b"training" in shown
    assert "/6" in shown.decode()


def test_repeating_a_command_trains_nothing(lrlab: Callable, tmp_path: Path) -> None:
    first = lrlab("compare", "iris", *QUICK, "--schedule", "Cosine()")
    before = stored(tmp_path / "lrlab.db")
    again = lrlab("compare", "iris", *QUICK, "--schedule", "Cosine()")
    assert again.out == first.out
    assert "6 of 6 runs are in lrlab.db already" in again.err
    assert stored(tmp_path / "lrlab.db") == before


def test_options_reach_the_runs(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab(
        "compare", "iris", *QUICK, "--schedule", "Step(1)", "--lr", 0.2, "--momentum", 0.5,
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


def test_each_schedule_is_shown_at_its_best_by_the_held_out_rows(
    lrlab: Callable, tmp_path: Path
) -> None:
    said = lrlab(
        "compare", "wine", *QUICK, "--lr", "0.1,0.003,0.03", "--momentum", "0,0.9",
        "--schedule", "Cosine()",
    )  # fmt: skip
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("wine · 2 schedules · 6 settings each · 3 paired seeds · ")
    assert any(line.split()[:4] == ["rank", "schedule", "rate", "momentum"] for line in lines)
    rows = query(tmp_path / "lrlab.db", "SELECT schedule, settings, score, epochs FROM run")
    assert len(rows) == 2 * 6 * 3
    for schedule in ("Constant(1.0)", "Cosine()"):
        # Chosen again from what is stored, by nothing of ours.
        scores: dict[tuple[float, float], list[tuple[float, float]]] = {}
        for name, text, score, epochs in rows:
            settings = json.loads(text)
            assert settings["validation"] == 0.2
            if name == schedule:
                at = settings["lr"], settings["momentum"]
                scores.setdefault(at, []).append((json.loads(epochs)[-1][-1], score))
        best = max(sorted(scores), key=lambda at: round(sum(v for v, _ in scores[at]), 9))
        mean = 100 * np.mean([score for _, score in scores[best]])
        (line,) = [line for line in lines if line[2:6].strip() and line[8:].startswith(schedule)]
        cells = line.split()[1:]
        assert (float(cells[1]), float(cells[2])) == best
        assert cells[3] == f"{mean:.1f}"
        assert line.endswith("at the edge") == (best[0] in (0.003, 0.1))
    assert "chosen by 25 of the 124 training rows held out, never by test rows" in said.out


def test_a_schedule_that_reads_a_metric_is_compared_too(lrlab: Callable, tmp_path: Path) -> None:
    said = lrlab(
        "compare", "iris", "--epochs", 4, "--seeds", 2, "--engine", "loop", "--optimizer",
        "rmsprop", "--clip", 1, "--weight-decay", 0.01, "--validation", 0.25, "--schedule",
        'Plateau(mode="max", patience=0, factor=0.5)',
    )  # fmt: skip
    assert said.code == 0
    ((text,),) = query(tmp_path / "lrlab.db", "SELECT DISTINCT settings FROM run")
    assert {"optimizer": "rmsprop", "lr": 0.001, "clip": 1.0, "weight_decay": 0.01,
            "validation": 0.25}.items() <= json.loads(text).items()  # fmt: skip
    rates = query(
        tmp_path / "lrlab.db", "SELECT json_extract(epochs, '$[3][1]') FROM run ORDER BY schedule"
    )
    assert {rate for (rate,) in rates[:2]} == {0.001}
    assert all(rate < 0.001 for (rate,) in rates[2:])


def test_the_engine_is_said_and_kept(lrlab: Callable, tmp_path: Path) -> None:
    few = ["compare", "iris", "--epochs", 2, "--schedule", "Cosine()"]
    first = lrlab(*few, "--seeds", 2, "--engine", "ensemble", "--memory", "4 GB")
    assert first.code == 0
    assert "engine: ensemble (as asked for)" in first.err
    more = lrlab(*few, "--seeds", 3)
    assert "engine: ensemble (4 of these runs were trained by it)" in more.err
    assert "4 of 6 runs are in lrlab.db already" in more.err
    loop = lrlab(*few, "--seeds", 3, "--engine", "loop")
    assert "already" not in loop.err
    engines = query(tmp_path / "lrlab.db", "SELECT engine, count(*) FROM run GROUP BY engine")
    assert engines == [("ensemble", 6), ("loop", 6)]
    assert loop.out == more.out  # the same numbers, as far as they are shown


def test_auto_probes_and_says_what_it_found(lrlab: Callable) -> None:
    said = lrlab("compare", "iris", "--epochs", 2, "--seeds", 2, "--schedule", "Cosine()")
    assert said.code == 0
    (line,) = [line for line in said.err.splitlines() if line.startswith("engine: ")]
    assert line.startswith(("engine: ensemble (", "engine: loop ("))
    assert "µs in the loop" in line


def test_the_articles_mistake_is_warned_of(lrlab: Callable) -> None:
    said = lrlab("compare", "iris", *QUICK, "--schedule", "Formula('0.1/(1+0.01*t)')")
    assert "the base rate is applied twice" in said.err


def _hear_interrupts() -> None:
    """Lets Ctrl-C through where the tests themselves run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_a_stopped_study_goes_on_where_it_was(tmp_path: Path, how: signal.Signals) -> None:
    study = [
        "compare", "wine", "--epochs", "100", "--seeds", "12", "--schedule", "Cosine()",
        "--workers", "2", "--engine", "loop",
    ]  # fmt: skip
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        command(*study), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=_hear_interrupts,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    db = tmp_path / "lrlab.db"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if db.exists() and len(_when_there(db)) >= 4:
            break
        time.sleep(0.02)
    else:
        process.kill()
        pytest.fail("the study has stored nothing in two minutes")
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # a terminal sends it to the whole group
    else:
        process.kill()
    _, err = process.communicate(timeout=60)
    _wait_until_gone(process.pid)
    before = stored(db)
    assert 4 <= len(before) < 24, err
    assert list(temporary.iterdir()) == [] or how is signal.SIGKILL
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "repeat the command to go on" in err
        assert "Traceback" not in err

    again = subprocess.run(command(*study), cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{len(before)} of 24 runs are in lrlab.db already" in again.stderr
    after = stored(db)
    assert len(after) == 24
    assert {id: after[id] for id in before} == before  # none was trained again

    whole = subprocess.run(
        command(*study, "--db", "whole.db"), cwd=tmp_path, capture_output=True, text=True
    )
    assert whole.stdout.replace("whole.db", "lrlab.db") == again.stdout
    numbers = {id: row[:2] for id, row in after.items()}
    assert {id: row[:2] for id, row in stored(tmp_path / "whole.db").items()} == numbers


def _when_there(db: Path) -> dict[str, tuple]:
    try:
        return stored(db)
    except sqlite3.OperationalError:  # its table is not there yet
        return {}


def _wait_until_gone(group: int) -> None:
    """Workers end with their parent: none of its process group is left."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers outlive their parent")


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
    said = lrlab("compare", "ionosphere", "--lr", 0.1, "--seeds", 60, *words)
    assert said.code == 0

    rows = query(tmp_path / "lrlab.db", "SELECT schedule, seed, score FROM run ORDER BY seed")
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
