"""Schedules in other libraries' trainers, for those where passing the scheduler is not enough.

One module per trainer, imported on first use, so that none needs another's library.
"""

from importlib import import_module
from types import ModuleType

from lrlab.lazy import list_modules

__all__ = list(list_modules(__path__))


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'lrlab.adapters' has no attribute {name!r}")
    return import_module(f"lrlab.adapters.{name}")


def __dir__() -> list[str]:
    return list(__all__)
