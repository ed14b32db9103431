"""Numbers are written alike, and as people read them."""

import pytest

from lrlab.views.answer import NumberFormat
from tests.studies.statistics.making import ACCURACY, RMSE


@pytest.mark.parametrize(
    ("scores", "metric", "written"),
    [
        ([0.9731, 0.88], ACCURACY, ("97.3 %", "+2.50", "2.50 points", "-1.00 … +2.00")),
        ([54.321, 123.4], RMSE, ("0.97", "+0.03", "0.03", "-0.01 … +0.02")),
        ([1.25e-10], RMSE, ("9.731e-01", "+2.500e-02", "2.500e-02", "-1.000e-02 … +2.000e-02")),
        ([0.0], RMSE, ("0.9731", "+0.0250", "0.0250", "-0.0100 … +0.0200")),
    ],
)
def test_all_in_the_style_of_the_smallest_score(
    scores: list[float], metric: object, written: tuple[str, ...]
) -> None:
    style = NumberFormat.from_scores(scores, metric)
    found = (
        style.format_score(0.9731),
        style.format_difference(0.025),
        style.format_amount(0.025),
        style.format_interval(-0.01, 0.02),
    )
    assert found == written
    assert style.format_interval(None, None) == style.format_sd(None) == "-"
