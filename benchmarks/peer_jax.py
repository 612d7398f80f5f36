"""JAX on the CPU with the whole run, checks and early stop included, as one compiled loop."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from batches import batches, history, labelled
from jax import Array

jax.config.update("jax_enable_x64", True)

K = 10  # classes


class State(NamedTuple):
    """A run in progress."""

    step: Array
    w: Array
    losses: Array
    checks: Array  # (checks, 3): validation loss, validation accuracy, training accuracy
    waited: Array


def accuracy(z, labels):
    """Return the share of examples that the logits classify correctly."""
    correct = z.argmax(axis=1) == labels
    return correct.mean(dtype=z.dtype)


def loss_of(z, labels):
    """Return the mean cross-entropy."""
    target = jnp.take_along_axis(z, labels[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(z, axis=1) - target).mean()


@partial(jax.jit, static_argnames="check_every")
def loop(X, labels, X_val, labels_val, order, lam, learning_rate, patience, *, check_every):
    """Train until early stopping or the end of `order` (steps, batch size); return the last state."""
    steps, batch_size = order.shape
    targets = jnp.eye(K, dtype=X.dtype)

    def check(state):
        z = X_val @ state.w
        loss = loss_of(z, labels_val)
        measured = jnp.stack([loss, accuracy(z, labels_val), accuracy(X @ state.w, labels)])
        better = loss <= state.checks[:, 0].min()
        return state._replace(
            checks=state.checks.at[state.step // check_every].set(measured),
            waited=jnp.where(better, 0, state.waited + 1),
        )

    def update(state):
        rows = order[state.step]
        X_batch = X[rows]
        y = labels[rows]
        z = X_batch @ state.w
        residual = jax.nn.softmax(z, axis=1) - targets[y]
        gradient = X_batch.T @ residual / batch_size + 2 * lam * state.w
        losses = state.losses.at[state.step].set(loss_of(z, y))
        state = state._replace(w=state.w - learning_rate * gradient, losses=losses)
        state = jax.lax.cond(state.step % check_every == 0, check, lambda state: state, state)
        return state._replace(step=state.step + 1)

    def goes_on(state):
        return (state.step < steps) & (state.waited < patience)

    zero = jnp.int64(0)
    start = State(
        step=zero,
        w=jnp.zeros((X.shape[1], K), X.dtype),
        losses=jnp.zeros(steps, X.dtype),
        checks=jnp.full((steps // check_every + 1, 3), jnp.inf, X.dtype),
        waited=zero,
    )
    return jax.lax.while_loop(goes_on, update, start)


def train(data, lam, *, learning_rate, epochs, batch_size, seed, patience):
    """Train once; return the history."""
    X = data[0]
    rows = [rows.astype(np.int32) for rows in batches(len(X), batch_size, epochs, seed)]
    check_every = len(X) // batch_size // 5
    end = loop(*data, np.stack(rows), lam, learning_rate, patience, check_every=check_every)
    losses = np.asarray(end.losses)[: int(end.step)]
    return history(losses, end.checks, check_every)


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
