"""Training rows held out: what schedules that read a metric watch, and what rates are chosen by."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import streams


def split_of(problem: Problem, seed: int, held_out: int = 0) -> Split:
    """The rows of a problem as a seed divides them, some training rows held out for validation.

    They are drawn at random, stratified by class where every class has rows enough. Test rows stay
    what they are. Inputs stay as they are too: a table is standardised by all its training rows.

    Args:
        problem: whose rows they are.
        seed: what fixes them.
        held_out: how many of the training rows, fewer than there are.
    """
    split = problem.split(seed)
    if not held_out:
        return split
    rows = np.arange(len(split.x_train))
    kept, held = train_test_split(
        rows,
        test_size=held_out,
        random_state=streams(seed).validation,
        stratify=_strata(problem, split, held_out),
    )
    kept, held = torch.from_numpy(np.sort(kept)), torch.from_numpy(np.sort(held))
    return replace(
        split,
        x_train=split.x_train[kept],
        y_train=split.y_train[kept],
        x_validation=split.x_train[held],
        y_validation=split.y_train[held],
    )


def _strata(problem: Problem, split: Split, held_out: int) -> object:
    if problem.task.kind != "classification":
        return None
    labels = split.y_train.flatten()
    _, sizes = labels.unique(return_counts=True)
    enough = sizes.min() >= 2 and len(sizes) <= min(held_out, len(labels) - held_out)
    return labels.numpy() if enough and len(labels) == len(split.y_train) else None
