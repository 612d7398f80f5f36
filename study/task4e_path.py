"""Task 4e: where gradient descent without a penalty leads: there is no minimum."""

from typing import NamedTuple

import numpy as np

from assignment1.fast.evaluation import margin
from assignment1.mnist import Dataset
from assignment1.models import Array, SoftmaxRegression
from study.optima import smallest_margin

NORMS = (1e3, 1e4, 1e5)


class Separation(NamedTuple):
    """The validation loss of weights that classify every training image correctly."""

    margin: float  # the smallest lead of the target's logit over every other on training images, in 1/255
    missed: float  # the share of the validation images that are misclassified
    behind: float  # the mean of max_k z_k - z_y there, for weights of norm 1
    loss: Array  # for weights of the NORMS


def separation(w: Array, data: Dataset) -> Separation:
    """Bound the validation loss along the whole-numbered weights `w`; the bound grows with their norm.

    The cross-entropy is at least max_k z_k - z_y, so that at norm r the mean loss is at least r `behind`.
    """
    X, Y = data.validation
    z = X @ (w / np.linalg.norm(w))
    behind = np.maximum(0, -margin(z, Y))
    missed = ~SoftmaxRegression.correct(z, Y)
    loss = np.array([SoftmaxRegression.cross_entropy(r * z, Y).mean() for r in NORMS])
    return Separation(smallest_margin(w, data.train), missed.mean(), behind.mean(), loss)
