"""The words and numbers below the chart, as they are laid out."""

import textwrap

import pytest
from lrlab.views.pieces import MARKS, to_plain_text, to_rich_text

from lrlab import Absolute, Constant, Cosine, Formula, Linear, Warmup, parse
from lrlab.views.preview import MAX_LINES, compute_preview, label_schedules
from lrlab.views.schedule_summary import format_title, render_legend, render_table


def test_the_table() -> None:
    seen = compute_preview(label_schedules([Warmup(10) >> Cosine(90), Constant(1.0)]), 100)
    assert to_plain_text(render_table(seen)) == (
        "     first   peak  at step      last   area    mean      jump  at step\n"
        "  1  0.09091  1.000       10  3.046e-4  50.50  0.5050  +0.09091        1\n"
        "  2    1.000  1.000        0     1.000  100.0   1.000      none"
    ).replace("     first", "       first")


def test_tiny_and_huge_numbers_fit_80_columns() -> None:
    seen = compute_preview(
        label_schedules([Linear(Absolute(1.2345e-6), Absolute(3e-7)), Constant(12.5), Constant(0)]),
        1_000_000,
    )
    lines = to_plain_text(render_table(seen)).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[1:3] == ["1.234e-6", "1.234e-6"]
    assert lines[2].split()[5:7] == ["1250000", "1.250"]
    assert lines[3].split() == ["3", "0", "0", "0", "0", "0", "0", "none"]


def test_titles() -> None:
    assert (
        format_title(compute_preview(label_schedules(Cosine()), 1))
        == "1 schedule · 1 step · factors of the base rate"
    )
    seen = compute_preview(label_schedules([Cosine(), Linear(1, Absolute(0.01))]), 50)
    assert format_title(seen) == "2 schedules · 50 steps · base rate 0.1"


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("Constant(1)", ""),
        ("Linear(1, .5, over=50)", ""),
        ("Exponential( 0.990 )", ""),
        ("Cosine()", "Cosine(50)"),
        ("torch.StepLR(30)", "Step(30)"),
        ('Warmup("10%") >> Cosine()', "Warmup(5) from step 0, Cosine(45) from step 5"),
        ("my own", "Cosine(50)"),
        ("Plateau()", "it reads a metric: these are the rates until one makes it change"),
    ],
)
def test_the_legend_says_what_the_label_leaves_open(text: str, below: str) -> None:
    schedule = Cosine() if text == "my own" else parse(text)
    first, *more = to_plain_text(render_legend(compute_preview({text: schedule}, 50))).split("\n")
    assert first == f"  1  {text}"
    assert " ".join(line.strip() for line in more) == below


def test_long_labels_are_wrapped_and_nothing_is_lost() -> None:
    long = Warmup(5) >> Constant(1.0, over=10)
    for i in range(6):
        long = long >> Cosine(7, start=0.9**i, end=0.1)
    assert len(repr(long)) > 120
    lines = to_plain_text(
        render_legend(compute_preview(label_schedules([long, Constant(1)]), 60), 80)
    ).split("\n")
    assert max(map(len, lines)) <= 80
    own = [line for line in lines[:-1] if not line.startswith(" " * 7)]
    assert " ".join(textwrap.dedent(line[5:]) for line in own) == repr(long)
    assert lines[-1] == "  2  Constant(1.0)"
    word = Formula("1+" * 100 + "1")
    assert (
        max(
            map(
                len,
                to_plain_text(render_legend(compute_preview(label_schedules(word), 3), 80)).split(
                    "\n"
                ),
            )
        )
        <= 80
    )


def test_every_line_has_a_mark_of_its_own() -> None:
    assert len(set(MARKS)) == len(MARKS) == MAX_LINES


def test_rich_says_the_same() -> None:
    seen = compute_preview(label_schedules([Constant(i) for i in range(12)]), 10)
    rows = [*render_legend(seen), *render_table(seen)]
    assert to_rich_text(rows).plain == to_plain_text(rows)
