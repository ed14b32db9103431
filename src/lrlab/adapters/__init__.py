"""The scheduler in other libraries' trainers, where passing it to them is not enough.

One module for each, imported when it is first named, so that none needs another's library.
"""

from importlib import import_module
from types import ModuleType

__all__ = [
    "fastai",
    "ignite",
    "keras",
    "lightning",
    "pytorch_lightning",
    "skorch",
    "tensorboard",
    "transformers",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'lrlab.adapters' has no attribute {name!r}")
    return import_module(f"lrlab.adapters.{name}")


def __dir__() -> list[str]:
    return list(__all__)
