"""Execute the notebook, or export it: every file is written whole or not at all, one build at a time.

    python tools/build.py execute report.ipynb build/report.ipynb [another copy]
    python tools/build.py report_pdf build/report.ipynb report.pdf [evidence.txt] [--authors=... --group=...]

What goes wrong is said in a line for each problem; the whole story is in build/log.txt. Nothing is left
running: a build whose make is gone ends, and takes the kernel and its workers with it.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.exporters import get_exporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbtypst.check import evidence
from nbtypst.document import collect
from nbtypst.problems import ExportError
from tqdm import tqdm
from traitlets.config import Config

BUILD = Path("build")
CELL_SECONDS = int(os.environ.get("CELL_SECONDS", "600"))  # the longest that a cell may take


class BuildError(Exception):
    """What the user has to know, a line for each problem."""


@contextmanager
def one_at_a_time() -> Iterator[bool]:
    """Wait for another build in this folder to end; whether there was one."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        waited = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Waiting for another build in this folder to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
            waited = True
        yield waited


def write(target: Path, content: str | bytes) -> None:
    """Put a file in its place, whole."""
    if target.is_dir():
        raise BuildError(f"{target} is a folder; move it away, a file of that name is to be written")
    new = BUILD / f"{target.name}.new"
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(new, target)
    print(f"Wrote {target}", flush=True)


class Executor(ExecutePreprocessor):
    """Executes a notebook in a fresh kernel, with a bar over its cells that names the task."""

    def run(self, notebook: Any, log: Any) -> None:
        """Execute in place; the kernel's own messages go to `log`."""
        tasks, task = {}, "start"
        for index, cell in enumerate(notebook.cells):
            headings = re.findall(r"^#{1,3} (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else []
            task = headings[-1].partition(":")[0] if headings else task
            tasks[index] = task
        count = sum(cell.cell_type == "code" for cell in notebook.cells)
        bar = tqdm(
            total=count,
            unit="cell",
            leave=False,
            disable=None,
            bar_format="{desc:28.28} {bar} {remaining} left",
        )
        self.on_cell_start = lambda cell, cell_index: bar.set_description(tasks[cell_index])
        self.on_cell_complete = lambda cell, cell_index: bar.update(cell.cell_type == "code")
        with bar, ended_with_make(self):
            self.nb = notebook
            self.execute(stdout=log, stderr=log)


@contextmanager
def ended_with_make(executor: Executor) -> Iterator[None]:
    """End with the process that started this, and with SIGTERM, and leave no kernel behind."""
    parent, done = os.getppid(), threading.Event()

    def kill_kernel() -> None:
        process = getattr(getattr(executor.km, "provisioner", None), "process", None)
        if process is not None and process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers are in its group

    def watch() -> None:
        while not done.wait(0.5):
            if os.getppid() != parent:
                kill_kernel()
                os._exit(1)

    def terminate(number: int, frame: Any) -> None:
        kill_kernel()
        os._exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminate)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()
        kill_kernel()


def execute(source: Path, targets: list[Path]) -> None:
    """Execute `source` in a fresh kernel, into each of `targets`."""
    notebook = nbformat.read(source, as_version=4)
    os.environ["TQDM_DISABLE"] = "1"  # of the notebook's own bars
    settings: dict[str, Any] = dict(timeout=CELL_SECONDS, record_timing=False, allow_errors=False)
    config = Config(KernelManager=dict(shutdown_wait_time=1.0))
    executor = Executor(
        kernel_name="python3", config=config, resources={"metadata": {"path": "."}}, **settings
    )
    with (BUILD / "log.txt").open("w") as log:
        try:
            executor.run(notebook, log)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            log.write(re.sub(r"\x1b\[[\d;]*m", "", str(error)))
            raise BuildError(f"{where(notebook, error)}; the whole of it is in {BUILD / 'log.txt'}") from None
    if source in targets:  # what is committed says nothing that is not true
        try:
            collect(notebook, folder=".", name=source.stem)
        except ExportError as error:
            raise BuildError(f"{source} is no report yet\n{error}") from None
    for target in targets:
        write(target, nbformat.writes(notebook) + "\n")


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


def export(name: str, source: Path, targets: list[Path], names: dict[str, str]) -> None:
    """Convert `source` by the exporter `name` into the first target; the second gets the evidence."""
    exporter = get_exporter(name)(config=Config(ReportExporter=dict(folder=".", **names)))
    try:
        content, _ = exporter.from_filename(str(source))
    except ExportError as error:
        raise BuildError(f"{source} is no report yet\n{error}") from None
    except Exception as error:
        (BUILD / "log.txt").write_text(traceback.format_exc(), encoding="utf-8")
        raise BuildError(f"{type(error).__name__}: {error}; the whole of it is in build/log.txt") from None
    write(targets[0], content)
    for target in targets[1:]:
        write(target, evidence(nbformat.read(source, as_version=4)))


def main(arguments: list[str]) -> int:
    """Do what the module's docstring says."""
    named = [argument[2:].partition("=") for argument in arguments if argument.startswith("--")]
    names = {key: value for key, _, value in named}
    what, source, *rest = (argument for argument in arguments if not argument.startswith("--"))
    targets, started = [Path(target) for target in rest], time.time()
    try:
        with one_at_a_time() as waited:
            if waited and all(target.is_file() and target.stat().st_mtime > started for target in targets):
                print(f"{targets[-1]} is new", flush=True)
            elif what == "execute":
                execute(Path(source), targets)
            else:
                export(what, Path(source), targets, names)
    except (BuildError, OSError) as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; files of before are as they were", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
