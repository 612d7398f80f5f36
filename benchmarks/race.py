"""Contestants in processes of their own take turns at a task, and their histories are compared."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".venv/bin/python"
ROUNDS = 3

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

    def __init__(self, label, arrays, runs, settings):
        module, _, function = CONTESTANTS[label].partition(".")
        peer = PEERS.exists() and module.startswith("peer_")
        python = PEERS if peer else sys.executable
        pipe = subprocess.PIPE
        command = [python, HERE / "worker.py", module, function, arrays]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.runs = runs
        self.settings = settings
        self.version = self.ask()

    def ask(self, keep=None):
        """Return the answer to the task; raise RuntimeError with the last line of a process that failed."""
        task = dict(runs=self.runs, settings=self.settings, keep=keep)
        try:
            print(json.dumps(task), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (OSError, json.JSONDecodeError):
            _, errors = self.process.communicate()
            raise RuntimeError(errors.strip().splitlines()[-1]) from None


def race(labels, data, runs, settings, tolerance=1e-8):
    """Return the seconds of each contestant in each round, with the contestants left out and why.

    Raises ValueError if the histories of the first round do not agree with those of the first contestant.
    """
    workers = {}
    left_out = {}
    with tempfile.TemporaryDirectory() as folder:
        arrays = f"{folder}/data.npz"
        np.savez(arrays, *data.train, *data.validation)
        for label in labels:
            try:
                workers[label] = Worker(label, arrays, runs, settings)
            except RuntimeError as error:
                left_out[label] = str(error)
                print(f"  left out: {label} ({error})", flush=True)
        rounds = {label: [] for label in workers}
        kept = {label: f"{folder}/{i}.npz" for i, label in enumerate(workers)}
        for turn in range(ROUNDS):
            for label, worker in workers.items():
                seconds = worker.ask(None if turn else kept[label])
                rounds[label].append(seconds)
                print(f"  {label}: {seconds:.2f} s", flush=True)
        agreement = compare(kept, labels[0], tolerance)
    rows = {}
    for label, worker in workers.items():
        worker.process.communicate()  # to its end
        rows[label] = dict(
            seconds=rounds[label],
            ratio=round(median_ratio(rounds[labels[0]], rounds[label]), 3),
            version=worker.version,
            agreement=agreement.get(label, ""),
        )
    return dict(settings=settings, runs=len(runs), contestants=rows, left_out=left_out)


def median_ratio(seconds, others):
    """Return the median over the rounds of one contestant's seconds over those of another."""
    return statistics.median(a / b for a, b in zip(seconds, others, strict=True))


def compare(kept, against, tolerance):
    """Return in words how far each contestant's histories are from those of `against`.

    Raises ValueError when they are too far.
    """
    reference = np.load(kept[against])
    found = {}
    for label, file in kept.items():
        theirs = np.load(file)
        if label == against or not theirs.files:
            continue
        if "0 train_loss" in theirs.files:
            found[label] = f"{difference(label, theirs, reference, tolerance):.0e}"
        else:
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
