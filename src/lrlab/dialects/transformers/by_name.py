"""transformers' schedules by the names that its Trainer knows."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.transformers.reactive import (
    get_greedy_schedule,
    get_reduce_on_plateau_schedule,
)
from lrlab.dialects.transformers.stable import get_wsd_schedule
from lrlab.dialects.transformers.warmed import (
    get_constant_schedule,
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_cosine_with_hard_restarts_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    get_inverse_sqrt_schedule,
    get_linear_schedule_with_warmup,
    get_polynomial_decay_schedule_with_warmup,
)
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules import Schedule


def get_scheduler(
    name: str,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> Schedule:
    """The schedule of one of transformers' names, such as ``"cosine_with_restarts"``.

    ``"constant"`` and ``"constant_with_warmup"`` take no ``scheduler_specific_kwargs`` and ignore
    them, as in transformers.

    Raises:
        ScheduleError: there is no such name, it needs an argument that is missing, or has none of
            that name.

    >>> get_scheduler("cosine_with_restarts", 10, 100, {"num_cycles": 3})
    Warmup(10, start=0.0) >> Cosine(30).repeat(3)
    """
    function = _FUNCTIONS_BY_NAME.get(name) if isinstance(name, str) else None
    if function is None:
        hint = format_suggestion(str(name), _FUNCTIONS_BY_NAME) or "."
        raise ScheduleError(
            f"get_scheduler: name must be one of {', '.join(_FUNCTIONS_BY_NAME)}, got {name!r}{hint}"
        )
    parameters = inspect.signature(function).parameters
    step_counts = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    kwargs = {key: value for key, value in step_counts.items() if key in parameters}
    if function not in (get_constant_schedule, get_constant_schedule_with_warmup):
        for key, value in (scheduler_specific_kwargs or {}).items():
            if key not in parameters or key in kwargs:
                raise ScheduleError(
                    f"get_scheduler: scheduler_specific_kwargs of {str.__str__(name)} may be "
                    f"{', '.join(k for k in parameters if k not in kwargs) or 'none'}, got {key!r}."
                )
            kwargs[key] = value
    for key, parameter in parameters.items():
        if kwargs.get(key) is None and parameter.default is parameter.empty:
            raise ScheduleError(
                f"get_scheduler: {str.__str__(name)} needs {key}, got None: give a number of steps."
            )
    return function(**kwargs)


_FUNCTIONS_BY_NAME: Mapping[str, Callable[..., Schedule]] = {
    "linear": get_linear_schedule_with_warmup,
    "cosine": get_cosine_schedule_with_warmup,
    "cosine_with_restarts": get_cosine_with_hard_restarts_schedule_with_warmup,
    "polynomial": get_polynomial_decay_schedule_with_warmup,
    "constant": get_constant_schedule,
    "constant_with_warmup": get_constant_schedule_with_warmup,
    "inverse_sqrt": get_inverse_sqrt_schedule,
    "reduce_lr_on_plateau": get_reduce_on_plateau_schedule,
    "cosine_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup,
    "cosine_warmup_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    "warmup_stable_decay": get_wsd_schedule,
    "greedy": get_greedy_schedule,
}
