"""The public ``Study``: its answer, its best schedule, its page in a notebook, from a database."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot

import lrlab
from lrlab import Study, StudyError, ViewError
from lrlab.studies import Verdict
from lrlab.studies.execution.runner import Progress
from lrlab.views.study_plots import STUDY_PLOTS
from tests.raising import raises


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies") / "my.db"


@pytest.fixture(scope="module")
def study(db: Path) -> Study:
    return lrlab.compare(
        "iris", ["Cosine()", "Plateau()"], lr=[0.03, 0.3], momentum=0, seeds=5, tuning_seeds=2,
        epochs=2, workers=1, db=db, progress=False,
    )  # fmt: skip


def test_a_study_has_its_answer_and_its_table(study: Study) -> None:
    assert repr(study) == f"Study {study.id} of iris\n{study.answer}"
    assert study.table.index.tolist() == [row.label for row in study.comparison.rows]
    assert study.table.loc["Constant(1.0)", "verdict"] == Verdict.BASELINE
    assert study.best.schedule in study.plan.schedules
    assert study.is_finished


def test_notebooks_show_the_answer_and_all_schedules(study: Study) -> None:
    page = study._repr_html_()
    assert page is not None
    assert study.answer.splitlines()[0] in page
    for schedule in study.plan.schedules:
        assert f"<td>{schedule}</td>" in page


def test_a_stored_study_is_the_same(study: Study, db: Path) -> None:
    loaded = lrlab.load_study(study.id[:5], db)
    assert (loaded.id, loaded.answer, repr(loaded)) == (study.id, study.answer, repr(study))
    assert loaded.best == study.best
    for name in ("table", "runs", "epochs"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(study, name))


@pytest.mark.parametrize("kind", STUDY_PLOTS)
def test_a_study_plots_every_kind(study: Study, kind: str) -> None:
    with mpl.rc_context({"backend": "agg"}):
        figure = study.plot(kind, schedules="Cosine()", figsize=(8, 6))
    assert figure.axes
    assert tuple(figure.get_size_inches()) == (8, 6)
    pyplot.close(figure)


def test_an_unknown_kind_of_plot_is_refused(study: Study) -> None:
    with raises(ViewError, "curvs", "curves?", *STUDY_PLOTS):
        study.plot("curvs")


def test_a_study_that_is_not_finished_has_its_runs(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.trained == 3:
            raise KeyboardInterrupt

    db = tmp_path / "my.db"
    options = {"tune": False, "seeds": 2, "epochs": 1, "engine": "loop", "workers": 1}
    with pytest.raises(KeyboardInterrupt):
        lrlab.compare("iris", "Cosine()", db=db, progress=interrupt, **options)
    study = lrlab.load_study(db=db)
    assert not study.is_finished
    assert len(study.runs) == len(study.epochs) == 3
    assert study._repr_html_() is None
    assert "not finished" in repr(study)
    for name in ("answer", "best", "table"):
        with raises(StudyError, study.id, "3 of the 4"):
            getattr(study, name)
