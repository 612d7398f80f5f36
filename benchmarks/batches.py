"""What the peers share: labels, the rows of each batch, and the form of a history.

The reference alone shuffles as a student does.
"""

import numpy as np


def batches(images, batch_size, epochs, seed):
    """Yield the rows of each batch; the next epoch's take their place."""
    rng = np.random.default_rng(seed)
    order = np.arange(images)
    for _ in range(epochs):
        rng.shuffle(order)
        for end in range(batch_size, images + 1, batch_size):
            yield order[end - batch_size : end]


def labelled(X, Y, X_val, Y_val):
    """Return the arrays with labels in place of targets."""
    return X, Y.argmax(axis=1), X_val, Y_val.argmax(axis=1)


def history(train_loss, checks, check_every, best_step):
    """Return a run's history; a check is its validation loss and its two accuracies."""
    steps = len(train_loss)
    names = ("validation_loss", "validation_accuracy", "train_accuracy")
    measured = dict(zip(names, np.transpose(checks), strict=True))
    at = range(0, steps, check_every)
    return measured | dict(train_loss=train_loss, step=at, steps=steps, best_step=best_step)
