"""Fixtures of tests that use MNIST, a few of its images, or the stored minima; a plugin of those files."""

import pytest

from assignment1 import load_mnist
from assignment1.mnist import Dataset, Split
from study import optima


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture(scope="session")
def images(mnist):
    return mnist.softmax()


@pytest.fixture(scope="session")
def few(images) -> Dataset:
    """Return the first 600 training and 500 validation images; the next 700 training images are held out."""
    train = Split(*(a[:600] for a in images.train))
    validation = Split(*(a[:500] for a in images.validation))
    held = Split(*(a[600:1300] for a in images.train))
    return Dataset(train, validation, lambda: held)


@pytest.fixture(scope="session")
def minima():
    return optima.load_optima()
