"""Training rows held out: what schedules that read a metric watch, and what rates are chosen by."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import derive_seeds


def split_rows(problem: Problem, seed: int, validation_rows: int = 0) -> Split:
    """The rows of a problem as a seed divides them, some training rows held out for validation.

    They are drawn at random, stratified by class where every class has rows enough. Test rows stay
    what they are. Inputs stay as they are too: a table is standardised by all its training rows.

    Args:
        problem: whose rows they are.
        seed: what fixes them.
        validation_rows: how many of the training rows, fewer than there are.
    """
    split = problem.split(seed)
    if not validation_rows:
        return split
    rows = np.arange(len(split.x_train))
    train, validation = train_test_split(
        rows,
        test_size=validation_rows,
        random_state=derive_seeds(seed).validation,
        stratify=_get_strata(problem, split, validation_rows),
    )
    train, validation = torch.from_numpy(np.sort(train)), torch.from_numpy(np.sort(validation))
    return replace(
        split,
        x_train=split.x_train[train],
        y_train=split.y_train[train],
        x_validation=split.x_train[validation],
        y_validation=split.y_train[validation],
    )


def _get_strata(problem: Problem, split: Split, validation_rows: int) -> object:
    if problem.task.kind != "classification":
        return None
    labels = split.y_train.flatten()
    _, sizes = labels.unique(return_counts=True)
    enough = sizes.min() >= 2 and len(sizes) <= min(validation_rows, len(labels) - validation_rows)
    return labels.numpy() if enough and len(labels) == len(split.y_train) else None
