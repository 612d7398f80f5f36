"""JAX on the CPU with the whole run, checks and early stop included, as one compiled loop."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def accuracy(z, labels):
    return (z.argmax(axis=1) == labels).mean(dtype=z.dtype)


def loss_of(z, labels):
    return (jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, labels[:, None], axis=1)[:, 0]).mean()


@partial(jax.jit, static_argnames=("check_every", "K"))
def loop(X, labels, X_val, labels_val, order, lam, learning_rate, patience, *, check_every, K):
    steps, batch_size = order.shape
    targets = jnp.eye(K, dtype=X.dtype)

    def check(state):
        step, w, losses, checks, best, best_step, waited = state
        z = X_val @ w
        loss = loss_of(z, labels_val)
        measured = jnp.stack([loss, accuracy(z, labels_val), accuracy(X @ w, labels)])
        better = loss <= best
        best, best_step = jnp.where(better, loss, best), jnp.where(better, step, best_step)
        waited = jnp.where(better, 0, waited + 1)
        return step, w, losses, checks.at[step // check_every].set(measured), best, best_step, waited

    def one(state):
        step, w, losses, checks, best, best_step, waited = state
        rows = order[step]
        X_batch, y = X[rows], labels[rows]
        z = X_batch @ w
        losses = losses.at[step].set(loss_of(z, y))
        gradient = X_batch.T @ (jax.nn.softmax(z, axis=1) - targets[y]) / batch_size + 2 * lam * w
        state = (step, w - learning_rate * gradient, losses, checks, best, best_step, waited)
        state = jax.lax.cond(step % check_every == 0, check, lambda state: state, state)
        return (step + 1, *state[1:])

    state = (
        jnp.int64(0),
        jnp.zeros((X.shape[1], K), X.dtype),
        jnp.zeros(steps, X.dtype),
        jnp.zeros((-(-steps // check_every), 3), X.dtype),
        jnp.array(jnp.inf, X.dtype),
        jnp.int64(0),
        jnp.int64(0),
    )
    return jax.lax.while_loop(lambda state: (state[0] < steps) & (state[-1] < patience), one, state)


def train(data, lam, *, learning_rate, epochs, batch_size, seed, patience):
    X, labels = data[:2]
    rng, order, per_epoch = np.random.default_rng(seed), np.arange(len(X)), len(X) // batch_size
    epochs_of_rows = []
    for _ in range(epochs):
        rng.shuffle(order)
        epochs_of_rows.append(order[: per_epoch * batch_size].astype(np.int32).reshape(per_epoch, batch_size))
    rows = jnp.asarray(np.concatenate(epochs_of_rows))
    lam, learning_rate = jnp.array(lam, X.dtype), jnp.array(learning_rate, X.dtype)
    every, K = per_epoch // 5, int(labels.max()) + 1
    done = loop(*data, rows, lam, learning_rate, patience, check_every=every, K=K)
    steps, _, losses, checks, _, best_step, _ = jax.block_until_ready(done)
    steps = int(steps)
    at = np.arange(0, steps, every)
    measured = np.asarray(checks)[: len(at)]
    return dict(
        train_loss=np.asarray(losses)[:steps],
        step=at,
        validation_loss=measured[:, 0],
        validation_accuracy=measured[:, 1],
        train_accuracy=measured[:, 2],
        steps=steps,
        best_step=int(best_step),
    )


def prepare(data):
    (X, Y), (X_val, Y_val) = data
    arrays = (X, Y.argmax(axis=1).astype(np.int32), X_val, Y_val.argmax(axis=1).astype(np.int32))
    return tuple(jnp.asarray(a) for a in arrays)


def compiled(data, runs, settings):
    return [train(data, **run, **settings) for run in runs]


def warm(data, runs, settings):
    """Compile, for these shapes; a patience of 0 stops before the first step."""
    train(data, **runs[0], **settings | dict(patience=0))


def version():
    return f"JAX {jax.__version__}, {jax.devices()[0].device_kind}"
