"""Results are the same, but for rounding, by each of OpenBLAS's kernels and any number of threads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

INFO = Path("/proc/cpuinfo")
FLAGS = INFO.read_text(encoding="utf-8").split() if INFO.exists() else []
# and what a processor needs for each; Zen has Haswell's
KERNELS = {"Haswell": "avx2", "Nehalem": "sse4_2", "SkylakeX": "avx512f"}
HERE = [kernel for kernel, flag in KERNELS.items() if flag in FLAGS]
RUN = """
import json
from threadpoolctl import threadpool_info
from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, train
from study.task2d_stopping import cost_as_written

mnist = load_mnist()
digits = mnist.binary(2, 3)
settings = dict(learning_rate=0.05, epochs=500, shuffle=False, patience=10, progress=False)
run = train(LogisticRegression(), digits, **settings)
parts = digits.train, digits.validation
costs = [cost_as_written(run.last, part) for part in parts]
accuracies = [run.last.accuracy(*part) for part in parts]
ten = train(SoftmaxRegression(0.1), mnist.softmax(), learning_rate=0.01, epochs=1, progress=False)
exact = [run.steps, run.best_step, *accuracies, *ten.history.validation_accuracy]
near = [*costs, *run.history.validation_loss, *ten.history.validation_loss, *ten.history.train_loss]
print(json.dumps([threadpool_info()[0]["architecture"], exact, near]))
"""


def results(kernel, threads):
    """Return the kernels that ran, what must be the same, and what may differ by rounding."""
    cache = {"OPENBLAS_L2_SIZE": "512"}  # kB: without it, kernels for Haswell crash on some virtual machines
    chosen = {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        capture_output=True,
        text=True,
        check=True,
        env=cache | os.environ | chosen,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(len(HERE) < 2, reason="this processor has one kind of OpenBLAS's kernels at most")
def test_kernels_and_threads_change_nothing_but_rounding(tried):
    found = {(kernel, 1): results(kernel, 1) for kernel in HERE}
    found[HERE[0], 2] = results(HERE[0], 2)
    (_, exact, near), *others = found.values()
    assert [ran for ran, _, _ in found.values()][: len(HERE)] == HERE
    for _, again, other in others:
        assert again == exact and other == pytest.approx(near, rel=1e-12)
    printed = [0.07088705555893647, 0.06577187753329566]
    assert exact[0] == 1039 and near[:2] == pytest.approx(printed, rel=1e-14)
    tried(
        "OpenBLAS's kernels for Haswell (and Zen) and Nehalem, one thread and two; with AVX-512 SkylakeX's",
        3,
        "the same steps and accuracies; losses to a relative 1e-12, task 2's of the last weights to 1e-14",
    )
