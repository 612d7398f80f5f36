"""A build is killed at random moments: every file is the old or the new one, and no process is left.

KILLS=120 in the environment tries as many kills, of a copy of the project with a small notebook;
KILLS_OF=report takes the true one.
"""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from builds import Project, needs_make, needs_proc
from conftest import ROOT

KILLS = int(os.environ.get("KILLS", "8"))
OF = os.environ.get("KILLS_OF", "")
BY = " ".join(f"{name}={os.environ[name]}" for name in ("KILLS", "KILLS_OF") if name in os.environ)
SECONDS = 10  # until nothing is left
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP]
FILES = {  # html is made as pdf is
    "pdf": ["build/report.ipynb", "report.pdf", "report-evidence.txt"],
    "report": ["build/report.ipynb"],
}
FAULT = "`make {}` of {}: SIGINT, SIGTERM, SIGKILL or SIGHUP to make alone or to its group, at any moment"
OUTCOME = f"each file old or new, and whole; no process left after {SECONDS} s; the next build succeeds"
pytestmark = [pytest.mark.slow, needs_make, needs_proc]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    source = (ROOT / "report.ipynb").read_text(encoding="utf-8") if OF else None
    return Project(tmp_path_factory.mktemp("project"), source=source)


def started(project, target, old, anew, share, lasts):
    """Start a make where files are old, and wait for a share of the seconds it lasts; return it and these.

    `anew`: of what runs computed, nothing is taken from before. A make that has ended by then, since those
    before it left caches, says how long it lasts, and is started again.
    """
    while True:
        for file, content in old.items():
            file.write_bytes(content)
        if anew:
            shutil.rmtree(project.folder / "build/kept", ignore_errors=True)
        began = time.monotonic()
        process = project.start(target)
        try:
            process.communicate(timeout=share * lasts)
        except subprocess.TimeoutExpired:
            return process, lasts
        lasts = time.monotonic() - began


@pytest.mark.parametrize("target", FILES)
def test_a_killed_build_leaves_each_file_old_or_new_and_no_process(target, project, tried):
    dice, kills = random.Random(target), KILLS // len(FILES)
    notebook = project.folder / "report.ipynb"
    old = {project.folder / name: b"of a build before" for name in FILES[target]}
    old[notebook] = project.source.encode()
    notebook.write_bytes(old[notebook])
    began = time.monotonic()
    project.make(target)
    lasts = dict.fromkeys((True, False), time.monotonic() - began)
    new = {file: file.read_bytes() for file in old}
    for kill in range(1, kills + 1):
        anew = dice.random() < 0.7
        number, whom = SIGNALS[kill % 4], dice.choice(["make", "its group"])
        share = dice.random()
        process, lasts[anew] = started(project, target, old, anew, share, lasts[anew])
        about = f"kill {kill}: {number.name} to {whom} after {share:.0%} of {lasts[anew]:.2f} s"
        (os.kill if whom == "make" else os.killpg)(process.pid, number)
        process.wait(SECONDS)
        process.stdout.close()
        assert project.left(SECONDS) == [], about
        assert process.returncode != 0, about
        for file, content in old.items():
            assert file.read_bytes() in (content, new[file]), f"{about}: {file}"
        assert list(project.shared.iterdir()) == [], about
        if kill % len(SIGNALS) == 0:
            notebook.write_bytes(old[notebook])
            project.make(target)
            assert all(file.read_bytes() == content for file, content in new.items()), about
    tried(FAULT.format(target, "the report" if OF else "a small report"), kills, OUTCOME, BY)
