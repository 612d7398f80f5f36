"""PyTorch on the CPU, as its best users would: a hand-written step without autograd."""

from functools import partial

import torch
from batches import batches, history, labelled, waited

K = 10  # classes


def evaluated(data, weights):
    """Return validation loss, validation accuracy and training accuracy of some weights, from one product."""
    X, labels, X_val, labels_val = data
    W = torch.stack(weights)
    z = torch.tensordot(X_val, W, ([1], [1]))  # (N, P, K) for P sets of weights W (P, 785, K)
    targets = z.take_along_dim(labels_val[:, None, None], dim=2)[..., 0]
    losses = (z.logsumexp(2) - targets).mean(0).tolist()
    training = accuracies(torch.tensordot(X, W, ([1], [1])), labels)
    return list(zip(losses, accuracies(z, labels_val), training, strict=True))


def accuracies(z, labels):
    """Return the accuracy of each set of weights, whose logits z are (N, P, K)."""
    correct = z.argmax(2) == labels[:, None]
    return correct.double().mean(0).tolist()


@torch.inference_mode()
def train(data, lam, *, learning_rate, epochs, batch_size, seed, patience, block):
    """Train once; return the history."""
    X, labels = data[:2]
    w = torch.zeros((X.shape[1], K), dtype=X.dtype)
    targets = torch.eye(K, dtype=X.dtype)[labels]
    X_batch = torch.empty((batch_size, X.shape[1]), dtype=X.dtype)
    per_epoch = len(X) // batch_size
    check_every = per_epoch // 5
    train_loss = torch.empty(epochs * per_epoch, dtype=torch.float64)
    pending = []  # weights of checks that are to be evaluated
    checks = []
    since = 0  # checks after the one with the lowest loss
    for step, chosen in enumerate(batches(len(X), batch_size, epochs, seed)):
        rows = torch.from_numpy(chosen)
        torch.index_select(X, 0, rows, out=X_batch)
        Y = targets[rows]
        logs = torch.log_softmax(X_batch @ w, 1)
        train_loss[step] = -(Y * logs).sum() / batch_size
        w.mul_(1 - 2 * learning_rate * lam)
        w.addmm_(X_batch.T, logs.exp_().sub_(Y), alpha=-learning_rate / batch_size)
        if step % check_every == 0:
            pending.append(w.clone())
            if len(pending) >= min(block, patience - since):
                checks += evaluated(data, pending)
                pending = []
                since = waited([loss for loss, *_ in checks])
                if since >= patience:
                    break
    if pending:
        checks += evaluated(data, pending)
    return history(train_loss[: step + 1].numpy(), checks, check_every)


def prepare(data):
    """Return the arrays as tensors, with labels in place of targets."""
    return list(map(torch.from_numpy, labelled(data)))


def lazy(data, runs, settings, block=10):
    """Return the histories of runs of which at most `block` checks are evaluated together."""
    return [train(data, **run, **settings, block=block) for run in runs]


eager = partial(lazy, block=1)


def version():
    """Return the version that ran, in words."""
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
