"""Interrupts and bars in a notebook, by kernels with and without ipykernel's own names, and in a thread."""

import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from assignment1.progress import Interrupt, progress


@pytest.mark.parametrize("names", [[], ["_abort_queues"]])
def test_after_an_interrupt_the_cells_that_wait_are_not_run_where_the_kernel_can_say_so(names, monkeypatch):
    asked = []
    kernel = SimpleNamespace(**dict.fromkeys(names, lambda: asked.append(1)))
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=kernel))
    with Interrupt() as stop:
        assert not asked
        stop.set()
    assert len(asked) == len(names)


def test_after_a_run_an_interrupt_has_its_default_action_again_if_it_had():
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with Interrupt() as stop:
            signal.raise_signal(signal.SIGINT)
        assert stop.is_set() and signal.getsignal(signal.SIGINT) == signal.SIG_DFL
        with Interrupt():
            pass
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_bar_of_a_notebook_is_one_line_that_is_taken_away(monkeypatch):
    shown: list[Any] = []
    handle = SimpleNamespace(
        display=lambda data, raw: shown.append(("display", data)),
        update=lambda data, raw: shown.append(("update", data)),
    )
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    monkeypatch.setattr("IPython.display.DisplayHandle", lambda: handle)
    with progress(2, "run", True):
        pass
    assert not shown  # of what takes less than half a second
    with progress(2, "run", True) as advance:
        stream = advance.__self__.fp  # type: ignore[attr-defined]
        for text in ("\r", "\r one ", "two\n"):
            stream.write(text)
        stream.flush()
    assert shown == [
        ("display", {"text/plain": "one"}),
        ("update", {"text/plain": "two"}),
        ("update", {}),
    ]


def test_an_interrupt_in_a_thread_leaves_the_signal_as_it_is():
    handlers: list[Any] = []

    def work() -> None:
        with Interrupt() as stop:
            handlers.append(signal.getsignal(signal.SIGINT))
            stop.set()

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before] == [signal.getsignal(signal.SIGINT)]
