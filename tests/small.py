"""Data of a hundred small images, in which training takes milliseconds."""

from typing import Any

import numpy as np

from assignment1 import LogisticRegression, SoftmaxRegression
from assignment1.mnist import Dataset, Split, one_hot, preprocess

RNG = np.random.default_rng(4)


def images(count: int, K: int, dtype: Any = np.float64) -> Split:
    """Make images of K kinds that differ in noise, with the border of MNIST's."""
    labels = RNG.integers(0, max(K, 2), count)
    shapes = np.random.default_rng(K).integers(0, 256, (10, 20, 20))
    found = np.zeros((count, 28, 28), int)
    found[:, 4:24, 4:24] = np.clip(shapes[labels] + RNG.integers(-300, 300, (count, 20, 20)), 0, 255)
    return Split(preprocess(found, dtype), one_hot(labels, dtype=dtype) if K > 1 else labels[:, None] * 1.0)


def dataset(K: int) -> Dataset:
    train, validation = images(151, K), images(83, K)
    return Dataset(train, validation, lambda: validation)


SETS = {LogisticRegression: dataset(1), SoftmaxRegression: dataset(10)}
KINDS: list[Any] = list(SETS)
SETTINGS: dict[str, Any] = dict(learning_rate=0.02, epochs=8, batch_size=10, seed=5, progress=False)
WAYS: Any = ("plain", "fast")
