"""A ledger of a session: which cell bound each name, which checks were made, and where a cell stopped.

It tells a value left behind from one of this run.

A value is left behind if a cell above the one that made it ran again since and bound a name that it read; or
if it comes from a cell below the sentence that shows it. In a run from top to bottom neither happens. Cells
are told apart by the ids that JupyterLab sends. Of above and below it says nothing: a new cell stands below
the one that ran just before it, and once all run again, each stands where it ran.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from dis import get_instructions
from types import SimpleNamespace
from typing import Any

from IPython import get_ipython

from nbtypst.authoring.templates import Check, Words, read_by


@dataclass(frozen=True)
class Binding:
    """A cell's last run, which bound a name or told a part, and the names that it read for that."""

    cell: str
    run: int
    prompt: int
    reads: set[str]


Place = tuple[Any, str]  # a cell's id, or None, and a part that it told


@dataclass
class Ledger:
    """The bindings of a session; its two methods are IPython's events."""

    order: list[str] = field(default_factory=list)  # the cells from above, as far as their runs tell
    bound: dict[str, Binding] = field(default_factory=dict)
    told: dict[Place, list[Check]] = field(default_factory=dict)
    rests: dict[Place, Binding] = field(default_factory=dict)  # what was told, and on which names
    saved: Words = field(default_factory=dict)  # the values of each check that held before
    stopped: Words = field(default_factory=dict)  # how a cell ended that did not reach its end
    after_cell: dict[str, Callable[[], object]] = field(default_factory=dict)  # called when a cell has run
    run: int = 0
    cell: str | None = None
    _reads: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)  # the names of what is about to be told
    _again: list[str] = field(default_factory=list)  # the cells that ran since the first of all did

    def before(self, info: Any) -> None:
        """Note a cell that is about to run, and the names that it reads."""
        above = self.cell
        self.cell = info.cell_id
        self.run += 1
        if self.cell:
            self._place(self.cell, above)
            read, _ = read_and_bound(info.raw_cell or "")
            self._reads = read & set(self.bound)
            self._asked = set()
            for place in [place for place in self.told if place[0] == self.cell]:
                del self.told[place]
                self.rests.pop(place, None)

    def _place(self, cell: str, above: str | None) -> None:
        """Put a new cell below another; once all above a cell ran again, put them as they ran."""
        if cell not in self.order:
            for cells in (self.order, self._again):
                below = cells.index(above) + 1 if above in cells else len(cells)
                cells.insert(below, cell)
        if cell == self.order[0]:
            self._again = []
        rest = [other for other in self.order if other not in self._again]
        if cell in rest[:1]:
            self.order = self._again + rest
        if cell in rest:
            self._again.append(cell)

    def after(self, result: Any) -> None:
        """Note the names that a cell bound, once it ran, or how it stopped."""
        if self.cell:
            prompt = result.execution_count or 0
            self.stopped.pop(self.cell, None)
            if ending := _ending(result):
                self.stopped[self.cell] = f"In [{prompt}] {ending}"
            _, bound = read_and_bound(result.info.raw_cell or "")
            for name in bound:
                self.bound[name] = Binding(self.cell, self.run, prompt, self._reads)
        for act in self.after_cell.values():
            act()

    def stale(self, names: set[str]) -> str:
        """Return which of the names of a sentence was left behind, in words; "" if none was."""
        if not self.cell:
            return ""
        here = self.order.index(self.cell)
        read = names & set(self.bound)
        self._asked |= read
        for name in sorted(read):
            binding = self.bound[name]
            if binding.cell == self.cell:  # which is running, and binds it again
                continue
            if self.order.index(binding.cell) > here:
                return f"{name} is from a cell below, In [{binding.prompt}], or inserted since all ran"
            if self._left_behind(binding, set()):
                return f"{name} is from In [{binding.prompt}], before a cell above it ran again"
        return ""

    def tell(self, part: str, checks: list[Check]) -> None:
        """Note the checks of a part that is told, and the names that it was found to read."""
        self.told[self.cell, part] = checks
        if self.cell:
            self.rests[self.cell, part] = Binding(self.cell, self.run, 0, self._asked)
            self._asked = set()

    def older(self) -> list[Place]:
        """Return what was told, from above, and rests on what was left behind, then or since."""
        found = []
        for place, told in self.rests.items():
            if any(check.stale for check in self.told[place]) or self._left_behind(told, set()):
                found.append(place)
        return sorted(found, key=lambda place: self.order.index(place[0]))

    def _left_behind(self, binding: Binding, seen: set[str]) -> bool:
        """Tell whether a name that a cell read, or one that it was made of, was bound again above since."""
        for read in binding.reads:
            source = self.bound[read]
            if self.order.index(source.cell) > self.order.index(binding.cell):
                continue
            if source.run > binding.run:
                return True
            new = read not in seen
            seen.add(read)
            if new and self._left_behind(source, seen):
                return True
        return False


def _ending(result: Any) -> str:
    """Return how a cell ended, in words; "" if it reached its end."""
    error = result.error_in_exec or result.error_before_exec
    if error:
        return f"ended in an error, {type(error).__name__}: {error}".rstrip(": ")
    if getattr(kernel(), "_aborting", False):  # as a run does that was interrupted, and is kept
        return "was interrupted"
    return ""


def kernel() -> Any:
    """Return the session's kernel; None in a terminal."""
    return getattr(get_ipython(), "kernel", None)


def read_and_bound(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell reads, and those that it binds for the cells after it."""
    plain = re.sub(r"^\s*[%!].*", "", source, flags=re.M)  # without IPython's own
    try:
        code = compile(plain, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return set(), set()
    bound = {step.argval for step in get_instructions(code) if step.opname == "STORE_NAME"}
    return read_by(code), bound


ledger = Ledger()


def watch() -> None:
    """Keep the ledger of the session, if there is one, from now on; a second call changes nothing."""
    shell = get_ipython()
    if shell is not None:
        if not ledger.run:  # of the cell that runs no event has told
            parent: Any = getattr(kernel(), "get_parent", dict)()
            about = parent.get("metadata", {})
            ledger.before(SimpleNamespace(cell_id=about.get("cellId"), raw_cell=""))
        shell.events.register("pre_run_cell", ledger.before)
        shell.events.register("post_run_cell", ledger.after)
