"""Styles and marks of lines are distinct."""

from lrlab.views.line_styles import MARKS, get_line_style
from lrlab.views.preview import MAX_LINES


def test_every_line_has_its_own_mark() -> None:
    assert len(set(MARKS)) == len(MARKS) == MAX_LINES
    assert [get_line_style(i).mark for i in range(MAX_LINES)] == list(MARKS)


def test_24_lines_have_different_strokes() -> None:
    styles = [get_line_style(i) for i in range(24)]
    for dashes in ("linestyle", "plotly_dash", "svg_dasharray"):
        assert len({(style.color, getattr(style, dashes)) for style in styles}) == 24


def test_more_lines_than_marks_still_have_a_style() -> None:
    assert get_line_style(100).color.startswith("#")
