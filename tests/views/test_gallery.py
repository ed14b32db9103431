"""The gallery: it is complete, its plots are not flat, and it fits 80 columns."""

import numpy as np
import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.schedules import Schedule
from lrlab.views.gallery import (
    Example,
    compute_example_rates,
    format_signature,
    list_examples,
    render_gallery,
)
from tests.schedules.builders import BUILTIN_BUILDERS

EXAMPLES = [example for examples in list_examples().values() for example in examples]


def test_every_name_has_an_example() -> None:
    names = [example.name for example in EXAMPLES]
    assert sorted(name for name in names if name in BUILTIN_BUILDERS) == sorted(BUILTIN_BUILDERS)
    assert len(set(names)) == len(names)


def test_every_method_has_an_example() -> None:
    names = {example.name for example in EXAMPLES}
    assert {f"a.{method}" for method in Schedule.text_methods} <= names


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_every_example_can_be_drawn_and_shows_its_name(example: Example) -> None:
    rates = compute_example_rates(example)
    assert rates.shape == (100,)
    assert rates.max() > 0
    assert np.ptp(rates) > 0 or example.name == "Constant"
    assert example.name.strip("ab ") in example.text


def test_the_gallery(
    file_regression: FileRegressionFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some of each section, so that another schedule changes no file but its own.
    names = (
        *("Absolute", "Linear", "Tanh", "Warmup", "Exponential", "Step", "CosineWave"),
        *("one_cycle", "tri_stage", "Plateau", "Noise", "Formula", "Custom"),
    )
    builders = {name: BUILTIN_BUILDERS[name] for name in names}
    monkeypatch.setattr("lrlab.views.gallery.BUILDERS", builders)
    lines = [line.plain for line in render_gallery(80)]
    file_regression.check("\n".join(lines), extension=".txt")


@pytest.mark.parametrize("width", [80, 140])
def test_lines_fit_the_width(width: int) -> None:
    lines = [line.plain for line in render_gallery(width)]
    assert max(map(len, lines)) <= width
    for section, examples in list_examples().items():
        assert section in lines
        for example in examples:
            assert any(line[20:].startswith(format_signature(example.name)[:40]) for line in lines)
            assert any(line[20:].startswith(example.text[:40]) for line in lines)


def test_signatures_are_short() -> None:
    assert format_signature("Linear") == "Linear(start, end, *, over=None)"
    assert format_signature("a >> b") == "a >> b"
    assert format_signature("a.clip") == "a.clip(low=None, high=None)"


def test_a_metric_driven_example_observes_a_metric() -> None:
    (plateau,) = (example for example in EXAMPLES if example.name == "Plateau")
    rates = compute_example_rates(plateau)
    assert rates[0] == rates[30] == 0.1
    assert rates[99] < 0.1
