"""``lrlab gallery`` lists everything that a schedule's text may contain."""

import pytest

from tests.cli.conftest import Lrlab, assert_refused
from tests.schedules.builders import BUILTIN_BUILDERS


@pytest.mark.parametrize("columns", [80, 140])
def test_every_name_is_listed(lrlab: Lrlab, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    result = lrlab("gallery")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "\x1b" not in result.out
    for name in BUILTIN_BUILDERS:
        assert sum(line[20:].startswith(f"{name}(") for line in lines) >= 1
    assert "lrlab show 'Warmup(5) >> Cosine(45)'" in result.out.replace("\n", " ")


def test_it_takes_no_arguments(lrlab: Lrlab) -> None:
    assert_refused(lrlab("gallery", "Cosine"), "Cosine")
