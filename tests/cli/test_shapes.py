"""``lrlab gallery``: everything that can be written, at a glance."""

from collections.abc import Callable

import pytest

from lrlab.schedules.parser import BUILTIN_BUILDERS


@pytest.mark.parametrize("columns", [80, 140])
def test_every_name_is_listed(
    lrlab: Callable, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    said = lrlab("shapes")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "\x1b" not in said.out
    for name in BUILTIN_BUILDERS:
        assert sum(line[20:].startswith(f"{name}(") for line in lines) >= 1
    assert "lrlab show 'Warmup(5) >> Cosine(45)'" in said.out.replace("\n", " ")


def test_it_takes_no_arguments(lrlab: Callable) -> None:
    assert lrlab("shapes", "Cosine").code == 2
