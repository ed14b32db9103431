"""What `lrlab gallery` prints: an example of every primitive, recipe and combinator."""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.text import Text

from lrlab.schedules import Cosine, Custom, Schedule, parse
from lrlab.schedules.core import BUILDERS, Array, is_builtin
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


_LEVELS = "levels: a number is a factor of the base rate, Absolute a rate itself"
_OTHERS = "noise, formulas and functions of your own"
_SECTIONS: Mapping[str, str] = {
    "fields": _LEVELS,
    "core": _LEVELS,
    "ramps": "ramps, warm-ups and cooldowns: from one level to another",
    "decays": "decays: they fall and never end",
    "staircases": "staircases: constant for a while, then a jump",
    "cycles": "cycles: they go up and down",
    "recipes": "recipes: well-known schedules for a whole training",
    "metric_driven": (
        "metric-driven: they follow a metric, here a loss that stops falling at step 30"
    ),
    "noise": _OTHERS,
    "formula": _OTHERS,
}
"""The sections of the modules of lrlab's schedules, in order."""

_COMBINATORS = (
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
)

_UNWRITABLE: Mapping[str, Schedule] = {"Custom": Custom(lambda t: 0.95**t)}
"""What to draw for examples that no text can describe."""


def list_examples() -> dict[str, list[Example]]:
    """List the examples by section.

    A registered class or function has its example as ``gallery_example`` and its section by its
    module; those of users come last.
    """
    examples: dict[str, list[Example]] = {section: [] for section in _SECTIONS.values()}
    examples["combinators: schedules made of schedules"] = list(_COMBINATORS)
    for name, builder in BUILDERS.items():
        text = vars(builder).get("gallery_example")  # one that is inherited shows another class
        if isinstance(text, str) and text:
            example = Example(name, text, _UNWRITABLE.get(name))
            examples.setdefault(_get_section(builder), []).append(example)
    return examples


def _get_section(builder: Callable[..., Any]) -> str:
    if is_builtin(builder):
        module = builder.__module__.rpartition(".")[2]
        return _SECTIONS.get(module, module)
    return f"{builder.__module__}: schedules of your own"


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
    for section, examples in list_examples().items():
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
    if name in BUILDERS:
        function, skipped_parameters = BUILDERS[name], 0
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
