"""Means with the uncertainty that belongs to them: over shuffles, over images, paired or not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Values = NDArray[np.floating] | NDArray[np.bool_]


class Interval(NamedTuple):
    """A mean with its standard error, and its 95% confidence interval by Student's t."""

    mean: float
    error: float  # one standard error
    size: int  # how many values, or pairs of values, it is of
    freedom: float  # degrees of freedom of t

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return self.error * float(stdtrit(self.freedom, 0.975))

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out 0."""
        return abs(self.mean) > self.half

    @property
    def ratio(self) -> float:
        """The mean in standard errors."""
        return self.mean / self.error

    @property
    def beyond(self) -> float:
        """How many times `half` the mean is away from 0: below 1 it is indistinguishable from 0."""
        return abs(self.mean) / self.half


def interval(values: ArrayLike) -> Interval:
    """The mean of a sample, of independent seeds or images. ValueError for fewer than two values."""
    sample = np.asarray(values, float).ravel()
    if len(sample) < 2:
        raise ValueError(f"{len(sample)} values; expected two or more, for one has no spread")
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    return Interval(float(sample.mean()), float(error), len(sample), len(sample) - 1)


def paired(a: ArrayLike, b: ArrayLike) -> Interval:
    """The mean of a - b, value by value. ValueError for fewer than two pairs."""
    return interval(np.subtract(np.asarray(a, float), np.asarray(b, float)))


def apart(a: ArrayLike, b: ArrayLike) -> Interval:
    """The mean of `a` minus that of `b`, two independent samples (Welch, 1947)."""
    one, other = interval(a), interval(b)
    square, each = one.error**2 + other.error**2, (one, other)
    freedom = square**2 / sum(part.error**4 / part.freedom for part in each)
    return Interval(one.mean - other.mean, float(np.sqrt(square)), one.size + other.size, freedom)


class Estimate(NamedTuple):
    """A mean over shuffles and images: what it would do with other shuffles, and with other images."""

    mean: float
    shuffles: float  # half a 95% interval over the runs, on these images
    images: float  # half a 95% interval over the images, for these runs

    @property
    def both(self) -> float:
        """Half a 95% interval where shuffles and images vary, as if independently."""
        return float(np.hypot(self.shuffles, self.images))

    @property
    def certain(self) -> bool:
        """Whether the interval over both leaves out 0."""
        return abs(self.mean) > self.both


def estimate(values: Values) -> Estimate:
    """The mean of `values` (runs, images), such as a run's change of each image's loss."""
    return Estimate(
        float(values.mean()), interval(values.mean(axis=1)).half, interval(values.mean(axis=0)).half
    )


def estimate_apart(a: Values, b: Values) -> Estimate:
    """The mean of `a` (runs, images) minus that of `b`, the same runs on other images."""
    over_runs = interval(a.mean(axis=1) - b.mean(axis=1))
    return Estimate(over_runs.mean, over_runs.half, apart(a.mean(axis=0), b.mean(axis=0)).half)
