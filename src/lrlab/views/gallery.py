"""What `lrlab gallery` prints: an example of every primitive, recipe and combinator.

Whoever adds a schedule adds its example here.
"""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.text import Text

from lrlab.schedules import Cosine, Custom, Schedule, parse
from lrlab.schedules.core import Array
from lrlab.schedules.parser import BUILTIN_BUILDERS
from lrlab.views.terminal_chart import draw_sparkline

_TOTAL_STEPS, _STEPS_PER_EPOCH, _BASE_LR = 100, 10, 0.1
_SPARKLINE_WIDTH = 16


@dataclass(frozen=True)
class Example:
    """One schedule that shows what a primitive, recipe or combinator does.

    Args:
        name: of the primitive or recipe; for a combinator its form, ``a >> b`` or ``a.until``.
        text: the example, drawn over 100 steps (10 epochs) at base rate 0.1.
        schedule: what to draw if it is not what the text parses to.
    """

    name: str
    text: str
    schedule: Schedule | None = None


GALLERY: Mapping[str, tuple[Example, ...]] = {
    "levels: a number is a factor of the base rate, Absolute a rate itself": (
        Example("Absolute", "Linear(1.0, Absolute(0.02))"),
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
        Example("PiecewiseConstant", "PiecewiseConstant([20, 60], [0.3, 1.0, 0.1])"),
        Example(
            "PiecewiseInterpolate",
            "PiecewiseInterpolate([0, 20, 50, 100], [0.1, 1.0, 0.3, 0.0])",
        ),
        Example("Chebyshev", "Chebyshev(32, 20).repeat()"),
    ),
    "cycles: they go down and up again": (
        Example("CosineWave", "CosineWave(40)"),
        Example("PolynomialCycle", "PolynomialCycle(2, period=30)"),
        Example("triangular", "triangular(15)"),
        Example("triangular2", "triangular2(15)"),
        Example("restarts", "restarts([20, 30, 50], [1.0, 0.8, 0.6])"),
    ),
    "recipes: well-known schedules for a whole training": (
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
    "metric-driven: they follow a metric, here a loss that stops falling at step 30": (
        Example("Plateau", "Plateau(0.3, patience=20)"),
        Example("Greedy", "Greedy(0.8, patience=5)"),
    ),
    "noise, formulas and functions of your own": (
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
"""The examples by section."""


def compute_example_rates(example: Example) -> Array:
    """Return the rates of an example, shape (100,); a metric-driven one observes a loss."""
    schedule = parse(example.text) if example.schedule is None else example.schedule
    bound = schedule.bind(total_steps=_TOTAL_STEPS, steps_per_epoch=_STEPS_PER_EPOCH)
    state = schedule.init_state()
    if not bound.needs_metric:
        return bound(np.arange(_TOTAL_STEPS), base=_BASE_LR)
    example_rates = np.empty(_TOTAL_STEPS)
    for t in range(_TOTAL_STEPS):
        example_rates[t] = bound.with_state(state)(t, base=_BASE_LR)
        state = bound.update_state(state, t, max(30 - t, 0), base=_BASE_LR)
    return example_rates


def render_gallery(width: int = 80) -> list[Text]:
    """Return the lines of all examples, section by section."""
    lines = []
    for section, examples in GALLERY.items():
        lines.append(Text(section, "bold"))
        for example in examples:
            lines += _render_example(example, width)
        lines.append(Text())
    return lines


def format_signature(name: str) -> str:
    """Return how a primitive, recipe or method is called, without types.

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
    signature = inspect.Signature([p.replace(annotation=p.empty) for p in parameters])
    # Double quotes, since a shell needs single ones around the text.
    return f"{name}{signature}".replace("'", '"')


def _render_example(example: Example, width: int) -> list[Text]:
    """Return a sparkline two lines high, with signature and example to its right."""
    rates = compute_example_rates(example)
    sparkline = draw_sparkline(
        rates, _SPARKLINE_WIDTH, rows=2, top=max(_BASE_LR, float(rates.max()))
    )
    texts = [
        Text(line, style)
        for text, style in ((format_signature(example.name), ""), (example.text, "dim"))
        for line in textwrap.wrap(
            text, max(30, width - _SPARKLINE_WIDTH - 4), subsequent_indent=" " * 4
        )
    ]
    sparkline += [" " * _SPARKLINE_WIDTH] * (len(texts) - 2)
    return [
        Text.assemble(f"  {drawing}  ", text)
        for drawing, text in zip(sparkline, texts, strict=True)
    ]
