"""The environment while it is made: what it says, a file that is another one, and interruptions."""

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import zipfile
from contextlib import suppress

import pytest

import bootstrap
import builds
from conftest import ROOT

pytestmark = pytest.mark.slow

PIP = """#!/bin/sh
case "$1" in
-c) echo "3.11 here" ;;
*) echo "Collecting one (from -r requirements.txt (line 1))"
   echo "WARNING: Location '/nowhere' is ignored"
   exec sleep {} ;;
esac
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A .venv that is whole, and older than its requirements.txt; its pip takes as long as it is said to."""
    monkeypatch.setenv("PROJECT_OF_A_TEST", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)  # it would have SIGTERM for itself
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("one==1.0\ntwo==1.0\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / bootstrap.STAMP).write_text("3.11 here\n\n")
    return tmp_path


def start(folder, seconds, *before, **options):
    """Python in which bootstrap.py runs."""
    python = folder / bootstrap.environment_python()
    python.write_text(PIP.format(seconds))
    python.chmod(0o755)
    command = [*before, sys.executable, "bootstrap.py"]
    return subprocess.Popen(command, cwd=folder, preexec_fn=builds.heard, **options)


def waits(folder):
    """Until pip has said something."""
    log = folder / bootstrap.LOG
    for _ in range(200):
        if log.exists() and "WARNING" in log.read_text():
            return
        time.sleep(0.1)
    raise AssertionError("pip was not started")


@builds.needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_install_leaves_no_process_and_no_stamp(number, folder, tried):
    process = start(folder, 60, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    waits(folder)
    process.send_signal(number)
    assert process.communicate(timeout=10)[1] == "error: interrupted; the next make makes the environment\n"
    assert process.returncode == 130 and not (folder / bootstrap.STAMP).exists()
    assert builds.left(folder, 10) == []
    tried(f"{number.name} while packages are installed", 1, "no process is left, and no stamp")


@builds.needs_proc
def test_a_signal_that_comes_while_pip_is_started_ends_it(folder, monkeypatch):
    start = threading.Thread.start

    def start_and_signal(thread):
        start(thread)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.chdir(folder)
    monkeypatch.setattr(bootstrap, "interrupted", [])
    monkeypatch.setattr(threading.Thread, "start", start_and_signal)
    before = signal.signal(signal.SIGTERM, bootstrap.interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            bootstrap.run([sys.executable, "-c", "import time; time.sleep(60)"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert builds.left(folder, 10) == []


@builds.needs_proc
def test_an_install_ends_with_its_make(folder, tried):
    process = start(folder, 60, "sh", "-c", '"$@"; exit $?', "sh", stderr=subprocess.DEVNULL)
    waits(folder)
    process.kill()
    process.wait()
    assert builds.left(folder, 10) == [] and not (folder / bootstrap.STAMP).exists()
    tried("SIGKILL to make alone while packages are installed", 1, "no process is left, and no stamp")


def test_a_terminal_shows_a_bar_and_no_word_of_pip(folder):
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = start(folder, 1, stdout=end, stderr=end, env=os.environ | {"PYTHONUTF8": "1"})
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of a terminal's output
        while part := os.read(terminal, 4096):
            shown += part
    assert process.wait() == 0 and (folder / bootstrap.STAMP).exists()
    line, *rest = shown.decode().split("\r\n")
    drawn = line.split("\r")
    assert "Installing packages" in drawn[1] and "█" in drawn[1] and drawn[1].endswith(" left")
    assert drawn[-1] == "\x1b[KMade .venv" and rest == [""] and max(map(len, drawn)) <= 80
    assert "WARNING" in (folder / bootstrap.LOG).read_text()


def test_a_file_with_another_hash_is_not_installed(tmp_path, monkeypatch, capsys, tried):
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
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "environment_python", lambda: sys.executable)
    monkeypatch.chdir(tmp_path)
    assert bootstrap.main([]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: tiny-one==1.0 is not the file that requirements.txt names"), error
    assert error.count("\n") == 1 and not (tmp_path / bootstrap.STAMP).exists()
    tried("A package whose hash is not that of requirements.txt", 1, "refused, with an error of one line")
