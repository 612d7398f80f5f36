"""The benchmark's scripts: which kernels run, and that a run without a trick is the same run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
WITHOUT_EACH_TRICK = """
import small, tricks
tricks.ROUNDS = 1
tricks.SETTINGS |= dict(batch_size=10, patience=3)
data = small.SETS[tricks.SoftmaxRegression]
for name, (_, *removal) in tricks.TRICKS.items():
    tricks.compare(data, removal)
    print(name)
"""


def printed(code: str, **added: str) -> str:
    """Return what a process prints that has the benchmark's modules."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=TESTS.parent / "benchmarks",
        env=os.environ | {"PYTHONPATH": str(TESTS)} | added,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


@pytest.mark.parametrize("script", ["growth", "loading", "race", "report", "run", "tricks"])
def test_no_variable_chooses_the_kernels(script):
    code = f"import {script}, kernels; print(kernels.architectures())"
    assert "Nehalem" not in printed(code, OPENBLAS_CORETYPE="Nehalem")


def test_a_run_without_a_trick_is_the_same_and_each_is_on_the_ladder():
    names = printed(WITHOUT_EACH_TRICK).splitlines()
    ladder = (TESTS.parent / "assignment1/fast/engine.py").read_text()
    assert names and all(f"  {name}: " in ladder for name in names)
