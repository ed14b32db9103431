"""The lines that `lrlab train` prints."""

import math

from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.problems import load_problem
from lrlab.training import Curve, Epoch, Result, Settings
from lrlab.views.run_log import format_epoch, format_reported_epoch, format_result

ACCURACY, RMSE = load_problem("iris").metric, load_problem("diabetes").metric
EPOCH = Epoch(0, 0.1, 0.0983, 0.5, 0.8776)
VALIDATED = Epoch(1, 0.1, 0.0983, 0.5, 0.8776, 0.4, 0.9)


def test_the_lines(file_regression: FileRegressionFixture) -> None:
    sgd, small = Settings(lr=0.1), Settings(optimizer="adam", lr=0.0005)
    curve = Curve.from_epochs([EPOCH])
    lines = [
        format_epoch(EPOCH, sgd, has_schedule=True, metric=ACCURACY),
        format_epoch(EPOCH, sgd, has_schedule=False, metric=ACCURACY),
        format_epoch(Epoch(0, 5e-4, 4e-4, 0.5, 54.3), small, has_schedule=True, metric=RMSE),
        format_epoch(VALIDATED, sgd, has_schedule=True, metric=ACCURACY),
        format_reported_epoch(EPOCH, ACCURACY),
        format_reported_epoch(Epoch(0, math.nan, math.nan, 0.5, 0.8776), ACCURACY),
        format_result(Result(0.8868, False, curve, 0.0), ACCURACY),
        format_result(Result(54.32, False, curve, 0.0), RMSE),
        format_result(Result(0.0123456, False, curve, 0.0), RMSE),
        format_result(Result(0.5, True, curve, 0.0, 47), ACCURACY),
        format_result(Result(0.5, True, curve, 0.0), ACCURACY),
    ]
    file_regression.check("\n".join(lines), extension=".txt")
