"""Execute the notebooks and export the report: each file is old or new and whole, one build works at a time.

    tools.build pdf | html      writes the report; executes it first if what it is made of has changed
    tools.build verify          says whether REPORT_PDF, or else report.pdf, is what is made here
    tools.build report          executes report.ipynb in place
    tools.build explore         executes explore.ipynb in place, and keeps the stills of its widgets

REPORT_AUTHORS, REPORT_GROUP, REPORT_COURSE and REPORT_DATE in the environment go on the first page.
It is run by tools.processes, so that nothing of it is left. An error is a line for each problem, and the
whole story is in build/log.txt.
"""

import os
import re
import sys
from collections.abc import Callable
from glob import glob
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.exporters import get_exporter
from nbformat import NotebookNode
from tqdm import tqdm
from traitlets.config import Config

from nbtypst.authoring.parts import read
from nbtypst.authoring.refill import refill
from nbtypst.check import evidence
from nbtypst.problems import ExportError
from nbtypst.reading.document import collect
from tools.files import write
from tools.processes import LOG, fail, turn

BUILT = Path("build/report.ipynb")
KERNEL = [
    "--HistoryManager.enabled=False",
    "--InteractiveShell.colors=nocolor",
    "--IPKernelApp.extra_extensions=tools.processes",
    "--IPKernelApp.parent_handle=1",  # the extension looks for the parent; ipykernel would end alone
]
NAMED = ("authors", "group", "course", "date")
REPORT = Path("report.ipynb")
SEAL = Path("build/report.seal")  # the digest of BUILT and of all that can change what it computes
# With the notebook, all in the project that can change what it computes; the rest is the packages.
SOURCES = """
*.py
assignment1/**/*.*
data/*
explore/**/*.*
nbtypst/src/**/*.*
study/**/*.*
tools/__init__.py
tools/build.py
tools/files.py
tools/processes.py
"""


def names() -> dict[str, str]:
    """Return what make was given for the first page, by setting."""
    return {name: value for name in NAMED if (value := os.environ.get(f"REPORT_{name.upper()}"))}


def execute(notebook: NotebookNode) -> None:
    """Execute in place, with a bar that names the task; exit with an error if a cell fails."""
    seconds = os.environ.get("CELL_SECONDS", "600")
    if not re.fullmatch("[1-9][0-9]{0,6}", seconds):
        sys.exit(f"error: CELL_SECONDS={seconds}: expected the seconds that a cell may take, such as 600")
    client = NotebookClient(
        notebook,
        # Seconds: after sweeps a kernel waits for two trackers of files, and those for the kernel.
        config=Config(KernelManager=dict(shutdown_wait_time=0.4)),
        extra_arguments=KERNEL,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,  # megabytes, of which no page shows anything
        timeout=int(seconds),
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
    except CellTimeoutError:
        fail(f"a cell took longer than {seconds} s (CELL_SECONDS=... sets the limit)")
    except CellExecutionError as error:
        fail(f"cell {index + 1} ({heading}): {error.ename}: {error.evalue}")


def matching(patterns: str) -> list[Path]:
    """Return the project's files that match any of the patterns, without hidden ones and compiled modules."""
    found = [Path(name) for pattern in patterns.split() for name in glob(pattern, recursive=True)]
    return sorted(path for path in found if path.is_file() and path.suffix != ".pyc")


def digest(notebook: NotebookNode) -> bytes:
    """Return the SHA-256 of all that can change what a notebook computes: its code, project and packages."""
    code = [(cell.source, cell.metadata) for cell in code_cells(notebook)]
    locked = re.findall(r"^([\w.-]+)==", Path("requirements.txt").read_text(), re.M)  # tests' change nothing
    packages = [(name, one.version) for name in locked for one in distributions(name=name)]
    files = [(path, sha256(path.read_bytes()).digest()) for path in matching(SOURCES)]
    return sha256(repr((code, notebook.metadata, packages, sys.version, files)).encode()).digest()


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return a notebook's cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def saved(notebook: NotebookNode) -> bytes:
    """Return a notebook as the file's bytes."""
    return f"{nbformat.writes(notebook)}\n".encode()


def kept() -> list[bytes]:
    """Return the executed report in build and its seal; of what is not there, nothing."""
    return [path.read_bytes() if path.exists() else b"" for path in (BUILT, SEAL)]


def keep(code: bytes, notebook: NotebookNode) -> None:
    """Write the executed report and its seal, by which it is known again, unless they are there."""
    content = saved(notebook)
    seal = sha256(code + content).digest()
    if kept() != [content, seal]:
        write(BUILT, content)
        SEAL.write_bytes(seal)


def recall(code: bytes, notebook: NotebookNode) -> bool:
    """Give a notebook the outputs of the executed report, in the words of today; return whether it could.

    It cannot if that is not as it was written, or is of other code; then some outputs may be others.
    """
    content, seal = kept()
    if seal != sha256(code + content).digest():
        return False
    executed = nbformat.reads(content, 4)
    notebook.metadata = executed.metadata
    for cell, same in zip(code_cells(notebook), code_cells(executed), strict=True):
        cell.outputs = same.outputs
        cell.execution_count = same.execution_count
    return refill(notebook, read(Path("text")))


def built() -> NotebookNode:
    """Return the executed report; it is executed unless the one in build computed what is here."""
    notebook = nbformat.read(REPORT, 4)
    code = digest(notebook)
    if not recall(code, notebook):
        execute(notebook)
    keep(code, notebook)
    return notebook


def page(what: str) -> bytes:
    """Return the page of the executed report."""
    config = Config(ReportExporter=dict(folder=".", **names()))
    content, _ = get_exporter(f"report_{what}")(config=config).from_filename(str(BUILT))
    return content if isinstance(content, bytes) else content.encode()


def export(what: str) -> None:
    """Write the report's page, and with the PDF all that was checked."""
    notebook = built()
    write(Path(f"report.{what}"), page(what))
    if what == "pdf":
        write(Path("report-evidence.txt"), evidence(notebook).encode())


def verify(_: str) -> None:
    """Say whether a PDF is what is made here, with the names that make was given; else exit with an error."""
    path = Path(os.environ.get("REPORT_PDF") or "report.pdf")
    theirs = sha256(path.read_bytes()).hexdigest()
    built()
    ours = sha256(page("pdf")).hexdigest()
    if theirs != ours:
        sys.exit(
            f"error: {path} is not what is made here: its SHA-256 is {theirs}, here it is {ours}; "
            "give make the AUTHORS, GROUP, COURSE and DATE that it has, and the Python that its page names; "
            "a processor of another kind rounds otherwise, which a last digit may show"
        )
    print(f"{path} is what is made here, SHA-256 {ours}")


def renew(what: str) -> None:
    """Execute a notebook in place, which may say only what is true."""
    source = Path(f"{what}.ipynb")
    before = source.read_bytes()
    notebook = nbformat.read(source, 4)
    code = digest(notebook)
    execute(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):  # without their kernel widgets show an error
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    collect(notebook, folder=".", name=what)
    if source.read_bytes() != before:
        sys.exit(f"error: {source} was changed while it was executed, and is as you left it; run again")
    write(source, saved(notebook))
    if source == REPORT:
        keep(code, notebook)


ACTS = {"explore": renew, "html": export, "pdf": export, "report": renew, "verify": verify}


def main(act: Callable[[str], None], what: str) -> None:
    """Do one of the acts, while no other build works here; exit with an error, a line for each problem."""
    with turn():
        LOG.write_text("")
        try:
            act(what)
        except ExportError as error:
            sys.exit(re.sub("^", "error: ", f"the notebook is no report yet\n{error}", flags=re.M))


if __name__ == "__main__":
    main(ACTS[sys.argv[1]], sys.argv[1])
