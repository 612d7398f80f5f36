"""An interrupt in a notebook, by kernels with and without ipykernel's own names."""

import sys
from types import SimpleNamespace

import pytest

from assignment1.progress import Interrupt


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
