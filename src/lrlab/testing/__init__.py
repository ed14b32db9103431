"""Checks that a schedule, a problem or a training function of your own is what lrlab takes it for.

In a test file of your own::

    import pytest
    from lrlab import testing

    @pytest.mark.parametrize("check", testing.schedule_checks(MyShape(5)), ids=str)
    def test_my_shape(check):
        check()

What fails is an ``AssertionError`` that says the rule, what was found and what to do.
"""

from lrlab.errors import require_extra

with require_extra("lab"):
    from lrlab.testing.check import Check as Check
    from lrlab.testing.functions import check_training as check_training
    from lrlab.testing.functions import list_training_checks as list_training_checks
    from lrlab.testing.problems import check_problem as check_problem
    from lrlab.testing.problems import list_problem_checks as list_problem_checks
    from lrlab.testing.schedules import check_schedule as check_schedule
    from lrlab.testing.schedules import list_schedule_checks as list_schedule_checks
