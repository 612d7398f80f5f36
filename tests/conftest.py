"""What several test files share: the committed notebook, its PDF and HTML, and a run of it from the zip."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  so fonts are listed: a slow kernel would say so in a cell
import nbformat
import pytest

import faults
from nbtypst import ReportHTMLExporter, ReportPDFExporter
from tools import submission

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "TQDM_DISABLE": "1"}


# What `make quick` leaves out: files, or tests of a file, that take a second or more each.
SLOW = """
test_any_notebook.py test_build.py test_build_environment.py test_build_kills.py test_engine.py
test_environment.py
test_derivations.py test_appendix_errors.py test_gradcheck.py test_optima.py
test_task2.py test_task3.py test_task4.py test_task4b_weights.py
test_explore.py test_explore_browser.py test_figures.py test_figures_norms.py test_hostile.py
test_hostile_files.py test_html.py test_html_browser.py test_jupyter.py test_cache.py test_latex.py
test_page.py test_pdf.py test_report.py test_report_browser.py test_small_runs.py test_submission.py
test_sweep.py test_training.py test_answers.py test_broken.py test_shown.py test_views.py
test_errata.py test_widgets.py
test_help.py::test_every_public_name_has_an_example_that_runs
test_arguments.py::test_a_gradient_check_never_passes_what_is_not_finite
test_arguments.py::test_losses_and_probabilities_of_any_logits_agree_with_sixty_digits
test_hostile_calls.py::test_a_worker_that_is_killed_and_data_that_cannot_be_sent_cost_no_other_run
test_models.py::test_data_are_made_in_the_precision_that_is_asked_for
test_models.py::test_files_compressed_otherwise_or_not_at_all_are_read_as_well
test_models.py::test_splits_have_the_assignments_sizes
test_models.py::test_gradient_is_the_derivative_of_the_penalised_cost
test_models.py::test_training_finds_scikit_learns_optimum
test_models.py::test_the_printed_numbers_of_task_2d
test_writing.py::test_figures_do_not_depend_on_folder_time_zone_and_locale
"""


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
    """No test leaves a figure to the next, in whatever order they run."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def tried(request):
    """To be called once what a test says is so: `tried(fault, cases, outcome)`, a line of docs/faults.md."""
    test = request.node.nodeid.partition("[")[0]

    def say(fault, cases, outcome, by=""):
        row = faults.said(test, fault, cases, outcome, by)
        request.node.user_properties.append(("fault", vars(row)))
        if not by and not os.environ.get("WRITE_FAULTS"):
            assert faults.stands(row, faults.read()), f"{faults.PAGE.name} does not say: {row.line()}"

    return say


class Faults:
    """Writes what the tests that passed have said, whichever process they ran in."""

    def __init__(self):
        self.rows, self.tests = [], set()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.passed:
            self.rows += [faults.Row(**row) for name, row in report.user_properties if name == "fault"]
            self.tests.add(report.nodeid.partition("[")[0])

    def pytest_sessionfinish(self):
        if self.rows:
            rows = faults.merged(faults.read(), self.rows, self.tests)
            faults.PAGE.write_text(faults.text(rows), encoding="utf-8")


def pytest_collection_modifyitems(items):
    for item in items:
        name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
        if {item.path.name, name} & set(SLOW.split()):
            item.add_marker(pytest.mark.slow)


def pytest_configure(config):
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script: `make test &`
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "slow: left out by make quick")
    if os.environ.get("WRITE_FAULTS") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Faults())


@pytest.fixture(scope="session")
def committed():
    return nbformat.read(ROOT / "report.ipynb", as_version=4)


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
    """The zip that is handed in."""
    path = tmp_path_factory.mktemp("zip") / "submission.zip"
    submission.write(ROOT / "report.ipynb", pdf, path)
    return path


@pytest.fixture(scope="session")
def unpacked(handed_in, tmp_path_factory):
    """The zip unpacked elsewhere, with MNIST put back as its data/README.md says."""
    place = tmp_path_factory.mktemp("an øther place")
    with zipfile.ZipFile(handed_in) as archive:
        archive.extractall(place)
    folder = place / submission.FOLDER
    for data in (ROOT / "data").glob("*.gz"):
        shutil.copy(data, folder / "data")
    return folder


@pytest.fixture(scope="session")
def fresh(unpacked):
    """The notebook executed there, in another time zone and locale."""
    done = nbconvert(
        unpacked, "--to", "notebook", "--execute", "--output", "fresh", "report.ipynb", **ELSEWHERE
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(unpacked / "fresh.ipynb", as_version=4)
