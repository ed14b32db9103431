"""The linter finds the mistake and nothing else."""

from lrlab.schedules import Constant, Custom, Formula, Warmup, lint


def test_a_base_rate_applied_twice() -> None:
    for schedule in (
        Formula("0.1/(1+0.01*t)"),
        Custom(lambda t: 0.1 / (1 + 0.01 * t)),
        Warmup(5) >> Formula("0.1 - 0.001*t"),
        (Warmup(5) >> Formula("0.1*(1 - p)")).bind(total=50),
        Formula("0.1 * min(1, (t + 1) / 5)"),
        Warmup(5) * Formula("0.1/(1+0.01*t)"),
    ):
        (finding,) = lint(schedule, base=0.1)
        assert "the base rate is applied twice" in finding
        assert "the rate peaks at 0.1 * 0.1 = 0.01" in finding


def test_right_schedules_pass() -> None:
    for schedule in (
        Formula("1/(1+0.01*t)"),
        Constant(0.1),
        Custom(lambda t: 0.5),
        10 * Formula("0.1/(1+t)"),
        Formula("1/t"),
    ):
        assert lint(schedule, base=0.1) == ()
    assert lint(Formula("1/(1+0.01*t)"), base=1.0) == ()
