"""The listing of schedules: complete, true, and laid out for 80 columns."""

import numpy as np
import pytest

from lrlab.schedules import Schedule
from lrlab.schedules.text import SHAPES
from lrlab.views.gallery import GALLERY, Example, rates
from lrlab.views.listing import listing, signature
from lrlab.views.pieces import plain

EXAMPLES = [example for room in GALLERY.values() for example in room]


def test_every_name_has_an_example() -> None:
    names = [example.name for example in EXAMPLES]
    assert sorted(name for name in names if name in SHAPES) == sorted(SHAPES)
    assert len(set(names)) == len(names)


def test_every_method_has_an_example() -> None:
    names = {example.name for example in EXAMPLES}
    assert {f"a.{method}" for method in Schedule.methods_in_text} <= names


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_every_example_can_be_drawn_and_shows_its_name(example: Example) -> None:
    drawn = rates(example)
    assert drawn.shape == (100,)
    assert drawn.max() > 0
    assert np.ptp(drawn) > 0 or example.name == "Constant"  # the picture shows something
    assert example.name.strip("ab ") in example.text


@pytest.mark.parametrize("width", [80, 140])
def test_the_layout(width: int) -> None:
    lines = plain(listing(width)).split("\n")
    assert max(map(len, lines)) <= width
    for room, examples in GALLERY.items():
        assert room in lines
        for example in examples:
            assert any(line[20:].startswith(signature(example.name)[:40]) for line in lines)
            assert any(line[20:].startswith(example.text[:40]) for line in lines)


def test_signatures_are_short() -> None:
    assert signature("Linear") == "Linear(start, end, *, over=None)"
    assert signature("a >> b") == "a >> b"
    assert signature("a.clip") == "a.clip(low=None, high=None)"


def test_a_reactive_example_reacts() -> None:
    (plateau,) = (example for example in EXAMPLES if example.name == "Plateau")
    drawn = rates(plateau)
    assert drawn[0] == drawn[30] == 0.1
    assert drawn[99] < 0.1
