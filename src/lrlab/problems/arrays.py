"""Arrays, tensors and frames of a user's own as tensors, checked."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrlab.errors import ProblemError


def to_input_tensor(x: Any, name: str, network: nn.Module) -> Tensor:
    """Inputs as a tensor on the CPU: floats of the type of the network's parameters, or int64.

    Raises:
        ProblemError: they are no rows of finite numbers.
    """
    values = _to_array_or_tensor(x, name)
    if isinstance(values, np.ndarray) and values.dtype.kind not in "iufb":
        text_column = _find_text_column(x)
        raise ProblemError(
            f"{name} must hold numbers, but {text_column or 'it'} holds {_describe_dtype(values)}; turn it into "
            "numbers, or save a table as CSV and name the file to lrlab, which encodes text."
        )
    tensor = torch.as_tensor(values)
    if tensor.dim() == 0 or len(tensor) == 0:
        raise ProblemError(f"{name} needs rows, got shape {tuple(tensor.shape)}.")
    if tensor.is_floating_point() or tensor.dtype == torch.bool:
        floats = (p.dtype for p in network.parameters() if p.is_floating_point())
        tensor = tensor.to(next(floats, torch.float32))
        non_finite = ~tensor.isfinite().flatten(1).all(dim=1) if tensor.dim() > 1 else ~tensor.isfinite()
        _refuse_non_finite(int(non_finite.sum()), len(tensor), name)
    else:
        tensor = tensor.to(torch.int64)
    return tensor.contiguous()


def to_target_array(y: Any, name: str, inputs: Tensor) -> NDArray[Any]:
    """Targets as an array: numbers, texts or booleans, one for each row of the inputs.

    Raises:
        ProblemError: there are more or fewer, or some are missing.
    """
    plain = _to_array_or_tensor(y, name)
    values = plain if isinstance(plain, np.ndarray) else plain.numpy()
    rows = "x_test" if name == "y_test" else "x"
    if values.ndim == 0 or len(values) != len(inputs):
        count = len(values) if values.ndim else "no"
        raise ProblemError(
            f"{name} needs one target for each row of {rows}, got {count} targets for "
            f"{len(inputs)} rows."
        )
    if values.dtype.kind not in "iufbOUS":
        raise ProblemError(
            f"{name} must hold numbers or names of classes, got {_describe_dtype(values)}; turn it into "
            "either."
        )
    if values.dtype.kind in "Of":
        non_finite = pd.isna(values) if values.dtype.kind == "O" else ~np.isfinite(values)
        _refuse_non_finite(int(non_finite.reshape(len(values), -1).any(axis=1).sum()), len(values), name)
    return np.asarray(values.astype(str)) if values.dtype.kind in "OS" else values


def _to_array_or_tensor(values: Any, name: str) -> NDArray[Any] | Tensor:
    if isinstance(values, Tensor):
        return values.detach().cpu()
    if isinstance(values, pd.DataFrame | pd.Series):
        return np.ascontiguousarray(values.to_numpy())
    if not (isinstance(values, list | tuple) or hasattr(values, "__array__")):
        raise ProblemError(
            f"{name} must be an array, a tensor or a frame, got {type(values).__name__}; collect "
            "the rows of a data set or a loader into one."
        )
    try:
        return np.ascontiguousarray(values)
    except (ValueError, TypeError):
        raise ProblemError(
            f"{name} must be an array, a tensor or a frame, and this {type(values).__name__} "
            "cannot be made one; its rows may differ in length."
        ) from None


def _refuse_non_finite(bad_rows: int, rows: int, name: str) -> None:
    if bad_rows:
        raise ProblemError(
            f"{name} must hold finite numbers, but {bad_rows} of {rows} rows have missing or infinite "
            "ones; fill them in or drop those rows."
        )


def _find_text_column(x: Any) -> str:
    """The first column of a frame that holds no numbers."""
    if not isinstance(x, pd.DataFrame):
        return ""
    texts = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    return f"column {texts[0]}" if texts else ""


def _describe_dtype(values: NDArray[Any]) -> str:
    return {"O": "text", "U": "text", "S": "text", "M": "times", "c": "complex numbers"}.get(
        values.dtype.kind, str(values.dtype)
    )
