"""Data that worker processes share: written to a file once, mapped into each, copied by none.

Arrays lie beside the pickle in the file, so that what a worker unpickles are views of the mapped
pages. Those are copied on write: what one worker changes, no other sees.
"""

import mmap
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from lrlab.errors import StudyError

_ALIGNMENT = 64  # bytes: what vector instructions like best


@dataclass(frozen=True)
class SharedFile:
    """Where a shared value lies; small, so that it can be sent with every task.

    Args:
        path: the file.
        spans: first byte and number of bytes of the pickle, then of each array.
    """

    path: str
    spans: tuple[tuple[int, int], ...]


@contextmanager
def write_shared(value: object) -> Iterator[SharedFile]:
    """A value in a temporary file for as long as the context lasts.

    Raises:
        StudyError: it cannot be pickled or written.
    """
    parts = pickle_out_of_band(value)
    with TemporaryDirectory(prefix="lrlab-", ignore_cleanup_errors=True) as folder:
        yield _write_parts(parts, Path(folder) / "shared")


@cache
def load_shared(handle: SharedFile) -> Any:
    """The value, its arrays being views of the file; each process unpickles it once."""
    with open(handle.path, "rb") as file:
        pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    payload, *arrays = (pages[start : start + size] for start, size in handle.spans)
    return pickle.loads(payload, buffers=arrays)


def reduce_tensor(value: object) -> Any:
    """How a tensor is pickled as NumPy's array, torch's own pickles being copies of it.

    For the ``reducer_override`` of a pickler; NotImplemented for everything else.
    """
    if type(value) is Tensor and not value.requires_grad and _has_numpy_view(value):
        return torch.from_numpy, (value.numpy(),)
    return NotImplemented


class _TensorPickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        return reduce_tensor(value)


def _has_numpy_view(tensor: Tensor) -> bool:
    try:
        tensor.numpy()
    except (TypeError, RuntimeError):  # on another device, of a type that only torch has, sparse
        return False
    return True


def pickle_out_of_band(value: object, pickler: Callable[..., pickle.Pickler] = _TensorPickler) -> list[memoryview]:
    """The pickle of a value, then the bytes of its arrays, none of them copied.

    Raises:
        StudyError: it cannot be pickled.
    """
    stream, arrays = BytesIO(), list[pickle.PickleBuffer]()
    try:
        pickler(stream, protocol=5, buffer_callback=arrays.append).dump(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StudyError(
            f"what is trained must be picklable to reach worker processes, but {error}; define its "
            "functions at the top of a module, or use one worker, which is this process."
        ) from None
    return [stream.getbuffer(), *(array.raw() for array in arrays)]


def _write_parts(parts: list[memoryview], path: Path) -> SharedFile:
    spans = []
    try:
        with path.open("wb") as file:
            for part in parts:
                file.write(bytes(-file.tell() % _ALIGNMENT))
                spans.append((file.tell(), part.nbytes))
                file.write(part)
    except OSError as error:
        raise StudyError(
            f"the data cannot be written for worker processes to {path.parent}: {error.strerror}; "
            "name another folder in $TMPDIR, or use one worker (--workers 1)."
        ) from None
    return SharedFile(str(path), tuple(spans))
