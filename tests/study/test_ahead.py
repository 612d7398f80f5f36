"""A call that is begun is made in one other process, with one thread, and tells what went wrong."""

import os

import pytest

from study.ahead import begin


def test_calls_are_made_one_by_one_in_a_process_beside_this_one():
    first, second, threads = begin(os.getpid), begin(os.getpid), begin(os.getenv, "OPENBLAS_NUM_THREADS")
    assert os.getpid() != first.result() == second.result() and threads.result() == "1"
    with pytest.raises(ValueError, match="invalid literal"):
        begin(int, "one").result()
