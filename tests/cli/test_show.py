"""``lrlab show``: what it prints and saves, in colour on a terminal and without elsewhere."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lrlab import Cosine, Warmup

THREE = ['Warmup("10%") >> Cosine()', "torch.StepLR(30)", "Exponential(0.97)"]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lrlab", *map(str, arguments)]


def test_three_schedules_at_80_columns(lrlab: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = lrlab("show", *THREE, "--steps", 100)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "3 schedules · 100 steps · factors of the base rate"
    assert lines[2].strip() == "rate, as a factor of the base rate"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in said.out
    assert lines[-12:] == [
        '  1  Warmup("10%") >> Cosine()',
        "       Warmup(10) from step 0, Cosine(90) from step 10",
        "  2  torch.StepLR(30)",
        "       Step(30)",
        "  3  Exponential(0.97)",
        "",
        "       first   peak  at step      last   area    mean      jump  at step",
        "  1  0.09091  1.000       10  3.046e-4  50.50  0.5050  +0.09091        1",
        "  2    1.000  1.000        0  0.001000  33.31  0.3331   -0.9000       30",
        "  3    1.000  1.000        0   0.04902  31.75  0.3175  -0.03000        1",
        "  area: sum of the rates; mean: area / steps; jump: largest change from one step",
        "  to the next.",
    ]


def test_colours_on_a_terminal(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80"}
    arguments = ("show", *THREE, "--steps", 100)
    with subprocess.Popen(
        command(*arguments), cwd=tmp_path, stdout=child, stderr=child, env=environment
    ) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                chunk = os.read(parent, 10_000)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            shown += chunk
    os.close(parent)
    assert process.returncode == 0
    text = shown.decode()
    assert "\x1b[1;38;2;230;159;0m" in text  # orange: the second line
    assert "\x1b[1;38;2;86;180;233m" in text  # sky blue: the third
    plain = subprocess.run(
        command(*arguments), cwd=tmp_path, capture_output=True, text=True,
        env=environment,
    ).stdout  # fmt: skip
    assert re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r\n", "\n") == plain


def test_an_encoding_without_dots_gets_question_marks(tmp_path: Path) -> None:
    done = subprocess.run(
        command("show", "Cosine(9)"),
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert done.stderr.startswith(b"warning: the output's encoding, ascii, has no dots for a chart")
    assert done.stdout.startswith(b"1 schedule ? 9 steps ?")


def test_files_of_every_kind(lrlab: Callable, tmp_path: Path) -> None:
    names = [f"x.{end}" for end in ("png", "svg", "html", "csv", "json")]
    saving = [part for name in names for part in ("--save", name)]
    said = lrlab("show", *THREE, "--steps", 50, *saving)
    assert said.out.splitlines()[-5:] == [f"wrote {name}" for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    known = json.loads((tmp_path / "x.json").read_text())
    assert [one["schedule"] for one in known["schedules"]] == THREE
    assert (tmp_path / "x.csv").read_text().startswith('step,"Warmup(""10%"") >> Cosine()"')
    assert lrlab("show", *THREE, "--steps", 9, *saving).code == 0


def test_the_steps_may_be_left_out_where_there_is_an_end(lrlab: Callable) -> None:
    assert "· 45 steps ·" in lrlab("show", "Cosine(45)", "Warmup(9)").out
    assert "· 70 steps ·" in lrlab("show", 'Cosine("7ep")', "--steps-per-epoch", 10).out


def test_base_rates(lrlab: Callable) -> None:
    assert "· base rate 0.2\n" in lrlab("show", "Cosine(45)", "--lr", 0.2).out
    assert "· base rate 0.1\n" in lrlab("show", "Cosine(45, end=Absolute(1e-5))").out
    assert "· base rate 3\n" in lrlab("show", "Cosine(45, end=Absolute(1e-5))", "--lr", 3).out


def test_a_schedule_given_twice_is_shown_once(lrlab: Callable) -> None:
    assert lrlab("show", "Cosine(9)", " Cosine(9)\n").out.startswith("1 schedule ·")


def test_suspicions_go_to_stderr(lrlab: Callable) -> None:
    said = lrlab("show", 'Formula("0.1 / (1 + 0.01*t)")', "--steps", 50, "--lr", 0.1)
    assert said.code == 0
    assert said.err.startswith("warning: Formula(")
    assert "the base rate is applied twice" in said.err
    assert "warning" not in said.out


def test_code_for_other_libraries(lrlab: Callable) -> None:
    said = lrlab("show", "Warmup(5) >> Cosine(45, end=0.01)", "--as", "torch", "--lr", 0.1)
    names: dict = {"optimizer": torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)}
    exec(said.out, names)
    rates = []
    for _ in range(45):
        rates.append(names["scheduler"].get_last_lr()[0])
        names["optimizer"].step()
        names["scheduler"].step()
    ours = Warmup(5) >> Cosine(45, end=0.01)
    assert rates == pytest.approx(ours(range(45), base=0.1), rel=1e-9)
    both = lrlab("show", "wsd()", "Step(30)", "--as", "optax", "--steps", 100, "--lr", 1)
    assert both.out.count("schedule = ") == 2
    assert both.out.startswith("# wsd()\n")
    assert "\n# Step(30)\n" in both.out


def test_a_million_steps(lrlab: Callable) -> None:
    said = lrlab("show", *THREE, "--steps", "1e6")
    assert "· 1000000 steps ·" in said.out
    assert " 499999 " not in said.out
    assert "500000" in said.out  # the area of the first: half of all steps


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Liner(1, 0)"], "did you mean Linear?"),
        (["Cosine()"], "say how many steps to show with steps=... (--steps on the command line)"),
        (['Cosine("5ep")'], "(--steps-per-epoch on the command line)"),
        (["Cosine(5)", "--steps", "0"], "steps must be a whole number from 1 to 10000000, got 0"),
        (["Cosine(5)", "--steps", "many"], "Invalid value for '--steps'"),
        (["Cosine(5)", "--steps", "nan"], "got nan"),
        (["Cosine(5)", "--steps-per-epoch", "0"], "epoch must be a number of steps above 0"),
        (["Cosine(5)", "--lr", "-1"], "base must be a rate of 0 or more, got -1.0"),
        (["Cosine(5)", "--lr", "inf"], "base must be a rate of 0 or more, got inf"),
        (["Cosine(5)", "--lr", "1e300"], "try a lower base rate"),
        (["Formula('1 - t')", "--steps", "5"], "at t = 2 it gives -1"),
        (["Cosine(5)", "--save", "x.pdf"], "must end in .png, .svg, .html, .csv, .json, got x.pdf"),
        (["Cosine(5)", "--save", "no/x.png"], "name a file in a folder that is there"),
        (["Cosine(5)", "--save", "data.csv"], "data.csv is there and was not written by lrlab"),
        (["Cosine(5)", "--save", "good.json", "--save", "data.csv"], "data.csv is there"),
        (["Constant(1)"] + [f"Cosine({i})" for i in range(1, 36)] + ["--steps", "9"], "got 36"),
        (["Cosine()", "--as", "torch"], "on the command line with --steps"),
        (["Cosine(5)", "--as", "jax"], "library must be one of torch, transformers, optax, keras"),
        (["Cosine(5, end=0.1)", "--as", "torch"], "--lr 0.1 on the command line"),
        (["Noise(0.1)", "--as", "torch"], "torch cannot express Noise(0.1)"),
        (["Cosine(5)", "--as", "torch", "--save", "x.png"], "give one of the two"),
        ([], "Missing argument 'SPEC'"),
        (["--steps", "5"], "Missing argument 'SPEC'"),
    ],
)
def test_mistakes(lrlab: Callable, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "data.csv").write_text("step,loss\n0,1.5\n")
    outcome = lrlab("show", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    assert (tmp_path / "data.csv").read_text() == "step,loss\n0,1.5\n"


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom lrlab.cli.app import app\n"
        "for words in (['show', 'Warmup(5) >> Cosine(45)'], ['show', '--help'], ['shapes']):\n"
        "    app(words, standalone_mode=False)\n"
        "heavy = ('torch', 'pandas', 'matplotlib', 'plotly', 'scipy', 'sklearn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("library", "end"), [("matplotlib", "png"), ("plotly", "html")])
def test_a_missing_library_names_the_install_command(
    tmp_path: Path, library: str, end: str
) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"sys.argv[1:] = ['show', 'Cosine(5)', '--save', 'x.{end}']\n"
        "import lrlab.cli as c; c.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: this part of lrlab needs {library}")
    assert done.stderr.endswith("which is not installed: pip install 'lrlab[lab]'\n")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
