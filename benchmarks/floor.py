"""The bare matrix work of one run of task 3: what no NumPy program that makes its steps can do without."""

from itertools import islice

import numpy as np
from batches import batches
from contestants import prepare, version  # noqa: F401

STEPS = 7627  # of the run with seed 0 and lambda 0
CHECKS = 247
BATCH = 128
K = 10
BLOCK = 10  # checks that can share a product: no more before an early stop could fall due
SCORED = 64


def run(data, runs, settings):
    """Do the products of all steps, with each batch gathered, and of all checks, in the fastest layout.

    Return no histories.
    """
    X = data.train.X
    D = X.shape[1]
    batch = np.empty((BATCH, D), X.dtype)
    w = np.zeros((D, K), X.dtype)
    residual = np.zeros((K, BATCH), X.dtype)
    z = np.empty((BATCH, K), X.dtype)
    gradient = np.empty_like(w)
    for rows in islice(batches(len(X), BATCH, epochs=50, seed=0), STEPS):
        np.take(X, rows, axis=0, out=batch, mode="clip")
        np.matmul(batch, w, out=z)
        np.matmul(batch.T, residual.T, out=gradient)
    W = np.zeros((K * CHECKS, D), X.dtype)
    for images, together in ((data.validation.X, K * BLOCK), (X, K * SCORED)):
        for start in range(0, len(W), together):
            np.matmul(W[start : start + together], images.T)
    return []
