"""Built-in data sets by name: scikit-learn's, which need no download, and UCI Ionosphere."""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from torch import nn

from lrlab.errors import ProblemError, require_extra
from lrlab.problems.fingerprint import compute_fingerprint
from lrlab.problems.metrics import Metric, OutputKind, make_task
from lrlab.problems.problem import Problem
from lrlab.problems.seeds import derive_seeds
from lrlab.problems.split import Split
from lrlab.problems.table import TRAIN_FRACTION

_SKLEARN_LOADERS = {
    "breast-cancer": (datasets.load_breast_cancer, "classification"),
    "digits": (datasets.load_digits, "classification"),
    "wine": (datasets.load_wine, "classification"),
    "iris": (datasets.load_iris, "classification"),
    "diabetes": (datasets.load_diabetes, "regression"),
}

DATASET_NAMES = (*_SKLEARN_LOADERS, "ionosphere")


def load_dataset(
    name: str, metric: str | Metric | None = None, ionosphere_file: Path | str | None = None
) -> Problem:
    """Load a built-in data set.

    Args:
        name: one of ``DATASET_NAMES``.
        metric: as in ``Problem.from_table``.
        ionosphere_file: the file of ionosphere, or its folder.

    Raises:
        ProblemError: ionosphere cannot be read or downloaded, or the metric does not suit the data.
    """
    if name == "ionosphere":
        return load_ionosphere(ionosphere_file, metric)
    return load_sklearn_dataset(name, metric)


def load_sklearn_dataset(name: str, metric: str | Metric | None = None) -> Problem:
    """Load one of scikit-learn's data sets as a table.

    >>> load_sklearn_dataset("iris").summary
    "150 rows, 4 columns as 4 inputs, target column 'target': classification, 3 classes"
    """
    load, task = _SKLEARN_LOADERS[name]
    frame: pd.DataFrame = load(as_frame=True).frame
    return Problem.from_table(frame, name=name, target="target", task=task, metric=metric)


IONOSPHERE_URL = (
    "https://archive.ics.uci.edu/ml/machine-learning-databases/ionosphere/ionosphere.data"
)
IONOSPHERE_SHA256 = "46d52186b84e20be52918adb93e8fb9926b34795ff7504c24350ae0616a04bbd"
"""Hash of the 351 lines with Unix line ends, whatever line ends a copy has."""


def load_ionosphere(path: Path | str | None = None, metric: str | Metric | None = None) -> Problem:
    """Load UCI Ionosphere as the tutorial does: raw values, batches in fixed order.

    351 rows of 34 numbers, labels b = 0 and g = 1; 245 training and 106 test rows, not stratified
    by class; Linear(34, 34), ReLU, Linear(34, 1), Sigmoid; BCELoss.

    Args:
        path: the data file, or a folder that contains ``ionosphere.csv`` or ``ionosphere.data``. If
            None, the path in ``$LRLAB_DATA``, or else a download into the user's cache.
        metric: as in ``Problem.from_table``.

    Raises:
        ProblemError: the file does not exist, differs from UCI's, or cannot be downloaded; or the
            metric does not suit the data.

    Source: Sigillito et al. 1989, UCI Machine Learning Repository, CC BY 4.0.
    """
    table = pd.read_csv(
        io.StringIO(_read_ionosphere(None if path is None else Path(path))), header=None
    )
    data = IonosphereData(
        inputs=table.iloc[:, :34].to_numpy(dtype=np.float32),
        labels=LabelEncoder().fit_transform(table[34]).astype(np.float32),
    )
    train_rows = int(TRAIN_FRACTION * len(table))
    task = make_task(OutputKind.PROBABILITY, metric=metric)
    has_default_metric = task.metric == make_task(OutputKind.PROBABILITY).metric
    return Problem(
        name="ionosphere",
        fingerprint=IONOSPHERE_SHA256
        if has_default_metric
        else compute_fingerprint(IONOSPHERE_SHA256, task.metric),
        split=data.split,
        train_rows=train_rows,
        model=build_tutorial_network,
        task=task,
        shuffle=False,
        summary="351 rows, 34 inputs, target g or b: classification as in the tutorial",
        test_train_ratio=(len(table) - train_rows) / train_rows,
    )


def build_tutorial_network() -> nn.Module:
    """Build the network of the tutorial."""
    return nn.Sequential(nn.Linear(34, 34), nn.ReLU(), nn.Linear(34, 1), nn.Sigmoid())


@dataclass(frozen=True, eq=False)
class IonosphereData:
    """The 351 rows: ``inputs`` of shape (351, 34) and ``labels`` of shape (351,)."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.float32]

    def split(self, seed: int) -> Split:
        """Split the rows as the tutorial does, by a seed."""
        parts: list[NDArray[Any]] = train_test_split(
            self.inputs,
            self.labels.reshape(-1, 1),
            train_size=TRAIN_FRACTION,
            shuffle=True,
            random_state=derive_seeds(seed).split,
        )
        x_train, x_test, y_train, y_test = map(torch.tensor, parts)
        return Split(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def _read_ionosphere(path: Path | None) -> str:
    source = path or _get_data_folder() or _download(IONOSPHERE_URL)
    file = _find_data_file(source) if source.is_dir() else source
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ProblemError(f"ionosphere cannot be read from {file}: {reason}.") from None
    lines = "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())
    if hashlib.sha256(lines.encode()).hexdigest() != IONOSPHERE_SHA256:
        raise ProblemError(
            f"{file} is not UCI's ionosphere: its content differs from the 351 rows that lrlab "
            "knows; to train on it like any other table, pass its path as DATA."
        )
    return lines


def _get_data_folder() -> Path | None:
    folder = os.environ.get("LRLAB_DATA")
    return Path(folder).expanduser() if folder else None


def _find_data_file(folder: Path) -> Path:
    names = ("ionosphere.csv", "ionosphere.data")
    files = [folder / name for name in names if (folder / name).is_file()]
    if not files:
        raise ProblemError(f"there is no {' or '.join(names)} in {folder}; put UCI's file there.")
    return files[0]


def _download(url: str) -> Path:
    with require_extra("lab"):  # only here: in notebooks pooch warns of what its progress bar lacks
        import pooch
        import requests
    try:
        file = pooch.retrieve(
            url,
            known_hash=f"sha256:{IONOSPHERE_SHA256}",
            fname="ionosphere.data",
            path=Path(pooch.os_cache("lrlab")),
            progressbar=False,
        )
    except ValueError:
        reason = "the content of the downloaded file has changed"
    except (requests.RequestException, OSError) as error:
        reason = type(error).__name__
    else:
        return Path(file)
    raise ProblemError(
        f"ionosphere could not be downloaded from {url} ({reason}); put the file in a folder and "
        "set $LRLAB_DATA to the folder."
    )
