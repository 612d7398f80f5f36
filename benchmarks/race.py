"""Contestants in processes of their own take turns at a task, and their histories are compared."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DATA = "data.npz"
PEERS = HERE / ".venv/bin/python"
ROUNDS = 3
TASK_2 = dict(learning_rate=0.05, epochs=500, batch_size=128, patience=10)
TASK_3 = dict(learning_rate=0.01, epochs=50, batch_size=128, patience=10)
LAMBDAS = (0.0, 1.0, 0.1, 0.01, 0.001)

CONTESTANTS = {
    "JAX, one compiled loop": "peer_jax.compiled",
    "PyTorch": "peer_torch.eager",
    "PyTorch, evaluated lazily": "peer_torch.lazy",
    "floor": "contestants.floor",
    "reference": "contestants.reference",
    "scikit-learn, newton-cg": "peer_sklearn.fit",
    "sweep()": "contestants.ours_sweep",
    "sweep(), one worker": "contestants.ours_sweep_one_worker",
    "this project": "contestants.ours_single",
}


class Worker:
    """A contestant's process, warmed up."""

    def __init__(self, label, folder, runs, settings):
        module, _, function = CONTESTANTS[label].partition(".")
        peer = PEERS.exists() and module.startswith("peer_")
        python = PEERS if peer else sys.executable
        pipe = subprocess.PIPE
        command = [python, HERE / "worker.py", module, function, folder / DATA]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.kept = f"{folder / label}.npz"
        self.task = json.dumps(dict(runs=runs, settings=settings, keep=self.kept))
        self.version = self.ask()

    def ask(self):
        """Return the answer to the task; raise RuntimeError with the last line of a process that failed."""
        try:
            print(self.task, file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (OSError, json.JSONDecodeError):
            _, errors = self.process.communicate()
            raise RuntimeError(errors.strip().splitlines()[-1]) from None


def race(labels, data, runs, settings, tolerance=1e-8):
    """Return the seconds of each contestant in each round, with the contestants left out and why.

    Raises ValueError if the histories of the last round do not agree with those of the first contestant.
    """
    workers = {}
    left_out = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / DATA, *data.train, *data.validation)
        for label in labels:
            try:
                workers[label] = Worker(label, folder, runs, settings)
            except RuntimeError as error:
                left_out[label] = str(error)
                print(f"  left out: {label} ({error})", flush=True)
        rows = {label: dict(seconds=[], version=worker.version) for label, worker in workers.items()}
        for _ in range(ROUNDS):
            for label, worker in workers.items():
                seconds = worker.ask()
                rows[label]["seconds"].append(seconds)
                print(f"  {label}: {seconds:.2f} s", flush=True)
        histories = {label: np.load(worker.kept) for label, worker in workers.items()}
        for label, words in compare(histories, tolerance).items():
            rows[label]["agreement"] = words
    for worker in workers.values():
        worker.process.communicate()  # to its end
    return dict(settings=settings, runs=len(runs), contestants=rows, left_out=left_out)


def compare(histories, tolerance):
    """Return in words how far each contestant's histories are from those of the first.

    Raises ValueError when they are too far.
    """
    (_, reference), *others = histories.items()
    found = {}
    for label, theirs in others:
        if "0 train_loss" in theirs.files:
            found[label] = f"{difference(label, theirs, reference, tolerance):.0e}"
        elif theirs.files:
            loss = theirs["0 validation_loss"][0]
            lowest = reference["0 validation_loss"].min()
            found[label] = f"validation loss {loss:.4f}, lowest here {lowest:.4f}"
    return found


def difference(label, theirs, reference, tolerance):
    """Return the largest relative difference of two histories; raise ValueError when it is too large."""
    worst = 0.0
    for name in reference.files:
        a = reference[name]
        b = theirs[name]
        exact = name.endswith(("step", "steps"))
        if a.shape != b.shape or (exact and (a != b).any()):
            raise ValueError(f"{label} disagrees in {name}: {b}; expected {a}")
        relative = np.abs(a - b) / np.maximum(np.abs(a), 1e-300)
        worst = max(worst, relative.max())
    if worst > tolerance:
        raise ValueError(f"{label} differs by a relative {worst}; expected at most {tolerance}")
    return worst
