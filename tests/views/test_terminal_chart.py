"""The terminal chart: its lines are where the rates are, and each can be told from the others."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab import Absolute, Constant, Cosine, Exponential, Formula, Linear, parse
from lrlab.schedules import Schedule
from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import compute_preview, label_schedules
from lrlab.views.terminal_chart import compute_cells, compute_ticks, draw_sparkline, render_chart

quick = settings(max_examples=30)
draw_rates = st.lists(st.floats(0, 1), min_size=1, max_size=500).map(np.array)


def cells_to_dots(bits: np.ndarray) -> np.ndarray:
    """Return the dots of cells as booleans, the first row at the top, by Unicode's numbering."""
    rows, columns = bits.shape
    grid = np.zeros((4 * rows, 2 * columns), dtype=bool)
    positions = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]  # dots 1 to 8
    for bit, (down, right) in enumerate(positions):
        grid[down::4, right::2] = (bits >> bit) & 1 == 1
    return grid


@quick
@given(draw_rates, st.integers(1, 40), st.integers(1, 12))
def test_every_rate_is_drawn_at_its_height(rates: np.ndarray, columns: int, rows: int) -> None:
    grid = cells_to_dots(compute_cells(rates, columns, rows, top=1.0))
    dot_columns, dot_rows = 2 * columns, 4 * rows
    for t, rate in enumerate(rates):
        # The column of dots in which the middle of a step lies, or those around it.
        x = min(dot_columns - 1, int((t + 0.5) * dot_columns / len(rates)))
        y = dot_rows - 1 - round(rate * (dot_rows - 1))
        assert grid[y, max(0, x - 1) : x + 2].any()


@quick
@given(draw_rates, st.integers(1, 40), st.integers(1, 12))
def test_lines_have_no_gaps(rates: np.ndarray, columns: int, rows: int) -> None:
    grid = cells_to_dots(compute_cells(rates, columns, rows, top=1.0))
    for left, right in zip(grid.T, grid.T[1:], strict=False):
        assert left.any()
        right_rows = np.flatnonzero(right)
        left_rows = np.flatnonzero(left)
        assert right_rows.min() <= left_rows.max() + 1
        assert left_rows.min() <= right_rows.max() + 1


@quick
@given(st.floats(1e-290, 3e38))
def test_ticks_are_round_and_reach_the_peak(highest: float) -> None:
    ticks = compute_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= highest * (1 - 1e-5)
    assert ticks[-2] < highest
    assert 3 <= len(ticks) <= 9
    digits = f"{ticks[1]:.5e}".split("e")[0]
    assert float(digits) in (1, 2, 5)


def draw_chart(schedules: list[Schedule], width: int, **options: float) -> list[str]:
    preview = compute_preview(label_schedules(schedules), **options)
    return [line.plain for line in render_chart(preview, width)]


NINE = [
    Cosine(),
    Linear(1, 0),
    Linear(0, 1),
    Constant(1),
    Constant(0),
    Exponential(0.97),
    *map(parse, ("Step(30, 0.5)", 'Warmup("10%") >> Cosine()', 'Formula("0.5 + 0.5*sin(t)")')),
]


@pytest.mark.parametrize("width", [80, 100, 140, 300])
@pytest.mark.parametrize("count", [1, 3, 9])
@pytest.mark.parametrize("steps", [1, 2, 50, 1_000_000])
def test_any_size_fits(width: int, count: int, steps: int) -> None:
    lines = draw_chart(NINE[:count], width, total_steps=steps)
    assert max(map(len, lines)) <= min(width, 160)
    assert lines[0].strip() == "rate, as a factor of the base rate"
    assert lines[-1].endswith(" step")
    assert lines[-1].split()[0] == "0"
    axis = next(i for i, line in enumerate(lines) if "└" in line)
    assert len({line.find("│") for line in lines[1:axis] if "│" in line}) == 1
    text = "".join(line.partition("│")[2] + line.partition("┤")[2] for line in lines[1:axis])
    if count > 1:  # every line can be told without colour
        assert set("123456789"[:count]) <= set(text)


def test_step_numbers_align_with_their_columns() -> None:
    lines = draw_chart([Formula("t >= 60")], 86, total_steps=100)
    jump = next(line.index("⡇") if "⡇" in line else line.index("⢸") for line in lines if
                "⡇" in line or "⢸" in line)  # fmt: skip
    ticks = [i for i, sign in enumerate(lines[-2]) if sign == "┬"]
    label = lines[-1].index("60")
    assert abs(jump - ticks[3]) <= 1
    assert label == ticks[3]
    assert lines[-1].split() == ["0", "20", "40", "60", "80", "step"]


def test_equal_lines_alternate_their_marks() -> None:
    lines = draw_chart([Constant(1), Constant(1.0) * Constant(1.0)], 80, total_steps=10)
    marks = [sign for sign in lines[1].partition("┤")[2] if sign in "12"]
    assert marks[:4] == ["1", "2", "1", "2"]


def test_tiny_rates_have_an_axis() -> None:
    small = [Linear(Absolute(1e-6), Absolute(0))]
    lines = draw_chart(small, 80, total_steps=50)
    assert lines[0].strip() == "rate"
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == [
        "1e-06", "8e-07", "6e-07", "4e-07", "2e-07", "0",
    ]  # fmt: skip
    assert draw_chart([Constant(0)], 80, total_steps=5)[1].startswith("  1.0┤")
    assert len(draw_chart([Constant(5e-324)], 80, total_steps=5)) == len(lines)


def test_every_line_has_its_color() -> None:
    rows = render_chart(compute_preview(label_schedules(NINE), 100))
    for i in range(9):
        style = get_line_style(i)
        spans = [
            (row, span) for row in rows for span in row.spans if span.style == style.rich_style
        ]
        assert style.mark in "".join(row.plain[span.start : span.end] for row, span in spans)


def test_a_solid_band_does_not_hide_other_lines() -> None:
    oscillation, constant = Formula("0.5 + 0.5*sin(t)"), Constant(0.5)
    for order in ([oscillation, constant], [constant, oscillation]):
        rows = render_chart(compute_preview(label_schedules(order), 1_000_000))
        style = get_line_style(order.index(constant)).rich_style
        widths = [
            span.end - span.start for row in rows for span in row.spans if span.style == style
        ]
        assert sum(widths) >= 60  # all of its row but the other's marks


@quick
@given(draw_rates, st.integers(1, 30), st.integers(1, 3))
def test_sparklines_have_their_size(rates: np.ndarray, width: int, rows: int) -> None:
    lines = draw_sparkline(rates, width, rows)
    assert [len(line) for line in lines] == [width] * rows
    assert {ord(sign) for line in lines for sign in line} <= {32, *range(0x2801, 0x2900)}


def test_a_sparkline_rises_with_its_rates() -> None:
    assert draw_sparkline(np.arange(8) / 7, width=4) == ["⣀⠤⠒⠉"]
    assert draw_sparkline(np.full(5, math.pi), width=4) == ["⠉⠉⠉⠉"]
    assert draw_sparkline(np.zeros(5), width=4) == ["⣀⣀⣀⣀"]
    assert draw_sparkline(np.ones(5), width=4, rows=2, top=2.0) == ["⣀⣀⣀⣀", "    "]
