"""``compare`` runs the study of its plan, and ``Study`` shows its answer."""

from pathlib import Path
from typing import Any

import pytest

from lrlab import Cosine
from lrlab.errors import LrlabError, ProblemError, StudyError
from lrlab.lab import Study, compare, plan_study, resolve_backend
from lrlab.problems import Problem, load_problem
from lrlab.studies import Machine, Protocol, RayCluster, Store, run_study
from lrlab.training import Settings
from tests.raising import raises
from tests.studies.execution.test_runner import get_numbers, plan_small_study

ONE = Machine(1)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.fixture(scope="module")
def study(iris: Problem) -> Study:
    options = {"lr": [0.03, 0.3], "momentum": 0, "seeds": 5, "tuning_seeds": 2}
    return compare(iris, ["Cosine()", "Plateau()"], epochs=2, workers=1, db=None, **options)


def test_compare_runs_the_same_study_as_its_parts(iris: Problem, tmp_path: Path) -> None:
    options = {
        "lr": [0.03, 0.3, 3.0],
        "seeds": 3,
        "tuning_seeds": 2,
        "grid_extensions": 1,
        "epochs": 2,
    }
    db = tmp_path / "study.db"
    study = compare(iris, ["Cosine()"], engine="ensemble", workers=1, db=db, **options)
    assert study.plan.id == plan_small_study(iris).id
    with Store(None) as store:
        assert get_numbers(run_study(plan_small_study(iris), store, ONE)) == get_numbers(study)
    assert db.exists()
    assert get_numbers(compare("iris", [Cosine()], db=db, **options)) == get_numbers(study)


def test_notebooks_show_the_answer_and_all_schedules(study: Study) -> None:
    page = study._repr_html_()
    assert study.answer.splitlines()[0] in page
    for schedule in study.plan.schedules:
        assert f"<td>{schedule}</td>" in page
    assert repr(study) == f"Study {study.plan.id} of iris\n{study.answer}"


def test_defaults_of_omitted_arguments(iris: Problem) -> None:
    default = plan_study(iris)
    assert len(default.schedules) == 12
    assert len(default.grid) == 5 * 2
    assert {s.validation_size for s in default.grid} == {0.2}
    adam = plan_study(iris, optimizer="adam")
    assert (len(adam.grid), {s.momentum for s in adam.grid}) == (5, {0.0})
    untuned = plan_study(iris, [Cosine()], tune=False)
    assert untuned.grid == (Settings(),)
    best = plan_study(iris, [Cosine()], tune=False, protocol=Protocol(score="best"))
    assert best.grid == (Settings(validation_size=0.2),)
    single = plan_study(iris, [Cosine()], lrs=[0.3], momenta=[0.9])
    assert single.grid == (Settings(lr=0.3, momentum=0.9),)


def test_memory_is_a_size_or_a_number_of_bytes() -> None:
    for memory, size in (("2GB", 2 * 10**9), ("1.5 GiB", 3 << 29), (7, 7), (None, None)):
        assert resolve_backend("auto", None, memory, None, 0.0) == ("auto", Machine(memory=size))
        assert resolve_backend("ray", None, memory, None, 0.0)[1] == RayCluster(memory=size)
    for memory in ("2", "-1GB", "0GB", "GB", "2 PB", ""):
        with raises(StudyError, "memory", memory, "2GB"):
            resolve_backend("auto", None, memory, None, 0.0)
    with raises(StudyError, "memory", 0):
        resolve_backend("auto", None, 0, None, 0.0)


def test_options_of_another_backend_are_rejected() -> None:
    with raises(StudyError, "workers", 2):
        resolve_backend("ray", 2, None, None, 0.0)
    with raises(StudyError, "address", "loop", "--engine ray"):
        resolve_backend("loop", None, None, "10.0.0.1:6379", 0.0)


@pytest.mark.parametrize(
    ("settings", "mention"),
    [
        ({"target": "species"}, "Problem.from_table(file, target=...)"),
        ({"metric": "mae"}, "Problem.from_arrays(x, y, model, metric=...)"),
        ({"sedes": 3}, "did you mean seeds?"),
        ({"lr": "0.1"}, "got '0.1'"),
    ],
)
def test_an_error_about_a_setting_names_the_way_out(settings: Any, mention: str) -> None:
    with raises(LrlabError, mention):
        compare("iris", ["Cosine()"], db=None, **settings)


def test_a_problem_is_checked() -> None:
    with raises(ProblemError, "problem", 5, "TrainingFunction"):
        compare(5)
