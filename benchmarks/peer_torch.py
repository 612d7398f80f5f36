"""PyTorch on the CPU, as its best users would: a hand-written step without autograd."""

import torch
from batches import batches, history, labelled

BLOCK = 10  # checks evaluated together at most
K = 10  # classes


class Checks:
    """The checks of a run: their weights are evaluated in one product, when the run could stop."""

    def __init__(self, data, patience, block):
        self.data = data
        self.patience = patience
        self.block = block  # checks evaluated together at most
        self.pending = []  # weights to evaluate
        self.made = []  # validation loss and accuracy, and training accuracy, of each
        self.best = 0  # the check with the lowest loss
        self.waited = 0  # checks since

    def note(self, w):
        """Note the weights of a check, and evaluate once it is due."""
        self.pending.append(w.clone())
        if len(self.pending) >= min(self.block, self.patience - self.waited):
            self.evaluate()

    def evaluate(self):
        """Evaluate all weights that are noted."""
        X, labels, X_val, labels_val = self.data
        W = torch.stack(self.pending)
        self.pending = []
        z = logits(X_val, W)
        training = accuracies(logits(X, W), labels)
        for check in zip(losses(z, labels_val), accuracies(z, labels_val), training, strict=True):
            self.made.append(check)
            if check[0] <= self.made[self.best][0]:
                self.best = len(self.made) - 1
        self.waited = len(self.made) - 1 - self.best


def logits(X, W):
    """Return the logits (N, P, K) of P sets of weights W (P, 785, K), from one product."""
    P, D, _ = W.shape
    return (X @ W.permute(1, 0, 2).reshape(D, P * K)).view(len(X), P, K)


def losses(z, labels):
    """Return the mean cross-entropy of each set of weights."""
    index = labels[:, None, None].expand(-1, z.shape[1], 1)
    target = z.gather(2, index)[:, :, 0]
    return (z.logsumexp(2) - target).mean(0).tolist()


def accuracies(z, labels):
    """Return the accuracy of each set of weights."""
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
    checks = Checks(data, patience, block)
    for step, chosen in enumerate(batches(len(X), batch_size, epochs, seed)):
        rows = torch.from_numpy(chosen)
        torch.index_select(X, 0, rows, out=X_batch)
        Y = targets[rows]
        logs = torch.log_softmax(X_batch @ w, 1)
        train_loss[step] = -(Y * logs).sum() / batch_size
        w.mul_(1 - 2 * learning_rate * lam)
        w.addmm_(X_batch.T, logs.exp_().sub_(Y), alpha=-learning_rate / batch_size)
        if step % check_every == 0:
            checks.note(w)
            if checks.waited >= patience:
                break
    if checks.pending:
        checks.evaluate()
    return history(train_loss[: step + 1].numpy(), checks.made, check_every, checks.best * check_every)


def prepare(*splits):
    """Return the arrays as tensors, with labels in place of targets."""
    return list(map(torch.from_numpy, labelled(*splits)))


def lazy(data, runs, settings):
    """Return the histories of runs whose checks are evaluated together."""
    return [train(data, **run, **settings, block=BLOCK) for run in runs]


def eager(data, runs, settings):
    """Return the histories of runs whose checks are evaluated at once."""
    return [train(data, **run, **settings, block=1) for run in runs]


def version():
    """Return the version that ran, in words."""
    return f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
