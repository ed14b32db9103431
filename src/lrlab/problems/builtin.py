"""The data sets that scikit-learn ships, by name: they need no network."""

import pandas as pd
from sklearn import datasets

from lrlab.problems.problem import Problem
from lrlab.problems.tables import make_table_problem

_LOADERS = {
    "breast-cancer": (datasets.load_breast_cancer, "classification"),
    "digits": (datasets.load_digits, "classification"),
    "wine": (datasets.load_wine, "classification"),
    "iris": (datasets.load_iris, "classification"),
    "diabetes": (datasets.load_diabetes, "regression"),
}

SKLEARN_NAMES = tuple(_LOADERS)


def load_sklearn_dataset(name: str) -> Problem:
    """One of scikit-learn's data sets as a table with its own task.

    >>> load_sklearn_dataset("iris").summary
    '150 rows, 4 columns as 4 inputs, target target: classification, 3 classes'
    """
    load, task = _LOADERS[name]
    frame: pd.DataFrame = load(as_frame=True).frame
    return make_table_problem(name, frame, target="target", task=task)
