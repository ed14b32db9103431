"""Checks that a schedule, a problem or a training function of your own is what lrlab takes it for.

In a test file of your own::

    import pytest
    from lrlab import testing

    @pytest.mark.parametrize("check", testing.schedule_checks(MyShape(5)), ids=str)
    def test_my_shape(check):
        check()

What fails is an ``AssertionError`` that says the rule, what was found and what to do.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.errors import LrlabError, ScheduleError, TrainingError, require_extra
from lrlab.problems import Problem, Split, TrainingFunction, derive_seeds
from lrlab.problems.seeds import fork_seeded_rng
from lrlab.problems.user_code import describe_error, locate_error
from lrlab.schedules import Constant, Primitive, Schedule, parse, to_text
from lrlab.schedules.parser import BUILTIN_BUILDERS
from lrlab.training import Curve, Result, Run, Settings, context, ensemble, loop

with require_extra("lab"):
    pass
    pass
    pass
    pass
    pass
    pass
    pass


@dataclass(frozen=True)
class Check:
    """One thing that must be true; called, it raises an AssertionError where it is not.

    Args:
        name: what it asks, also what ``str`` gives, for pytest's ``ids=str``.
        function: what asks it.

    >>> check = Check("a number is itself", lambda: require(1 == 1, "..."))
    >>> check()
    >>> str(check)
    'a number is itself'
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
                f"{self.name}: nothing may fail, but {locate_error(error)} did; {describe_error(error)}."
            ) from error

    def __str__(self) -> str:
        return self.name


def require(condition: bool, message: str) -> None:
    """Raises an AssertionError with the message where something is not true."""
    if not condition:
        raise AssertionError(message)


def run_checks(checks: Sequence[Check]) -> None:
    """Every check, until one fails."""
    for check in checks:
        check()


_BATCH_ROWS, _TRAINING_STEPS = 32, 30


def list_problem_checks(problem: Problem) -> list[Check]:
    """The checks of a problem, each to be called.

    They train for a few steps, and once over all rows. That test rows are no training rows is told
    by their content: up to half of them may be alike, as in data with rows that recur.

    Args:
        problem: one of your own.
    """
    rules: dict[str, Callable[[Problem], None]] = {
        "can be sent to other processes": _check_problem_pickles,
        "a seed fixes the split": _check_split_repeats,
        "seeds draw splits as overlap says": _check_splits_differ,
        "a seed fixes the initial weights": _check_initial_weights,
        "tests rows that it does not train on": _check_no_leak,
        "has the training rows that it says": _check_row_counts,
        "the loss reaches the weights": _check_loss,
        "the metric goes the way it says": _check_metric_direction,
        "a guess has a score": _check_dummy_score,
        "the ensemble agrees with the loop, or says why it cannot": _check_engines_agree,
    }
    return [Check(name, partial(rule, problem)) for name, rule in rules.items()]


def check_problem(problem: Problem) -> None:
    """All of ``list_problem_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_problem_checks(problem))


def require_picklable(value: object) -> None:
    """Demands that a value can be pickled.

    Raises:
        AssertionError: it cannot.
    """
    try:
        pickle.loads(pickle.dumps(value))
    except Exception as error:
        raise AssertionError(
            f"what is trained must be picklable to reach worker processes, but {error}; define its "
            "functions and classes at the top of a module."
        ) from error


def _check_problem_pickles(problem: Problem) -> None:
    require_picklable(problem)


def _check_split_repeats(problem: Problem) -> None:
    require(
        _are_equal_splits(problem.split(0), problem.split(0)),
        "a seed must give the same split each time, but two splits of seed 0 differ; draw from "
        "np.random.default_rng(seed) and nothing else.",
    )


def _check_splits_differ(problem: Problem) -> None:
    first, second = problem.split(0), problem.split(1)
    is_same = _are_equal_splits(first, second)
    if problem.test_train_ratio is None:
        require(
            torch.equal(first.x_test, second.x_test),
            "overlap=None says that all seeds have the same test rows, but those of seeds 0 and 1 "
            "differ; give overlap=test rows / training rows.",
        )
    else:
        require(
            not is_same,
            f"overlap={problem.test_train_ratio:g} says that every seed draws its own test rows, but those "
            "of seeds 0 and 1 are the same; draw by the seed, or give overlap=None.",
        )
        ratio = len(first.x_test) / len(first.x_train)
        require(
            abs(problem.test_train_ratio - ratio) < 0.01,
            f"overlap is test rows for each row that is not tested, {ratio:.3g} here, got "
            f"{problem.test_train_ratio:.3g}; the intervals for new data follow from it.",
        )


def _check_initial_weights(problem: Problem) -> None:
    one, again, other = (loop.init_model(problem, derive_seeds(seed).weights) for seed in (0, 0, 1))
    pairs = list(zip(one.parameters(), again.parameters(), other.parameters(), strict=True))
    require(
        all(torch.equal(a, b) for a, b, _ in pairs),
        "a seed must give the same initial weights each time, but two networks of seed 0 differ; "
        "draw them from torch's random numbers alone.",
    )
    require(
        not all(torch.equal(a, c) for a, _, c in pairs),
        "another seed must give other initial weights, but those of seeds 0 and 1 are the same; "
        "build the network anew in model(), without a seed of its own.",
    )


def _check_no_leak(problem: Problem) -> None:
    split = problem.split(0)
    train_rows = set(_to_row_bytes(split.x_train, split.y_train))
    leaked = sum(row in train_rows for row in _to_row_bytes(split.x_test, split.y_test))
    require(
        leaked <= len(split.x_test) / 2,
        f"test rows must not be trained on, but {leaked} of {len(split.x_test)} are among the "
        "training rows; split by rows, each in one part only.",
    )


def _check_row_counts(problem: Problem) -> None:
    for seed in (0, 1):
        split = problem.split(seed)
        require(
            len(split.x_train) == len(split.y_train) == problem.train_rows,
            f"train_rows must be the training rows of every seed, but it is {problem.train_rows} "
            f"and seed {seed} has {len(split.x_train)} with {len(split.y_train)} targets.",
        )
        require(
            len(split.x_test) == len(split.y_test) > 0,
            f"every test row needs a target, but seed {seed} has {len(split.x_test)} rows and "
            f"{len(split.y_test)} targets.",
        )


def _check_loss(problem: Problem) -> None:
    split = problem.split(0)
    network = loop.init_model(problem, derive_seeds(0).weights)
    loss = problem.task.loss(network(split.x_train[:_BATCH_ROWS]), split.y_train[:_BATCH_ROWS])
    require(
        loss.dim() == 0 and bool(loss.isfinite()),
        f"the loss must be one finite number, got {loss}; see whether the data is scaled, and take "
        "the mean over the rows.",
    )
    loss.backward()
    require(
        any(p.grad is not None and bool(p.grad.any()) for p in network.parameters()),
        "the loss must have a gradient by some weight, but all are 0; compute it by torch's "
        "functions from the outputs.",
    )


def _check_metric_direction(problem: Problem) -> None:
    split, metric = problem.split(0), problem.metric
    scores = []
    for sign in (1, -1):
        with fork_seeded_rng(0):
            network = problem.model()
        x, y = split.x_test[:_BATCH_ROWS], split.y_test[:_BATCH_ROWS]
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(_TRAINING_STEPS):
            optimizer.zero_grad()
            (sign * problem.task.loss(network(x), y)).backward()
            optimizer.step()
        with torch.no_grad():
            scores.append(float(metric.fn(network.eval()(x), y)))
    good, bad = scores
    is_better = good > bad if metric.greater_is_better else good < bad
    direction = "more" if metric.greater_is_better else "less"
    require(
        is_better,
        f"{direction} {metric.name} is said to be better, but a network trained on {len(x)} rows has "
        f"{good:.4g} there and one trained against them {bad:.4g}; turn more_is_better, or see "
        "what the metric takes outputs and targets for.",
    )


def _check_dummy_score(problem: Problem) -> None:
    score = loop.compute_dummy_score(problem, problem.split(0))
    require(
        isfinite(score),
        f"a diverged run scores as a constant guess, which must be finite, got {score}; see "
        "task.guess.",
    )


def _check_engines_agree(problem: Problem) -> None:
    settings = Settings(lr=1e-3, epochs=2, batch_size=max(1, problem.train_rows // 4))
    runs = [Run(None, settings, seed) for seed in (0, 1)]
    try:
        ensemble_results = ensemble.train(problem, runs)
    except TrainingError:  # which says why
        return
    for run, ensemble_result in zip(runs, ensemble_results, strict=True):
        loop_result = loop.train(problem, run)
        require(
            _results_agree(ensemble_result, loop_result),
            f"the ensemble must give the loop's numbers, but with seed {run.seed} the loss is "
            f"{_describe_last_loss(ensemble_result)} and {_describe_last_loss(loop_result)}; the network keeps something beside its parameters "
            "and buffers: use the loop (--engine loop).",
        )


def _results_agree(ensemble_result: Result, loop_result: Result) -> bool:
    if ensemble_result.diverged or loop_result.diverged:
        return ensemble_result.diverged == loop_result.diverged
    return np.allclose(
        ensemble_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3
    )


def _describe_last_loss(result: Result) -> str:
    return "diverged" if result.diverged else f"{result.curve[-1].loss:.6g}"


def _are_equal_splits(first: Split, second: Split) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name))
        for name in ("x_train", "y_train", "x_test", "y_test")
    )


def _to_row_bytes(x: Tensor, y: Tensor) -> list[bytes]:
    """Every row with its target, as bytes."""
    pairs = zip(x.flatten(1) if x.dim() > 1 else x, y, strict=True)
    return [a.numpy().tobytes() + b.numpy().tobytes() for a, b in pairs]


_BASE_LR = 0.1


@dataclass(frozen=True)
class _ScheduleSubject:
    """A schedule and the training that it is checked in."""

    schedule: Schedule
    total_steps: int
    steps_per_epoch: int

    def bind(self) -> Schedule:
        return self.schedule.bind(
            total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch
        )

    def make_steps(self) -> NDArray[np.float64]:
        """Whole steps from the first to past the end, and some between them."""
        whole = np.arange(self.total_steps + 2, dtype=np.float64)
        return np.concatenate([whole, whole + 0.387])


def list_schedule_checks(
    schedule: Schedule, total_steps: int = 100, steps_per_epoch: int = 10
) -> list[Check]:
    """The checks of a schedule, each to be called.

    Args:
        schedule: a shape of your own, or anything composed of some.
        total_steps: steps of the training that it is bound to.
        steps_per_epoch: steps of an epoch.

    >>> from lrlab import Cosine, Warmup
    >>> for check in list_schedule_checks(Warmup(5) >> Cosine())[:3]:
    ...     check()
    ...     print(check)
    binds to a training
    gives the same bits for numbers and arrays
    gives the same in any order
    """
    subject = _ScheduleSubject(schedule, total_steps, steps_per_epoch)
    rules: dict[str, Callable[[_ScheduleSubject], None]] = {
        "binds to a training": _check_binding,
        "gives the same bits for numbers and arrays": _check_scalar_and_array_agree,
        "gives the same in any order": _check_order_independent,
        "is finite and not negative": _check_finite_and_not_negative,
        "is relative where it says so": _check_is_relative,
        "cannot be changed": _check_immutable,
        "is equal to its copy": _check_pickled_copy_is_equal,
        "is read back from its text": _check_text_round_trip,
        "observes without a trace": _check_metric_updates,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_schedule(schedule: Schedule, total_steps: int = 100, steps_per_epoch: int = 10) -> None:
    """All of ``list_schedule_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_schedule_checks(schedule, total_steps, steps_per_epoch))


def _check_binding(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    again = bound.bind(total_steps=7, steps_per_epoch=3)
    require(
        again == bound,
        f"a bound schedule needs no more binding, but {bound} bound once more is {again}; turn "
        "every duration into steps in within().",
    )
    bound(0, base=_BASE_LR)


def _check_scalar_and_array_agree(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    together = bound(steps, base=_BASE_LR)
    alone = np.array([bound(float(t), base=_BASE_LR) for t in steps])
    wrong = np.flatnonzero(together != alone)
    if len(wrong):
        t = steps[wrong[0]]
        raise AssertionError(
            f"a step must have the same rate alone and in an array, but at t = {t:g} it is "
            f"{alone[wrong[0]]!r} alone and {together[wrong[0]]!r} in one of {len(steps)}; let "
            "evaluate() treat every step by itself, in NumPy's functions."
        )


def _check_order_independent(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    before = bound(steps, base=_BASE_LR)
    backwards = bound(steps[::-1], base=_BASE_LR)[::-1]
    bound(steps, base=0.7)
    after = bound(steps, base=_BASE_LR)
    for other, how in ((backwards, "asked backwards"), (after, "asked once more")):
        wrong = np.flatnonzero(before != other)
        if len(wrong):
            at = wrong[0]
            raise AssertionError(
                f"a rate must depend on its step alone, but at t = {steps[at]:g} it is "
                f"{before[at]:g}, and {other[at]:g} when {how}; keep nothing between calls."
            )


def _check_finite_and_not_negative(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    rates = bound(steps, base=_BASE_LR)
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates >= 0)))
    if len(wrong):
        raise AssertionError(
            f"a rate must be finite and 0 or more, but at t = {steps[wrong[0]]:g} it is "
            f"{rates[wrong[0]]:g}; see what evaluate() does there, or .clip(0, 1) the schedule."
        )


def _check_is_relative(subject: _ScheduleSubject) -> None:
    bound, steps = subject.bind(), subject.make_steps()
    if bound.is_relative:
        require(
            bool(np.allclose(bound(steps, base=0.3), 0.3 * bound(steps), rtol=1e-12, atol=0)),
            f"a relative schedule is the base rate times a factor, but {bound} at base 0.3 is not "
            "0.3 of what it is without one; let `relative` say False, or multiply by `base`.",
        )


def _check_immutable(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    for part in schedule.walk():
        names = [f.name for f in fields(part)] if is_dataclass(part) else list(vars(part))
        for name in names:
            try:
                setattr(part, name, getattr(part, name))
            except FrozenInstanceError:
                continue
            raise AssertionError(
                f"a schedule cannot be changed, but {type(part).__name__}.{name} can be set; "
                "make its class a @dataclass(frozen=True, repr=False)."
            )


def _check_pickled_copy_is_equal(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    schedule.bind(total_steps=subject.total_steps, steps_per_epoch=subject.steps_per_epoch)(
        0, base=_BASE_LR
    )  # leaves no trace
    copy = pickle.loads(pickle.dumps(schedule))
    for what, is_same in (
        ("==", copy == schedule),
        ("hash", hash(copy) == hash(schedule)),
        ("repr", repr(copy) == repr(schedule)),
    ):
        require(
            is_same,
            f"a schedule is a value, equal to its pickled copy, but {schedule!r} differs by "
            f"{what}; make its class a frozen dataclass whose fields are plain values.",
        )


def _check_text_round_trip(subject: _ScheduleSubject) -> None:
    schedule = subject.schedule
    try:
        text = to_text(schedule)
    except ScheduleError:  # it says itself that no text can hold it
        return
    classes = {
        type(part).__name__: type(part) for part in schedule.walk() if isinstance(part, Primitive)
    }
    read = parse(text, {**classes, **BUILTIN_BUILDERS})
    require(
        read == schedule,
        f"a schedule is read back from its text, but {text} is read as one that prints as {read!r} "
        "and is not equal; let repr() print every field that differs from its default.",
    )


def _check_metric_updates(subject: _ScheduleSubject) -> None:
    bound = subject.bind()
    if not bound.needs_metric:
        return
    state = bound.init_state()
    for t, metric in enumerate((0.9, 0.5, 0.7, 0.7, 0.7)):
        once = bound.update_state(state, t, metric, base=_BASE_LR)
        again = bound.update_state(state, t, metric, base=_BASE_LR)
        require(
            once == again,
            f"observe() must be pure, but at t = {t} a metric of {metric} made {once} and then "
            f"{again} of one state; keep all that is remembered in the state.",
        )
        rate = bound.with_state(once)(t + 1, base=_BASE_LR)
        require(
            bool(np.isfinite(rate) and rate >= 0),
            f"a rate must be finite and 0 or more, but after a metric of {metric} it is {rate}; "
            "see what given() makes of the state.",
        )
        state = once


_DEFAULT_SETTINGS = Settings(epochs=2)
_CONSTANT_RATE = Constant(1.0)


@dataclass(frozen=True)
class _TrainingSubject:
    """A training function, and the settings that it is checked with."""

    problem: TrainingFunction
    settings: Settings

    def train_run(
        self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any
    ) -> Result:
        """What comes of a run."""
        run = Run(schedule, replace(self.settings, **changes), seed)
        return context.run_training_function(self.problem, run)

    def train_curve(
        self, schedule: Schedule = _CONSTANT_RATE, seed: int = 0, **changes: Any
    ) -> Curve:
        """All that is reported of a run."""
        return self.train_run(schedule, seed, **changes).curve


def list_training_checks(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> list[Check]:
    """The checks of a training function, each to be called; most train one or two runs.

    Args:
        train: the function, or one that is a ``TrainingFunction`` already.
        settings: of the runs; two epochs at the tutorial's settings when left out.
        **options: what a plain function is made a ``TrainingFunction`` with, such as ``metric``.

    Raises:
        TrainingError: it cannot be made one.
    """
    problem = train if isinstance(train, TrainingFunction) else TrainingFunction(train, **options)
    subject = _TrainingSubject(problem, settings)
    rules: dict[str, Callable[[_TrainingSubject], None]] = {
        "trains and reports every epoch": _check_reports,
        "can be sent to other processes": _check_function_pickles,
        "gives the same numbers for the same run": _check_repeatable,
        "gives other numbers for another seed": _check_follows_seed,
        "obeys the schedule": _check_follows_schedule,
        "obeys the base rate": _check_follows_lr,
        "trains as many epochs as it is told": _check_follows_epochs,
        "holds rows out for validation": _check_validation_rows,
    }
    return [Check(name, partial(rule, subject)) for name, rule in rules.items()]


def check_training(
    train: TrainingFunction | Callable[[Any], object],
    settings: Settings = _DEFAULT_SETTINGS,
    **options: Any,
) -> None:
    """All of ``list_training_checks``.

    Raises:
        AssertionError: one fails.
    """
    run_checks(list_training_checks(train, settings, **options))


def _check_reports(subject: _TrainingSubject) -> None:
    result = subject.train_run()
    require(
        not result.diverged,
        f"a run at lr={subject.settings.lr:g} must not diverge for the checks to tell anything, "
        "but it did; give settings=Settings(lr=...) with a lower rate.",
    )


def _check_function_pickles(subject: _TrainingSubject) -> None:
    require_picklable(subject.problem)


def _check_repeatable(subject: _TrainingSubject) -> None:
    one, other = subject.train_curve(), subject.train_curve()
    require(
        one == other,
        f"the same run must give the same numbers, but {_describe_difference(one, other)} of two runs of "
        "seed 0 differ; draw all random numbers by run.seed.",
    )


def _check_follows_seed(subject: _TrainingSubject) -> None:
    require(
        subject.train_curve() != subject.train_curve(seed=1),
        "another seed must give other numbers, but seeds 0 and 1 report the same; draw split, "
        "initial weights and order of batches by run.seed.",
    )


def _check_follows_schedule(subject: _TrainingSubject) -> None:
    require(
        _get_training_columns(subject.train_curve())
        != _get_training_columns(subject.train_curve(Constant(0.3))),
        "a run must follow its schedule, but Constant(1.0) and Constant(0.3) report the same; "
        "train with scheduler = run.create_scheduler(optimizer) and step it, and report the loss too.",
    )


def _check_follows_lr(subject: _TrainingSubject) -> None:
    lower = 0.3 * subject.settings.lr
    require(
        _get_training_columns(subject.train_curve())
        != _get_training_columns(subject.train_curve(lr=lower)),
        f"a run must train at run.lr, but {subject.settings.lr:g} and {lower:g} report the same; "
        "build the optimizer with lr=run.lr, and report the loss too.",
    )


def _check_follows_epochs(subject: _TrainingSubject) -> None:
    more = subject.settings.epochs + 1
    found = len(subject.train_curve(epochs=more))
    require(
        found == more,
        f"a run must train run.epochs epochs, {more}, got {found}; loop over range(run.epochs).",
    )


def _check_validation_rows(subject: _TrainingSubject) -> None:
    with_validation = subject.train_curve(validation_size=0.25)
    require(
        _get_training_columns(with_validation)
        != _get_training_columns(subject.train_curve(validation_size=0.0)),
        "rows held out for validation must not be trained on, but run.validation_size of 0.25 and 0 "
        "report the same; leave that share of the training rows out, by run.seed.",
    )


def _get_training_columns(curve: Curve) -> list[list[str]]:
    """What is reported of the network itself, which differs where training did."""
    names = ("loss", "test_score", *curve.columns[7:])
    return [[repr(v) for v in curve.get_column(name).tolist()] for name in names]


def _describe_difference(first: Curve, second: Curve) -> str:
    if first.columns != second.columns or len(first) != len(second):
        return "what is reported"
    names = [
        name
        for name in first.columns
        if repr(first.get_column(name).tolist()) != repr(second.get_column(name).tolist())
    ]
    return " and ".join(names)
