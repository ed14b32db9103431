"""The hyperparameters of parameter groups by name: ``lr``, ``momentum``, ``betas[0]``, ..."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch.optim import Optimizer

from lrlab.errors import SchedulerError, did_you_mean
from lrlab.schedules.numbers import real

Group = dict[str, Any]
"""One of ``optimizer.param_groups``."""


@dataclass(frozen=True)
class Hyperparameter:
    """One number in every parameter group: the value of a key, or one entry of it.

    Args:
        key: as in ``optimizer.param_groups[0]``.
        index: the place in a tuple, such as the 0 of ``betas[0]``; None where the value is a
            number itself.

    >>> group = {"lr": 0.1, "betas": (0.9, 0.999)}
    >>> Hyperparameter("betas", 0).write(group, 0.85)
    >>> group
    {'lr': 0.1, 'betas': (0.85, 0.999)}
    """

    key: str
    index: int | None = None

    def __str__(self) -> str:
        return self.key if self.index is None else f"{self.key}[{self.index}]"

    def read(self, group: Group) -> Any:
        """What the group holds: a number or a tensor of one element."""
        return group[self.key] if self.index is None else group[self.key][self.index]

    def write(self, group: Group, value: float) -> None:
        """Puts a value into the group; into its tensor where it holds one, never a new one."""
        held = self.read(group)
        if isinstance(held, torch.Tensor):
            held.fill_(value)  # in place: a compiled step or a captured graph reads this one
        else:
            self.replace(group, value)

    def replace(self, group: Group, value: Any) -> None:
        """Puts a value in the place of what the group holds."""
        if self.index is None:
            group[self.key] = value
        else:
            values = list(group[self.key])
            values[self.index] = value
            group[self.key] = type(group[self.key])(values)

    @property
    def below_one(self) -> bool:
        """Whether it is the share that an average keeps, which makes no sense from 1 on."""
        return self.key in ("momentum", "betas")

    @property
    def initial(self) -> str:
        """The key of its base value: torch's ``initial_lr``, and the like for the others."""
        return f"initial_{self}"

    def base(self, groups: list[Group], index: int) -> float:
        """The base value of a group that is new to the scheduler.

        It is what the group says of its beginning, as loaded ones do, or else what it holds; if
        that is a tensor that another group holds too, the base value of the other.

        Raises:
            SchedulerError: it is negative or no number.
        """
        group, held = groups[index], self.read(groups[index])
        if isinstance(held, torch.Tensor):
            others = (other for other in groups[:index] if self.read(other) is held)
            held = next(others, group).get(self.initial, held)
        given = group.get(self.initial, held)
        if isinstance(held, torch.Tensor) and not held.is_floating_point():
            raise SchedulerError(
                f"{self} of parameter group {index} must be a tensor of floats, got {held!r}."
            )
        try:
            base = real(float(given))
        except (TypeError, ValueError, RuntimeError):  # the last is torch's
            base = None
        if base is None or base < 0:
            raise SchedulerError(
                f"{self} of parameter group {index} must be a number of 0 or more, got {given!r}."
            )
        return base

    def settle(self, groups: list[Group], index: int) -> None:
        """Gives a group a tensor of its own, if it needs one.

        Groups that take an optimizer's default hold one tensor in common, and could not have
        values of their own. A captured graph keeps a number as it was captured, one in a tensor of
        the CPU too, and reads a tensor of its device again each time, so where a group is
        ``capturable`` its rate becomes one.
        """
        group, held = groups[index], self.read(groups[index])
        is_tensor = isinstance(held, torch.Tensor)
        if is_tensor and any(self.read(other) is held for other in groups[:index]):
            held = held.clone()
            self.replace(group, held)
        if self.key == "lr" and group.get("capturable") and group["params"]:
            device = group["params"][0].device
            if not is_tensor:
                self.replace(group, torch.tensor(float(held), device=device))
            elif held.device != device:
                self.replace(group, held.to(device))

    def end(self, group: Group) -> None:
        """Puts the base value back, if it is still kept in the group."""
        base = group.pop(self.initial, None)
        if base is not None:
            self.write(group, base)


ALIASES = {"momentum": "betas[0]", "betas": "betas[0]", "beta1": "betas[0]", "beta2": "betas[1]"}


def named(optimizer: Optimizer, name: str, arguments: Sequence[str] = ()) -> Hyperparameter:
    """The hyperparameter of an optimizer that a name means.

    ``momentum``, ``betas`` and ``beta1`` are ``betas[0]`` for optimizers of Adam's kind.

    Args:
        optimizer: whose it is.
        name: its name.
        arguments: what else may have been meant, for the error.

    Raises:
        SchedulerError: the optimizer has none of that name.
    """
    group = optimizer.param_groups[0]
    known = {str(found): found for found in _numbers(group)}
    found = known.get(name) or known.get(ALIASES.get(name, ""))
    if found is None and name in group and not isinstance(group[name], bool):
        raise SchedulerError(
            f"{name} must be a number for a schedule to change it, but the optimizer has "
            f"{group[name]!r}."
        )
    if found is None:
        raise SchedulerError(
            f"{type(optimizer).__name__} has no hyperparameter {name!r}"
            f"{did_you_mean(name, [*known, *arguments]) or '.'} It has {', '.join(known)}."
        )
    return found


def _numbers(group: Mapping[str, Any]) -> Iterator[Hyperparameter]:
    """Everything in a group that is a number."""
    for key, value in group.items():
        if key == "params" or key.startswith("initial_"):
            continue
        if isinstance(value, tuple | list):
            if value and all(map(_is_number, value)):
                yield from (Hyperparameter(key, i) for i in range(len(value)))
        elif _is_number(value):
            yield Hyperparameter(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | torch.Tensor) and not isinstance(value, bool)
