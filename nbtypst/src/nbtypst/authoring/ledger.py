"""Which cell bound each name, and when: what tells a value left behind from one that is as it should be.

A value is left behind if a cell above the one that made it ran again since and bound a name that it read; or
if it comes from a cell below the sentence that shows it. In a run from top to bottom neither happens. Cells
are told apart by the ids that JupyterLab sends, above and below by the order in which they first ran.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Binding:
    """A name's last binding: by which cell, in which run, and the runs that had bound the names it read."""

    cell: str
    run: int
    prompt: int
    reads: dict[str, int]


@dataclass
class Ledger:
    """The bindings of a session; its two methods are IPython's events."""

    order: dict[str, int] = field(default_factory=dict)  # cell: place among the cells, by first run
    bound: dict[str, Binding] = field(default_factory=dict)
    run: int = 0
    cell: str | None = None
    _reads: dict[str, int] = field(default_factory=dict)

    def before(self, info: Any) -> None:
        """A cell is about to run."""
        self.cell = getattr(info, "cell_id", None)
        self.run += 1
        if self.cell:
            self.order.setdefault(self.cell, len(self.order))
            read, _ = read_and_bound(info.raw_cell or "")
            self._reads = {name: self.bound[name].run for name in read if name in self.bound}

    def after(self, result: Any) -> None:
        """A cell ran."""
        if self.cell:
            prompt = getattr(result, "execution_count", None) or 0
            for name in read_and_bound(result.info.raw_cell or "")[1]:
                self.bound[name] = Binding(self.cell, self.run, prompt, self._reads)

    def stale(self, names: set[str]) -> str:
        """What of these names was left behind, in words; "" if nothing was."""
        if not self.cell:
            return ""
        here = self.order.get(self.cell, 0)
        for name in sorted(names & set(self.bound)):
            binding = self.bound[name]
            if self.order[binding.cell] > here:
                return f"{name} is from a cell below, In [{binding.prompt}]"
            if self._left_behind(name, set()):
                return f"{name} is from In [{binding.prompt}], before a cell above it ran again"
        return ""

    def _left_behind(self, name: str, seen: set[str]) -> bool:
        seen.add(name)
        binding = self.bound[name]
        for read in binding.reads:
            source = self.bound[read]
            above = self.order[source.cell] < self.order[binding.cell]
            if above and (source.run > binding.run or (read not in seen and self._left_behind(read, seen))):
                return True
        return False


def read_and_bound(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell reads, and those that it binds for the cells after it."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set(), set()
    read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    bound: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)  # what it binds inside stays there
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            read.add(node.target.id)
        if not isinstance(node, _INNER):
            waiting += ast.iter_child_nodes(node)
    return read, bound


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *_COMPREHENSIONS)
ledger = Ledger()


def watch() -> None:
    """Keep the ledger of the session, if there is one; again is no harm."""
    from IPython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call]
    if shell is not None and ledger.before not in shell.events.callbacks["pre_run_cell"]:
        shell.events.register("pre_run_cell", ledger.before)
        shell.events.register("post_run_cell", ledger.after)
