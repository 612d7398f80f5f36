"""How the training grows: `growth.py images N`, `growth.py epochs N` or `growth.py runs S`; JSON on stdout.

Time of the fastest of three, after a warm-up, and the peak memory against the arrays of the data.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from assignment1 import SoftmaxRegression, load_mnist, sweep
from assignment1.mnist import Dataset, Split, one_hot, preprocess

SETTINGS = dict(learning_rate=0.01, seed=0, progress=False)


def data(count):
    """`count` images to train on, of the 60,000, and the 10,000 for validation."""
    mnist = load_mnist()
    train = Split(preprocess(mnist.train_images[:count]), one_hot(mnist.train_labels[:count]))
    validation = Split(preprocess(mnist.test_images), one_hot(mnist.test_labels))
    return Dataset(train, validation, lambda: validation)


def status(name):
    """A figure of the process in MB: VmRSS, memory now, or VmHWM, its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def main(what, count):
    images = data(count if what == "images" else 20_000)
    lams = list(np.geomspace(1e-4, 1, count)) if what == "runs" else [0.0]
    epochs = count if what == "epochs" else 2
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (Linux)
    before, times = status("VmRSS"), []
    for _ in range(4):
        start = time.perf_counter()
        sweep(SoftmaxRegression, images, lam=lams, epochs=epochs, **SETTINGS)
        times.append(time.perf_counter() - start)
    arrays = sum(part.nbytes for split in (images.train, images.validation) for part in split) / 2**20
    memory = (arrays + status("VmHWM") - before) / arrays
    print(json.dumps(dict(what=what, count=count, seconds=min(times[1:]), arrays=arrays, memory=memory)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
