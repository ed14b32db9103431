"""What is trained, sent to the nodes of a cluster once; the tasks of a node share its arrays."""

import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import packages_distributions
from types import ModuleType
from typing import Any

import numpy as np

from lrlab.errors import require_package
from lrlab.studies.sharing import reduce_tensor, pickle_out_of_band

with require_package("'lrlab[ray]'"):
    import ray
    from ray import cloudpickle


def put_value(value: object) -> "ray.ObjectRef[Any]":
    """A value in Ray's store, its arrays beside its pickle, so that no task copies them.

    Code of modules that nobody has installed, such as a user's script, goes with it.

    Raises:
        StudyError: it cannot be pickled.
    """
    with _pickle_scripts_by_value():
        parts = pickle_out_of_band(value, _CloudTensorPickler)
    return ray.put([np.frombuffer(part, np.uint8) for part in parts])


@lru_cache(maxsize=1)
def get_value(reference: "ray.ObjectRef[Any]") -> Any:
    """The value, in a task: each worker process unpickles it once."""
    code, *arrays = ray.get(reference)
    with warnings.catch_warnings():
        # Torch knows no tensors that may only be read; nothing in training writes to data.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return pickle.loads(code, buffers=arrays)


class _CloudTensorPickler(cloudpickle.CloudPickler):
    def reducer_override(self, value: object) -> Any:
        array = reduce_tensor(value)
        return super().reducer_override(value) if array is NotImplemented else array


@contextmanager
def _pickle_scripts_by_value() -> Iterator[None]:
    registered = [module for module in _list_script_modules() if not _is_pickled_by_value(module)]
    for module in registered:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def _is_pickled_by_value(module: ModuleType) -> bool:
    return module.__name__ in cloudpickle.list_registry_pickle_by_value()


def _list_script_modules() -> list[ModuleType]:
    """The modules of this process that belong to no installed distribution."""
    installed = {*sys.stdlib_module_names, *packages_distributions(), "lrlab", "__main__"}
    return [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in installed
        and getattr(module, "__file__", None)
        and getattr(module, "__name__", None) == name
    ]
