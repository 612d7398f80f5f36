"""The environment while it is made: what it says, a file that is another one, and interruptions."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

import bootstrap
import builds
from conftest import ROOT

pytestmark = [builds.needs_make, builds.needs_proc, pytest.mark.slow]

INSTALLED = ["nbtypst/pyproject.toml", "pyproject.toml", bootstrap.REPORT]
STAMP = bootstrap.stamp(bootstrap.REPORT)
PIP = """
import os, subprocess, sys, time
print(sorted(os.environ))
print("WARNING: Location '/nowhere' is ignored", flush=True)
if "-r" in sys.argv:
    subprocess.run(["sleep", "{seconds}"])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a project with a .venv that is whole, and made from another requirements.txt."""
    monkeypatch.setenv("PROJECT_OF_A_TEST", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)  # it would have SIGTERM for itself
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tools", "tools")
    for name in ("Makefile", "bootstrap.py"):
        shutil.copy(ROOT / name, name)
    for name in INSTALLED:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], check=True)
    STAMP.write_text(f"another digest {bootstrap.identity()}", encoding="utf-8")
    return tmp_path


def start(folder, seconds, **options):
    """Start a make of the environment, whose pip takes that long, and starts a process."""
    (site,) = folder.glob(".venv/lib/*/site-packages")
    (site / "pip.py").write_text(PIP.format(seconds=seconds), encoding="utf-8")
    python = folder / "a Python"  # with a space, as in the folder of many a user
    if not python.exists():
        python.symlink_to(sys.executable)
    command = ["make", "env", f"PYTHON={python}"]
    return subprocess.Popen(command, preexec_fn=builds.heard, start_new_session=True, **options)


def waits():
    """Until pip has said something."""
    for _ in range(300):
        if bootstrap.LOG.exists() and "WARNING" in bootstrap.LOG.read_text():
            return
        time.sleep(0.1)
    raise AssertionError("pip was not started")


@pytest.mark.parametrize("whom", ["make alone", "its group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_an_interrupted_install_leaves_no_process_and_no_stamp(number, whom, folder, tried):
    process = start(folder, 60, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    waits()
    (os.kill if whom == "make alone" else os.killpg)(process.pid, number)
    said = process.communicate(timeout=10)[1]
    assert process.returncode != 0 and not STAMP.exists()
    if number != signal.SIGKILL:
        assert "error: interrupted; the next make does it again\n" in said
    assert builds.left(folder, 10) == []
    tried(f"{number.name} to {whom} while packages are installed", 1, "no process is left, and no stamp")


def test_an_install_ends_with_the_program_that_started_it(folder):
    process = start(folder, 60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    waits()
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    assert process.wait(10) != 0 and not STAMP.exists()
    assert builds.left(folder, 10) == []


def test_a_second_make_waits_for_the_first(folder):
    first = start(folder, 3, stdout=subprocess.PIPE, text=True)
    waits()
    second = start(folder, 60, stdout=subprocess.PIPE, text=True)
    assert second.communicate(timeout=60)[0] == "Waiting for another make in this folder to end\n"
    assert first.communicate()[0].endswith("Wrote .venv/.requirements\n")
    assert first.returncode == second.returncode == 0 and STAMP.exists()


def test_a_terminal_shows_no_word_of_pip(folder):
    terminal, end = pty.openpty()
    process = start(folder, 0, stdout=end, stderr=end)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of a terminal's output
        while part := os.read(terminal, 4096):
            shown += part
    assert process.wait() == 0 and STAMP.exists()
    first, *rest = shown.decode().split("\r\n")
    assert first.startswith("Making the environment .venv") and rest == ["Wrote .venv/.requirements", ""]
    assert "WARNING" in bootstrap.LOG.read_text()


def test_packages_are_installed_nowhere_else(folder):
    elsewhere = dict.fromkeys(["PIP_DRY_RUN", "PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET"], "1")
    assert start(folder, 0, env=os.environ | elsewhere).wait() == 0
    log = bootstrap.LOG.read_text()
    assert "'PIP_USER'" in log and not [name for name in elsewhere if name in log]


def test_a_file_with_another_hash_is_not_installed(folder, tmp_path, monkeypatch, tried):
    wheel = tmp_path / "tiny_one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "tiny_one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-one\nVersion: 1.0\n"
        )
        archive.writestr("tiny_one-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_one-1.0.dist-info/RECORD", "")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "requirements.txt").write_text("tiny-one==1.0 --hash=sha256:" + 64 * "0" + "\n")
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    monkeypatch.setattr(bootstrap, "fault", lambda lock: bootstrap.OUTDATED)
    with pytest.raises(SystemExit) as error:
        bootstrap.prepare(bootstrap.REPORT)
    problem = str(error.value)
    assert problem.startswith("error: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE"), (
        problem
    )
    assert "tiny-one==1.0 from" in problem
    assert "\n" not in problem and not STAMP.exists()
    tried("A package whose hash is not that of the lock", 1, "refused, with an error of one line")
