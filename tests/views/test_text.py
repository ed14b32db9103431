"""Tables keep the text and styles of their cells."""

import pytest
from rich.text import Text

from lrlab.views.text import Column, format_columns, render_columns, wrap_note


def test_columns_line_up_and_lines_do_not_end_in_spaces() -> None:
    columns = [
        Column("name", ["a", "[bold]", ":smile:"], "left"),
        Column("a long\nheading", ["1", "22", ""]),
    ]
    assert format_columns(columns).splitlines() == [
        "            a long",
        "  name     heading",
        "  a              1",
        "  [bold]        22",
        "  :smile:",
    ]
    assert format_columns(columns, gap=1).splitlines()[2] == " a             1"


def test_plain_text_is_not_wrapped_or_colored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("FORCE_COLOR", "1")
    cells = ["x " * 300, Text("bold", "bold")]
    text = format_columns([Column("", cells, "left"), Column("", ["1", "2"])])
    first, second = text.splitlines()
    assert first.startswith("  " + "x " * 300)
    assert second.split() == ["bold", "2"]
    assert "\x1b" not in text


def test_styles_of_cells_are_kept() -> None:
    (line,) = render_columns([Column("", [Text("1", "bold red")]), Column("", ["x"])])
    assert [line.plain[span.start : span.end] for span in line.spans] == ["1"]
    assert str(line.spans[0].style) == "bold red"


def test_notes_are_wrapped() -> None:
    lines = wrap_note("some words " * 20, width=40, indent=4)
    assert all(line.plain.startswith("    some") or "words" in line.plain for line in lines)
    assert max(line.cell_len for line in lines) <= 40
    assert {line.style for line in lines} == {"dim"}
