"""PyTorch on the CPU, as its best users would: a hand-written step without autograd."""

import math

import numpy as np
import torch

BLOCK = 10  # checks evaluated together at most


def evaluate(W, X, labels):
    """Mean cross-entropy and accuracy of P sets of weights W (P, 785, K), in one product."""
    P, _, K = W.shape
    z = (X @ W.permute(1, 0, 2).reshape(X.shape[1], P * K)).view(len(X), P, K)
    target = z.gather(2, labels[:, None, None].expand(-1, P, 1))[:, :, 0]
    loss = (z.logsumexp(2) - target).mean(0)
    return loss.tolist(), (z.argmax(2) == labels[:, None]).double().mean(0).tolist()


@torch.inference_mode()
def train(data, lam, *, learning_rate, epochs, batch_size, seed, patience, lazy):
    X, labels, X_val, labels_val = data
    K = int(labels.max()) + 1
    w = torch.zeros((X.shape[1], K), dtype=X.dtype)
    targets = torch.eye(K, dtype=X.dtype)[labels]
    X_batch = torch.empty((batch_size, X.shape[1]), dtype=X.dtype)
    per_epoch = len(X) // batch_size
    check_every = per_epoch // 5
    losses = torch.empty(epochs * per_epoch, dtype=torch.float64)
    rng, order = np.random.default_rng(seed), np.arange(len(X))
    pending, checks, best, best_step, waited, step, stop = [], [], math.inf, 0, 0, 0, False
    for _ in range(epochs):
        rng.shuffle(order)
        chosen = torch.from_numpy(order)
        for b in range(per_epoch):
            rows = chosen[b * batch_size : (b + 1) * batch_size]
            torch.index_select(X, 0, rows, out=X_batch)
            z, Y = X_batch @ w, targets[rows]
            logs = torch.log_softmax(z, 1)
            losses[step] = -(Y * logs).sum() / batch_size
            w.mul_(1 - 2 * learning_rate * lam)
            w.addmm_(X_batch.T, logs.exp_().sub_(Y), alpha=-learning_rate / batch_size)
            if step % check_every == 0:
                pending.append((step, w.clone()))
                if len(pending) >= (min(BLOCK, patience - waited) if lazy else 1):
                    W = torch.stack([weights for _, weights in pending])
                    scores = (*evaluate(W, X_val, labels_val), evaluate_accuracy(W, X, labels))
                    for (at, _), *measured in zip(pending, *scores, strict=True):
                        checks.append((at, *measured))
                        if measured[0] <= best:
                            best, best_step, waited = measured[0], at, 0
                        else:
                            waited += 1
                    pending, stop = [], waited >= patience
            step += 1
            if stop:
                break
        if stop:
            break
    if pending:
        W = torch.stack([weights for _, weights in pending])
        scores = (*evaluate(W, X_val, labels_val), evaluate_accuracy(W, X, labels))
        checks += [(at, *measured) for (at, _), *measured in zip(pending, *scores, strict=True)]
        best_step = min(checks, key=lambda check: (check[1], -check[0]))[0]
    at, validation_loss, validation_accuracy, train_accuracy = map(list, zip(*checks, strict=True))
    return dict(
        train_loss=losses[:step].numpy(),
        step=at,
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        train_accuracy=train_accuracy,
        steps=step,
        best_step=best_step,
    )


def evaluate_accuracy(W, X, labels):
    P, _, K = W.shape
    z = (X @ W.permute(1, 0, 2).reshape(X.shape[1], P * K)).view(len(X), P, K)
    return (z.argmax(2) == labels[:, None]).double().mean(0).tolist()


def prepare(data):
    (X, Y), (X_val, Y_val) = data
    return tuple(torch.from_numpy(a) for a in (X, Y.argmax(axis=1), X_val, Y_val.argmax(axis=1)))


def lazy(data, runs, settings):
    return [train(data, **run, **settings, lazy=True) for run in runs]


def eager(data, runs, settings):
    return [train(data, **run, **settings, lazy=False) for run in runs]


def version():
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
