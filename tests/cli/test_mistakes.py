"""Every mistake gives one clear sentence, exit code 2, no traceback, and harms no file."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROWS = [f"{i},{'ab'[i % 2]}" for i in range(20)]
TABLES = {
    "good.csv": ["x,y", *ROWS],
    "empty.csv": [],
    "ragged.csv": ["x,y", *ROWS, "1", "2,a"],
    "single.csv": ["x,y", *(f"{i},g" for i in range(20))],
    "data.png": ["x,y"],
    "column.csv": ["y", *(f"{i}" for i in range(20))],
}

MISTAKES = [
    (["train", "nowhere.csv"], "there is no file nowhere.csv and no data set of that name"),
    (["train", "breast_cancer"], "did you mean breast-cancer?"),
    (["train", ""], "there is no file  and no data set of that name"),
    (["train", "x" * 300], "and no data set of that name"),
    (["train", "empty.csv"], "the file is empty"),
    (["train", "ragged.csv"], "line 22 has 1 and 22 others have 2"),
    (["train", "column.csv"], "at least two columns"),
    (["train", "single.csv"], "column y is g in every row"),
    (["train", "good.csv", "--task", "regression"], "column y holds text such as a"),
    (["train", "good.csv", "--task", "guess"], "classification or regression, got guess"),
    (["train", "good.csv", "--target", "z"], "the columns are x, y"),
    (["train", "iris", "--target", "x"], "--target is for a table of your own"),
    (["train", "iris", "--schedule", "Liner(1, 0)"], "did you mean Linear?"),
    (["train", "iris", "--schedule", "Linear(1, 0, ovr=3)"], "did you mean over?"),
    (["train", "iris", "--schedule", "Cosine(-3)"], "over must be a duration"),
    (
        ["train", "iris", "--schedule", f"Constant({10**400})"],
        "number is larger than any rate",
    ),
    (["train", "iris", "--schedule", "Cosine(3).then(5)"], "what follows must be a schedule"),
    (["train", "iris", "--schedule", 'Formula("1 # 2")'], "a formula cannot hold #"),
    (["train", "iris", "--schedule", ""], "must not be empty"),
    (["train", "iris", "--schedule", "Formula('1 - t')"], "at t = 2 it gives -1"),
    (["train", "iris", "--schedule", "Constant(0)"], "0 at every step"),
    (["train", "iris", "--lr", "0"], "the rate must be a number above 0, got 0.0"),
    (["train", "iris", "--lr", "nan"], "the rate must be a number above 0, got nan"),
    (["train", "iris", "--lr", "-1"], "the rate must be a number above 0, got -1.0"),
    (["train", "iris", "--lr", "fast"], "Invalid value for '--lr'"),
    (["train", "iris", "--epochs", "0"], "epochs must be a whole number of 1 or more, got 0"),
    (
        ["train", "iris", "--batch-size", "0"],
        "batch_size must be a whole number of 1 or more",
    ),
    (["train", "iris", "--momentum", "1"], "momentum must be 0 or more and below 1"),
    (["train", "iris", "--optimizer", "lion"], "one of sgd, adam, adamw, rmsprop, got lion"),
    (["train", "iris", "--optimizer", "adam", "--momentum", "0.9"], "momentum is for sgd"),
    (["train", "iris", "--per", "day"], "per must be epoch or step"),
    (["train", "iris", "--seed", "-1"], "a seed must be a whole number of 0 or more, got -1"),
    (["train", "iris", "--sede", "1"], "No such option"),
    (["train"], "Missing argument 'DATA'"),
    (["trian", "iris"], "No such command"),
    (["compare", "iris", "--seeds", "0"], "seeds must be a whole number from 1 to 100000, got 0"),
    (["compare", "iris", "--tuning-seeds", "0"], "tuning_seeds must be a whole number from 1"),
    (["compare", "iris", "--widen", "-1"], "widenings must be a whole number from 0 to 20, got -1"),
    (["compare", "iris", "--widen", "21"], "widenings must be a whole number from 0 to 20, got 21"),
    (["compare", "iris", "--seed", "-1"], "seed must be a whole number from 0"),
    (["compare", "iris", "--score", "bets"], "must be final or best, got bets; did you mean best?"),
    (
        ["compare", "iris", "--score", "best", "--no-tune", "--validation", "0"],
        "the best epoch of a run is chosen by rows held out",
    ),
    (
        ["compare", "iris", "--no-tune", "--lr", "0.1,1"],
        "there is one rate and one momentum, got 2 settings; leave out --no-tune",
    ),
    (["compare", "iris", "--no-tune", "--momentum", "0,0.9"], "there is one rate and one momentum"),
    (["compare", "iris", "--workers", "0"], "Invalid value for '--workers'"),
    (["compare", "iris", "--schedule", "Liner(1, 0)"], "did you mean Linear?"),
    (["compare", "iris", "--schedule", "torch.LambdaLR(abs)"], "abs is no value here"),
    (["compare", "iris", "--lr", "0"], "the rate must be a number above 0"),
    (["compare", "iris", "--lr", "fast"], "--lr must be a number, or several with commas"),
    (["compare", "iris", "--lr", "0.1,fast"], "such as 0.01,0.1, got fast in 0.1,fast"),
    (["compare", "iris", "--lr", "0.1,,1"], "got nothing in 0.1,,1"),
    (["compare", "iris", "--lr", "0.1,-1"], "the rate must be a number above 0, got -1.0"),
    (["compare", "iris", "--momentum", "0;0.9"], "--momentum must be a number"),
    (["compare", "iris", "--momentum", "0,1"], "momentum must be 0 or more and below 1"),
    (
        ["compare", "iris", "--optimizer", "adam", "--momentum", "0,0.9"],
        "momentum is for sgd and rmsprop",
    ),
    (["compare", "iris", "--lr", "0.1,1", "--validation", "0"], "none are: give --validation"),
    (["compare", "iris", "--validation", "1"], "validation must be 0 or more and below 1"),
    (["train", "iris", "--validation", "0.999"], "leaves none to train on"),
    (["compare", "iris", "--validation", "0.999"], "leaves none to train on"),
    (["compare", "iris", "--clip", "0"], "clip must be a number above 0, got 0.0"),
    (["compare", "iris", "--weight-decay", "-1"], "weight_decay must be from 0"),
    (
        ["compare", "iris", "--no-tune", "--schedule", 'Plateau(mode="max")'],
        "rows held out for validation",
    ),
    (["train", "iris", "--schedule", 'Plateau(mode="max")'], "rows held out for validation"),
    (["compare", "diabetes", "--schedule", 'Plateau(mode="max")'], "RMSE is better when it falls"),
    (["compare", "iris", "--engine", "lopo"], "got lopo; did you mean loop?"),
    (["compare", "iris", "--engine", "ray", "--workers", "2"], "got workers 2; leave it out"),
    (["compare", "iris", "--address", "10.0.0.1:6379"], "are for Ray, but the engine is auto"),
    (
        ["compare", "iris", "--num-gpus", "1", "--engine", "loop"],
        "are for Ray, but the engine is loop",
    ),
    (["compare", "iris", "--device", "tpu"], "torch can use here, got tpu"),
    (["compare", "iris", "--compile", "--engine", "loop"], "only the ensemble can be compiled"),
    (["compare", "iris", "--memory", "2"], "must be a size with its unit"),
    (["compare", "iris", "--memory", "0GB"], "must be a size with its unit"),
    (["compare", "iris", "--memory", "lots"], "got lots; try 2GB"),
    (["compare", "iris", "--db", "no/lrlab.db"], "there is no folder no"),
    (["compare", "iris", "--db", "good.csv"], "file is not a database"),
    (["compare", "iris", "--db", "foreign.db"], "a database of another program"),
    (["compare", "iris", "--db", "/proc/lrlab.db"], "cannot be opened"),
    (["train", "iris", "--schedule", "Constant(1e100)"], "the highest that float32 can hold"),
    (["train", "iris", "--lr", "1e300"], "above 0 and at most 3.4e+38"),
    (["train", "~nobody/x.csv"], "no data set of that name"),
    (["compare", "iris", "--seeds", "10000000000"], "from 1 to 100000, got 10000000000"),
    (["compare", "iris", "--schedule", "Constant(1)"], "there is nothing to compare"),
    (["compare", "iris", "--png", "good.csv"], "the picture is a PNG: name it good.png"),
    (["compare", "iris", "--png", "data.png"], "is there and is no picture"),
    (["compare", "iris", "--png", "no/iris.png"], "cannot be written"),
    (["compare", "iris", "--png", "."], "cannot be written"),
    (["plan", "iris", "--schedule", "Liner(1, 0)"], "did you mean Linear?"),
    (["plan", "iris", "--seeds", "0"], "seeds must be a whole number from 1"),
    (["plan", "iris", "--engine", "lopo"], "got lopo; did you mean loop?"),
    (["plan", "iris", "--db", "foreign.db"], "a database of another program"),
    (["plan", "iris", "--db", "good.csv"], "file is not a database"),
    (["plan", "iris", "--db", "."], "is no file; name one with --db"),
    (["plan", "iris", "--pn", "x.png"], "No such option"),
    (["compare", "iris", "--goal", "95"], "a goal of accuracy must be a share from 0 to 1, got 95"),
    (["compare", "iris", "--goal", "nan"], "a goal must be a finite number, got nan"),
    (["resume"], "the database lrlab.db is not there; name one with --db"),
    (["resume", "iris", "--db", "foreign.db"], "a database of another program"),
    (["resume", "iris", "--workers", "0"], "Invalid value for '--workers'"),
    (["resume", "iris", "--address", "10.0.0.1:6379"], "are for Ray, but the engine is"),
    (["resume", "iris", "--engine", "ray", "--workers", "2"], "got workers 2; leave it out"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), MISTAKES, ids=[" ".join(m[0])[:60] for m in MISTAKES]
)
def test_mistakes(lrlab: Callable, tmp_path: Path, arguments: list[str], said: str) -> None:
    for name, lines in TABLES.items():
        (tmp_path / name).write_text("\n".join(lines))
    with sqlite3.connect(tmp_path / "foreign.db") as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    outcome = lrlab(*arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_mistake_leaves_an_existing_database_as_it_was(lrlab: Callable, tmp_path: Path) -> None:
    few = [
        "compare", "iris", "--epochs", "1", "--seeds", "1", "--schedule", "Cosine()",
        "--engine", "loop", "--no-tune",
    ]  # fmt: skip
    assert lrlab(*few).code == 0
    before = (tmp_path / "lrlab.db").read_bytes()
    assert lrlab("compare", "iris", "--schedule", "Liner()").code == 2
    assert lrlab(*few, "--png", "no/x.png").code == 2
    assert lrlab(*few, "--lr", "0.1,x").code == 2
    assert lrlab(*few, "--lr", "0.1,1").code == 2
    assert lrlab("resume", "--png", "no/x.png").code == 2
    assert lrlab("resume", "ffff").code == 2
    assert lrlab(*few, "--schedule", "Formula('1 - 2*t')").code == 2
    assert (tmp_path / "lrlab.db").read_bytes() == before


def test_places_line_up(lrlab: Callable) -> None:
    said = lrlab("train", "iris", "--schedule", "Warmup(5) >> Cosin(3)")
    assert said.err.splitlines() == [
        "error:",
        "Warmup(5) >> Cosin(3)",
        "             ^^^^^ no schedule is called Cosin; did you mean Cosine? `lrlab gallery` lists "
        "them all.",
    ]


@pytest.mark.parametrize(
    ("library", "code"),
    [
        ("typer", "from lrlab.cli import main; main()"),
        (
            "sklearn",
            "import sys; sys.argv[1:] = ['train', 'iris']; import lrlab.cli as c; c.main()",
        ),
        ("pandas", "import lrlab.problems"),
    ],
)
def test_a_missing_library_names_the_install_command(library: str, code: str) -> None:
    absent = f"import sys; sys.modules[{library!r}] = None; {code}"
    done = subprocess.run([sys.executable, "-c", absent], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert f"needs {library}, which is not installed: pip install 'lrlab[lab]'" in last
    assert done.returncode == (1 if "problems" in code else 2)
    assert ("Traceback" in done.stderr) == ("problems" in code)


def test_help_and_version(lrlab: Callable) -> None:
    assert "compare" in lrlab("--help").out
    assert "--schedule" in lrlab("compare", "--help").out
    assert lrlab("--version").out.startswith("lrlab 0.")
