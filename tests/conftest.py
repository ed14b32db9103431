"""Fixtures and settings of all tests: the ionosphere file, one thread for torch."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

from lrlab.schedules import core

REPOSITORY = Path(__file__).parents[1]
IONOSPHERE_FOLDER = Path(
    os.environ.get("LRLAB_DATA") or REPOSITORY.parent / "shared" / "data"
).absolute()

# No test is timed, and CI draws the same examples every time; ``make check`` draws fewer of them.
hypothesis.settings.register_profile("all", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=10)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "all"))

torch.set_num_threads(1)  # the networks are small: threads would only wait for each other


@pytest.fixture(autouse=True)
def _forget_schedules_of_tests() -> Iterator[None]:
    """Forget the classes of schedules that a test defines, so that others may use their names."""
    before = dict(core._BUILDERS)
    yield
    core._BUILDERS.clear()
    core._BUILDERS.update(before)


@pytest.fixture
def ionosphere_folder(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of ionosphere.csv, in $LRLAB_DATA too."""
    if not (IONOSPHERE_FOLDER / "ionosphere.csv").is_file():
        pytest.skip(f"ionosphere.csv is not part of the repository and not in {IONOSPHERE_FOLDER}")
    monkeypatch.setenv("LRLAB_DATA", str(IONOSPHERE_FOLDER))
    return IONOSPHERE_FOLDER


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder; modules imported from it are removed afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def tutorial(ionosphere_folder: Path) -> dict[str, Any]:
    """The tutorial's printed results, and those of its schedules over 300 paired seeds."""
    file = ionosphere_folder.parent / "reference" / "tutorial.json"
    if not file.is_file():
        pytest.skip(f"the tutorial's results are not part of the repository and not in {file}")
    reference: dict[str, Any] = json.loads(file.read_text())
    return reference
