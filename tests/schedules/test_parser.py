"""Text to schedule and back, errors that show the position, and hostile text."""

import random
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Cosine,
    Custom,
    Formula,
    Linear,
    Schedule,
    Warmup,
    parse,
    to_text,
)
from tests.raising import raises
from tests.schedules.builders import BUILTIN_BUILDERS
from tests.schedules.strategies import make_trees, schedules, unbound_schedules


@given(schedule=st.one_of(schedules, unbound_schedules, make_trees(6)))
def test_text_is_the_python_expression_and_parses_back(schedule: Schedule) -> None:
    assert parse(repr(schedule)) == schedule
    assert eval(repr(schedule), dict(BUILTIN_BUILDERS)) == schedule
    assert to_text(schedule) == repr(schedule)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Linear(1.0,0.5,over=30)", "Linear(1.0, 0.5, over=30)"),
        (" Warmup(5)\n  >>Cosine(45, end=0.01) ", "Warmup(5) >> Cosine(45, end=0.01)"),
        ("Linear(1/3, 1, over=2*5)", "Linear(0.3333333333333333, 1.0, over=10)"),
        ("Cosine('90%')", 'Cosine("90%")'),
        ("Step(every=30)", "Step(30)"),
        ("Cosine(45, end=Absolute(1e-5))", "Cosine(45, end=Absolute(1e-05))"),
        (
            "Exponential(.9).until(30) >> Constant(0.1)",
            "Exponential(0.9).until(30) >> Constant(0.1)",
        ),
        (
            "Exponential(.9).then(Constant(0.1), at=30)",
            "Exponential(0.9).until(30) >> Constant(0.1)",
        ),
        ("0.5*Cosine(3)", "0.5 * Cosine(3)"),
        ("0.1+Cosine(3)*Warmup(2)", "0.1 + Cosine(3) * Warmup(2)"),
        ("(0.1+Cosine(3))*Warmup(2)", "(0.1 + Cosine(3)) * Warmup(2)"),
        ("Warmup(2)>>0.1+Cosine(3)", "Warmup(2) >> 0.1 + Cosine(3)"),
        ("(Warmup(2)>>Cosine(3)).repeat(growth=2)", "(Warmup(2) >> Cosine(3)).repeat(growth=2.0)"),
        ("Cosine(3).clip(low=.1, high=None)", "Cosine(3).clip(0.1)"),
        ("Cosine(3).clip(None, Absolute(.1))", "Cosine(3).clip(None, Absolute(0.1))"),
        ("MultiStep((30, '50%'))", 'MultiStep([30, "50%"])'),
        ("Warmup(3, curve=0.5)", 'Warmup(3, curve="sqrt")'),
        ("Warmup(3).then(Step(4), join='continue')", 'Warmup(3).then(Step(4), join="continue")'),
        ("PiecewiseConstant(at=[3], levels=[1, .5])", "PiecewiseConstant([3], [1.0, 0.5])"),
        ("wsd(5, 10)", "Warmup(5) >> Constant(1.0, over=10) >> Cooldown()"),
        ("Warmup(3, start=None)", "Warmup(3)"),
        ("Linear(--1, 0)", "Linear(1.0, 0.0)"),
    ],
)
def test_parsing(text: str, printed: str) -> None:
    assert repr(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "caret", "mention"),
    [
        ("Liner(1.0, 0.5, over=30)", "^^^^^", "unknown schedule Liner; did you mean Linear?"),
        ("Warmup(5) >> Cosin(3)", "             ^^^^^", "did you mean Cosine?"),
        ("Warmup(5) > Cosine(4)", "^" * 21, "numbers; did you mean >>?"),
        ("WSD(5, 9)", "^^^", "did you mean wsd? `help(lrlab.schedules)` lists all, "),
        ("Something(3)", "^^^^^^^^^", "`import my_schedules`."),
        ("Linear(1, 0, ovr=3)", "             ^^^^^", "no argument ovr; did you mean over?"),
        (
            "Linear(1)",
            "^^^^^^^^^",
            "'end'; its signature is Linear(start, end, *, over=None)",
        ),
        ("Cosine(over=-3)", "^^^^^^^^^^^^^^^", "over must be a non-negative duration"),
        ("Cosine(3", "      ^", "'(' was never closed"),
        ("Cosine(5) >>", "            ^", "syntax error"),
        ("Cosine(10%)", "          ^", 'need quotes: "5ep", "10%".'),
        ("Cosine(5ep)", "       ^", 'need quotes: "5ep", "10%".'),
        ("Cosine(3) - Cosine(4)", "^^^^^^^^^^^^^^^^^^^^^", ">> takes only schedules"),
        ("Cosine(3) >> 4", "^^^^^^^^^^^^^^", ">> takes only schedules"),
        ("Cosine(oops)", "       ^^^^", "oops is not a value"),
        ("Cosine", "^^^^^^", "Cosine needs its arguments"),
        ("Cosine(3).bind(total_steps=4)", "^" * 29, "no .bind()"),
        ("Cosine(1/0)", "       ^^^", "divides by zero"),
        ("Linear(*[1, 2])", "       ^^^^^^^", "only calls, >>, *, + and numbers"),
        ("Linear(**{})", "       ^^^^", "no argument **"),
        ("Cosine([i for i in [1]])", "       ^^^^^^^^^^^^^^^^", "only calls, >>, *, + and numbers"),
        ("Cosine({[1]: 2})", "        ^^^", "a key must be a number or a string"),
        ("Cosine({**{}})", "       ^^^^^^", "only calls, >>, *, + and numbers"),
        ("Custom(3)", "^^^^^^", "use Formula"),
        ("Cosine(3).then(5)", "^^^^^^^^^^^^^^^^^", "other must be a schedule, got 5"),
        ("Cosine(3).then(None)", "^^^^^^^^^^^^^^^^^^^^", "other must be a schedule, got None"),
        ("Cosine(over=5, over=6)", "               ^^^^^^", "Cosine gets over twice"),
        (
            "Linear(1, 0, 30)",
            "^^^^^^^^^^^^^^^^",
            "its signature is Linear(start, end, *, over=None)",
        ),
        ("Cosine(lambda: 3)", "       ^^^^^^^^^", "Python function"),
        ("'é' >> Cosin(3)", "       ^^^^^", "did you mean Cosine?"),
        ("Formula('1 / (1 + q)')", "         ^", "a formula has no variable q"),
    ],
)
def test_errors_point_at_the_position(text: str, caret: str, mention: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse(text)
    lines = str(caught.value).split("\n")
    assert len(lines) == 2
    assert lines[1].startswith(caret + " ")
    assert mention in lines[1]


@pytest.mark.parametrize(
    "text", ["3", "'a'", "Absolute(1)", "None", "[Cosine(3)]", "1 + 2", "Cosine(3), Cosine(4)"]
)
def test_other_values_are_refused(text: str) -> None:
    with raises(ScheduleError, "must be one schedule", f"got {text}"):
        parse(text)


@pytest.mark.parametrize("text", ["", "  \n", None, 3, b"Cosine(3)"])
def test_empty_text_and_other_types_are_refused(text: object) -> None:
    with raises(ScheduleError, "the text of a schedule must"):
        parse(text)


def test_only_schedules_have_a_text() -> None:
    with raises(ScheduleError, "only a schedule", "got 3"):
        to_text(3)


def test_a_python_function_has_no_text() -> None:
    schedule = Warmup(5) >> Linear(1, 0, over=3) * Custom(lambda t: 1.0)
    assert "Custom(" in repr(schedule)
    with raises(ScheduleError, "Custom(", "text", "Formula("):
        to_text(schedule)


HOSTILE = [
    "(" * 10_000 + ")" * 10_000,
    "(" * 40 + "Cosine(3)" + ")" * 40,
    "-" * 4_999 + "1",
    "9**9**9**9",
    "9" * 4_000,
    "Cosine(" + "9" * 4_500 + ")",
    "Cosine(1e400)",
    "Constant(1" + "0" * 400 + ")",
    "Cosine(1" + "0" * 400 + ")",
    "Formula('1" + "0" * 400 + "')",
    "Cosine(" + "9" * 300 + " * " + "9" * 300 + ")",
    "Cosine(3).then(3)",
    "Formula('1 # \"x')",
    "Formula('t" + "**t" * 300 + "')",
    "Formula('" + "-" * 500 + "t')",
    "Cosine(3)" + " * Cosine(3)" * 350,
    "Cosine(3)" + " + Cosine(3)" * 350,
    "Warmup(3) >> " * 700 + "Cosine(3)",
    "Cosine(3).until(3) * " * 220 + "Cosine(3)",
    "(Cosine(3) + Cosine(2)) * " * 180 + "Cosine(3)",
    "Cosine(3)" + ".stretch(2)" * 90,
    "Cosine(3)" + ".stretch(2)" * 900,
    "Cosine('1%')" + ".repeat(3)" * 90,
    "(Cosine(3) >> " * 45 + "Cosine(3)" + ").repeat(2)" * 45,
    "Cosine(3)" + ".then(Cosine(3), join='continue')" * 90,
    "MultiStep([" + "1," * 2_400 + "])",
    "PiecewiseInterpolate([" + "1," * 1_200 + "], [" + "1," * 1_200 + "])",
    "restarts([" + "9," * 2_400 + "9])",
    "Cosine(" + "a=1," * 1_200 + ")",
    "Cosin" * 990,
    "torch." * 800,
    "Chebyshev(1048576, 3).repeat()",
    "9**9**9 * Cosine(3)",
    "Cosine(3).cumprod().cumprod()",
    "Formula('t" + " + t" * 1_200 + "')",
    "Cosine(3)" + " >> Cosine(3)" * 350,
    "Cosine(3)" * 500,
    "A" * 1_000_000,
    "Formula('" + "exp(" * 60 + "t" + ")" * 60 + "')",
    "Formula('9**9**9**9**t')",
    "Formula('" + "t**" * 1_500 + "t')",
    "__import__('os').system('true')",
    "().__class__.__base__.__subclasses__()",
    "Cosine.__init__.__globals__",
    "Formula('t.__class__')",
    "Formula('__import__(\"os\")')",
    "Cosine(3).__class__(4)",
    "(lambda: Cosine(3))()",
    "f'{Cosine(3)}'",
    "Cosine(x := 3)",
    "Cosine(3) if 1 else 2",
    "\0Cosine(3)",
    "Cosine(3)\\",
    "'" * 4_999,
    "\ud800",
    "Cosine(3j)",
    "Cosine(...)",
    "import os",
    "a;b",
    "await x",
    "yield",
]


def _check_parse_result(text: str) -> None:
    """Check that ``parse`` returns a schedule or raises a short ScheduleError."""
    try:
        result: object = parse(text)
    except ScheduleError as error:
        result = error
    assert isinstance(result, Schedule) or len(str(result)) < 2_000


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gives_a_schedule_or_an_error_quickly(text: str) -> None:
    tracemalloc.start()
    try:
        _check_parse_result(text)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    # CPU time of this process, and the shortest of five, so that a busy machine does not fail it.
    assert min(_measure_cpu_seconds(text) for _ in range(5)) < 0.05


def _measure_cpu_seconds(text: str) -> float:
    started = time.process_time()
    _check_parse_result(text)
    return time.process_time() - started


def test_mutated_text_gives_a_schedule_or_an_error() -> None:
    random_numbers = random.Random(0)
    seeds = [
        "Warmup(5) >> Cosine(45, end=0.01)",
        '0.5 * Linear(1.0, 0.5, over="10%").until(30) >> Step(3)',
        'Formula("min(1, exp(-t / 3)) * (p < 0.5)", over=30)',
        "Exponential(.9).then(Constant(0.1), at=30) * Warmup(5)",
        "(Warmup(2, curve='sqrt') + 0.1).repeat(3, growth=2).clip(0.1, Absolute(1e-3)).shift(-3)",
        "MultiStep([30, '50%'], 0.1).staircase('1ep').affine(-1, 0.9).stretch(2)",
        "torch.OneCycleLR(max_lr=0.1, total_steps=100) >> wsd(5, 10)",
    ]
    alphabet = "()[]{}.,*+-/<>=!\"'_ \\\n\t0123456789eEpjt%abcWxyz:@#~é"
    for _ in range(5_000):
        text = list(random_numbers.choice(seeds))
        for _ in range(random_numbers.randint(1, 8)):
            position = random_numbers.randrange(len(text) + 1)
            piece = random_numbers.choice([random_numbers.choice(alphabet), "9" * 400, *seeds])
            text[position : position + random_numbers.randint(0, 3)] = piece
        _check_parse_result("".join(text))


@given(text=st.text(max_size=200))
def test_any_text_gives_a_schedule_or_an_error(text: str) -> None:
    _check_parse_result(text)


def test_long_and_deep_text_is_parsed() -> None:
    schedule: Schedule = Cosine(3)
    for _ in range(350):
        schedule = Cosine(3) >> schedule
    assert parse(to_text(schedule)) == schedule
    with raises(ScheduleError, "at most 5000 characters"):
        to_text(schedule >> schedule)
    assert parse('Formula("' + "(" * 45 + "t" + ")" * 45 + '")') == Formula(
        "(" * 45 + "t" + ")" * 45
    )


def test_to_text_refuses_text_that_parse_would_refuse() -> None:
    schedule: Schedule = Cosine(3)
    for _ in range(95):
        schedule = schedule.stretch(2)
    assert parse(to_text(schedule)) == schedule
    for _ in range(95):
        schedule = schedule.stretch(2)
    with raises(ScheduleError, "at most 200 operators deep"):
        to_text(schedule)
