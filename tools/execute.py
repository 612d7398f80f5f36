"""Execute a notebook in a fresh kernel, with a bar over its cells."""

from __future__ import annotations

import os
import re
import signal
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from ending import AT_END, LOG, BuildError
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.preprocessors import ExecutePreprocessor
from tqdm import tqdm

from nbtypst.problems import ExportError
from nbtypst.reading.document import collect

CELL_SECONDS = int(os.environ.get("CELL_SECONDS", "600"))  # the longest that a cell may take


class Kernel(AsyncKernelManager):
    """Starts tools/kernel.py."""

    shutdown_wait_time = 1.0

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command, with another launcher."""
        command = super().format_kernel_cmd(extra_arguments)
        launcher = command.index("ipykernel_launcher")
        return [
            *command[: launcher - 1],
            str(Path(__file__).with_name("kernel.py")),
            *command[launcher + 1 :],
        ]


class Executor(ExecutePreprocessor):
    """Executes a notebook in a fresh kernel, with a bar over its cells that names the task."""

    manager: Any = None

    def run(self, notebook: Any, log: Any) -> None:
        """Execute in place; the kernel's own messages go to `log`."""
        tasks, task = {}, "start"
        for index, cell in enumerate(notebook.cells):
            headings = re.findall(r"^#{1,3} (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else []
            task = headings[-1].partition(":")[0] if headings else task
            tasks[index] = task
        count = sum(cell.cell_type == "code" for cell in notebook.cells)
        form = "{desc:28.28} {bar} {remaining} left"
        bar = tqdm(total=count, unit="cell", leave=False, disable=None, bar_format=form)
        self.on_cell_start = lambda cell, cell_index: bar.set_description_str(tasks[cell_index])
        self.on_cell_complete = lambda cell, cell_index: bar.update(cell.cell_type == "code")
        self.nb = notebook
        AT_END[:] = [self.kill_kernel, bar.close]
        # In a thread, where nbclient sets no handlers of its own for signals.
        with bar, ThreadPoolExecutor(1) as thread:
            try:
                thread.submit(self.execute, stdout=log, stderr=log).result()
            finally:
                self.kill_kernel()

    def create_kernel_manager(self) -> Any:
        """One that is known after its end, too."""
        self.manager = super().create_kernel_manager()
        return self.manager

    def kill_kernel(self) -> None:
        """And its group: by SIGTERM first, at which joblib's resource tracker clears its folder, and ends."""
        provisioner = self.manager and self.manager.provisioner
        if not provisioner or not provisioner.pgid:
            return
        with suppress(OSError):  # no process is left
            os.killpg(provisioner.pgid, signal.SIGTERM)
            for _ in range(20):
                time.sleep(0.05)
                if provisioner.process:
                    provisioner.process.poll()
                os.killpg(provisioner.pgid, 0)
            os.killpg(provisioner.pgid, signal.SIGKILL)


def executed(source: Path, committed: bool) -> str:
    """The notebook with the outputs of a run; one that is `committed` says nothing that is not true."""
    notebook = nbformat.read(source, as_version=4)
    os.environ["TQDM_DISABLE"] = "1"  # of the notebook's own bars
    settings: dict[str, Any] = dict(timeout=CELL_SECONDS, record_timing=False, allow_errors=False)
    executor = Executor(
        kernel_name="python3",
        kernel_manager_class=Kernel,
        resources={"metadata": {"path": "."}},
        **settings,
    )
    with LOG.open("wb", buffering=0) as log:
        try:
            executor.run(notebook, log)
        except Exception as error:
            whole = str(error) if isinstance(error, CellExecutionError) else traceback.format_exc()
            rest = f"the whole of it is in {LOG}"
            try:
                log.write(re.sub(r"\x1b\[[\d;]*m", "", whole).encode())
            except OSError as full:
                rest = f"the rest could not be written: {LOG}: {full.strerror}"
            raise BuildError(f"{where(notebook, error)}; {rest}") from None
    if committed:
        try:
            collect(notebook, folder=".", name=source.stem)
        except ExportError as error:
            raise BuildError(f"{source} is no report yet\n{error}") from None
    return str(nbformat.writes(notebook)) + "\n"


def where(notebook: Any, error: Exception) -> str:
    """An error's cell, task and message, in one line."""
    heading = "the start"
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown" and (found := re.findall(r"^#{1,3} (.+)$", cell.source, re.M)):
            heading = found[-1]
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            what = f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}"
            return f"cell {number} ({heading}): {' '.join(what.split())[:300]}"
    if isinstance(error, CellTimeoutError):
        return f"a cell took longer than {CELL_SECONDS} s (CELL_SECONDS=... sets the limit)"
    return f"the kernel died: {' '.join(str(error).split())[:300]}"
