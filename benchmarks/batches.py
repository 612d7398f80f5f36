"""What the peers share: labels, the rows of each batch, and the form of a history.

The reference alone shuffles as a student does.
"""

import numpy as np


def batches(images, batch_size, epochs, seed):
    """Yield the numbers of each batch's rows, views that the shuffle of the next epoch overwrites."""
    rng = np.random.default_rng(seed)
    order = np.arange(images)
    for _ in range(epochs):
        rng.shuffle(order)
        for end in range(batch_size, images + 1, batch_size):
            yield order[end - batch_size : end]


def labelled(data):
    """Return inputs and labels to train on, and those for validation."""
    (X, Y), (X_val, Y_val) = data.train, data.validation
    return X, Y.argmax(axis=1), X_val, Y_val.argmax(axis=1)


def waited(losses):
    """Return how many checks were made after the latest with the lowest loss."""
    return int(np.argmin(losses[::-1]))


def history(train_loss, checks, check_every):
    """Return a run's history; a check is its validation loss and its two accuracies."""
    steps = len(train_loss)
    at = range(0, steps, check_every)
    names = ("validation_loss", "validation_accuracy", "train_accuracy")
    measured = dict(zip(names, np.array(checks[: len(at)]).T, strict=True))
    best = at[-1 - waited(measured["validation_loss"])]
    return measured | dict(train_loss=train_loss, step=at, steps=steps, best_step=best)
