"""``compare`` runs the study of its plan; a stopped study says how it continues, and does."""

import inspect
import os
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lrlab
from lrlab import Cosine, Linear
from lrlab.cli.study_options import PROBLEM_OPTIONS, StudyOptions, parse_betas
from lrlab.errors import LrlabError, ProblemError, StudyError, StudyWarning
from lrlab.lab import PlannedStudy, Study, planned_study
from lrlab.lab.planned_study import compare, plan_study, reopen_study, resolve_backend, resume_study
from lrlab.problems import Metric, Problem, ProblemSource, TrainingFunction, load_problem
from lrlab.studies import Machine, Protocol, RayCluster, Store, run_study
from lrlab.studies.execution.runner import Progress
from lrlab.training import Settings
from lrlab.training.engines import EnsembleEngine, LoopEngine
from lrlab.training.probing import EngineReason
from tests.raising import raises
from tests.studies.execution.test_runner import get_numbers, plan_small_study

SMALL: dict[str, Any] = {
    "lr": [0.03, 0.3, 3.0],
    "seeds": 3,
    "tuning_seeds": 2,
    "grid_extensions": 1,
    "epochs": 2,
}
"""The options of ``plan_small_study``."""

TINY: dict[str, Any] = {"tune": False, "seeds": 2, "epochs": 1, "engine": "loop", "workers": 1}


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def get_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a function with their defaults."""
    parameters = inspect.signature(function).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def test_compare_and_plan_study_take_the_same_arguments() -> None:
    defaults = get_defaults(compare)
    assert defaults.pop("progress") is True
    assert defaults == get_defaults(plan_study)


def test_defaults_are_those_of_settings_of_the_protocol_and_of_the_command_line() -> None:
    defaults = get_defaults(compare)
    command_line = {field.name: field.default for field in fields(StudyOptions)}
    for values in (Settings(), Protocol()):
        for field in fields(values):
            # What is None here depends on other arguments, which the docstring says.
            if defaults.get(field.name) is not None:
                assert defaults[field.name] == getattr(values, field.name)
    for name in ("data", "schedule", "imports", "db"):
        del command_line[name]
    for name in ("problem", "schedules", "db", "progress"):
        del defaults[name]
    command_line["betas"] = parse_betas(command_line["betas"])
    assert {n: v for n, v in command_line.items() if n in defaults} == defaults
    assert {field.name for field in fields(Settings)} <= defaults.keys()
    assert command_line.keys() - defaults.keys() == set(PROBLEM_OPTIONS) - defaults.keys()
    assert {"data", *PROBLEM_OPTIONS} == get_defaults(load_problem).keys()


def test_every_argument_of_compare_is_documented() -> None:
    doc = inspect.getdoc(compare)
    assert doc
    for name in inspect.signature(compare).parameters:
        assert f"\n    {name}: " in doc


def test_compare_runs_the_same_study_as_its_parts(iris: Problem, tmp_path: Path) -> None:
    db = tmp_path / "study.db"
    study = compare(
        iris, ["Cosine()"], engine="ensemble", workers=1, db=db, progress=False, **SMALL
    )
    assert study.id == plan_small_study(iris).id
    with Store(None) as store:
        whole = run_study(plan_small_study(iris), store, Machine(1))
    assert get_numbers(whole) == get_numbers(study)
    assert db.exists()
    assert get_numbers(compare("iris", [Cosine()], db=str(db), **SMALL)) == get_numbers(study)


def test_a_plan_has_all_that_compare_does(iris: Problem, tmp_path: Path) -> None:
    db = tmp_path / "study.db"
    planned = plan_study(iris, ["Linear(0.5, 0)"], engine="ensemble", workers=1, db=db, **SMALL)
    assert planned.plan.engine == EnsembleEngine()
    assert planned.engine_choice.reason is EngineReason.REQUESTED
    assert planned.rescaled_schedules == (Linear(0.5, 0),)
    assert planned.count_stored_runs() == 0
    assert not db.exists()
    estimate = planned.estimate_cost()
    study = planned.run(progress=False)
    assert study.id == planned.id
    run_counts = study.runs["phase"].value_counts()
    assert run_counts["tuning"] == planned.count_stored_runs() == estimate.tuning_runs
    auto = plan_study(iris, ["Linear(0.5, 0)"], db=db, **SMALL)
    assert auto.id == planned.id
    assert auto.engine_choice.reason is EngineReason.STUDY_BEGAN


def test_defaults_of_omitted_arguments(iris: Problem) -> None:
    def plan(*arguments: Any, **options: Any) -> Any:
        return plan_study(iris, *arguments, engine="loop", **options).plan

    assert len(plan().schedules) == 12
    assert len(plan().grid) == 5 * 2
    assert {s.validation_size for s in plan().grid} == {0.2}
    adam = plan(optimizer="Adam")
    assert {s.optimizer for s in adam.grid} == {"adam"}
    assert (len(adam.grid), {s.momentum for s in adam.grid}) == (5, {0.0})
    assert plan([Cosine()], tune=False).grid == (Settings(),)
    assert plan([Cosine()], tune=False, score="best").grid == (Settings(validation_size=0.2),)
    assert plan([Cosine()], lr=0.3, momentum=0.9).grid == (Settings(lr=0.3, momentum=0.9),)


def test_options_of_a_file_reach_its_problem(in_tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 2},{i % 3}\n" for i in range(60))
    Path("mine.csv").write_text("x,y,z\n" + rows)
    for file in ("mine.csv", Path("mine.csv")):
        planned = plan_study(file, "Cosine()", target="y", task="regression", metric="r2", **TINY)
        assert "target column 'y': regression" in planned.problem.summary
        assert planned.problem.metric.name == "R²"
        assert planned.source == ProblemSource(
            "mine.csv", {"target": "y", "task": "regression", "metric": "r2"}
        )


def test_a_metric_of_ones_own_cannot_be_stored(iris: Problem) -> None:
    metric = Metric("my-accuracy", iris.metric.fn)
    planned = plan_study("iris", "Cosine()", metric=metric, **TINY)
    assert planned.problem.metric.name == "my-accuracy"
    assert planned.source is None


@pytest.mark.parametrize(
    ("options", "error", "mentions"),
    [
        ({"sedes": 3}, TypeError, ["sedes"]),
        ({"nesterov": True, "tune": False}, LrlabError, ["`momentum=0.9`"]),
        ({"nesterov": True, "momentum": [0, 0.9]}, LrlabError, ["`momentum=0.9`"]),
        ({"nesterov": True, "optimizer": "adam"}, LrlabError, ["`nesterov`", "adam"]),
        ({"betas": 0.9, "optimizer": "adam"}, LrlabError, ["`betas`", "0.9"]),
        ({"lr": "0.1"}, LrlabError, ["got '0.1'"]),
        ({"tune": False, "lr": [0.1, 0.2]}, StudyError, ["2 settings", "`tune=False`"]),
        ({"engine": "lopo"}, StudyError, ["lopo", "loop?"]),
        ({"schedules": "Constant(1)"}, StudyError, ["Constant(1.0)", "`schedules`"]),
        ({"schedules": 5}, LrlabError, ["5", "schedules"]),
        ({"schedules": ["Cosine()", 5]}, LrlabError, ["5", "schedules"]),
    ],
)
def test_an_error_names_the_argument(
    options: dict[str, Any], error: type[Exception], mentions: list[str]
) -> None:
    with raises(error, *mentions):
        compare("iris", **{"schedules": ["Cosine()"], **options})


def test_a_problem_is_checked(iris: Problem) -> None:
    with raises(ProblemError, "problem", 5, "TrainingFunction"):
        compare(5)  # type: ignore[arg-type]
    with raises(ProblemError, "`target`", "iris", "from_table"):
        compare(iris, target="y")


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
    with raises(StudyError, "`workers", 2):
        resolve_backend("ray", 2, None, None, 0.0)
    with raises(StudyError, "`address`", "loop", '`engine="ray"`'):
        resolve_backend("loop", None, None, "10.0.0.1:6379", 0.0)


def test_likely_mistakes_are_warned_of() -> None:
    with pytest.warns(StudyWarning, match="twice") as caught:
        compare("iris", "Formula('0.1/(1+0.01*t)')", progress=False, **TINY)
    assert [warning.filename for warning in caught] == [__file__]


def test_progress_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    reports: list[Progress] = []
    compare("iris", "Cosine()", progress=reports.append, **TINY)
    assert reports[0] == Progress("final", planned=4, stored=0)
    assert reports[-1] == Progress("final", planned=4, stored=0, trained=4)
    assert capsys.readouterr() == ("", "")
    compare("iris", "Cosine()", **TINY)
    assert capsys.readouterr() == ("", "final: 4 of 4 runs\n")


def plan_long_study(seconds_per_run_step: float | None, db: Path | None = None) -> PlannedStudy:
    planned = plan_study("iris", "Cosine()", db=db, **TINY)
    choice = replace(planned.engine_choice, seconds_per_run_step=seconds_per_run_step)
    return replace(planned, engine_choice=choice)


def test_a_long_study_is_warned_of_before_it_starts(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise AssertionError(progress)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for db, mention in ((None, "`db="), (tmp_path / "my.db", "my.db")):
            with raises(StudyWarning, "33 min", mention):  # 4 runs of 5 steps
                plan_long_study(100.0, db).run(stop)
        assert not (tmp_path / "my.db").exists()
        plan_long_study(1.0).run(progress=False)


def test_a_long_study_is_warned_of_once_its_speed_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(planned_study, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def wait(progress: Progress) -> None:
        clock.now += 150.0 if progress.trained else 0.0

    with pytest.warns(StudyWarning, match=r"about 7\.5 min") as caught:
        plan_long_study(None).run(wait)
    assert len(caught) == 1


def interrupt(progress: Progress) -> None:
    """Press Ctrl-C when the first run has ended."""
    if progress.trained:
        raise KeyboardInterrupt


def stop_study(*arguments: Any, **options: Any) -> str:
    """Stop a study, and return the note on how to continue."""
    with pytest.raises(KeyboardInterrupt) as caught:
        compare(*arguments, "Cosine()", progress=interrupt, **TINY, **options)
    (note,) = caught.value.__notes__
    return note


def test_a_stopped_study_says_how_it_continues(iris: Problem, in_tmp_path: Path) -> None:
    assert '`db="lrlab.db"`' in stop_study("iris")
    assert "`lrlab.compare(...)`" in stop_study(iris, db="lrlab.db")
    study_id = plan_study("iris", "Cosine()", **TINY).id
    assert f'`lrlab.resume_study("{study_id}")`' in stop_study("iris", db="lrlab.db")
    note = stop_study("iris", db="my runs.db")
    assert f'`lrlab.resume_study("{study_id}", db="my runs.db")`' in note


@pytest.mark.filterwarnings("ignore::lrlab.errors.StudyWarning")
def test_a_study_of_a_file_continues_in_its_folder(
    in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (in_tmp_path / "there").mkdir()
    monkeypatch.chdir("there")
    Path("data.csv").write_text("x,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(40)))
    options = {"task": "classification"}
    stop_study("data.csv", db="../my.db", **options)
    whole = compare("data.csv", "Cosine()", progress=False, **TINY, **options)
    monkeypatch.chdir(in_tmp_path)
    opened = reopen_study(db="my.db", workers=1)
    assert isinstance(opened, PlannedStudy)
    assert opened.plan.engine == LoopEngine()
    study = resume_study(whole.id[:4], "my.db", workers=1, progress=False)
    assert Path.cwd() == in_tmp_path
    assert get_numbers(study) == get_numbers(whole)
    Path("there/data.csv").unlink()
    again = resume_study(db="my.db")  # it is finished, so that its data is not needed
    assert isinstance(again, Study)
    assert again.answer == study.answer


def train(run: lrlab.RunContext) -> None:
    for epoch in range(run.epochs):
        run.report(epoch, score=run.lr)


def test_a_problem_given_as_a_value_cannot_be_loaded_again(tmp_path: Path) -> None:
    db = tmp_path / "my.db"
    stop_study(TrainingFunction(train), db=db)
    with raises(StudyError, "script"):
        resume_study(db=db)


def test_a_study_keeps_its_engine() -> None:
    with raises(StudyError, "`engine`", "loop"):
        resume_study(engine="loop")


@pytest.mark.skipif(os.name == "nt", reason="files that are open cannot be removed")
def test_a_plan_survives_its_folder(in_tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (in_tmp_path / "gone").mkdir()
    monkeypatch.chdir("gone")
    stop_study("iris", db="../my.db")
    monkeypatch.chdir(in_tmp_path)
    (in_tmp_path / "gone").rmdir()
    with raises(ProblemError, "gone", "iris"):
        resume_study(db="my.db")


def test_settings_of_an_optimizer_reach_its_runs(iris: Problem) -> None:
    options = {"optimizer": "adamw", "betas": (0.8, 0.95), "eps": 1e-6, **TINY}
    study = compare(iris, ["Cosine()"], progress=False, **options)
    assert {settings.betas for settings in study.plan.grid} == {(0.8, 0.95)}
    assert set(study.runs["eps"]) == {1e-6}
    planned = plan_study(iris, ["Cosine()"], nesterov=True, engine="loop")
    assert {(s.nesterov, s.momentum) for s in planned.plan.grid} == {(True, 0.9)}


@pytest.mark.parametrize(
    ("problem", "mentions"),
    [(["Cosine()"], ["`lrlab.compare(problem, schedules)`"]), (print, ["TrainingFunction"])],
)
def test_what_is_no_problem_is_refused(problem: Any, mentions: list[str]) -> None:
    with raises(LrlabError, "`problem`", *mentions):
        compare(problem, "iris")
