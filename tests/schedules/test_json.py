"""Schedules to JSON and back, and hostile JSON."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Cosine,
    Custom,
    Greedy,
    MultiStep,
    Plateau,
    Absolute,
    Schedule,
    Warmup,
    from_json,
    to_json,
)
from tests.schedules.strategies import planned, schedules, trees


@given(schedule=st.one_of(schedules, planned, trees(6)))
def test_json_reads_back(schedule: Schedule) -> None:
    assert from_json(to_json(schedule)) == schedule
    assert from_json(to_json(schedule, indent=2)) == schedule


@pytest.mark.parametrize(
    "schedule",
    [
        Warmup("10%") >> Cosine(end=Absolute(1e-5)),
        (Warmup("2ep") * Plateau(0.5, at_patience=True, eps=Absolute(1e-8))).shift("1ep"),
        Greedy(0.9, patience=2).until("50%").then(Cosine(), join="continue"),
    ],
)
def test_units_rates_and_flags_read_back(schedule: Schedule) -> None:
    assert from_json(to_json(schedule)) == schedule


def test_defaults_may_be_left_out_and_are_written() -> None:
    assert json.loads(to_json(Cosine(45, end=0.01))) == {
        "type": "Cosine",
        "over": 45,
        "start": 1.0,
        "end": 0.01,
        "power": 1.0,
        "k": 1.0,
    }
    assert from_json('{"type": "Cosine", "over": 45, "end": 0.01}') == Cosine(45, end=0.01)


def test_a_python_function_has_no_json() -> None:
    with pytest.raises(ScheduleError, match=r"cannot be written as text.*Formula"):
        to_json(Warmup(5) * Custom(lambda t: 1.0))
    with pytest.raises(ScheduleError, match="type must be that of a schedule, got 'Custom'"):
        from_json('{"type": "Custom", "function": "os.system"}')


def test_json_that_could_not_be_read_back_is_not_written() -> None:
    schedule: Schedule = Cosine(3)
    for _ in range(99):
        schedule = schedule.stretch(2)
    assert from_json(to_json(schedule)) == schedule
    with pytest.raises(ScheduleError, match="nested at most 100 deep"):
        to_json(schedule.stretch(2).stretch(2))
    with pytest.raises(ScheduleError, match="at most 100000 characters"):
        to_json(MultiStep(range(50_000)))


COSINE = '{"type": "Cosine", "over": 3}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read: Expecting value: line 1 column 1"),
        ('{"type": "Cosine"', "cannot be read: Expecting ',' delimiter"),
        ("3", "must be an object such as"),
        ("[]", "must be an object such as"),
        ('{"type": "Rate", "value": 0.1}', "must be an object such as"),
        ("{}", r"at \$: type must be that of a schedule, got None; known are Affine, "),
        ('{"type": "Cosin"}', r"at \$: type must .* got 'Cosin'; did you mean Cosine\?"),
        ('{"type": ["Cosine"]}', "type must be that of a schedule"),
        ('{"type": "Shape"}', "type must be that of a schedule"),
        ('{"type": "Cosine", "ovr": 3}', r"at \$: Cosine has no argument ovr; did you mean over"),
        ('{"type": "Step"}', r"at \$: Step needs every\."),
        ('{"type": "Cosine", "over": -3}', r"at \$: Cosine: over must be a duration .* got -3"),
        ('{"type": "Cosine", "over": NaN}', r"at \$: Cosine: over must be a duration .* got nan"),
        (f'{{"type": "Sequence", "schedules": [{COSINE}, NaN]}}', "needs two schedules or more"),
        ('{"type": "Cosine", "over": 1e999}', "over must be a duration"),
        ('{"type": "Cosine", "over": {"over": 3}}', r"at \$.over: type must be"),
        ('{"type": "Cosine", "over": 3, "over": 4}', "must name each argument once"),
        (f'{{"type": "Sequence", "schedules": [{COSINE}, 3]}}', "needs two schedules or more"),
        (
            f'{{"type": "Sequence", "schedules": [{COSINE}, {{"type": "Step"}}]}}',
            r"at \$\.schedules\[1\]: Step needs every",
        ),
        ('{"type": "Until", "schedule": 3, "at": 3}', "schedule must be a schedule, got 3"),
        ('{"type": "Sequence", "schedules": 3}', "needs two schedules or more"),
        (b"{}", "must be text of at most"),
        (" " * 200_000, "must be text of at most"),
        ("[" * 50_000, "too deep or too large"),
        ('{"type": "Cosine", "over": ' + "9" * 50_000 + "}", "too deep or too large"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "too deep or too large|nested at most"),
        ("[" * 500 + "]" * 500, "nested at most 100 deep"),
    ],
)
def test_errors_name_the_place(text: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        from_json(text)


def test_mutated_json_ends_in_a_schedule_or_an_error() -> None:
    random_numbers = random.Random(0)
    seed = to_json((Warmup(5) >> Cosine(45, end=Absolute(0.01))).repeat(2) + 0.5)
    alphabet = '{}[]:,"0123456789.eE+-truefalsn \\ué'
    for _ in range(3_000):
        text = list(seed)
        for _ in range(random_numbers.randint(1, 6)):
            place = random_numbers.randrange(len(text) + 1)
            text[place : place + random_numbers.randint(0, 3)] = random_numbers.choice(alphabet)
        try:
            ended: object = from_json("".join(text))
        except ScheduleError as error:
            ended = error
        assert isinstance(ended, Schedule) or len(str(ended)) < 2_000
