"""A build in bad surroundings: it ends well or says why in a line, and loses no file."""

import fcntl
import os
import pty
import py_compile
import re
import shutil
import struct
import subprocess
import sys
import termios
from contextlib import chdir, suppress
from importlib.util import cache_from_source
from typing import Any

import nbformat
import pikepdf
import pypdfium2
import pytest

from builds import ONE_LINE, Project, needs_make, needs_proc
from conftest import ROOT
from tools import build
from tools.build import digest, fail, recall

pytestmark = [pytest.mark.slow, needs_make, needs_proc]
PDF = ["build/report.ipynb", "report.pdf", "report-evidence.txt"]
WROTE = [f"Wrote {name}" for name in PDF]
SEAL = "build/report.seal"
OLD = b"of a build before"
NO_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
needs_rights = pytest.mark.skipif(
    bool(NO_RIGHTS) and not shutil.which("setpriv"), reason="root may write anywhere"
)

IMPORTS = "import matplotlib.pyplot\nimport random"
SLOW_FONTS = f"""import pathlib
import threading


class Timer(threading.Timer):
    def __init__(self, interval, *rest):
        super().__init__(interval, *rest)
        if interval == 5:
            self.function()
            pathlib.Path("warned").touch()


threading.Timer = Timer
{IMPORTS}"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a project, and its files as they should be; where there is no terminal, a build says no more."""
    project = Project(tmp_path_factory.mktemp("plain"), ONE_LINE)
    assert project.make("pdf") == WROTE
    return project, project.contents(*PDF), project.contents(SEAL)


@pytest.fixture
def project(built):
    """Return the same, with files of a build before."""
    for name in PDF:
        (built[0].folder / name).write_bytes(OLD)
    built[0].restore(ONE_LINE)
    return built[0]


@pytest.fixture
def executed(project, built):
    """Return the same, with what its execution wrote: the next build has none to do."""
    for name, content in zip([PDF[0], SEAL], [built[1][0], *built[2]], strict=True):
        (project.folder / name).write_bytes(content)
    return project


@pytest.fixture(scope="module")
def imported(built):
    """Return the files of a notebook that imports modules, of which others may stand in the way."""
    built[0].restore(IMPORTS, ONE_LINE)
    assert built[0].make("pdf") == WROTE
    return built[0].contents(*PDF)


def test_two_builds_at_once_both_end_well(project, built, tried):
    both = [project.start("pdf"), project.start("pdf")]
    said = [project.ended(process) for process in both]
    assert sum("Waiting for another make in this folder to end" in lines for lines in said) >= 1
    assert sum("Wrote build/report.ipynb" in lines for lines in said) == 1
    assert all("Wrote report.pdf" in lines for lines in said)  # each its own page, with its own names
    assert project.contents(*PDF) == built[1]
    tried("Two `make pdf` at once", 1, "the second waits and says so; both end well")


def test_names_reach_the_page_as_they_are_and_no_shell_reads_them(executed):
    project = executed
    second = "Øystein `touch pwned` $HOME $(shell touch pwned)"
    given = [f'AUTHORS=Ada "the Countess" Lovelace, {second}', "GROUP=7", "DATE=1'2"]
    assert project.make("pdf", *given, DATE="of the environment") == WROTE[1:]
    assert not (project.folder / "pwned").exists()
    with pikepdf.open(project.folder / "report.pdf") as pdf, pdf.open_metadata() as metadata:
        assert ", ".join(metadata["dc:creator"]) == f'Ada "the Countess" Lovelace, {second}'
    text = pypdfium2.PdfDocument(project.folder / "report.pdf")[0].get_textpage().get_text_range()
    assert "Group 7" in text and "environment" not in text


@pytest.mark.parametrize(
    "given, error",
    [
        ("AUTHOR=Ada", "AUTHOR: no such setting; expected one of AUTHORS COURSE"),
        ("ENV=conda", "ENV=conda: expected active, for the environment that is active, or venv"),
        ("AUTHORS= , ,", 'AUTHORS: nothing in it can be shown; expected words, as in AUTHORS="Ada Lovelace'),
        ("DATE=;", "DATE: nothing in it can be shown"),
        ("PDF=x.pdf", "PDF is what make verify compares, and nothing else reads it"),
    ],
)
def test_a_setting_without_effect_is_refused(given, error, project):
    asked = subprocess.run(["make", "pdf", given], cwd=project.folder, capture_output=True, text=True)
    assert asked.returncode and error in asked.stderr and asked.stderr.count("\n") == 1
    assert project.contents(*PDF) == [OLD] * 3


@pytest.mark.parametrize(
    "fault, code, error",
    [
        (
            "A cell that never ends and hears no signal",
            "import signal as s, time\nfor n in (2, 15): s.signal(n, s.SIG_IGN)\nwhile True: time.sleep(1)",
            r"a cell took longer than 1 s \(CELL_SECONDS=\.\.\. sets the limit\)",
        ),
        ("A kernel that dies", "import os\nos._exit(1)", r"DeadKernelError: Kernel died"),
    ],
)
def test_a_cell_that_does_not_end_well_stops_the_build(fault, code, error, project, tried):
    project.restore(code)
    (line,) = project.fail("pdf", CELL_SECONDS="1")
    assert re.fullmatch(f"error: {error}; the whole of it is in build/log.txt", line)
    assert project.contents(*PDF) == [OLD] * 3
    assert (project.folder / "build/log.txt").stat().st_size
    tried(fault, 1, "stopped, with an error of one line and the rest in build/log.txt; old files stay")


def test_a_cell_that_is_no_longer_true_stops_the_build(project, tried):
    project.restore(ONE_LINE.replace('}}.")', '}}.\\n    check: number == 3")'))
    first, second = project.fail("report")
    assert first == "error: the notebook is no report yet" and "number == 3" in second
    assert project.contents(*PDF) == [OLD] * 3
    assert (project.folder / "report.ipynb").read_text(encoding="utf-8") == project.source
    tried(
        "A sentence that is not true",
        2,
        "no page and no committed notebook are written; a line names the check",
    )


def test_a_notebook_that_is_edited_while_it_runs_stays_as_edited(project, tried):
    edit = "from pathlib import Path\nPath('report.ipynb').write_text('edited')"
    project.restore(edit)
    (line,) = project.fail("report")
    assert line.startswith("error: report.ipynb was changed while it was executed, and is as you left it")
    assert (project.folder / "report.ipynb").read_text() == "edited"
    tried(
        "A notebook that is edited while `make report` executes it", 1, "the edit stays, and an error says so"
    )


@pytest.mark.parametrize("name", PDF)
def test_a_folder_in_the_place_of_a_file_is_named(name, project, tried):
    (project.folder / name).unlink()
    (project.folder / name).mkdir()
    try:
        (line,) = project.fail("pdf")
        assert re.match(f"error: .*({name}.*Is a directory|Is a directory.*{name})", line)
        assert list((project.folder / name).iterdir()) == []
    finally:
        (project.folder / name).rmdir()
    tried(f"A folder in the place of {name}", 1, "an error of one line; nothing is written into it")


@needs_rights
def test_a_folder_that_cannot_be_written_keeps_its_files(project, tried):
    places = [project.folder, project.folder / "build"]
    for place in places:
        place.chmod(0o555)
    try:
        (line,) = project.fail("pdf", before=NO_RIGHTS)
    finally:
        for place in places:
            place.chmod(0o755)
    assert re.fullmatch("error: .*build.*Permission denied", line)
    assert project.contents(*PDF) == [OLD] * 3
    tried("A read-only folder", 1, "an error of one line; old files stay")


def test_a_full_disk_keeps_the_old_files(built, tmp_path, tried):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        project = Project(disk, ONE_LINE)
        for free in (0, 8):
            shutil.rmtree(disk / "build", ignore_errors=True)
            (disk / "build").mkdir()
            for name in PDF:
                (disk / name).write_bytes(OLD)
            rest = shutil.disk_usage(disk).free - free * 1024
            (disk / "fill").write_bytes(bytes(rest))
            lines = project.fail("pdf", PYTHONDONTWRITEBYTECODE="1")
            assert len(lines) == 1 and lines[0].endswith("No space left on device"), lines
            found = dict(zip(PDF, project.contents(*PDF), strict=True))
            new = dict(zip(PDF, built[1], strict=True))
            assert all(content in (OLD, new[name]) for name, content in found.items())
            assert found["report.pdf"] == OLD
            (disk / "fill").unlink()
            tried(
                f"A disk with {free} kB left", 1, "an error of one line; each file is old or new, and whole"
            )
        assert project.make("pdf") == WROTE and project.contents(*PDF) == built[1]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_odd_surroundings_make_no_difference(built, tmp_path, tried):
    project = Project(tmp_path / 'it\'s an "øving" 1 é', ONE_LINE)
    shell = ["sh", "-c", 'umask 077; unset HOME; exec "$@"', "sh"]
    assert project.make("pdf", before=shell, LANG="C", LC_ALL="C") == WROTE
    assert project.contents(*PDF) == built[1]
    fault = "A path with spaces, quotes and letters that are not ASCII; no HOME; umask 077; the C locale"
    tried(f"{fault}; all at once", 1, "the same bytes as elsewhere")


@needs_rights
def test_a_home_that_cannot_be_written_makes_no_difference(project, built, tmp_path, tried):
    tmp_path.chmod(0o555)
    assert project.make("pdf", before=NO_RIGHTS, HOME=str(tmp_path)) == WROTE
    assert project.contents(*PDF) == built[1]
    tried("A read-only HOME", 1, "the same bytes as elsewhere, and nothing said")


def test_settings_and_modules_of_the_user_change_nothing(imported, project, tmp_path, tried):
    project.restore(IMPORTS, ONE_LINE)
    for name in ("assignment1", "matplotlib", "random", "startup"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is not the one')", encoding="utf-8")
    (tmp_path / "matplotlibrc").write_text("figure.dpi: 30", encoding="utf-8")
    names = {
        "PYTHONPATH": "",
        "JUPYTER_PATH": "",
        "PYTHONSTARTUP": "startup.py",
        "MATPLOTLIBRC": "matplotlibrc",
    }
    surroundings = {name: str(tmp_path / file) for name, file in names.items()}
    assert project.make("pdf", PYTHONOPTIMIZE="2", **surroundings) == WROTE
    assert project.contents(*PDF) == imported
    tried("PYTHONPATH, PYTHONSTARTUP, PYTHONOPTIMIZE, MATPLOTLIBRC set", 1, "the same bytes as elsewhere")


STRANGERS = ["json.py", "matplotlibrc", "nbformat.py", "numpy.py", "statistics.py"]


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_that_stands_for_a_package_or_a_setting_is_named(name, project, tried):
    stranger = project.folder / name
    stranger.write_text("figure.dpi: 30" if name == "matplotlibrc" else "mean = sum", encoding="utf-8")
    try:
        (line,) = project.fail("pdf")
        assert line == f"error: {name} would change what is imported or drawn; rename it or move it away"
    finally:
        stranger.unlink()
    assert project.contents(*PDF) == [OLD] * 3
    fault = f"A {', '.join(STRANGERS[:-1])} or {STRANGERS[-1]} beside the notebook"
    tried(fault, len(STRANGERS), "an error of one line names it")


def test_a_folder_that_stands_for_a_package_is_named(tmp_path):
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("data", "json.old", "numpy"):
        (tmp_path / name).mkdir()
    (tmp_path / "json.old/__init__.py").touch()
    command = [sys.executable, "-m", "tools.processes", str(os.getpid()), "platform"]
    assert not subprocess.run(command, cwd=tmp_path).returncode
    (tmp_path / "numpy/__init__.py").touch()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == "error: numpy would change what is imported or drawn; rename it or move it away\n"


MODULES = ["tools/files", "assignment1/models"]


@pytest.mark.parametrize("module", MODULES)
def test_a_compiled_module_that_was_cut_off_costs_one_build(module, project, tried):
    """The build imports the first, a cell the second."""
    project.restore("import assignment1.models", ONE_LINE)
    source = project.folder / f"{module}.py"
    compiled = cache_from_source(source)
    py_compile.compile(str(source), compiled, doraise=True)
    os.truncate(compiled, os.path.getsize(compiled) // 2)
    (line,) = project.fail("pdf")
    assert line == (
        "error: a compiled module was cut off, as by a full disk; "
        "it is removed: run make again; the whole of it is in build/log.txt"
    )
    assert project.make("pdf") == WROTE
    tried("A compiled module that is cut off", len(MODULES), "an error of one line; the next make works")


def test_a_long_error_ends_at_a_word(tmp_path):
    (tmp_path / "build").mkdir()
    with (
        chdir(tmp_path),
        pytest.raises(SystemExit, match=r"^error: (word )+\[\.\.\.\]; the whole of it is in build/"),
    ):
        fail("word\n" * 200)


def test_a_build_is_made_anew_if_the_contents_changed_whatever_the_times(executed, monkeypatch):
    runs: list[Any] = []
    monkeypatch.setattr(build, "execute", runs.append)
    changed = executed.folder / "study" / "notation.py"
    before = changed.read_text(encoding="utf-8"), changed.stat()
    try:
        with chdir(executed.folder):
            for path in executed.folder.rglob("*.py"):
                os.utime(path)
            build.built()
            assert len(runs) == 0
            build.BUILT.write_bytes(OLD)  # what is there is not what was made
            build.built()
            build.built()
            assert len(runs) == 1
            changed.write_text(f"{before[0]}\n# more\n", encoding="utf-8")
            os.utime(changed, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
            build.built()
            assert len(runs) == 2
    finally:
        changed.write_text(before[0], encoding="utf-8")


def test_a_change_of_text_executes_nothing(project):
    """The page is what an execution makes of it; a value that was not computed is."""
    text = project.folder / "text/note.md"
    text.parent.mkdir(exist_ok=True)
    note = "# Notes\n\n## a.note\n\nThe number is {{number}}.\n<!-- check: number == 2 -->\n"
    runs = "from pathlib import Path\nwith Path('runs').open('a') as file: file.write('.')"
    project.restore(runs, ONE_LINE.replace('"The number is {{number}}."', '"a.note"'))
    try:
        text.write_text(note, encoding="utf-8")
        assert project.make("pdf") == WROTE
        text.write_text(note.replace("The number", "This number"), encoding="utf-8")
        project.source = project.source.replace("A sweep", "No sweep")
        project.restore()
        assert project.make("pdf") == WROTE
        assert (project.folder / "runs").read_text() == "."
        reworded = project.contents(*PDF)
        (project.folder / SEAL).unlink()
        assert project.make("pdf") == WROTE
        assert (project.folder / "runs").read_text() == ".."
        assert project.contents(*PDF) == reworded
        text.write_text(note.replace("{{number}}", "{{number:.1f}}"), encoding="utf-8")
        assert project.make("pdf") == WROTE
        assert (project.folder / "runs").read_text() == "..."
    finally:
        shutil.rmtree(text.parent)


def test_a_record_of_a_build_that_was_cut_off_is_not_read(executed):
    project = executed
    record = project.folder / SEAL
    whole = record.read_bytes()
    with chdir(project.folder):
        notebook = nbformat.read("report.ipynb", 4)
        code = digest(notebook)
        assert recall(code, notebook)
        for cut in (b"", b"\xff", whole[:20], whole + b"1"):
            record.write_bytes(cut)
            assert not recall(code, notebook)
    assert project.make("pdf") == WROTE


def test_verify_says_whether_a_pdf_is_what_is_made_here(executed):
    project = executed
    assert project.make("pdf", "GROUP=7") == WROTE[1:]
    (said,) = project.make("verify", "GROUP=7")
    assert re.fullmatch(r"report\.pdf is what is made here, SHA-256 \w{64}", said)
    theirs = project.folder / "their report.pdf"
    shutil.copy(project.folder / "report.pdf", theirs)
    (line,) = project.fail("verify", "PDF=their report.pdf", "GROUP=8")
    assert line.startswith("error: their report.pdf is not what is made here: its SHA-256 is ")
    assert "; give make the AUTHORS, GROUP, COURSE and DATE that it has, and the Python that its " in line
    theirs.unlink()
    (line,) = project.fail("verify", "PDF=their report.pdf")
    assert line.startswith(
        "error: FileNotFoundError: [Errno 2] No such file or directory: 'their report.pdf'"
    )


def test_a_limit_that_is_no_number_is_named(project):
    project.restore("number = 3")
    (line,) = project.fail("pdf", CELL_SECONDS="abc")
    assert line == "error: CELL_SECONDS=abc: expected the seconds that a cell may take, such as 600"


def test_a_machine_slow_to_list_its_fonts_makes_no_difference(imported, project, tried):
    """Matplotlib lists them once, and warns after 5 seconds: here at once."""
    project.restore(SLOW_FONTS, ONE_LINE)  # the page shows no code
    shutil.rmtree(project.folder / "build/matplotlib")
    assert project.make("pdf") == WROTE
    made = [nbformat.reads(content, 4) for content in (imported[0], project.contents(PDF[0])[0])]
    outputs, slow = ([cell.get("outputs") for cell in notebook.cells] for notebook in made)
    assert (project.folder / "warned").exists()
    assert outputs == slow
    fault = "Matplotlib's warning that it builds its font cache, on a machine with many fonts"
    tried(fault, 1, "the same outputs as elsewhere")


def test_a_terminal_shows_one_bar_and_a_line_for_each_file(project, built):
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["make", "pdf", "ENV=active"], cwd=project.folder, env=project.environment, stdout=end, stderr=end
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of a terminal's output
        while part := os.read(terminal, 4096):
            shown += part
    assert process.wait() == 0
    drawn = shown.decode().replace("\r\n", "\n").split("\n")
    assert [line.rpartition("\r")[2] for line in drawn] == [*WROTE, ""]  # what is left of each line
    bars = drawn[0].split("\r")[:-1]
    assert any(re.fullmatch(r"Task 1 +█+[▉-▏]? +[\d:?]+ left", bar) for bar in bars), bars
    assert max(map(len, bars)) <= 80 and all("\r" not in line for line in drawn[1:])
