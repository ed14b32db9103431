"""A schedule in words and numbers: the cells of its table row, and what its parts are."""

import ast

from lrlab.views.preview import Line, Preview

COLUMN_NAMES = ("first", "peak", "at step", "last", "area", "mean", "jump", "at step")
COLUMN_NOTE = (
    "area: sum of the rates; mean: area / steps; jump: largest change from one step to the next."
)


def format_title(preview: Preview) -> str:
    """Return one line that says what is shown."""
    count = len(preview.lines)
    rates = "factors of the base rate" if preview.is_relative else f"base rate {preview.base:g}"
    return " · ".join(
        (
            "1 schedule" if count == 1 else f"{count} schedules",
            "1 step" if preview.total_steps == 1 else f"{preview.total_steps} steps",
            rates,
        )
    )


def format_summary(line: Line) -> tuple[str, ...]:
    """Return the numbers of one schedule in the order of ``COLUMN_NAMES``."""
    summary = line.summary
    if summary.jump is None:
        jump = "none"
    else:
        jump = ("+" if summary.jump > 0 else "") + format_number(summary.jump)
    return (
        format_number(summary.first),
        format_number(summary.peak),
        f"{summary.peak_step}",
        format_number(summary.last),
        format_number(summary.area),
        format_number(summary.mean),
        jump,
        "" if summary.jump_step is None else f"{summary.jump_step}",
    )


def format_number(value: float) -> str:
    """Return four digits, with a power of ten if a rate is tiny or an area huge.

    >>> [format_number(x) for x in (1.0, 0.05, 50.02, 999.99, 12345.6, 1e-06, 0.0)]
    ['1.000', '0.05000', '50.02', '1000', '12346', '1.000e-6', '0']
    """
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e7:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{digits}e{int(power)}"
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:#.4g}"


def describe_line(line: Line) -> str:
    """Return what the label leaves open: where parts begin, units in steps, lrlab's own names."""
    text = repr(line.schedule)
    if line.parts:
        description = ", ".join(
            f"{part.schedule} from step {part.start_step}" for part in line.parts
        )
    else:
        description = "" if _is_same_expression(line.label, text) else text
    if not line.schedule.needs_metric:
        return description
    note = "follows a metric: these are the rates until the metric changes them"
    return f"{description}; {note}" if description else note


def _is_same_expression(label: str, text: str) -> bool:
    """Whether two texts differ at most in spaces, quotes, or 1 for 1.0."""
    try:
        return _normalize_expression(label) == _normalize_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _normalize_expression(text: str) -> str:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            node.value = float(node.value)
    return ast.dump(tree)
