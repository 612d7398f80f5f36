"""Mini-batch gradient descent with early stopping (tasks 2b to 2e, 3 and 4): the plain algorithm."""

from collections.abc import Callable, Iterator
from threading import Event

import numpy as np

from assignment1 import arguments
from assignment1.mnist import Dataset, Split
from assignment1.models import Regression
from assignment1.progress import interrupt, progress
from assignment1.run import Log, Run, RunInProgress, Settings


def gradient_descent(
    model: Regression,
    data: Dataset,
    settings: Settings,
    *,
    shown: bool = False,
    stop: Event | None = None,
    watch: Callable[[Log, Regression], object] = lambda log, model: None,
) -> Run:
    """Train a copy of `model`: one batch and one check at a time, as the assignment describes it.

    With `shown` there is a progress bar. `watch` is called with the log and the model after each step. `stop`
    ends the run, which is kept; without one the first Ctrl+C does. Raises TypeError or ValueError for
    arguments that cannot be right, FloatingPointError when the run diverges.

    >>> gradient_descent(LogisticRegression(), load_mnist().binary(2, 3), Settings(0.05, epochs=2)).steps
    62
    """
    data = trainable(model, data, settings)
    per_epoch = len(data.train.X) // settings.batch_size
    check_every = max(per_epoch // settings.checks_per_epoch, 1)  # steps
    model = model.copy(model.w.astype(data.train.X.dtype))
    run = RunInProgress(model, settings)
    log = run.log
    with interrupt(stop) as stop, progress(settings.epochs, "epoch", shown) as advance:
        for step, (X, Y) in enumerate(batches(data.train, settings)):
            z = X @ model.w
            log.train_loss.append(model.loss_at(z, Y))
            gradient = arguments.gradient(model.gradient_at(z, X, Y), model.w)
            w = model.w - settings.learning_rate * gradient
            model = model.copy(w.astype(model.w.dtype, copy=False))
            if step % check_every == 0:
                z = data.validation.X @ model.w
                Y = data.validation.Y
                if run.take(step, model.w, model.loss_at(z, Y), model.accuracy_at(z, Y)):
                    z = data.train.X @ model.w
                    log.train_accuracy[-1] = model.accuracy_at(z, data.train.Y)
            if (step + 1) % per_epoch == 0:
                advance()
            watch(log, model)
            if run.stopping.stopped or log.diverged() or stop.is_set():
                break
    run.last = model.w
    return run.finish(per_epoch, stop.is_set())


def batches(train: Split, settings: Settings) -> Iterator[Split]:
    """Yield the batches of all epochs, in the order that the settings say, without an incomplete last one."""
    for order in orders(len(train.X), settings):
        for start in range(0, len(order) - settings.batch_size + 1, settings.batch_size):
            batch = order[start : start + settings.batch_size]
            yield Split(train.X[batch], train.Y[batch])


def orders(images: int, settings: Settings) -> Iterator[np.ndarray]:
    """Yield the order of the images in each epoch, as row numbers (images,)."""
    rng = np.random.default_rng(settings.seed)
    order = np.arange(images)
    for epoch in range(settings.epochs):
        if settings.shuffle is True or (settings.shuffle == "once" and epoch == 0):
            rng.shuffle(order)
        yield order


def trainable(model: Regression, data: Dataset, settings: Settings) -> Dataset:
    """Return `data`, validated; raise TypeError or ValueError if `model` cannot be trained on it so."""
    arguments.instance("model", model, Regression, "SoftmaxRegression()")
    arguments.instance("data", data, Dataset, "load_mnist().softmax()")
    arguments.instance("settings", settings, Settings, "Settings(learning_rate=0.01, epochs=50)")
    width, K = model.w.shape
    train = Split(*arguments.split(data.train, width, K, "the training data"))
    validation = Split(*arguments.split(data.validation, width, K, "the validation data"))
    arguments.whole("batch_size", settings.batch_size, 1, len(train.X), ", the number of training images")
    arguments.finite_weights(model.w)
    return Dataset(train, validation, data.make_test)
