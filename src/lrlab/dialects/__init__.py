"""Other libraries' schedules by their own names and arguments, as lrlab schedules.

Each library has one module, imported on first use; none of them imports the library itself.
``export`` goes the other way: it writes the code of a schedule for another library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lrlab.lazy import list_modules

if TYPE_CHECKING:
    from lrlab.dialects.parser import parse as parse

DIALECTS = list_modules(__path__, excluded=("arguments", "building_blocks", "export", "parser"))
"""The libraries that have a dialect: all modules of this package that are not excluded."""


def __dir__() -> list[str]:
    return sorted([*DIALECTS, "export", "parse"])


def __getattr__(name: str) -> Any:
    if name == "parse":
        return import_module("lrlab.dialects.parser").parse
    if name in (*DIALECTS, "export"):
        return import_module(f"lrlab.dialects.{name}")
    raise AttributeError(f"module 'lrlab.dialects' has no attribute {name!r}")
