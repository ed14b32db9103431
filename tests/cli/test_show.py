"""``lrlab show``: what it prints and writes, in color on a terminal only."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest
import torch

from lrlab import Cosine, Warmup
from lrlab.cli import show
from tests.cli.conftest import Lrlab, assert_refused
from tests.cli.processes import build_command

THREE = ['Warmup("10%") >> Cosine()', "torch.StepLR(30)", "Exponential(0.97)"]


def test_three_schedules_at_80_columns(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = lrlab("show", *THREE, "--total-steps", 100)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("3 schedules · 100 steps · ")
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in result.out
    first, second, third = (
        lines.index(f"  {number}  {text}") for number, text in enumerate(THREE, start=1)
    )
    assert lines[first + 1].strip() == "Warmup(10) from step 0, Cosine(90) from step 10"
    assert lines[second + 1].strip() == "Step(30)"
    assert lines[third + 1] == ""
    rows = {line[:3].strip(): line.split()[1:] for line in lines[third + 2 :]}
    assert rows["1"] == ["0.09091", "1.000", "10", "3.046e-4", "50.50", "0.5050", "+0.09091", "1"]
    assert rows["2"] == ["1.000", "1.000", "0", "0.001000", "33.31", "0.3331", "-0.9000", "30"]
    assert rows["3"] == ["1.000", "1.000", "0", "0.04902", "31.75", "0.3175", "-0.03000", "1"]


@pytest.mark.integration
def test_colors_on_a_terminal(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80"}
    command = build_command("show", *THREE, "--total-steps", 100)
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=child, stderr=child, env=environment
    ) as process:
        os.close(child)
        output = b""
        while True:
            try:
                chunk = os.read(parent, 10_000)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            output += chunk
    os.close(parent)
    assert process.returncode == 0
    text = output.decode()
    assert "\x1b[1;38;2;230;159;0m" in text  # orange: the second line
    assert "\x1b[1;38;2;86;180;233m" in text  # sky blue: the third
    plain = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment
    ).stdout
    assert re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r\n", "\n") == plain


@pytest.mark.integration
def test_an_encoding_without_braille_gets_question_marks(tmp_path: Path) -> None:
    process = subprocess.run(
        build_command("show", "Cosine(9)"),
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert process.returncode == 0
    assert process.stderr.startswith(b"warning: ")
    assert b"ascii" in process.stderr
    assert b"PYTHONIOENCODING=utf-8" in process.stderr
    assert process.stdout.startswith(b"1 schedule ? 9 steps ?")


def test_files_of_every_kind(lrlab: Lrlab, tmp_path: Path) -> None:
    names = [f"x.{extension}" for extension in ("png", "svg", "html", "csv", "json")]
    output = [word for name in names for word in ("--output", name)]
    result = lrlab("show", *THREE, "--total-steps", 50, *output)
    assert result.out.splitlines()[-5:] == [f"wrote {name}" for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    summary = json.loads((tmp_path / "x.json").read_text())
    assert [entry["schedule"] for entry in summary["schedules"]] == THREE
    assert summary["total_steps"] == 50
    assert (tmp_path / "x.csv").read_text().startswith('step,"Warmup(""10%"") >> Cosine()"')
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert_refused(lrlab("show", *THREE, "--total-steps", 9, *output), "x.png", "--force")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert lrlab("show", *THREE, "--total-steps", 9, *output, "--force").code == 0
    assert json.loads((tmp_path / "x.json").read_text())["total_steps"] == 9


def test_total_steps_may_be_omitted_if_all_schedules_end(lrlab: Lrlab) -> None:
    assert "· 45 steps ·" in lrlab("show", "Cosine(45)", "Warmup(9)").out
    assert "· 70 steps ·" in lrlab("show", 'Cosine("7ep")', "--steps-per-epoch", 10).out


def test_the_examples_of_its_help_work_as_typed(lrlab: Lrlab) -> None:
    help_text = get_type_hints(show.show, include_extras=True)["schedules"].__metadata__[0].help
    examples = re.findall(r"'(.+?)'", help_text)
    assert len(examples) >= 2
    for example in examples:
        assert "1 schedule ·" in lrlab("show", example).out


@pytest.mark.parametrize(
    ("arguments", "lr"),
    [
        (["Cosine(45)", "--lr", "0.2"], "0.2"),
        (["Cosine(45, end=Absolute(1e-5))"], "0.1"),
        (["Cosine(45, end=Absolute(1e-5))", "--lr", "3"], "3"),
    ],
)
def test_base_learning_rates(lrlab: Lrlab, arguments: list[str], lr: str) -> None:
    assert lrlab("show", *arguments).out.splitlines()[0].endswith(f" {lr}")


def test_a_schedule_given_twice_is_shown_once(lrlab: Lrlab) -> None:
    assert lrlab("show", "Cosine(9)", " Cosine(9)\n").out.startswith("1 schedule ·")


def test_warnings_go_to_stderr(lrlab: Lrlab) -> None:
    result = lrlab("show", 'Formula("0.1 / (1 + 0.01*t)")', "--total-steps", 50, "--lr", 0.1)
    assert result.code == 0
    assert result.err.startswith("warning: ")
    assert "twice" in result.err
    assert "warning" not in result.out


def test_code_for_other_libraries(lrlab: Lrlab) -> None:
    result = lrlab("show", "Warmup(5) >> Cosine(45, end=0.01)", "--library", "torch", "--lr", 0.1)
    names: dict = {"optimizer": torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)}
    exec(result.out, names)
    lrs = []
    for _ in range(45):
        lrs.append(names["scheduler"].get_last_lr()[0])
        names["optimizer"].step()
        names["scheduler"].step()
    schedule = Warmup(5) >> Cosine(45, end=0.01)
    assert lrs == pytest.approx(schedule(range(45), base=0.1), rel=1e-9)
    two = lrlab("show", "wsd()", "Step(30)", "--library", "optax", "--total-steps", 100, "--lr", 1)
    assert two.out.count("schedule = ") == 2
    assert two.out.startswith("# wsd()\n")
    assert "\n# Step(30)\n" in two.out


def test_a_million_steps(lrlab: Lrlab) -> None:
    result = lrlab("show", *THREE, "--total-steps", "1e6")
    assert "· 1000000 steps ·" in result.out
    assert " 499999 " not in result.out
    assert "500000" in result.out  # the sum of the first: half of all steps


MISTAKES = [  # the arguments, and what the message mentions
    (["Liner(1, 0)"], ["Liner", "Linear?"]),
    (["Cosine()"], ["give --total-steps"]),
    (['Cosine("5ep")'], ["give --steps-per-epoch"]),
    (["Cosine(5)", "--total-steps", "0"], ["--total-steps", "1 or more", "0"]),
    (["Cosine(5)", "--total-steps", "many"], ["--total-steps"]),
    (["Cosine(5)", "--total-steps", "nan"], ["--total-steps", "nan"]),
    (["Cosine(5)", "--steps-per-epoch", "0"], ["steps_per_epoch", "0"]),
    (["Cosine(5)", "--lr", "-1"], ["--lr", "-1"]),
    (["Cosine(5)", "--lr", "inf"], ["--lr", "inf"]),
    (["Cosine(5)", "--lr", "1e300"], ["1e+300", "float32"]),
    (["Formula('1 - t')", "--total-steps", "5"], ["t = 2", "-1"]),
    (["Cosine(5)", "--output", "x.pdf"], [".png, .svg, .html, .csv or .json", "x.pdf"]),
    (["Cosine(5)", "--output", "no/x.png"], ["no/x.png", "folder no"]),
    (["Cosine(5)", "--output", "data.csv"], ["data.csv", "--force"]),
    (["Cosine(5)", "--output", "good.json", "--output", "data.csv"], ["data.csv", "--force"]),
    (["Constant(1)", *(f"Cosine({i})" for i in range(1, 36)), "--total-steps", "9"], ["36"]),
    (["Cosine()", "--library", "torch"], ["--total-steps"]),
    (["Cosine(5)", "--library", "jax"], ["torch", "optax", "jax"]),
    (["Cosine(5, end=0.1)", "--library", "torch"], ["--lr 0.1"]),
    (["Noise(0.1)", "--library", "torch"], ["torch", "Noise(0.1)"]),
    (["Cosine(5)", "--library", "torch", "--output", "x.png"], ["--library", "--output"]),
    ([], ["SCHEDULE"]),
    (["--total-steps", "5"], ["SCHEDULE"]),
]


@pytest.mark.parametrize(
    ("arguments", "mentions"), MISTAKES, ids=[" ".join(m[0])[:60] for m in MISTAKES]
)
def test_mistakes(lrlab: Lrlab, tmp_path: Path, arguments: list[str], mentions: list[str]) -> None:
    (tmp_path / "data.csv").write_text("step,loss\n0,1.5\n")
    assert_refused(lrlab("show", *arguments), *mentions)
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    assert (tmp_path / "data.csv").read_text() == "step,loss\n0,1.5\n"


@pytest.mark.integration
@pytest.mark.parametrize(("library", "extension"), [("matplotlib", "png"), ("plotly", "html")])
def test_a_missing_library_names_the_install_command(
    tmp_path: Path, library: str, extension: str
) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        f"sys.argv[1:] = ['show', 'Cosine(5)', '--output', 'x.{extension}']\n"
        "import lrlab.cli as c; c.main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert process.returncode == 2
    assert process.stderr.startswith("error: ")
    assert library in process.stderr
    assert process.stderr.endswith("pip install 'lrlab[lab]'\n")
    assert "Traceback" not in process.stderr
    assert not list(tmp_path.iterdir())
