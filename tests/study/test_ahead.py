"""A call that is begun is made in one other process, with one thread, and tells what went wrong."""

import os
import signal
import subprocess
import sys
import time

import pytest

from study.ahead import begin


def test_calls_are_made_one_by_one_in_a_process_beside_this_one():
    first, second, threads = begin(os.getpid), begin(os.getpid), begin(os.getenv, "OPENBLAS_NUM_THREADS")
    assert os.getpid() != first.result() == second.result() and threads.result() == "1"
    with pytest.raises(ValueError, match="invalid literal"):
        begin(int, "one").result()


def test_a_process_that_is_killed_costs_nothing():
    killed = begin(os.getpid).result()
    begin(time.sleep, 60)
    waiting = begin(int, "3")
    os.kill(killed, signal.SIGKILL)
    assert waiting.result() == 3 and begin(os.getpid).result() not in (killed, os.getpid())


@pytest.mark.parametrize("seconds", [0, 1])
def test_no_end_waits_for_what_nobody_asked_for(seconds):
    code = f"import time; from study.ahead import begin; begin(time.sleep, 60); time.sleep({seconds})"
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
