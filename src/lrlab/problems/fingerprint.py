"""Fingerprints of user code and data, by which a study recognizes its stored runs."""

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch

from lrlab._checks import strip_memory_address
from lrlab.schedules import Schedule
from lrlab.schedules.core import FieldSchedule, get_field_specs, is_builtin
from lrlab.user_code import is_library_file


def compute_fingerprint(*values: object) -> str:
    """Return a hash that changes whenever the code or the data of the values changes.

    It covers the source of users' functions and classes, everything that they use by name from
    their modules, the contents of closures and objects, arrays and tensors. Of installed code it
    covers only the name.

    >>> compute_fingerprint(torch.nn.MSELoss()) == compute_fingerprint(torch.nn.MSELoss())
    True
    >>> compute_fingerprint(lambda x: x + 1) == compute_fingerprint(lambda x: x + 2)
    False
    """
    digest = hashlib.sha256()
    for piece in _iter_pieces(values, {}):
        digest.update(piece)
        digest.update(b"\0")
    return digest.hexdigest()


def fingerprint_classes(schedules: Iterable[Schedule]) -> dict[str, str]:
    """Return the fingerprint of every class of users in some schedules, by the name of the class.

    >>> from lrlab import Cosine, Warmup
    >>> fingerprint_classes([Warmup(5) >> Cosine()])
    {}
    """
    classes = {type(part) for schedule in schedules for part in schedule.walk()}
    return {
        schedule_class.__name__: compute_fingerprint(
            schedule_class, _list_conversions(schedule_class)
        )
        for schedule_class in classes
        if not is_builtin(schedule_class)
    }


def _list_conversions(schedule_class: type[Schedule]) -> list[object]:
    """List the functions that convert and bind the arguments of a class of schedules."""
    if not issubclass(schedule_class, FieldSchedule):
        return []
    return [(spec.convert, spec.bind) for spec in get_field_specs(schedule_class).values()]


def _iter_pieces(value: object, seen: dict[int, object]) -> Iterator[bytes]:
    """Yield the pieces of a value; each object once, so that circular references end."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        yield repr(value).encode()
        return
    if id(value) in seen:
        yield b"again"
        return
    seen[id(value)] = value  # a reference, so that no other object gets this id
    match value:
        case torch.Tensor():
            array = value.detach().cpu()
            yield f"tensor {array.dtype} {tuple(array.shape)}".encode()
            yield (
                array.contiguous().view(torch.uint8).numpy().tobytes()
                if array.dim()
                else repr(array.item()).encode()
            )
        case np.memmap() if value.filename and Path(value.filename).is_file():
            # Not the content, which may be larger than memory.
            file = Path(value.filename)
            status = file.stat()
            yield f"mapped {file.name} {status.st_size} {status.st_mtime_ns}".encode()
            yield f"{value.dtype} {value.shape}".encode()
        case np.ndarray():
            yield f"array {value.dtype} {value.shape}".encode()
            yield repr(value.tolist()).encode() if value.dtype.hasobject else value.tobytes()
        case pd.DataFrame():
            columns = [value.iloc[:, i] for i in range(value.shape[1])]
            yield from _iter_pieces(("frame", value.columns, value.index, columns), seen)
        case pd.Series() | pd.Index():
            yield from _iter_pieces((value.name, value.to_numpy()), seen)
        case Mapping():
            yield f"mapping of {len(value)}".encode()
            for key in sorted(value, key=repr):
                yield repr(key).encode()
                yield from _iter_pieces(value[key], seen)
        case list() | tuple():
            yield f"row of {len(value)}".encode()
            for item in value:
                yield from _iter_pieces(item, seen)
        case set() | frozenset():
            yield repr(sorted(map(repr, value))).encode()
        case partial():
            yield from _iter_pieces((value.func, value.args, value.keywords), seen)
        case MethodType():
            yield from _iter_pieces((value.__func__, value.__self__), seen)
        case ModuleType():
            yield from _iter_module(value)
        case FunctionType() | type():
            yield from _iter_definition(value, seen)
        case object(__array_interface__=_):  # such as an image of PIL
            yield from _iter_pieces(np.asarray(value), seen)
        case _:
            yield from _iter_object(value, seen)


def _iter_module(module: ModuleType) -> Iterator[bytes]:
    yield module.__name__.encode()
    file = getattr(module, "__file__", None)
    if file and not is_library_file(file):
        yield Path(file).read_bytes()


def _iter_definition(value: Any, seen: dict[int, object]) -> Iterator[bytes]:
    yield value.__qualname__.encode()
    if _is_installed(value):
        yield value.__module__.encode()
        return
    yield _get_source(value)
    if value.__name__ == "<lambda>":  # one line may have several
        yield from _iter_bytecode(value.__code__)
    if isinstance(value, type):
        yield from _iter_pieces([base for base in value.__bases__ if base is not object], seen)
        for name, member in sorted(vars(value).items()):
            if isinstance(member, staticmethod | classmethod):
                member = member.__func__
            if isinstance(member, FunctionType):
                yield name.encode()
                yield from _iter_dependencies(member, seen)
        return
    yield from _iter_dependencies(value, seen)


def _iter_dependencies(function: FunctionType, seen: dict[int, object]) -> Iterator[bytes]:
    """Yield the pieces of everything that a function uses, without its source."""
    closure_values = list(_iter_closure_values(function))
    yield from _iter_pieces((closure_values, function.__defaults__, function.__kwdefaults__), seen)
    for name in sorted(set(_iter_names(function.__code__))):
        if name in function.__globals__:
            yield name.encode()
            yield from _iter_pieces(function.__globals__[name], seen)


def _iter_closure_values(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # the cell is still empty
            yield cell.cell_contents


def _iter_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _iter_names(constant)


def _get_source(value: Any) -> bytes:
    try:
        return inspect.getsource(value).encode()
    except (OSError, TypeError):  # typed at a prompt, or a class in a notebook
        if isinstance(value, type):
            return b"".join(_iter_member_sources(value))
        return b"".join(_iter_bytecode(value.__code__))


def _iter_member_sources(value: type) -> Iterator[bytes]:
    """Yield the names of the members of a class, the source of functions, and constants."""
    for name, member in sorted(vars(value).items()):
        yield name.encode()
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType):
            yield _get_source(function)
        elif isinstance(member, bool | int | float | complex | str | bytes | tuple):
            yield repr(member).encode()


def _iter_bytecode(code: CodeType) -> Iterator[bytes]:
    yield code.co_code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _iter_bytecode(constant)
        else:
            yield repr(constant).encode()
    yield repr(code.co_names).encode()


def _iter_object(value: object, seen: dict[int, object]) -> Iterator[bytes]:
    yield from _iter_pieces(type(value), seen)
    attributes: Iterable[tuple[str, object]]
    if is_dataclass(value):
        attributes = [(field.name, getattr(value, field.name)) for field in fields(value)]
    else:
        attributes = sorted(getattr(value, "__dict__", {}).items())
    if not attributes:
        yield strip_memory_address(repr(value)).encode()
    for name, attribute in attributes:
        yield name.encode()
        yield from _iter_pieces(attribute, seen)


def _is_installed(value: Any) -> bool:
    if not isinstance(value, FunctionType | type):
        return True
    try:
        return is_library_file(inspect.getfile(value))
    except TypeError:  # built in
        return bool(value.__module__ != "__main__")
    except OSError:
        return False
