"""A study in a notebook: the same table as the report, with long schedules whole."""

from html import escape

from lrlab import parse
from lrlab.problems import load_problem
from lrlab.studies import BASELINE, Protocol, build_plan
from lrlab.training import Settings
from lrlab.views.answer import write_answer
from lrlab.views.study_html import to_html
from tests.views.factories import make_results, make_study

LONG = parse('Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()')


def test_answer_and_table_are_complete() -> None:
    plan = build_plan(load_problem("iris"), [LONG], Settings(epochs=2), Protocol(6))
    study = make_study(plan, {BASELINE: make_results(0.9), LONG: make_results(0.95, 1)})
    html = to_html(study)
    for line in write_answer(study.comparison).splitlines():
        assert escape(line) in html
    for text in (repr(LONG), repr(BASELINE), "P (better)", "95 % interval on this data", "verdict"):
        assert escape(text, quote=False) in html
    assert html.count("<tr") == 3
    assert plan.id in html
