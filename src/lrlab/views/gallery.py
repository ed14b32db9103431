"""An example of every shape, recipe and combinator, in one table.

Whoever adds a name to the language of schedules adds its example here.
"""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.schedules import Cosine, Custom, Schedule, parse
from lrlab.schedules.core import Array
from lrlab.schedules.parser import BUILTIN_BUILDERS
from lrlab.views.pieces import StyledLine, StyledText
from lrlab.views.terminal_chart import draw_sparkline

_TOTAL_STEPS, _STEPS_PER_EPOCH, _BASE_LR = 100, 10, 0.1


@dataclass(frozen=True)
class Example:
    """One schedule that shows what a name does.

    Args:
        name: of the shape or recipe; of a combinator its form, ``a >> b`` or ``a.until``.
        text: the example, drawn over 100 steps (10 epochs) at base rate 0.1.
        schedule: what to draw where no text can say it.
    """

    name: str
    text: str
    schedule: Schedule | None = None


GALLERY: Mapping[str, tuple[Example, ...]] = {
    "levels: a number is a factor of the base rate": (
        Example("Rate", "Linear(1.0, Absolute(0.02))"),
    ),
    "ramps: from one level to another": (
        Example("Constant", "Constant(0.5)"),
        Example("Linear", "Linear(1.0, 0.1)"),
        Example("Cosine", "Cosine()"),
        Example("Polynomial", "Polynomial(2)"),
        Example("Geometric", "Geometric(1.0, 0.01)"),
        Example("Rex", "Rex()"),
        Example("Tanh", "Tanh()"),
    ),
    "warm-ups and cooldowns: the beginning and the end": (
        Example("Warmup", "Warmup(30)"),
        Example("LogWarmup", "LogWarmup(60)"),
        Example("ExponentialWarmup", "ExponentialWarmup(20)"),
        Example("RadamWarmup", "RadamWarmup(0.98)"),
        Example("untuned_linear_warmup", "untuned_linear_warmup(0.95)"),
        Example("untuned_exponential_warmup", "untuned_exponential_warmup(0.95)"),
        Example("Cooldown", 'Constant(1.0, over="60%") >> Cooldown()'),
    ),
    "decays: they fall and never end": (
        Example("Exponential", "Exponential(0.97)"),
        Example("InverseTime", "InverseTime(0.1)"),
        Example("InverseSqrt", "InverseSqrt(10)"),
        Example("Power", "Power(0.5, after=10)"),
        Example("Sigmoid", "Sigmoid(0.15, at=50)"),
    ),
    "staircases: constant for a while, then a jump": (
        Example("Step", "Step(25, 0.5)"),
        Example("MultiStep", "MultiStep([30, 80], 0.3)"),
        Example("Piecewise", "PiecewiseConstant([20, 60], [0.3, 1.0, 0.1])"),
        Example("Knots", "PiecewiseInterpolate([0, 20, 50, 100], [0.1, 1.0, 0.3, 0.0])"),
        Example("Chebyshev", "Chebyshev(32, 20).repeat()"),
    ),
    "cycles: down and up again": (
        Example("CosineWave", "CosineWave(40)"),
        Example("PolynomialCycle", "PolynomialCycle(2, period=30)"),
        Example("triangular", "triangular(15)"),
        Example("triangular2", "triangular2(15)"),
        Example("restarts", "restarts([20, 30, 50], [1.0, 0.8, 0.6])"),
    ),
    "recipes: whole schedules by their names": (
        Example("one_cycle", "one_cycle()"),
        Example("range_test", "range_test(1e-3, 1.0)"),
        Example("wsd", "wsd()"),
        Example("noam", "noam(20)"),
        Example("rsqrt", 'rsqrt(10, 20, stable="80%")'),
        Example("infinite", "infinite(10, 30, 30)"),
        Example("flat_cosine", "flat_cosine()"),
        Example("tri_stage", 'tri_stage("10%", "40%")'),
        Example("slanted_triangular", "slanted_triangular()"),
    ),
    "reactive: they follow a metric, here a loss that stops falling at step 30": (
        Example("Plateau", "Plateau(0.3, patience=20)"),
        Example("Greedy", "Greedy(0.8, patience=5)"),
    ),
    "noise and your own": (
        Example("Noise", "Cosine() * Noise(0.3)"),
        Example("Formula", 'Formula("(1 - p)**2 * (1 + 0.3*sin(t/3))", over=100)'),
        Example("Custom", "Custom(function)", Custom(lambda t: 0.95**t)),
    ),
    "combinators: schedules made of schedules": (
        Example("a >> b", 'Warmup("10%") >> Cosine()'),
        Example("a * b", "Warmup(20) * Exponential(0.98)"),
        Example("a + b", "0.1 + 0.9 * Cosine()"),
        Example("a.then", 'Exponential(0.97).then(Cosine(), at=40, join="continue")'),
        Example("a.until", "Exponential(0.97).until(30)"),
        Example("a.shift", "Cosine(50).shift(30)"),
        Example("a.stretch", "Cosine(25).stretch(3)"),
        Example("a.repeat", "Cosine(14).repeat(growth=2)"),
        Example("a.staircase", "Cosine().staircase(10)"),
        Example("a.clip", "Exponential(0.95).clip(low=0.2)"),
        Example("a.affine", "Warmup(40).affine(-0.8, 1.0)"),
        Example("a.cumprod", 'Formula("1 - 0.05*(t < 40)").cumprod()'),
        Example(
            "a.replan",
            "Cosine(50).replan(100, at=25)",
            Cosine(50).replan(100, at=25),
        ),
    ),
}
"""The examples, by the room they stand in."""


def compute_example_rates(example: Example) -> Array:
    """What is drawn of an example, shape (100,); a reactive one is shown a loss."""
    schedule = parse(example.text) if example.schedule is None else example.schedule
    bound, state = (
        schedule.bind(total_steps=_TOTAL_STEPS, steps_per_epoch=_STEPS_PER_EPOCH),
        schedule.init_state(),
    )
    if not bound.needs_metric:
        return bound(np.arange(_TOTAL_STEPS), base=_BASE_LR)
    example_rates = np.empty(_TOTAL_STEPS)
    for t in range(_TOTAL_STEPS):
        example_rates[t] = bound.with_state(state)(t, base=_BASE_LR)
        state = bound.update_state(state, t, max(30 - t, 0), base=_BASE_LR)
    return example_rates


_SPARKLINE_WIDTH = 16
_BASE_LR = 0.1
_INDENT = " " * 4


def render_gallery(width: int = 80) -> list[StyledLine]:
    """All examples, room by room."""
    rows: list[StyledLine] = []
    for section, examples in GALLERY.items():
        rows.append((StyledText(section, line_index=0),))
        for example in examples:
            rows += _render_example(example, width)
        rows.append(())
    return rows


def format_signature(name: str) -> str:
    """How something is called, without types.

    >>> format_signature("Linear"), format_signature("a.until"), format_signature("a * b")
    ('Linear(start, end, *, over=None)', 'a.until(at)', 'a * b')
    """
    if name in BUILTIN_BUILDERS:
        function, skipped_parameters = BUILTIN_BUILDERS[name], 0
    elif name.startswith("a."):
        function, skipped_parameters = getattr(Schedule, name.removeprefix("a.")), 1
    else:
        return name
    parameters = list(inspect.signature(function).parameters.values())[skipped_parameters:]
    untyped_signature = inspect.Signature([one.replace(annotation=one.empty) for one in parameters])
    return f"{name}{untyped_signature}".replace(
        "'", '"'
    )  # as texts are written in a shell's single quotes


def _render_example(example: Example, width: int) -> list[StyledLine]:
    """The picture is two lines high and stands left of two lines of text or more."""
    example_rates = compute_example_rates(example)
    pictures = draw_sparkline(
        example_rates, _SPARKLINE_WIDTH, rows=2, top=max(_BASE_LR, float(example_rates.max()))
    )
    text_width = max(30, width - _SPARKLINE_WIDTH - 4)
    signature_lines = textwrap.wrap(
        format_signature(example.name), text_width, subsequent_indent=_INDENT
    )
    text_lines = textwrap.wrap(example.text, text_width, subsequent_indent=_INDENT)
    pieces = [
        *(StyledText(line) for line in signature_lines),
        *(StyledText(line, dim=True) for line in text_lines),
    ]
    pictures += [" " * _SPARKLINE_WIDTH] * (len(pieces) - 2)
    return [
        (StyledText(f"  {picture}  "), piece)
        for picture, piece in zip(pictures, pieces, strict=True)
    ]
