"""The description of a schedule says what its label leaves open."""

import pytest

from lrlab import Absolute, Cosine, Linear, parse
from lrlab.views.preview import compute_preview, label_schedules
from lrlab.views.schedule_summary import describe_line, format_title


def test_titles() -> None:
    one_step = compute_preview(label_schedules(Cosine()), 1)
    assert format_title(one_step) == "1 schedule · 1 step · factors of the base rate"
    preview = compute_preview(label_schedules([Cosine(), Linear(1, Absolute(0.01))]), 50)
    assert format_title(preview) == "2 schedules · 50 steps · base rate 0.1"


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
def test_what_the_label_leaves_open(text: str, description: str) -> None:
    schedule = Cosine() if text == "my own" else parse(text)
    (line,) = compute_preview({text: schedule}, 50).lines
    assert describe_line(line) == description


@pytest.mark.parametrize("text", ["Plateau()", 'Warmup("10%") >> Plateau()'])
def test_metric_driven_schedules_say_so(text: str) -> None:
    (line,) = compute_preview({text: parse(text)}, 50).lines
    assert "follows a metric" in describe_line(line)
