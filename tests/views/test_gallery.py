"""The listing of schedules: complete, true, and laid out for 80 columns."""

import numpy as np
import pytest

from lrlab.schedules import Schedule
from lrlab.schedules.text import SHAPES, parse
from lrlab.views.gallery import GALLERY, Example, drawn, gallery, signature
from lrlab.views.pieces import plain

EXAMPLES = [example for room in GALLERY.values() for example in room]


def test_every_name_has_an_example() -> None:
    names = [example.name for example in EXAMPLES]
    assert sorted(name for name in names if name in SHAPES) == sorted(SHAPES)
    assert len(set(names)) == len(names)


def test_every_method_has_an_example() -> None:
    forms = [example.name for example in EXAMPLES]
    for method in Schedule.methods_in_text:
        assert any(form.startswith(f"a.{method}(") for form in forms), method


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_every_example_can_be_drawn_and_shows_its_name(example: Example) -> None:
    rates = drawn(example)(np.arange(100), base=0.1)
    assert rates.max() > 0
    name = example.name
    assert (name if name in SHAPES else name.strip("ab ").partition("(")[0]) in example.text
    if example.schedule is None:
        assert isinstance(parse(example.text), Schedule)


@pytest.mark.parametrize("width", [80, 140])
def test_the_layout(width: int) -> None:
    lines = plain(gallery(width)).split("\n")
    assert max(map(len, lines)) <= width
    for room, examples in GALLERY.items():
        assert room in lines
        for example in examples:
            assert any(line[20:].startswith(signature(example.name)[:40]) for line in lines)
            assert any(line[20:].startswith(example.text[:40]) for line in lines)


def test_signatures_are_short() -> None:
    assert signature("Linear") == "Linear(start, end, *, over=None)"
    assert signature("a >> b") == "a >> b"
