"""What a scheduler does when a state is loaded into its optimizer: it keeps the groups right."""

from typing import Any, Protocol
from weakref import finalize, ref

from torch.optim import Optimizer


class HookedScheduler(Protocol):
    """A scheduler, as far as this file knows it."""

    optimizer: Optimizer

    def _holds_values(self) -> bool:
        """Whether the groups hold what it has set, and nothing else has set them since."""

    def _restore_values(self) -> None:
        """Sets the groups to its values of now."""


def register_load_hooks(scheduler: HookedScheduler) -> None:
    """Sets the groups again after every load, if they held what the scheduler had set before it.

    By torch's own hooks, which know the scheduler weakly and go when it goes. Where the optimizer
    is a wrapper, such as accelerate's, loads of what it wraps count too.
    """
    scheduler_ref = ref(scheduler)
    held_values: list[bool] = []

    def before_load(optimizer: Optimizer, state: Any) -> None:
        held_values[:] = [(live_scheduler := scheduler_ref()) is not None and optimizer in _list_wrapped_optimizers(live_scheduler) and live_scheduler._holds_values()]

    def after_load(optimizer: Optimizer) -> None:
        if any(held_values) and (live_scheduler := scheduler_ref()) is not None:
            held_values.clear()
            live_scheduler._restore_values()

    for layer in _list_wrapped_optimizers(scheduler):
        if "_optimizer_load_state_dict_post_hooks" in vars(layer):
            for handle in (
                layer.register_load_state_dict_pre_hook(before_load),
                layer.register_load_state_dict_post_hook(after_load),
            ):
                finalize(scheduler, handle.remove).atexit = False


def _list_wrapped_optimizers(scheduler: HookedScheduler) -> list[Any]:
    """The optimizer, and those that it wraps."""
    layers: list[Any] = [scheduler.optimizer]
    while isinstance(inner := getattr(layers[-1], "optimizer", None), Optimizer):
        layers.append(inner)
    return layers
