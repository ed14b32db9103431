"""Checks for users' own test suites: is your schedule, problem or training function correct?

In your test file::

    import pytest
    from lrlab import testing

    @pytest.mark.parametrize("check", testing.list_schedule_checks(MySchedule(5)), ids=str)
    def test_my_schedule(check):
        check()

A check that fails raises an ``AssertionError`` with the rule, the value found and the remedy.
"""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import zip_longest
from math import isfinite
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.dialects import parse as parse_text
from lrlab.errors import (
    LrlabError,
    ProblemError,
    ScheduleError,
    TrainingError,
    shorten_repr,
)
from lrlab.problems import AnySplit, Problem, TrainingFunction, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.problems.split import Batch
from lrlab.schedules import Constant, Primitive, Schedule, to_text
from lrlab.schedules.core import get_field_specs, is_builtin
from lrlab.schedules.durations import Horizon
from lrlab.training import Curve, Result, Run, Settings, loop
from lrlab.training import train as train_run
from lrlab.training.engines import EnsembleEngine, LoopEngine
from lrlab.training.result import EPOCH_COLUMNS
from lrlab.user_code import describe_error, locate_error

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Check:
    """A check to call; it raises an AssertionError if it fails.

    Args:
        name: the rule in a few words; also what ``str`` returns, for pytest's ``ids=str``.
        function: raises an AssertionError if the rule is broken.

    >>> check = Check("is positive", lambda: None)
    >>> check()
    >>> str(check)
    'is positive'
    """

    name: str
    function: Callable[[], None]

    def __call__(self) -> None:
        try:
            self.function()
        except AssertionError:
            raise
        except LrlabError as error:
            raise AssertionError(f"{self.name}: {error}") from error
        except Exception as error:
            raise AssertionError(
                f"{self.name}: user code must not fail, but {locate_error(error)} did; "
                f"{describe_error(error)}."
            ) from error

    def __str__(self) -> str:
        return self.name


def _make_checks(rules: Mapping[str, Callable[[Subject], None]], subject: Subject) -> list[Check]:
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def _run_checks(checks: Sequence[Check]) -> None:
    for check in checks:
        check()


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _check_pickles(value: object) -> None:
    _copy_by_pickling(value, "problem")


def _copy_by_pickling(value: object, kind: str) -> object:
    try:
        return pickle.loads(pickle.dumps(value))
    except Exception as error:
        raise AssertionError(
            f"a {kind} must be picklable to reach worker processes, but {error}; define its "
            "functions and classes at the top of a module."
        ) from error


# Schedules

_BASE_LR = 0.1


@dataclass(frozen=True)
class _ScheduleSubject:
    """A schedule to check, and the length of the training that it is bound to."""

    schedule: Schedule
    total_steps: int
    steps_per_epoch: int

    def bind(self) -> Schedule:
        return self.schedule.bind(
            total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch
        )

    def make_steps(self) -> NDArray[np.float64]:
        """Return whole steps from 0 to past the end, and fractional ones between them."""
        whole = np.arange(self.total_steps + 2, dtype=np.float64)
        return np.concatenate([whole, whole + 0.387])


def check_schedule(
    schedule: Schedule | str, total_steps: int = 100, steps_per_epoch: int = 10
) -> None:
    """Run all checks of a schedule, see ``list_schedule_checks``.

    Raises:
        AssertionError: a check fails.
        ScheduleError: ``schedule`` is neither a schedule nor its text.
    """
    _run_checks(list_schedule_checks(schedule, total_steps, steps_per_epoch))


def list_schedule_checks(
    schedule: Schedule | str, total_steps: int = 100, steps_per_epoch: int = 10
) -> list[Check]:
    """List the checks of a schedule, each to be called.

    Args:
        schedule: a primitive of your own, a composition, or its text.
        total_steps: steps of the training that the checks bind it to.
        steps_per_epoch: steps per epoch of that training.

    Raises:
        ScheduleError: ``schedule`` is neither a schedule nor its text.

    >>> from lrlab import Cosine, Warmup
    >>> for check in list_schedule_checks(Warmup(5) >> Cosine())[:3]:
    ...     check()
    ...     print(check)
    binds to a training
    has the same bits for numbers and arrays
    does not depend on the order of steps
    """
    checked = parse_text(schedule) if isinstance(schedule, str) else schedule
    if not isinstance(checked, Schedule):
        raise ScheduleError(
            f"schedule must be a schedule or its text, got {shorten_repr(checked)}; such as "
            'Cosine(5) or "Cosine(5)".'
        )
    subject = _ScheduleSubject(checked, total_steps, steps_per_epoch)
    rules: dict[str, Callable[[_ScheduleSubject], None]] = {
        "binds to a training": _check_binding,
        "has the same bits for numbers and arrays": _check_scalar_and_array_agree,
        "does not depend on the order of steps": _check_order_independent,
        "is finite and not negative": _check_finite_and_not_negative,
        "holds its last value past its end": _check_held_past_end,
        "has a rate if its duration is 0": _check_duration_of_zero,
        "is relative if is_relative says so": _check_is_relative,
        "cannot be changed": _check_immutable,
        "equals its pickled copy": _check_pickled_copy_is_equal,
        "parses back from its text": _check_text_round_trip,
        "updates its state without side effects": _check_metric_updates,
        "has gallery examples that can be drawn": _check_gallery_examples,
    }
    # NumPy's warnings are silent: a check names the step whose rate is not finite.
    quiet_rules = {name: np.errstate(all="ignore")(rule) for name, rule in rules.items()}
    return _make_checks(quiet_rules, subject)


def _check_binding(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    rebound = bound.bind(total_steps=7, steps_per_epoch=3)
    _require(
        rebound == bound,
        f"binding a bound schedule must not change it, but {bound} becomes {rebound}; convert "
        "every duration to steps in bind_to_horizon().",
    )
    bound(0, base=_BASE_LR)


def _check_scalar_and_array_agree(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    array_rates = bound(steps, base=_BASE_LR)
    scalar_rates = np.array([bound(float(t), base=_BASE_LR) for t in steps])
    wrong = _find_differences(array_rates, scalar_rates)
    if len(wrong):
        i = wrong[0]
        raise AssertionError(
            "a step must have the same rate as a number and in an array, but at t = "
            f"{steps[i]:g} it is {scalar_rates[i]!r} as a number and {array_rates[i]!r} in an "
            f"array of {len(steps)}; let evaluate() compute each step separately, with NumPy's "
            "functions."
        )


def _check_order_independent(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    rates = bound(steps, base=_BASE_LR)
    reversed_rates = bound(steps[::-1], base=_BASE_LR)[::-1]
    bound(steps, base=0.7)
    repeated_rates = bound(steps, base=_BASE_LR)
    for other_rates, how in ((reversed_rates, "in reverse order"), (repeated_rates, "once more")):
        wrong = _find_differences(rates, other_rates)
        if len(wrong):
            i = wrong[0]
            raise AssertionError(
                f"a rate must depend on its step alone, but at t = {steps[i]:g} it is "
                f"{rates[i]:g}, and {other_rates[i]:g} if evaluated {how}; store nothing between "
                "calls."
            )


def _find_differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where two arrays differ; NaN, which another check reports, equals NaN."""
    return np.flatnonzero((first != second) & ~(np.isnan(first) & np.isnan(second)))


def _check_finite_and_not_negative(subject: _ScheduleSubject) -> None:
    steps = subject.make_steps()
    rates = subject.bind()(steps, base=_BASE_LR)
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(wrong):
        raise AssertionError(
            f"a rate must be finite and at least 0, but at t = {steps[wrong[0]]:g} it is "
            f"{rates[wrong[0]]:g}; correct evaluate() there, or .clip(0, 1) the schedule."
        )


def _check_held_past_end(subject: _ScheduleSubject) -> None:
    for part in subject.bind().walk():
        end = part.compute_length(Horizon())
        if not isinstance(part, Primitive) or not isfinite(end):
            continue
        later = end + np.concatenate([subject.make_steps(), [1000 * (end + 1)]])
        last_rate, later_rates = part(end, base=_BASE_LR), part(later, base=_BASE_LR)
        wrong = np.flatnonzero(
            ~np.isclose(later_rates, last_rate, rtol=1e-9, atol=1e-12, equal_nan=True)
        )
        if len(wrong):
            raise AssertionError(
                f"past its end a schedule must hold its last value, but {part} is {last_rate:g} at "
                f"its end, t = {end:g}, and {later_rates[wrong[0]]:g} at t = {later[wrong[0]]:g}; "
                "compute it from self.compute_progress(t), which stays at 1."
            )


def _check_duration_of_zero(subject: _ScheduleSubject) -> None:
    for part in subject.bind().walk():
        if not isinstance(part, Primitive) or "over" not in get_field_specs(type(part)):
            continue
        try:
            instant = part.replace(over=0)
        except ScheduleError:  # its rule says that 0 is no duration of it
            continue
        rates = instant([0.0, 1.0, 2.5], base=_BASE_LR)
        _require(
            bool(np.isfinite(rates).all()),
            f"a duration may round to 0 steps, but {instant} is {rates[0]:g} at t = 0; compute it "
            "from self.compute_progress(t), which is 1 then.",
        )


def _check_is_relative(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    if bound.is_relative:
        _require(
            bool(
                np.allclose(
                    bound(steps, base=0.3), 0.3 * bound(steps), rtol=1e-12, atol=0, equal_nan=True
                )
            ),
            f"a relative schedule is the base rate times a factor, but {bound} at base 0.3 is not "
            "0.3 times its value at base 1; let `is_relative` be False, or multiply by `base`.",
        )


def _check_immutable(subject: _ScheduleSubject) -> None:
    for part in subject.schedule.walk():
        names = [f.name for f in fields(part)] if is_dataclass(part) else list(vars(part))
        for name in names:
            try:
                setattr(part, name, getattr(part, name))
            except FrozenInstanceError:
                continue
            raise AssertionError(
                f"a schedule must be immutable, but {type(part).__name__}.{name} can be set; "
                "make its class a @dataclass(frozen=True, repr=False)."
            )


def _check_pickled_copy_is_equal(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    subject.bind()(0, base=_BASE_LR)  # must not change the schedule
    copy = _copy_by_pickling(schedule, "schedule")
    for function, is_same in (
        ("==", copy == schedule),
        ("hash", hash(copy) == hash(schedule)),
        ("repr", repr(copy) == repr(schedule)),
    ):
        _require(
            is_same,
            f"a schedule must equal its pickled copy, but {schedule!r} differs by {function}; make "
            "its class a frozen dataclass whose fields are plain values.",
        )


def _check_text_round_trip(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    try:
        text = to_text(schedule)
    except ScheduleError:  # the schedule contains a Python function, which has no text
        return
    parsed = parse_text(text)
    _require(
        parsed == schedule,
        f"a schedule must equal what its text parses to, but {text} parses to {parsed!r}; let "
        "repr() print every field that differs from its default.",
    )


def _check_metric_updates(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    if not bound.needs_metric:
        return
    state = bound.init_state()
    for t, metric in enumerate((0.9, 0.5, 0.7, 0.7, 0.7)):
        new_state = bound.update_state(state, t, metric, base=_BASE_LR)
        second_state = bound.update_state(state, t, metric, base=_BASE_LR)
        _require(
            new_state == second_state,
            f"update_state() must be pure, but at t = {t} a metric of {metric} gives {new_state} "
            f"and then {second_state} from the same state; store everything in the state.",
        )
        rate = bound.with_state(new_state)(t + 1, base=_BASE_LR)
        _require(
            bool(np.isfinite(rate) and rate >= 0),
            f"a rate must be finite and at least 0, but after a metric of {metric} it is {rate}; "
            "correct what apply_state() makes of the state.",
        )
        state = new_state


def _check_gallery_examples(subject: _ScheduleSubject) -> None:
    for part_class in {type(part) for part in subject.schedule.walk()}:
        example = vars(part_class).get("gallery_example", "")
        if example and not is_builtin(part_class):
            try:
                bound = parse_text(example).bind(total_steps=100, steps_per_epoch=10)
                bound(np.arange(100), base=_BASE_LR)
            except ScheduleError as error:
                raise AssertionError(
                    f"{part_class.__name__}.gallery_example must be the text of a schedule for 100 "
                    f"steps, but {example!r} is not; {error}"
                ) from None


# Problems

_BATCH_ROWS, _TRAINING_STEPS = 32, 30


def check_problem(problem: Problem) -> None:
    """Run all checks of a problem, see ``list_problem_checks``.

    Raises:
        AssertionError: a check fails.
        ProblemError: ``problem`` is not a ``Problem``.
    """
    _run_checks(list_problem_checks(problem))


def list_problem_checks(problem: Problem) -> list[Check]:
    """List the checks of a problem, each to be called.

    They train for a few steps, and twice over all rows. Test rows with the same content as training
    rows count as training rows; up to half of them may, because rows may recur in the data.

    Args:
        problem: a problem of your own.

    Raises:
        ProblemError: ``problem`` is not a ``Problem``.
    """
    if not isinstance(problem, Problem):
        raise ProblemError(
            f"problem must be a Problem, got {shorten_repr(problem)}; check a training function "
            "with check_training."
        )
    rules: dict[str, Callable[[Problem], None]] = {
        "can be sent to other processes": _check_pickles,
        "a seed fixes the split": _check_split_repeats,
        "seeds draw test rows as test_train_ratio says": _check_splits_differ,
        "a seed fixes the initial weights": _check_initial_weights,
        "test rows are not training rows": _check_no_leak,
        "train_rows is the number of training rows": _check_row_counts,
        "the loss has a gradient": _check_loss,
        "the metric has the stated direction": _check_metric_direction,
        "the dummy score is finite": _check_dummy_score,
        "the ensemble agrees with the loop, or refuses": _check_engines_agree,
    }
    return _make_checks(rules, problem)


def _check_split_repeats(problem: Problem) -> None:
    _require(
        _have_same_rows(problem.split(0), problem.split(0)),
        "a seed must give the same split each time, but two splits of seed 0 differ; draw rows "
        "with np.random.default_rng(seed) and nothing else.",
    )


def _check_splits_differ(problem: Problem) -> None:
    first, second = problem.split(0), problem.split(1)
    if problem.test_train_ratio is None:
        _require(
            _are_same_batches(_iter_test_rows(first), _iter_test_rows(second)),
            "test_train_ratio=None means that all seeds have the same test rows, but those of "
            "seeds 0 and 1 differ; set test_train_ratio to test rows / training rows.",
        )
    else:
        _require(
            not _have_same_rows(first, second),
            f"test_train_ratio={problem.test_train_ratio:g} means that every seed draws its own "
            "test rows, but those of seeds 0 and 1 are the same; draw them by the seed, or set "
            "test_train_ratio=None.",
        )
        ratio = first.test_rows / first.train_rows
        _require(
            abs(problem.test_train_ratio - ratio) < 0.01,
            f"test_train_ratio must be test rows / training rows, {ratio:.3g} here, got "
            f"{problem.test_train_ratio:.3g}; the intervals for new data depend on it.",
        )


def _check_initial_weights(problem: Problem) -> None:
    first, repeated, other = (
        loop.init_model(problem, derive_seeds(seed).weights) for seed in (0, 0, 1)
    )
    weights = list(zip(first.parameters(), repeated.parameters(), other.parameters(), strict=True))
    _require(
        all(torch.equal(a, b) for a, b, _ in weights),
        "a seed must give the same initial weights each time, but two networks of seed 0 differ; "
        "draw them from torch's random numbers alone.",
    )
    _require(
        not all(torch.equal(a, c) for a, _, c in weights),
        "another seed must give other initial weights, but those of seeds 0 and 1 are the same; "
        "build a new network in model(), and do not seed random numbers there.",
    )


def _check_no_leak(problem: Problem) -> None:
    split = problem.split(0)
    train_rows = {row for batch in _iter_train_rows(split) for row in _hash_rows(*batch)}
    test_rows = [row for batch in _iter_test_rows(split) for row in _hash_rows(*batch)]
    leaked = sum(row in train_rows for row in test_rows)
    _require(
        leaked <= len(test_rows) / 2,
        f"test rows must not be training rows, but {leaked} of {len(test_rows)} are; put each row "
        "into one part only.",
    )


def _check_row_counts(problem: Problem) -> None:
    for seed in (0, 1):
        split = problem.split(seed)
        _require(
            split.train_rows == len(split.y_train) == problem.train_rows,
            "train_rows must be the number of training rows for every seed, but it is "
            f"{problem.train_rows} and seed {seed} has {split.train_rows} rows and "
            f"{len(split.y_train)} targets.",
        )
        _require(
            split.test_rows == len(split.y_test) > 0,
            f"every test row needs a target, but seed {seed} has {split.test_rows} rows and "
            f"{len(split.y_test)} targets.",
        )


def _check_loss(problem: Problem) -> None:
    x, y = next(problem.split(0).iter_train_batches(_BATCH_ROWS, None, epoch=0))
    network = loop.init_model(problem, derive_seeds(0).weights)
    loss = problem.task.loss(network(x), y)
    _require(
        loss.dim() == 0 and bool(loss.isfinite()),
        f"the loss must be one finite number, got {loss}; scale the data, and take the mean over "
        "the rows.",
    )
    loss.backward()
    _require(
        any(p.grad is not None and bool(p.grad.any()) for p in network.parameters()),
        "the loss must have a gradient with respect to some weight, but all are 0; compute it from "
        "the outputs with torch's functions.",
    )


def _check_metric_direction(problem: Problem) -> None:
    x_test, y_test = next(problem.split(0).iter_test_batches(_BATCH_ROWS))
    x, y, metric = x_test[:_BATCH_ROWS], y_test[:_BATCH_ROWS], problem.metric
    scores = []
    for sign in (1, -1):
        with fork_seeded_rng(0):
            network = problem.model()
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(_TRAINING_STEPS):
            optimizer.zero_grad()
            (sign * problem.task.loss(network(x), y)).backward()
            optimizer.step()
        with torch.no_grad():
            scores.append(float(metric.fn(network.eval()(x), y)))
    good, bad = scores
    _require(
        good > bad if metric.greater_is_better else good < bad,
        f"greater_is_better={metric.greater_is_better} must be the direction of {metric.name}, but "
        f"a network trained on {len(x)} rows scores {good:.4g} on them, and one trained to "
        f"maximize the loss {bad:.4g}; change greater_is_better, or correct the metric's function.",
    )


def _check_dummy_score(problem: Problem) -> None:
    score = loop.compute_dummy_scores(problem, problem.split(0)).test
    _require(
        isfinite(score),
        f"diverged runs get the score of a constant predictor, which must be finite, got {score}; "
        "correct the metric's function or task.dummy_output.",
    )


def _check_engines_agree(problem: Problem) -> None:
    settings = Settings(lr=1e-3, epochs=2, batch_size=max(1, problem.train_rows // 4))
    runs = [Run(None, settings, seed) for seed in (0, 1)]
    try:
        ensemble_results = EnsembleEngine().train(problem, runs)
    except TrainingError:  # the ensemble refuses the problem
        return
    loop_results = LoopEngine().train(problem, runs)
    for run, ensemble_result, loop_result in zip(runs, ensemble_results, loop_results, strict=True):
        _require(
            _results_agree(ensemble_result, loop_result),
            f"ensemble and loop must give the same numbers, but with seed {run.seed} their losses "
            f"are {_describe_last_loss(ensemble_result)} and {_describe_last_loss(loop_result)}; "
            "the network keeps state outside its parameters and buffers: use the loop "
            '(`engine="loop"`).',
        )


def _results_agree(ensemble_result: Result, loop_result: Result) -> bool:
    if ensemble_result.diverged or loop_result.diverged:
        return ensemble_result.diverged == loop_result.diverged
    return np.allclose(
        ensemble_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3
    )


def _describe_last_loss(result: Result) -> str:
    return "diverged" if result.diverged else f"{result.curve[-1].loss:.6g}"


def _have_same_rows(first: AnySplit, second: AnySplit) -> bool:
    return all(
        _are_same_batches(iter_rows(first), iter_rows(second))
        for iter_rows in (_iter_train_rows, _iter_test_rows)
    )


def _are_same_batches(first: Iterator[Batch], second: Iterator[Batch]) -> bool:
    return all(
        a is not None and b is not None and all(map(torch.equal, a, b))
        for a, b in zip_longest(first, second)
    )


def _iter_train_rows(split: AnySplit) -> Iterator[Batch]:
    return split.iter_train_batches(_BATCH_ROWS, None, epoch=0)


def _iter_test_rows(split: AnySplit) -> Iterator[Batch]:
    return split.iter_test_batches(_BATCH_ROWS)


def _hash_rows(x: Tensor, y: Tensor) -> list[bytes]:
    """Return a hash of every row with its target."""
    pairs = zip(x.flatten(1) if x.dim() > 1 else x, y, strict=True)
    return [blake2b(a.numpy().tobytes() + b.numpy().tobytes()).digest() for a, b in pairs]


# Training functions

_DEFAULT_SETTINGS = Settings(epochs=2)
_CONSTANT_RATE = Constant(1.0)


@dataclass(frozen=True)
class _TrainingSubject:
    """A training function, and the settings of the runs that check it."""

    problem: TrainingFunction
    settings: Settings

    def train_run(
        self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any
    ) -> Result:
        run = Run(schedule, replace(self.settings, **changes), seed)
        return train_run(self.problem, run)

    def train_curve(
        self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any
    ) -> Curve:
        return self.train_run(schedule, seed, **changes).curve


def check_training(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> None:
    """Run all checks of a training function, see ``list_training_checks``.

    Raises:
        AssertionError: a check fails.
        TrainingError: the options do not suit the function.
    """
    _run_checks(list_training_checks(train, settings, **options))


def list_training_checks(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> list[Check]:
    """List the checks of a training function, each to be called; most train one or two runs.

    Args:
        train: a plain function or a ``TrainingFunction``.
        settings: settings of the runs; by default two epochs at the tutorial's settings.
        **options: arguments of ``TrainingFunction`` for a plain function, such as ``metric``.

    Raises:
        TrainingError: the options do not suit the function.
    """
    problem = train if isinstance(train, TrainingFunction) else TrainingFunction(train, **options)
    rules: dict[str, Callable[[_TrainingSubject], None]] = {
        "trains and reports every epoch": _check_reports,
        "can be sent to other processes": lambda subject: _check_pickles(subject.problem),
        "gives the same numbers for the same run": _check_repeatable,
        "gives other numbers for another seed": _check_follows_seed,
        "follows the schedule": _check_follows_schedule,
        "follows the learning rate": _check_follows_lr,
        "trains run.epochs epochs": _check_follows_epochs,
        "does not train on validation rows": _check_validation_rows,
    }
    return _make_checks(rules, _TrainingSubject(problem, settings))


def _check_reports(subject: _TrainingSubject) -> None:
    _require(
        not subject.train_run().diverged,
        f"the checks need a run that does not diverge, but the run at lr={subject.settings.lr:g} "
        "did; give settings=Settings(lr=...) with a lower rate.",
    )


def _check_repeatable(subject: _TrainingSubject) -> None:
    first, second = subject.train_curve(), subject.train_curve()
    _require(
        first == second,
        f"the same run must give the same numbers, but {_describe_difference(first, second)} of "
        "two runs of seed 0 differ; draw all random numbers by run.seed.",
    )


def _check_follows_seed(subject: _TrainingSubject) -> None:
    _require(
        subject.train_curve() != subject.train_curve(seed=1),
        "another seed must give other numbers, but seeds 0 and 1 report the same; draw split, "
        "initial weights and batch order by run.seed.",
    )


def _check_follows_schedule(subject: _TrainingSubject) -> None:
    _require(
        _have_different_training(subject.train_curve(), subject.train_curve(Constant(0.3))),
        "a run must follow its schedule, but Constant(1.0) and Constant(0.3) report the same; "
        "train with scheduler = run.create_scheduler(optimizer) and step it, and report the loss "
        "too.",
    )


def _check_follows_lr(subject: _TrainingSubject) -> None:
    lower_lr = 0.3 * subject.settings.lr
    _require(
        _have_different_training(subject.train_curve(), subject.train_curve(lr=lower_lr)),
        f"a run must train at run.lr, but {subject.settings.lr:g} and {lower_lr:g} report the "
        "same; build the optimizer with lr=run.lr, and report the loss too.",
    )


def _check_follows_epochs(subject: _TrainingSubject) -> None:
    epochs = subject.settings.epochs + 1
    epoch_count = len(subject.train_curve(epochs=epochs))
    _require(
        epoch_count == epochs,
        f"a run must train run.epochs epochs, {epochs}, got {epoch_count}; loop over "
        "range(run.epochs).",
    )


def _check_validation_rows(subject: _TrainingSubject) -> None:
    _require(
        _have_different_training(
            subject.train_curve(validation_size=0.25), subject.train_curve(validation_size=0.0)
        ),
        "validation rows must not be trained on, but run.validation_size of 0.25 and 0 report the "
        "same; leave that fraction of the training rows out, drawn by run.seed.",
    )


def _have_different_training(first: Curve, second: Curve) -> bool:
    """Whether two curves differ in a column that depends on the trained network alone."""

    def read_columns(curve: Curve) -> list[list[str]]:
        names = ("loss", "test_score", *curve.columns[len(EPOCH_COLUMNS) :])
        return [[repr(value) for value in curve.get_column(name).tolist()] for name in names]

    return read_columns(first) != read_columns(second)


def _describe_difference(first: Curve, second: Curve) -> str:
    if first.columns != second.columns or len(first) != len(second):
        return "the reported names or epochs"
    names = [
        name
        for name in first.columns
        if repr(first.get_column(name).tolist()) != repr(second.get_column(name).tolist())
    ]
    return " and ".join(names)
