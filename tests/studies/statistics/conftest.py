"""A fixture: the benchmark that measures how often verdicts are right."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.conftest import REPOSITORY


@pytest.fixture(scope="module")
def calibration() -> Iterator[ModuleType]:
    """``benchmarks/calibration.py``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(REPOSITORY / "benchmarks")
        import calibration

        yield calibration
        for name in ("calibration", "tuning", "worlds"):
            sys.modules.pop(name)
