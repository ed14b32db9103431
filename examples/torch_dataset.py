"""A torch Dataset of your own with random transforms, compared from Python or the command line.

    python examples/torch_dataset.py
    lrlab compare examples/torch_dataset.py:problem --no-tune --epochs 10 --seeds 5

Images of scikit-learn's digits, shifted by up to a pixel whenever they are read. The transforms are
functions as torchvision's are: they draw from torch's random numbers, which lrlab seeds for every
batch, so that all runs of a seed train on the same shifted images.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import Dataset

import lrlab


class Digits(Dataset[tuple[Tensor, int]]):
    """The first 400 images with their digits."""

    def __init__(self, transform: Callable[[NDArray[np.float32]], Tensor]) -> None:
        images, digits = load_digits(return_X_y=True)
        self.images: NDArray[np.float32] = images[:400].reshape(-1, 8, 8).astype(np.float32)
        self.targets: list[int] = digits[:400].tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), self.targets[index]


def to_tensor(image: NDArray[np.float32]) -> Tensor:
    """Convert an image to a tensor of shape (1, 8, 8), from 0 to 1."""
    return torch.from_numpy(image)[None] / 16


def shift_randomly(image: NDArray[np.float32]) -> Tensor:
    """Convert an image, and shift it by up to a pixel: torchvision's RandomCrop(8, padding=1)."""
    top, left = torch.randint(0, 3, (2,)).tolist()
    padded = nn.functional.pad(to_tensor(image), (1, 1, 1, 1))
    return padded[:, top : top + 8, left : left + 8]


def model() -> nn.Module:
    """Build a new network; the run's seed fixes torch's random numbers."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)
    )


def problem() -> lrlab.Problem:
    """Make the problem; every seed draws its own test rows, which are not shifted."""
    return lrlab.Problem.from_datasets(
        Digits(shift_randomly),
        None,
        model,
        name="shifted-digits",
        unaugmented_train=Digits(to_tensor),
    )


if __name__ == "__main__":  # worker processes import this file
    study = lrlab.compare(problem(), ["Cosine()"], tune=False, seeds=5, epochs=10, momentum=0.9)
    print(study.answer)
