"""A call that is begun is made in one other process, with one thread, and tells what went wrong."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest

from assignment1.mnist import Dataset, Split
from study.ahead import begin, latest, sent, softmax_data


def test_calls_are_made_one_by_one_in_a_process_beside_this_one():
    first, second = begin(os.getpid), begin(os.getpid)
    assert os.getpid() != first.result() == second.result()
    for name in ("OPENBLAS_NUM_THREADS", "TQDM_DISABLE"):  # one thread, no bar
        assert begin(os.getenv, name).result() == "1"
    with pytest.raises(ValueError, match="invalid literal"):
        begin(int, "one").result()


def test_a_process_that_is_killed_costs_nothing():
    killed = begin(os.getpid).result()
    begin(time.sleep, 60)
    waiting = begin(int, "3")
    os.kill(killed, signal.SIGKILL)
    assert waiting.result() == 3 and begin(os.getpid).result() not in (killed, os.getpid())


def test_after_its_process_was_killed_another_begins_and_stays():
    killed = begin(os.getpid).result()
    lost = [begin(time.sleep, 0.4) for _ in range(2)]
    os.kill(killed, signal.SIGKILL)
    assert isinstance(lost[0].future.exception(), BrokenExecutor)
    again = begin(os.getpid)
    slow = begin(time.sleep, 0.5)
    assert [one.result() for one in lost] == [None, None]  # which leave the new process as it is
    assert slow.future.exception() is None and begin(os.getpid).result() == again.result() != killed


def test_other_data_are_sent_and_none_are_made(monkeypatch):
    monkeypatch.setattr("study.ahead.MADE", {})
    monkeypatch.setattr("study.ahead.latest", None)
    split = Split(np.zeros((1, 785)), np.ones((1, 1)))
    data = Dataset(split, split, tuple)  # type: ignore[arg-type]
    assert sent(data) == (Dataset, (split, split, tuple))


def test_the_data_of_all_digits_are_made_there_and_others_are_sent():
    data = softmax_data("float32")
    assert sent(data) == (latest, ("float32",))
    some = replace(data, train=Split(data.train.X[:5], data.train.Y[:5]))
    for given in (data, some):
        assert begin(attrgetter("train.X.shape"), given).result() == given.train.X.shape
    for array in (*data.train, *data.validation):  # or the process would have other data
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_process_stays_whatever_it_keeps():
    first = begin(os.getpid).result()
    begin(attrgetter("test.X.shape"), softmax_data("float64")).result()
    time.sleep(1.1)  # joblib looks once a second for what has grown by 300 MB
    assert begin(os.getpid).result() == begin(os.getpid).result() == first


@pytest.mark.parametrize("seconds", [0, 1])
def test_no_end_waits_for_what_nobody_asked_for(seconds):
    code = f"import time; from study.ahead import begin; begin(time.sleep, 60); time.sleep({seconds})"
    done = subprocess.run([sys.executable, "-c", code], timeout=30, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
