"""What a scheduler does when a state is loaded into its optimizer: it keeps the groups right."""

from typing import Any, Protocol
from weakref import finalize, ref

from torch.optim import Optimizer


class Follower(Protocol):
    """A scheduler, as far as this file knows it."""

    optimizer: Optimizer

    def holds(self) -> bool:
        """Whether the groups hold what it has set, and nothing else has set them since."""

    def set_again(self) -> None:
        """Sets the groups to its values of now."""


def follow(scheduler: Follower) -> None:
    """Sets the groups again after every load, if they held what the scheduler had set before it.

    By torch's own hooks, which know the scheduler weakly and go when it goes. Where the optimizer
    is a wrapper, such as accelerate's, loads of what it wraps count too.
    """
    known = ref(scheduler)
    held: list[bool] = []

    def before(optimizer: Optimizer, state: Any) -> None:
        held[:] = [(one := known()) is not None and optimizer in _layers(one) and one.holds()]

    def after(optimizer: Optimizer) -> None:
        if any(held) and (one := known()) is not None:
            held.clear()
            one.set_again()

    for layer in _layers(scheduler):
        if "_optimizer_load_state_dict_post_hooks" in vars(layer):
            for handle in (
                layer.register_load_state_dict_pre_hook(before),
                layer.register_load_state_dict_post_hook(after),
            ):
                finalize(scheduler, handle.remove).atexit = False


def _layers(scheduler: Follower) -> list[Any]:
    """The optimizer, and those that it wraps."""
    layers: list[Any] = [scheduler.optimizer]
    while isinstance(inner := getattr(layers[-1], "optimizer", None), Optimizer):
        layers.append(inner)
    return layers
