"""`lrlab.plot`: what it draws on given or new axes, and what it imports."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import lrlab
from lrlab import Absolute, Constant, Cosine, Linear, Step, Warmup
from lrlab.errors import ViewError
from tests.raising import raises


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def test_each_rate_is_drawn_over_its_step(axes: Axes) -> None:
    schedule = Warmup(5) >> Cosine(45)
    assert lrlab.plot(schedule, axes, base=0.2) is axes
    (line,) = axes.lines
    times, rates = line.get_data()
    assert line.get_drawstyle() == "steps-post"
    assert list(times) == list(range(51))
    assert list(rates) == [*schedule(np.arange(50), base=0.2), schedule(49, base=0.2)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "rate")
    assert axes.get_xlim() == (0, 50)
    assert axes.get_ylim() == (0, pytest.approx(0.21))


def get_labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_labels(axes: Axes) -> None:
    lrlab.plot([Cosine(), Step(3)], axes, total_steps=9)
    assert get_labels(axes) == ["Cosine()", "Step(3)"]
    lrlab.plot({"mine $x$": Constant(3.0)}, axes, total_steps=20)
    assert get_labels(axes) == ["Cosine()", "Step(3)", "mine $x$"]
    colors = [line.get_color() for line in axes.lines]
    assert len(set(colors)) == 3
    assert axes.get_xlim() == (0, 20)
    assert axes.get_ylim()[1] > 3
    assert axes.get_ylabel() == "rate, as a factor of the base rate"


def test_epochs_and_absolute_rates(axes: Axes) -> None:
    lrlab.plot(
        [Warmup("2ep") >> Constant(1, over=2), Linear(1, Absolute(0.01), over=5)],
        axes,
        steps_per_epoch=3,
    )
    assert axes.get_xlim() == (0, 8)
    assert axes.get_ylabel() == "rate"
    assert axes.lines[1].get_ydata()[0] == 0.1


def test_long_labels_are_wrapped(axes: Axes) -> None:
    long = Warmup(1) >> Cosine(2) >> Linear(0.0, 0.5, over=3) >> Constant(0.5, over=10) >> Cosine(9)
    lrlab.plot(long, axes)
    (label,) = get_labels(axes)
    assert max(map(len, label.split("\n"))) <= 50
    assert label.replace("\n", " ") == repr(long)


def test_new_axes_by_default() -> None:
    before = pyplot.get_fignums()
    drawn = lrlab.plot(Cosine(), total_steps=10)
    try:
        assert len(pyplot.get_fignums()) == len(before) + 1
        assert drawn.figure is pyplot.gcf()
    finally:
        pyplot.close(drawn.figure)


def test_mistakes_leave_the_axes_empty(axes: Axes) -> None:
    with raises(ViewError, "Cosine()", "total_steps"):
        lrlab.plot(Cosine(), axes)
    with raises(ViewError, "schedules", "got 3"):
        lrlab.plot([Cosine(), 3], axes, total_steps=5)
    assert not axes.lines


@pytest.mark.parametrize("schedule", [Constant(0), Constant(1e-6), Cosine()])
@pytest.mark.parametrize("steps", [1, 2, 1_000_000])
def test_any_size_can_be_drawn(axes: Axes, schedule: lrlab.Schedule, steps: int) -> None:
    lrlab.plot(schedule, axes, total_steps=steps)
    figure = axes.figure
    assert isinstance(figure, Figure)
    figure.savefig("/dev/null", format="png")
    assert axes.get_xlim() == (0, steps)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.integration
def test_given_axes_need_no_pyplot() -> None:
    process = run_python(
        "import sys, lrlab\nfrom matplotlib.figure import Figure\n"
        "lrlab.plot(lrlab.Cosine(5), Figure().subplots())\n"
        "print([m for m in ('matplotlib.pyplot', 'torch', 'pandas') if m in sys.modules])"
    )
    assert process.stdout == "[]\n", process.stderr


@pytest.mark.integration
def test_without_matplotlib_it_names_the_install_command() -> None:
    process = run_python(
        "import sys; sys.modules['matplotlib'] = None; import lrlab; lrlab.plot(lrlab.Cosine(5))"
    )
    assert process.stderr.splitlines()[-1] == (
        "lrlab.errors.MissingExtra: this part of lrlab needs matplotlib, which is not installed: "
        "pip install 'lrlab[lab]'"
    )
