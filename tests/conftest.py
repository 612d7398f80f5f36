"""Share the committed notebook, its PDF and HTML and the zip among the tests, and order the tests."""

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  so fonts are listed: a slow kernel would say so in a cell
import nbformat
import pytest
from xdist.scheduler import LoadScopeScheduling

import faults
from nbtypst import ReportHTMLExporter, ReportPDFExporter
from nbtypst.reading.document import collect
from tools import submission

for name in (
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
):  # of `make test`: a make of a test is not a part of that one
    os.environ.pop(name, None)

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "TQDM_DISABLE": "1"}
LONG = ("tests/report/", "tests/tools/")
REPORTS = ("tests/report/", "tests/tools/test_submission.py")


def nbconvert(folder, *arguments, **environment):
    """Run nbconvert in a folder, with the package of that folder."""
    return subprocess.run(
        [sys.executable, "-m", "nbconvert", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"TQDM_DISABLE": "1"} | environment,
    )


@pytest.fixture(autouse=True)
def tidy():
    """Close all figures after each test: the next may ask which are open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def tried(request):
    """Return `tried(fault, cases, outcome)`, for a test to call at its end: a line of docs/faults.md.

    Fails the test if the page does not have the line.
    """
    test = request.node.nodeid.partition("[")[0]

    def say(fault, cases, outcome, by=""):
        row = faults.make_row(test, fault, cases, outcome, by)
        request.node.user_properties.append(("fault", vars(row)))
        if not by and not os.environ.get("WRITE_FAULTS"):
            assert faults.contains(faults.read(), row), f"{faults.PAGE.name} does not say: {row.line()}"

    return say


class Scheduling(LoadScopeScheduling):
    """Files stay whole, since their tests share runs; those that need the report's PDF or HTML share it."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "tests/report" if file.startswith(REPORTS) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False  # by the number of tests
    return Scheduling(config, log)


def pytest_collection_modifyitems(items):
    """Put first what takes long: at the end no worker waits for it."""
    items.sort(key=lambda item: (not item.nodeid.startswith(LONG), not item.get_closest_marker("slow")))


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script: `make test &`
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.environ.get("WRITE_FAULTS") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(faults.Writer())


@pytest.fixture(scope="session")
def committed():
    return nbformat.read(ROOT / "report.ipynb", as_version=4)


@pytest.fixture(scope="session")
def document(committed):
    """Return the notebook as the exporters read it."""
    return collect(committed)


@pytest.fixture(scope="session")
def pdf(committed, tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(ReportPDFExporter().from_notebook_node(committed)[0])
    return path


@pytest.fixture(scope="session")
def html(committed, tmp_path_factory):
    path = tmp_path_factory.mktemp("html") / "report.html"
    path.write_text(ReportHTMLExporter().from_notebook_node(committed)[0], encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def handed_in(pdf, tmp_path_factory):
    """Return the zip that is handed in."""
    path = tmp_path_factory.mktemp("zip") / "submission.zip"
    submission.write(ROOT / "report.ipynb", pdf, path)
    return path


@pytest.fixture(scope="session")
def unpacked(handed_in, tmp_path_factory):
    """Unpack the zip elsewhere."""
    place = tmp_path_factory.mktemp("an øther place")
    with zipfile.ZipFile(handed_in) as archive:
        archive.extractall(place)
    return place / submission.FOLDER
