"""How objects and errors show themselves: in a few lines. What objects show is in `explore.views`."""

import sys
from dis import opmap
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGE = str(Path(__file__).parent)
SAID = (ArithmeticError, LookupError, OSError, TypeError, ValueError)  # what this package raises itself


class Shown:
    """A short text in a terminal, a compact view in Jupyter; neither grows with the data."""

    def __repr__(self) -> str:
        from explore import views  # which knows all the types

        try:
            return views.text(self)
        except Exception:  # of fields of another kind, which someone looks for just now
            return object.__repr__(self)

    def _repr_html_(self) -> str | None:
        from explore import views

        try:
            return views.html(self)
        except Exception:
            return None  # the text is shown in its place


def short_errors() -> None:
    """In IPython, an error that this package raises itself shows the cell's own lines and what it says.

    Any other error shows all lines; of a short one `sys.last_value.__traceback__` has them.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.set_custom_exc(SAID, _show)


def _show(shell: Any, kind: type, error: BaseException, frames: TracebackType, tb_offset: Any = None) -> None:
    shell.showtraceback((kind, error, _until_this_package(frames)), tb_offset=tb_offset)


def _until_this_package(frames: TracebackType) -> TracebackType:
    """The frames before the first of this package, if a `raise` of this package was the cause; or all."""
    above: list[TracebackType] = []
    each: TracebackType | None = frames
    while each is not None:
        above.append(each)
        each = each.tb_next
    ours = [one.tb_frame.f_code.co_filename.startswith(PACKAGE) for one in above]
    last, short = above[-1], None
    raised = ours[-1] and last.tb_frame.f_code.co_code[last.tb_lasti] == opmap["RAISE_VARARGS"]
    for one in reversed(above[: ours.index(True)] if raised else []):
        short = TracebackType(short, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return short or frames
