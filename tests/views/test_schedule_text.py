"""The preview as text: it fits the width, loses nothing, and says what the label leaves open."""

import textwrap

import pytest
from pytest_regressions.file_regression import FileRegressionFixture
from rich.text import Text

from lrlab import Absolute, Constant, Cosine, Formula, Linear, Warmup, parse
from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import compute_preview, label_schedules
from lrlab.views.schedule_text import describe_line, render_legend, render_numbers, render_preview


def to_plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


def test_the_preview(file_regression: FileRegressionFixture) -> None:
    texts = ['Warmup("10%") >> Cosine()', "torch.StepLR(30)", "Plateau()"]
    preview = compute_preview({text: parse(text) for text in texts}, 100)
    text = "\n".join(to_plain(render_preview(preview, 80)))
    file_regression.check(text, extension=".txt")


def test_tiny_and_huge_numbers_fit_80_columns() -> None:
    schedules = [Linear(Absolute(1.2345e-6), Absolute(3e-7)), Constant(12.5), Constant(0)]
    preview = compute_preview(label_schedules(schedules), 1_000_000)
    lines = to_plain(render_numbers(preview))
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[1:3] == ["1.234e-6", "1.234e-6"]
    assert lines[2].split()[5:7] == ["1250000", "1.250"]
    assert lines[3].split() == ["3", "0", "0", "0", "0", "0", "0", "none"]


def test_long_labels_are_wrapped_and_nothing_is_lost() -> None:
    schedule = Warmup(5) >> Constant(1.0, over=10)
    for i in range(6):
        schedule = schedule >> Cosine(7, start=0.9**i, end=0.1)
    assert len(repr(schedule)) > 120
    preview = compute_preview(label_schedules([schedule, Constant(1)]), 60)
    lines = to_plain(render_legend(preview, 80))
    assert max(map(len, lines)) <= 80
    label_lines = [line for line in lines[:-1] if not line.startswith(" " * 7)]
    assert " ".join(textwrap.dedent(line[5:]) for line in label_lines) == repr(schedule)
    assert lines[-1] == "  2  Constant(1.0)"
    one_word = compute_preview(label_schedules(Formula("1+" * 100 + "1")), 3)
    assert max(map(len, to_plain(render_legend(one_word, 80)))) <= 80


def test_marks_have_the_colors_of_their_lines() -> None:
    preview = compute_preview(label_schedules([Constant(i) for i in range(12)]), 10)
    for rows in (render_legend(preview), render_numbers(preview)[1:]):
        for i, row in enumerate(rows):
            style, span = get_line_style(i), row.spans[0]
            assert row.plain[span.start : span.end].strip() == style.mark
            assert str(span.style).lower() == style.rich_style.lower()


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("Constant(1)", ""),
        ("Linear(1, .5, over=50)", ""),
        ("Exponential( 0.990 )", ""),
        ("Cosine()", "Cosine(50)"),
        ("torch.StepLR(30)", "Step(30)"),
        ('Warmup("10%") >> Cosine()', "Warmup(5) from step 0, Cosine(45) from step 5"),
        ("my own", "Cosine(50)"),
    ],
)
def test_descriptions_complete_the_labels(text: str, description: str) -> None:
    schedule = Cosine() if text == "my own" else parse(text)
    (line,) = compute_preview({text: schedule}, 50).lines
    assert describe_line(line) == description


@pytest.mark.parametrize("text", ["Plateau()", 'Warmup("10%") >> Plateau()'])
def test_metric_driven_schedules_say_so(text: str) -> None:
    (line,) = compute_preview({text: parse(text)}, 50).lines
    assert "follows a metric" in describe_line(line)
