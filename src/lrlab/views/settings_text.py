"""How settings are written: optimizers, hyperparameters and their values."""

from collections.abc import Iterable

from lrlab.training import Settings

HYPERPARAMETER_LABELS = {"lr": "learning rate", "weight_decay": "weight decay"}
"""Labels of hyperparameters where they differ from the name."""


def format_settings(settings: Settings, hyperparameters: Iterable[str]) -> list[str]:
    """Return settings with their labels: ``learning rate 0.1``, ``momentum 0.9``."""
    return [
        f"{HYPERPARAMETER_LABELS.get(name, name)} {format_setting(settings, name)}"
        for name in hyperparameters
    ]


def format_setting(settings: Settings, name: str) -> str:
    """Return the value of one setting, numbers as short as possible."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"
