"""How the training grows with the images, the epochs or the runs.

Time of the fastest of three, after a warm-up, and the peak memory against the arrays of the data.
"""

import re
import time
from pathlib import Path

import kernels  # noqa: F401

import numpy as np

from assignment1 import SoftmaxRegression, load_mnist, sweep
from assignment1.mnist import Dataset, Split, one_hot, preprocess

SETTINGS = dict(learning_rate=0.01, seed=0, progress=False)
MB = 2**20


def dataset(count):
    """Return `count` images to train on, of the 60,000, and the 10,000 for validation."""
    mnist = load_mnist()
    train = Split(preprocess(mnist.train_images[:count]), one_hot(mnist.train_labels[:count]))
    validation = Split(preprocess(mnist.test_images), one_hot(mnist.test_labels))
    return Dataset(train, validation, lambda: validation)


def status(name):
    """Return a figure of the process in MB: VmRSS, memory now, or VmHWM, its peak."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024


def measure(what, count):
    """Return seconds and memory of a sweep with so many images, epochs or runs."""
    data = dataset(count if what == "images" else 20_000)
    lams = np.geomspace(1e-4, 1, count) if what == "runs" else [0.0]
    epochs = count if what == "epochs" else 2
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (Linux)
    before = status("VmRSS")
    times = []
    for _ in range(4):
        start = time.perf_counter()
        sweep(SoftmaxRegression, data, lam=lams, epochs=epochs, **SETTINGS)
        times.append(time.perf_counter() - start)
    added = status("VmHWM") - before
    arrays = sum(array.nbytes for array in (*data.train, *data.validation)) / MB
    memory = (arrays + added) / arrays
    return dict(what=what, count=count, seconds=min(times[1:]), memory=memory)
