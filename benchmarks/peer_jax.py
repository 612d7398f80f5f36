"""JAX on the CPU with the whole run, checks and early stop included, as one compiled loop."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from batches import batches, history, labelled

jax.config.update("jax_enable_x64", True)

K = 10  # classes


def accuracy(z, labels):
    """Return the share of examples that the logits classify correctly."""
    return (z.argmax(axis=1) == labels).mean(dtype=z.dtype)


def loss_of(z, labels):
    """Return the mean cross-entropy."""
    targets = z[jnp.arange(len(z)), labels]
    return (jax.nn.logsumexp(z, axis=1) - targets).mean()


@partial(jax.jit, static_argnames="check_every")
def loop(X, labels, X_val, labels_val, order, lam, learning_rate, patience, *, check_every):
    """Train until early stopping or the end of `order` (steps, batch size).

    Return the steps made, the loss of each, and of each check (checks, 3) the validation loss, the validation
    accuracy and the training accuracy.
    """
    steps, batch_size = order.shape
    targets = jnp.eye(K, dtype=X.dtype)

    def update(state):
        step, w, losses, checks, waited = state
        rows = order[step]
        X_batch = X[rows]
        y = labels[rows]
        z = X_batch @ w
        residual = jax.nn.softmax(z, axis=1) - targets[y]
        gradient = X_batch.T @ residual / batch_size + 2 * lam * w
        losses = losses.at[step].set(loss_of(z, y))
        w = w - learning_rate * gradient

        def checked():
            z = X_val @ w
            loss = loss_of(z, labels_val)
            measured = jnp.stack([loss, accuracy(z, labels_val), accuracy(X @ w, labels)])
            better = loss <= checks[:, 0].min()
            return checks.at[step // check_every].set(measured), jnp.where(better, 0, waited + 1)

        checks, waited = jax.lax.cond(step % check_every == 0, checked, lambda: (checks, waited))
        return step + 1, w, losses, checks, waited

    def goes_on(state):
        step, *_, waited = state
        return (step < steps) & (waited < patience)

    zero = jnp.int64(0)
    w = jnp.zeros((X.shape[1], K), X.dtype)
    losses = jnp.zeros(steps, X.dtype)
    checks = jnp.full((steps // check_every + 1, 3), jnp.inf, X.dtype)
    start = (zero, w, losses, checks, zero)
    made, _, losses, checks, _ = jax.lax.while_loop(goes_on, update, start)
    return made, losses, checks


def train(data, lam, *, learning_rate, epochs, batch_size, seed, patience):
    """Train once; return the history."""
    X = data[0]
    rows = [rows.astype(np.int32) for rows in batches(len(X), batch_size, epochs, seed)]
    check_every = len(X) // batch_size // 5
    made, losses, checks = loop(*data, np.stack(rows), lam, learning_rate, patience, check_every=check_every)
    return history(np.asarray(losses)[: int(made)], checks, check_every)


def prepare(data):
    """Return the arrays as JAX's, with labels in place of targets."""
    X, labels, X_val, labels_val = map(jnp.asarray, labelled(data))
    return X, labels.astype(jnp.int32), X_val, labels_val.astype(jnp.int32)


def compiled(data, runs, settings):
    """Return the histories of runs."""
    return [train(data, **run, **settings) for run in runs]


def version():
    """Return the version that ran, in words."""
    return f"JAX {jax.__version__}, {jax.devices()[0].device_kind}"
