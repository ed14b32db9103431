"""Every mistake gives one message and exit code 2, and changes no file."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Lrlab, assert_refused

ROWS = [f"{i},{'ab'[i % 2]}" for i in range(20)]
TABLES = {
    "good.csv": ["x,y", *ROWS],
    "empty.csv": [],
    "ragged.csv": ["x,y", *ROWS, "1", "2,a"],
    "single.csv": ["x,y", *(f"{i},g" for i in range(20))],
    "data.png": ["x,y"],
    "column.csv": ["y", *(f"{i}" for i in range(20))],
}

MISTAKES = [  # the arguments of a command, and what the message mentions
    (["train", "nowhere.csv"], ["nowhere.csv", "breast-cancer"]),
    (["train", "breast_cancer"], ["breast_cancer", "breast-cancer?"]),
    (["train", ""], ["breast-cancer"]),
    (["train", "x" * 300], ["x" * 300, "breast-cancer"]),
    (["train", "~nobody/x.csv"], ["~nobody/x.csv", "breast-cancer"]),
    (["train", "empty.csv"], ["empty.csv"]),
    (["train", "ragged.csv"], ["ragged.csv", "line 22", "1", "2"]),
    (["train", "column.csv"], ["column.csv", "column"]),
    (["train", "single.csv"], ["column y", "g"]),
    (["train", "good.csv", "--task", "regression"], ["column y", "a"]),
    (["train", "good.csv", "--task", "guess"], ["classification", "regression", "guess"]),
    (["train", "good.csv", "--target", "z"], ["z", "x, y"]),
    (["train", "iris", "--target", "x"], ["--target", "iris"]),
    (["train", "iris", "--test-file", "x.csv"], ["--test-file", "iris"]),
    (["train", "iris", "--ionosphere-file", "x.csv"], ["--ionosphere-file", "iris"]),
    (["train", "iris", "--schedule", "Liner(1, 0)"], ["Liner", "Linear?", "lrlab gallery"]),
    (["train", "iris", "--schedule", "Linear(1, 0, ovr=3)"], ["ovr", "over?"]),
    (["train", "iris", "--schedule", "Cosine(-3)"], ["over", "-3"]),
    (["train", "iris", "--schedule", f"Constant({10**400})"], ["number"]),
    (["train", "iris", "--schedule", "Constant(1e100)"], ["1e+100", "float32"]),
    (["train", "iris", "--schedule", "Cosine(3).then(5)"], ["schedule"]),
    (["train", "iris", "--schedule", 'Formula("1 # 2")'], ["#"]),
    (["train", "iris", "--schedule", ""], ["empty"]),
    (["train", "iris", "--schedule", "Formula('1 - t')"], ["t = 2", "-1"]),
    (["train", "iris", "--schedule", "Constant(0)"], ["0 at every step"]),
    (["train", "iris", "--schedule", 'Plateau(mode="max")'], ["Plateau", "validation"]),
    (["train", "iris", "--lr", "0"], ["0.0"]),
    (["train", "iris", "--lr", "nan"], ["nan"]),
    (["train", "iris", "--lr", "-1"], ["-1.0"]),
    (["train", "iris", "--lr", "1e300"], ["1e+300", "3.4e+38"]),
    (["train", "iris", "--lr", "fast"], ["--lr"]),
    (["train", "iris", "--epochs", "0"], ["epochs", "0"]),
    (["train", "iris", "--batch-size", "0"], ["--batch-size", "0"]),
    (["train", "iris", "--momentum", "1"], ["momentum", "1.0"]),
    (["train", "iris", "--optimizer", "lion"], ["sgd, adam, adamw, rmsprop", "lion"]),
    (["train", "iris", "--optimizer", "adam", "--momentum", "0.9"], ["--momentum", "sgd", "adam"]),
    (["train", "iris", "--validation-size", "0.999"], ["validation", "0.999"]),
    (["train", "iris", "--step-every", "day"], ["--step-every", "epoch", "step", "day"]),
    (["train", "iris", "--seed", "-1"], ["seed", "-1"]),
    (["train", "iris", "--sede", "1"], ["--sede"]),
    (["train"], ["DATA"]),
    (["trian", "iris"], ["trian"]),
    (["compare", "iris", "--seeds", "0"], ["seeds", "100000", "0"]),
    (["compare", "iris", "--seeds", "10000000000"], ["seeds", "100000", "10000000000"]),
    (["compare", "iris", "--tuning-seeds", "0"], ["--tuning-seeds", "0"]),
    (["compare", "iris", "--grid-extensions", "-1"], ["--grid-extensions", "20", "-1"]),
    (["compare", "iris", "--grid-extensions", "21"], ["--grid-extensions", "20", "21"]),
    (["compare", "iris", "--seed", "-1"], ["seed", "-1"]),
    (["compare", "iris", "--score", "bets"], ["score", "final", "bets", "best?"]),
    (
        ["compare", "iris", "--score", "best", "--no-tune", "--validation-size", "0"],
        ["best", "validation"],
    ),
    (["compare", "iris", "--no-tune", "--lr", "0.1,1"], ["2", "--no-tune"]),
    (["compare", "iris", "--no-tune", "--momentum", "0,0.9"], ["2", "--no-tune"]),
    (["compare", "iris", "--workers", "0"], ["--workers", "1"]),
    (["compare", "iris", "--schedule", "Liner(1, 0)"], ["Liner", "Linear?"]),
    (["compare", "iris", "--schedule", "torch.LambdaLR(abs)"], ["abs"]),
    (["compare", "iris", "--schedule", "Constant(1)"], ["Constant(1.0)"]),
    (["compare", "iris", "--no-tune", "--schedule", 'Plateau(mode="max")'], ["validation"]),
    (["compare", "diabetes", "--schedule", 'Plateau(mode="max")'], ["Plateau", "max", "RMSE"]),
    (["compare", "iris", "--lr", "0"], ["0.0"]),
    (["compare", "iris", "--lr", "fast"], ["--lr", "0.01,0.1", "fast"]),
    (["compare", "iris", "--lr", "0.1,fast"], ["--lr", "fast in 0.1,fast"]),
    (["compare", "iris", "--lr", "0.1,,1"], ["--lr", "nothing in 0.1,,1"]),
    (["compare", "iris", "--lr", "0.1,-1"], ["-1.0"]),
    (["compare", "iris", "--momentum", "0;0.9"], ["--momentum", "0;0.9"]),
    (["compare", "iris", "--momentum", "0,1"], ["momentum", "1.0"]),
    (["compare", "iris", "--optimizer", "adam", "--momentum", "0,0.9"], ["momentum", "sgd"]),
    (["compare", "iris", "--lr", "0.1,1", "--validation-size", "0"], ["--validation-size", "0"]),
    (["compare", "iris", "--validation-size", "1"], ["--validation-size", "1.0"]),
    (["compare", "iris", "--validation-size", "0.999"], ["validation", "0.999"]),
    (["compare", "iris", "--max-grad-norm", "0"], ["--max-grad-norm", "0.0"]),
    (["compare", "iris", "--weight-decay", "-1"], ["--weight-decay", "-1"]),
    (["compare", "iris", "--engine", "lopo"], ["lopo", "loop?"]),
    (["compare", "iris", "--engine", "ray", "--workers", "2"], ["workers", "2"]),
    (["compare", "iris", "--address", "10.0.0.1:6379"], ["address", "auto", "--engine ray"]),
    (["compare", "iris", "--gpus-per-run", "1", "--engine", "loop"], ["loop", "--engine ray"]),
    (["compare", "iris", "--device", "tpu"], ["tpu"]),
    (["compare", "iris", "--torch-compile", "--engine", "loop"], ["--torch-compile"]),
    (["compare", "iris", "--memory", "2"], ["memory", "2GB"]),
    (["compare", "iris", "--memory", "0GB"], ["memory", "0GB"]),
    (["compare", "iris", "--memory", "lots"], ["memory", "lots", "2GB"]),
    (["compare", "iris", "--db", "no/lrlab.db"], ["folder", "no"]),
    (["compare", "iris", "--db", "good.csv"], ["good.csv"]),
    (["compare", "iris", "--db", "foreign.db"], ["foreign.db"]),
    (["compare", "iris", "--db", "/proc/lrlab.db"], ["/proc/lrlab.db"]),
    (["compare", "iris", "--output", "good.csv"], ["good.csv", ".png"]),
    (["compare", "iris", "--output", "data.png"], ["data.png", "--force"]),
    (["compare", "iris", "--output", "foreign.png", "--force"], ["foreign.png"]),
    (["compare", "iris", "--output", "no/iris.png"], ["no/iris.png", "folder no"]),
    (["compare", "iris", "--output", "."], [".png"]),
    (["compare", "iris", "--target-score", "95"], ["95", "0.95"]),
    (["compare", "iris", "--target-score", "nan"], ["nan", "0.95"]),
    (["plan", "iris", "--schedule", "Liner(1, 0)"], ["Liner", "Linear?"]),
    (["plan", "iris", "--seeds", "0"], ["seeds", "0"]),
    (["plan", "iris", "--engine", "lopo"], ["lopo", "loop?"]),
    (["plan", "iris", "--db", "foreign.db"], ["foreign.db"]),
    (["plan", "iris", "--db", "good.csv"], ["good.csv"]),
    (["plan", "iris", "--db", "."], ["--db"]),
    (["plan", "iris", "--output", "x.png"], ["--output"]),
    (["plan", "iris", "--target-score", "0.9"], ["--target-score"]),
    (["resume"], ["lrlab.db", "--db"]),
    (["resume", "iris", "--db", "foreign.db"], ["foreign.db"]),
    (["resume", "iris", "--workers", "0"], ["--workers", "1"]),
    (["resume", "iris", "--engine", "loop"], ["--engine", "auto", "ray", "loop"]),
    (["resume", "iris", "--address", "10.0.0.1:6379"], ["address", "--engine ray"]),
    (["resume", "iris", "--engine", "ray", "--workers", "2"], ["workers", "2"]),
]


@pytest.mark.parametrize(
    ("arguments", "mentions"), MISTAKES, ids=[" ".join(m[0])[:60] for m in MISTAKES]
)
def test_a_mistake_is_refused_and_changes_no_file(
    lrlab: Lrlab, tmp_path: Path, arguments: list[str], mentions: list[str]
) -> None:
    for name, lines in TABLES.items():
        (tmp_path / name).write_text("\n".join(lines))
    for name in ("foreign.db", "foreign.png"):
        with closing(sqlite3.connect(tmp_path / name)) as db:
            db.execute("CREATE TABLE theirs (x)")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert_refused(lrlab(*arguments), *mentions)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_mistake_leaves_an_existing_database_as_it_was(lrlab: Lrlab, tmp_path: Path) -> None:
    study = [
        "compare", "iris", "--epochs", "1", "--seeds", "1", "--schedule", "Cosine()",
        "--engine", "loop", "--no-tune",
    ]  # fmt: skip
    assert lrlab(*study).code == 0
    before = (tmp_path / "lrlab.db").read_bytes()
    assert lrlab("compare", "iris", "--schedule", "Liner()").code == 2
    assert lrlab(*study, "--output", "no/x.png").code == 2
    assert lrlab(*study, "--lr", "0.1,x").code == 2
    assert lrlab(*study, "--lr", "0.1,1").code == 2
    assert lrlab("resume", "--output", "no/x.png").code == 2
    assert lrlab("resume", "ffff").code == 2
    assert lrlab(*study, "--schedule", "Formula('1 - 2*t')").code == 2
    assert (tmp_path / "lrlab.db").read_bytes() == before


def test_a_message_marks_the_place_in_a_schedule(lrlab: Lrlab) -> None:
    result = lrlab("train", "iris", "--schedule", "Warmup(5) >> Cosin(3)")
    prefix, text, marked = result.err.splitlines()
    assert (prefix, text) == ("error:", "Warmup(5) >> Cosin(3)")
    assert marked.startswith(" " * text.index("Cosin") + "^^^^^ ")
    assert_refused(result, "Cosin", "Cosine?", "lrlab gallery")


@pytest.mark.integration
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
    hide = f"import sys; sys.modules[{library!r}] = None; {code}"
    process = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True)
    last_line = process.stderr.splitlines()[-1]
    assert library in last_line
    assert "pip install 'lrlab[lab]'" in last_line
    in_python = "problems" in code
    assert process.returncode == (1 if in_python else 2)
    assert ("Traceback" in process.stderr) == in_python
