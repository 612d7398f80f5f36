"""A copy of the project with a small notebook, to be built, and disturbed while it is."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from conftest import ROOT

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")

START = """# A small report

It is built like the report.

## Task 1: A sweep
"""
SWEEP = """import matplotlib.pyplot as plt
import numpy as np
from assignment1 import LogisticRegression, sweep
from assignment1.mnist import Dataset, Split
from nbtypst.authoring.writing import say, show

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, size=(1000, 785))
split = Split(X, (X[:, :1] > 0).astype(float))
data = Dataset(split, split, lambda: split)
runs = sweep(LogisticRegression, data, lam=(0.0, 0.1), learning_rate=0.01, epochs=9, workers=2)"""
SAY = '''say(r"""
    The sweep of Figure 1 has {{len(runs)}} runs.
        check: len(runs) == 2
""")
figure, axes = plt.subplots(figsize=(3, 2))
axes.plot(runs[0.0].history.validation_loss)
axes.set(xlabel="check", ylabel="loss")
show(figure, "Figure 1", "**The loss falls.** It is shown at each check.", "A line that falls.")'''
ONE_LINE = """from nbtypst.authoring.writing import say

number = 2
say("The number is {{number}}.")"""
STRICT = {"title": "A small report", "nbtypst": {"strict": True, "hide_code": True}}


def heard():
    """Give signals their effect in a new process, also where these tests run in the background."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def notebook(*code, start=START):
    """Return a notebook of code cells under a heading."""
    cells = [nbformat.v4.new_markdown_cell(start), *map(nbformat.v4.new_code_cell, code)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata |= STRICT
    return nbformat.writes(made) + "\n"


def left(folder, seconds=0):
    """Return the commands of all processes with the folder in their environment, after some seconds."""
    mark, end = f"PROJECT_OF_A_TEST={folder}\0".encode(), time.monotonic() + seconds
    while True:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text().replace("\0", " "))
            except OSError:
                pass
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


class Project:
    """What a build needs, in a folder of its own, with the packages of this environment."""

    def __init__(self, folder, *code, source=None):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.source = source or notebook(*(code or (SWEEP, SAY)))
        for name in ("assignment1", "study", "explore", "tools", *(["data", "text"] if source else [])):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Makefile", "bootstrap.py", "requirements.txt"):
            shutil.copy(ROOT / name, folder)
        self.restore()
        self.shared = folder / "shared memory"
        self.shared.mkdir()
        known = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
        self.environment = {key: value for key, value in os.environ.items() if key in known}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment |= {"JOBLIB_TEMP_FOLDER": str(self.shared), "PROJECT_OF_A_TEST": str(folder)}

    def restore(self, *code):
        """Put back the notebook as it was, or with other cells."""
        if code:
            self.source = notebook(*code)
        (self.folder / "report.ipynb").write_text(self.source, encoding="utf-8")

    def start(self, *targets, before=(), **environment):
        """Start a make in a process group of its own."""
        return subprocess.Popen(
            [*before, "make", *targets, "ENV=active"],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=heard,
        )

    def make(self, *targets, **options):
        """Return the lines that make prints."""
        return self.ended(self.start(*targets, **options))

    def fail(self, *targets, **options):
        """Return the errors of a make that fails, without make's own line; no process is left."""
        said = self.ended(self.start(*targets, **options), well=False)
        assert self.left(10) == []
        assert said[-1].startswith("make: ***"), said
        return [line for line in said[:-1] if not line.startswith("Wrote ")]

    def ended(self, process, well=True):
        """Return the lines that a make has printed by its end."""
        try:
            said = process.communicate(timeout=900)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert (process.returncode == 0) == well, said
        return said.splitlines()

    def contents(self, *names):
        """Return the bytes of files."""
        return [(self.folder / name).read_bytes() for name in names]

    def left(self, seconds=0):
        """Return the commands of all processes that a make started here, after some seconds."""
        return left(self.folder, seconds)
