"""Other libraries' schedules by their own names and arguments, as lrlab schedules.

Each library has one module, imported on first use; none of them imports the library itself.
``export`` goes the other way: it writes the code of a schedule for another library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrlab.dialects import composer as composer
    from lrlab.dialects import export as export
    from lrlab.dialects import fastai as fastai
    from lrlab.dialects import fvcore as fvcore
    from lrlab.dialects import ignite as ignite
    from lrlab.dialects import keras as keras
    from lrlab.dialects import optax as optax
    from lrlab.dialects import paddle as paddle
    from lrlab.dialects import timm as timm
    from lrlab.dialects import torch as torch
    from lrlab.dialects import transformers as transformers
    from lrlab.dialects.parser import parse as parse


def __dir__() -> list[str]:
    from lrlab.dialects.parser import DIALECTS

    return sorted([*DIALECTS, "export", "parse"])


def __getattr__(name: str) -> object:
    from lrlab.dialects.parser import DIALECTS, parse

    if name == "parse":
        return parse
    if name in (*DIALECTS, "export"):
        return import_module(f"lrlab.dialects.{name}")
    raise AttributeError(f"module 'lrlab.dialects' has no attribute {name!r}")
