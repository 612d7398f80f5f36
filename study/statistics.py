"""Means and proportions with their uncertainty: over shuffles, over images, paired or not."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from assignment1.models import Array, Truths

Values = Array | Truths
BLOCK = 500  # neighbouring images that count as one value
FEWEST = 20  # blocks of a set of images, be they smaller


class Interval(NamedTuple):
    """A mean with its standard error, and its 95% confidence interval by Student's t."""

    mean: float
    error: float  # one standard error
    size: int  # number of values, of pairs, or of both samples together
    freedom: float  # degrees of freedom of t

    @property
    def half(self) -> float:
        """Return half the width of the interval."""
        return self.error * float(stdtrit(self.freedom, 0.975))

    @property
    def low(self) -> float:
        """Return the lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """Return the upper end."""
        return self.mean + self.half

    @property
    def certain(self) -> bool:
        """Return whether the interval leaves out 0."""
        return abs(self.mean) > self.half

    @property
    def ratio(self) -> float:
        """Return the mean in standard errors."""
        return in_units(self.mean, self.error)

    @property
    def beyond(self) -> float:
        """Return the mean's distance from 0 in units of `half`; below 1 it is indistinguishable from 0."""
        return in_units(abs(self.mean), self.half)


def in_units(value: float, unit: float) -> float:
    """Return value / unit; by a unit of 0, as where nothing varies, 0 for 0 and else infinity."""
    if unit or not value:
        return value / (unit or 1)
    return math.copysign(math.inf, value)


def interval(values: ArrayLike) -> Interval:
    """Return the mean of independent values, such as seeds. Raises ValueError for fewer than two."""
    sample = np.asarray(values, float).ravel()
    size = len(sample)
    if size < 2:
        raise ValueError(f"{size} values; expected two or more, for one has no spread")
    error = sample.std(ddof=1) / np.sqrt(size)
    return Interval(float(sample.mean()), float(error), size, size - 1)


def apart(a: ArrayLike, b: ArrayLike) -> Interval:
    """Return the mean of `a` minus that of `b`, two independent samples (Welch, 1947)."""
    one = interval(a)
    other = interval(b)
    square = one.error**2 + other.error**2
    parts = one.error**4 / one.freedom + other.error**4 / other.freedom
    freedom = square**2 / parts if parts else one.freedom + other.freedom
    return Interval(one.mean - other.mean, float(np.sqrt(square)), one.size + other.size, freedom)


def blocks(values: Values, size: int | None = None) -> Array:
    """Return the means over blocks of neighbouring images, of values (..., images): (..., blocks).

    Neighbours in MNIST's files were often written by one hand; blocks are less alike, if not independent.
    They have BLOCK images, or fewer, so that there are FEWEST. An incomplete last block is left out. Raises
    ValueError for fewer images than two blocks have.
    """
    size = size or max(min(BLOCK, values.shape[-1] // FEWEST), 1)
    count = values.shape[-1] // size
    if count < 2:
        raise ValueError(f"{values.shape[-1]} images; expected {2 * size} or more, for two blocks of {size}")
    return values[..., : count * size].reshape(*values.shape[:-1], count, size).mean(axis=-1, dtype=float)


def over_images(values: Values) -> Interval:
    """Return the mean of values of images, with its interval from blocks of neighbours."""
    mean = float(values.mean(dtype=float))  # of an incomplete block, too
    return interval(blocks(values))._replace(mean=mean)


def over_sets(a: Values, b: Values) -> Interval:
    """Return the mean of `a` minus that of `b`, values of two sets of images, from blocks of neighbours."""
    mean = float(a.mean(dtype=float) - b.mean(dtype=float))
    return apart(blocks(a), blocks(b))._replace(mean=mean)


class Neighbours(NamedTuple):
    """The variance of block means over that of independent images, and 95% of what random orders give."""

    ratio: float
    low: float
    high: float


def neighbours(values: Values, size: int = 100, orders: int = 200) -> Neighbours:
    """Compare the variance of block means of values (images,) with that in random orders of them."""
    rng = np.random.default_rng(0)
    expected = values.var() / size
    drawn = [blocks(rng.permutation(values), size).var(ddof=1) / expected for _ in range(orders)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Neighbours(float(blocks(values, size).var(ddof=1) / expected), float(low), float(high))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95% interval for a proportion of `hits` in `n` (Wilson, 1927), NaN of 0."""
    from scipy.stats import binomtest  # takes long to import, and no worker needs it

    if not n:
        return math.nan, math.nan
    return binomtest(hits, n).proportion_ci(method="wilson")


class Estimate(NamedTuple):
    """A mean over shuffles and images: what it would do with other shuffles, and with other images."""

    mean: float
    shuffles: float  # half a 95% interval over the runs, on these images
    images: float  # half a 95% interval over the images, in blocks, for these runs

    @property
    def both(self) -> float:
        """Return half a 95% interval where shuffles and images vary, as if independently."""
        return float(np.hypot(self.shuffles, self.images))

    @property
    def certain(self) -> bool:
        """Return whether the interval over both leaves out 0."""
        return abs(self.mean) > self.both


def estimate(values: Values) -> Estimate:
    """Return the mean of `values` (runs, images), such as a run's change of each image's loss."""
    shuffles = interval(values.mean(axis=1))
    images = over_images(values.mean(axis=0))
    return Estimate(float(values.mean()), shuffles.half, images.half)


def estimate_apart(a: Values, b: Values) -> Estimate:
    """Return the mean of `a` (runs, images) minus that of `b`, the same runs on other images."""
    shuffles = interval(a.mean(axis=1) - b.mean(axis=1))
    images = over_sets(a.mean(axis=0), b.mean(axis=0))
    return Estimate(shuffles.mean, shuffles.half, images.half)
