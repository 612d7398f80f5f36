"""Execute a notebook, or export it: every file is old or new and whole, and one build at a time works here.

    tools.build execute report.ipynb build/report.ipynb [another copy]
    tools.build stills explore.ipynb explore.ipynb
    tools.build report_pdf build/report.ipynb report.pdf [evidence.txt]

REPORT_AUTHORS, REPORT_GROUP, REPORT_COURSE and REPORT_DATE in the environment go on the first page.
It is run by tools.processes, so that nothing of it is left. An error is a line for each problem, and the
whole story is in build/log.txt.
"""

import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.exporters import get_exporter
from tqdm import tqdm
from traitlets.config import Config

from nbtypst.export.check import evidence
from nbtypst.problems import ExportError
from nbtypst.reading.document import collect
from tools.files import write
from tools.processes import turn

CELL_SECONDS = int(os.environ.get("CELL_SECONDS", "600"))  # the longest that a cell may take
KERNEL = [
    "--HistoryManager.enabled=False",
    "--IPKernelApp.extra_extensions=tools.kernel",
    "--IPKernelApp.parent_handle=1",  # the extension looks for the parent; ipykernel would end alone
]
LOG = Path("build/log.txt")
NAMED = ("authors", "group", "course", "date")
WIDGET = "application/vnd.jupyter.widget-view+json"


def fail(problem: str) -> NoReturn:
    """Exit with an error of one line; the exception that is handled goes to the log."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(re.sub(r"\x1b\[[\d;]*m", "", traceback.format_exc()))
    sys.exit(f"error: {' '.join(problem.split())[:300]}; the whole of it is in {LOG}")


def execute(notebook: nbformat.NotebookNode) -> None:
    """Execute in place, with a bar that names the task; exit with an error if a cell fails."""
    client = NotebookClient(
        notebook,
        extra_arguments=KERNEL,
        kernel_name="python3",
        record_timing=False,
        timeout=CELL_SECONDS,
    )
    heading = "the start"
    bar = tqdm(notebook.cells, bar_format="{desc:28.28} {bar} {remaining} left", disable=None, leave=False)
    os.environ["TQDM_DISABLE"] = "1"  # of the notebook's own bars
    try:
        with LOG.open("wb") as log, bar, client.setup_kernel(stdout=log, stderr=log):
            for index, cell in enumerate(bar):
                if cell.cell_type == "markdown":
                    for heading in re.findall("^#{1,3} (.+)", cell.source, re.M):
                        bar.set_description_str(heading.partition(":")[0])
                client.execute_cell(cell, index)
            client.set_widgets_metadata()
    except CellTimeoutError:
        fail(f"a cell took longer than {CELL_SECONDS} s (CELL_SECONDS=... sets the limit)")
    except CellExecutionError as error:
        fail(f"cell {index + 1} ({heading}): {error.ename}: {error.evalue}")
    except DeadKernelError as error:
        fail(f"the kernel died: {error}")


def make(what: str, source: Path, in_place: bool) -> list[bytes]:
    """Return the contents of the targets; a notebook that is executed in place may say only what is true."""
    notebook = nbformat.read(source, as_version=4)
    if what.startswith("report"):
        names = {name: os.environ.get(f"REPORT_{name.upper()}", "") for name in NAMED}
        exporter = get_exporter(what)(config=Config(ReportExporter=dict(folder=".", **names)))
        page, _ = exporter.from_filename(str(source))
        content = page if isinstance(page, bytes) else page.encode()
        return [content, evidence(notebook).encode()]
    execute(notebook)
    if what == "stills":  # without their kernel widgets show an error, and their state takes megabytes
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                output.get("data", {}).pop(WIDGET, None)
        notebook.metadata.pop("widgets", None)
    if in_place:
        collect(notebook, folder=".", name=source.stem)
    content = f"{nbformat.writes(notebook)}\n".encode()
    return [content, content]


def main(arguments: list[str]) -> None:
    """Do what the module's docstring says."""
    began = time.time()
    what, *paths = arguments
    source, *targets = map(Path, paths)
    for target in targets:
        if target.is_dir():
            sys.exit(f"error: {target} is a folder; move it away, a file of that name is to be written")
    with turn():
        last = targets[-1]
        page = what.startswith("report")  # which may have other names on it
        made = not page and last.exists() and last.stat().st_ctime > began
        if made and last.stat().st_mtime > source.stat().st_mtime:
            print(f"{last} is new", flush=True)  # the other build wrote it, from the source as it is
            return
        in_place = source in targets
        before = source.read_bytes()
        try:
            contents = make(what, source, in_place)
        except ExportError as error:
            sys.exit(re.sub("^", "error: ", f"{source} is no report yet\n{error}", flags=re.M))
        except OSError:
            raise
        except Exception as error:
            fail(f"{type(error).__name__}: {error}")
        if in_place and source.read_bytes() != before:
            sys.exit(f"error: {source} was changed while it was executed, and is as you left it; run again")
        for target, content in zip(targets, contents, strict=False):
            write(target, content, began)


if __name__ == "__main__":
    main(sys.argv[1:])
