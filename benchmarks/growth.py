"""How the training grows with the images, the epochs or the runs.

Time of the fastest of three, after a warm-up, and the warm-up's peak memory against the arrays of the data.
"""

import timeit
import tracemalloc
from dataclasses import replace
from functools import partial

import kernels  # noqa: F401

import numpy as np

from assignment1 import SoftmaxRegression, load_mnist, sweep
from assignment1.mnist import Split, one_hot, preprocess


def dataset(count):
    """Return `count` images to train on, of the 60,000, and the 10,000 for validation."""
    mnist = load_mnist()
    train = Split(preprocess(mnist.train_images[:count]), one_hot(mnist.train_labels[:count]))
    return replace(mnist.softmax(), train=train)


def measure(what, count):
    """Return seconds and memory of a sweep with so many images, epochs or runs."""
    data = dataset(count if what == "images" else 20_000)
    lams = np.geomspace(1e-4, 1, count) if what == "runs" else [0.0]
    epochs = count if what == "epochs" else 2
    train = partial(
        sweep,
        SoftmaxRegression,
        data,
        lam=lams,
        seed=0,
        learning_rate=0.01,
        epochs=epochs,
        progress=False,
    )
    tracemalloc.start()
    train()
    _, added = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    seconds = min(timeit.repeat(train, number=1, repeat=3))
    arrays = sum(array.nbytes for array in (*data.train, *data.validation))
    return dict(what=what, count=count, seconds=seconds, memory=1 + added / arrays)
