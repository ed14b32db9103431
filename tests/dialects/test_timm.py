"""lrlab.dialects.timm against timm's own schedulers, step by step."""

import importlib.util
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import timm as ours
from lrlab.errors import ScheduleError
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.dialects.stepped_rates import STEPS, make_sgd
from tests.raising import raises

MODULES = {
    "CosineLRScheduler": "cosine_lr",
    "MultiStepLRScheduler": "multistep_lr",
    "PlateauLRScheduler": "plateau_lr",
    "PolyLRScheduler": "poly_lr",
    "StepLRScheduler": "step_lr",
    "TanhLRScheduler": "tanh_lr",
}
quick = settings(max_examples=25)


def iterate_timm_classes() -> Iterator[tuple[str, type]]:
    """Import timm's classes without its ``__init__``, which needs torchvision."""
    (root,) = importlib.util.find_spec("timm").submodule_search_locations
    before = {name: sys.modules.pop(name) for name in [*sys.modules] if name.startswith("timm")}
    for name in ("timm", "timm.scheduler"):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__path__ = [str(Path(root, *name.split(".")[1:]))]
    for name, home in MODULES.items():
        yield name, getattr(import_module(f"timm.scheduler.{home}"), name)
    for name in [name for name in sys.modules if name.startswith("timm")]:
        del sys.modules[name]
    sys.modules.update(before)


THEIRS = dict(iterate_timm_classes()) if importlib.util.find_spec("timm") else {}
needs_timm = pytest.mark.skipif(not THEIRS, reason="timm is not installed")


def make_scheduler(name: str, base: float, **kwargs: Any) -> Any:
    return THEIRS[name](make_sgd(base), **kwargs)


def collect_values(name: str, base: float, **kwargs: Any) -> Any:
    scheduler = make_scheduler(name, base, **kwargs)
    rates = []
    for t in range(STEPS):
        scheduler.step(t)
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
    return np.array(rates)


def check_rates(name: str, base: float, **kwargs: Any) -> None:
    expected = collect_values(name, base, **kwargs)
    rates = getattr(ours, name)(**kwargs)(range(STEPS), base=base)
    # timm subtracts numbers that are nearly equal, so values near 0 are as exact as the peak.
    assert_allclose(rates, expected, rtol=1e-12, atol=1e-12 * base)


bases = st.floats(1e-2, 10)
warmups = {
    "warmup_t": st.integers(0, 40),
    "warmup_lr_init": st.sampled_from([0.0, 1e-4]),
    "warmup_prefix": st.booleans(),
}
cycles = {
    "t_initial": st.integers(1, 120),
    "lr_min": st.sampled_from([0.0, 1e-3]),
    "cycle_mul": st.sampled_from([1.0, 2.0]),  # their logarithms are exact
    "cycle_decay": st.sampled_from([1.0, 0.5, 1.2]),
    "cycle_limit": st.integers(0, 5),
    **warmups,
}


@needs_timm
@quick
@given(bases, st.fixed_dictionaries({**cycles, "k_decay": st.sampled_from([1.0, 0.5, 2.0])}))
def test_cosine(base: float, kwargs: dict[str, Any]) -> None:
    check_rates("CosineLRScheduler", base, **kwargs)


@needs_timm
@quick
@given(bases, st.fixed_dictionaries({**cycles, "k_decay": st.sampled_from([1.0, 2.0])}), st.data())
def test_poly(base: float, kwargs: dict[str, Any], data: st.DataObject) -> None:
    check_rates("PolyLRScheduler", base, power=data.draw(st.floats(0.5, 3)), **kwargs)
    check_rates("PolyLRScheduler", base, t_initial=kwargs["t_initial"])


@needs_timm
@quick
@given(bases, st.fixed_dictionaries(cycles), st.floats(-8, -1), st.floats(0, 5))
def test_tanh(base: float, kwargs: dict[str, Any], lb: float, ub: float) -> None:
    check_rates("TanhLRScheduler", base, lb=lb, ub=ub, **kwargs)


@needs_timm
@quick
@given(
    bases, st.fixed_dictionaries(warmups), st.integers(1, 100), st.floats(0.1, 1),
    st.lists(st.integers(0, 200), min_size=1, max_size=4),
)  # fmt: skip
def test_stairs(base: float, kwargs: dict[str, Any], size: int, rate: float, at: list[int]) -> None:
    check_rates("StepLRScheduler", base, decay_t=size, decay_rate=rate, **kwargs)
    check_rates("StepLRScheduler", base, decay_t=size)
    check_rates("MultiStepLRScheduler", base, decay_t=sorted(at), decay_rate=rate, **kwargs)


@needs_timm
def test_a_milestone_acts_one_step_before_torchs() -> None:
    rates = collect_values("MultiStepLRScheduler", 1.0, decay_t=[3], decay_rate=0.1)
    assert rates[:4].tolist() == pytest.approx([1.0, 1.0, 0.1, 0.1])
    assert ours.MultiStepLRScheduler([3], 0.1)([0, 1, 2, 3]) == pytest.approx(rates[:4])


@needs_timm
def test_timm_misses_the_beginning_of_a_cycle_by_its_last_bits() -> None:
    # log(3**5, 3) is 4.999..., so at step 121 timm is still at the end of the fifth cycle.
    kwargs = {"t_initial": 1, "cycle_mul": 3.0, "cycle_limit": 9}
    assert collect_values("CosineLRScheduler", 1.0, **kwargs)[121] < 1e-12
    assert ours.CosineLRScheduler(**kwargs)(121) == 1.0


@needs_timm
def test_shrinking_cycles_are_refused_where_timm_raises() -> None:
    kwargs = {"t_initial": 10, "cycle_mul": 0.5, "cycle_limit": 3}
    with pytest.raises(ValueError, match="math domain error"):
        collect_values("CosineLRScheduler", 1.0, **kwargs)
    with raises(ScheduleError, "cycle_mul", "got 0.5"):
        ours.CosineLRScheduler(**kwargs)


@needs_timm
def test_no_milestones() -> None:
    check_rates("MultiStepLRScheduler", 0.1, decay_t=[], warmup_t=5)


@needs_timm
def test_before_any_step_timm_has_the_base_rate() -> None:
    for name, kwargs in (
        ("TanhLRScheduler", {"t_initial": 10, "lb": -1.0}),
        ("MultiStepLRScheduler", {"decay_t": [1], "decay_rate": 0.5}),
    ):
        assert make_scheduler(name, 0.1, **kwargs).optimizer.param_groups[0]["lr"] == 0.1
        assert getattr(ours, name)(**kwargs)(0, base=0.1) < 0.09
        check_rates(name, 0.1, **kwargs)


@needs_timm
@quick
@given(st.integers(0, 150), st.none() | st.integers(0, 150), st.floats(0.1, 1), st.integers(0, 99))
def test_noise_has_timms_range_and_size(
    begin: int, end: int | None, most: float, seed: int
) -> None:
    kwargs = {"noise_range_t": begin if end is None else (begin, end), "noise_pct": most}
    kwargs |= {"t_initial": 300, "noise_seed": seed, "warmup_t": 9}
    plain = collect_values("CosineLRScheduler", 0.1, t_initial=300, warmup_t=9)[1:]
    theirs = collect_values("CosineLRScheduler", 0.1, **kwargs)[1:] / plain - 1
    mine = ours.CosineLRScheduler(**kwargs)(range(1, STEPS), base=0.1) / plain - 1
    noisy = np.abs(theirs) > 1e-12
    assert ((np.abs(mine) > 1e-12) == noisy).all()
    assert np.abs(mine).max() <= most * (1 + 1e-9)
    if noisy.sum() > 1:  # lrlab has another random stream
        assert np.abs(mine - theirs).max() > 1e-6


@needs_timm
@pytest.mark.filterwarnings("ignore:PlateauLRScheduler is deprecated:FutureWarning")
@quick
@given(
    metrics=st.lists(st.integers(-8, 8).map(lambda i: i / 4), min_size=40, max_size=40),
    kwargs=st.fixed_dictionaries({
        "decay_rate": st.sampled_from([0.1, 0.5]),
        "patience_t": st.integers(0, 4),
        "threshold": st.sampled_from([0.0, 0.125]),
        "cooldown_t": st.integers(0, 3),
        "warmup_t": st.integers(0, 10),
        "warmup_lr_init": st.sampled_from([0.0, 1e-4]),
        "lr_min": st.sampled_from([0.0, 1e-3]),
        "mode": st.sampled_from(["min", "max"]),
    }),
)  # fmt: skip
def test_plateau(metrics: list[float], kwargs: dict[str, Any]) -> None:
    scheduler = make_scheduler("PlateauLRScheduler", 0.1, **kwargs)
    schedule = ours.PlateauLRScheduler(**kwargs)
    state = schedule.init_state()
    for t, metric in enumerate(metrics):
        rate = scheduler.optimizer.param_groups[0]["lr"]
        assert schedule.with_state(state)(t, base=0.1) == pytest.approx(rate, rel=1e-12)
        scheduler.step(t + 1, metric)
        state = schedule.update_state(state, t, metric, base=0.1)


@needs_timm
@pytest.mark.filterwarnings("ignore:PlateauLRScheduler is deprecated:FutureWarning")
def test_noise_of_a_plateau_begins_after_its_warmup() -> None:
    kwargs = {"warmup_t": 3, "noise_range_t": 2, "noise_type": "uniform"}
    scheduler = make_scheduler("PlateauLRScheduler", 0.1, **kwargs)
    theirs = []
    for t in range(8):
        theirs.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.step(t + 1)
    plain = ours.PlateauLRScheduler(warmup_t=3)(range(8), base=0.1)
    mine = ours.PlateauLRScheduler(**kwargs)(range(8), base=0.1)
    noisy = [False] * 4 + [True] * 4
    assert (~np.isclose(theirs, plain)).tolist() == (~np.isclose(mine, plain)).tolist() == noisy


@pytest.mark.parametrize(
    ("name", "kwargs", "mentions"),
    [
        ("CosineLRScheduler", {"t_initial": 0}, ("t_initial", "got 0")),
        ("CosineLRScheduler", {"t_initial": 9, "cycle_mul": 0.5}, ("cycle_mul", "got 0.5")),
        (
            "CosineLRScheduler",
            {"t_initial": 9, "noise_range_t": [1, 2, 3]},
            ("noise_range_t", "got [1, 2, 3]"),
        ),
        ("TanhLRScheduler", {"t_initial": 9, "lb": 4.0}, ("lb", "got 4.0 and 3.0")),
        ("MultiStepLRScheduler", {"decay_t": [6, 3]}, ("milestones", "got [6, 3]")),
        ("PlateauLRScheduler", {"noise_range_t": 3, "noise_type": "x"}, ("noise_type", "got 'x'")),
        ("StepLRScheduler", {"decay_t": 3, "decay_rate": 0}, ("decay_rate", "got 0")),
        (
            "StepLRScheduler",
            {"decay_t": 3, "noise_range_t": 0, "noise_pct": 2},
            ("amount", "got 2"),
        ),
    ],
)
def test_errors_name_argument_and_value(name: str, kwargs: Any, mentions: tuple[str, ...]) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(**kwargs)


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@needs_timm
@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_equal_timms(name: str) -> None:
    check_same_parameters(
        getattr(ours, name), THEIRS[name], omitted=("optimizer", "t_in_epochs", "initialize")
    )
