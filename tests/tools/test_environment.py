"""The way from a fresh machine to the report: lock, environment.yml, bootstrap.py and the Makefile."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import chdir
from importlib.metadata import distribution
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

import bootstrap
from tools import build

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RUN = bootstrap.run
TESTS = "requirements-test.txt"
INSTALLED = ["nbtypst/pyproject.toml", "pyproject.toml", bootstrap.REPORT]
LOCKS = [bootstrap.REPORT, TESTS]
STAMP = bootstrap.stamp(bootstrap.REPORT)
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_text() -> str:
    return "".join((ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS)


def lock_versions() -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock_text(), re.MULTILINE):
        versions.setdefault(canonical(name), set()).add(version)
    return versions


def direct_dependencies() -> set[str]:
    named: list[str] = []
    for file in ("pyproject.toml", "nbtypst/pyproject.toml"):
        content = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))
        named += content["project"]["dependencies"]
        named += content["project"]["optional-dependencies"].get("writing", ())
        named += content.get("dependency-groups", {}).get("dev", ())
    return {canonical(re.split(r"[\s<>=!~;\[]", name)[0]) for name in named} - {"nbtypst"}


def conda_pins() -> dict[str, str]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    flat = [entry for entry in entries if isinstance(entry, str)]
    for entry in entries:
        if isinstance(entry, dict):
            flat += entry["pip"]
    pins = {}
    for entry in flat:
        name, _, version = entry.partition("=")
        pins[canonical(name)] = version.lstrip("=")
    return pins


def test_lock_names_every_direct_dependency() -> None:
    assert direct_dependencies() <= set(lock_versions())


def test_lock_is_whole_so_that_pip_need_not_resolve_anything() -> None:
    """Of what is in the lock, what each package requires is in the lock too, at a version that it accepts."""
    locked = lock_versions()
    waiting, seen = {(name, "") for name in direct_dependencies()}, set()
    while waiting:
        name, extra = one = waiting.pop()
        seen.add(one)
        for line in distribution(name).requires or ():
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                assert any(wanted.specifier.filter(locked.get(canonical(wanted.name), ()))), (name, line)
                waiting |= {(canonical(wanted.name), more) for more in ("", *wanted.extras)} - seen
    assert len(seen) > 100


def test_lock_has_hashes_for_every_package_and_no_addresses() -> None:
    lines = lock_text().splitlines()
    packages = [i for i, line in enumerate(lines) if re.match(r"[A-Za-z0-9]", line)]
    assert packages
    for i in packages:
        assert "==" in lines[i], lines[i]
        assert lines[i + 1].strip().startswith("--hash=sha256:"), lines[i]
    assert "://" not in lock_text()
    options = "\n".join(line for line in lines if not line.startswith("#"))
    assert not re.search(r"--(extra-)?index-url|--find-links\s*[=/]", options)


def test_a_report_needs_no_tool_of_the_developers() -> None:
    """Each package stands in one lock, and what only tests need is not installed for a report."""
    report, tests = (
        set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(encoding="utf-8"), re.M)) for lock in LOCKS
    )
    assert not report & tests
    assert {"mypy", "oxlint", "pytest", "ruff", "scikit-learn"} <= tests


def test_no_start_builds_a_grammar() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "\njsonschema==" in lock and "rfc3987-syntax" not in lock  # it took two thirds of each start


def test_environment_yml_has_the_direct_dependencies_at_the_versions_of_the_lock() -> None:
    pins = conda_pins()
    assert tuple(int(part) for part in pins.pop("python").split(".")) >= (3, 11)
    pins.pop("pip")
    pins.pop("pandoc")  # with pypandoc, in place of pypandoc-binary
    pins["pypandoc-binary"] = pins.pop("pypandoc")
    differing = sorted(set(pins) ^ direct_dependencies())
    assert differing == [], "either in environment.yml or among what a pyproject.toml asks for, not in both"
    locked = lock_versions()
    for name, pin in pins.items():
        assert pin, name
        found = f"environment.yml has {name} {pin}, the locks have {', '.join(sorted(locked[name]))}"
        assert any(f"{version}.".startswith(f"{pin}.") for version in locked[name]), (
            f"{found}: edit the former"
        )


@pytest.mark.parametrize("name", ["bootstrap.py", "tools/__init__.py", "tools/processes.py"])
def test_bootstrap_can_be_read_by_an_old_python(name: str) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)]


def test_too_old_python_is_named() -> None:
    with pytest.raises(SystemExit, match=r"^error: Python 3\.11 or later.*3\.9\.6.*PYTHON="):
        bootstrap.check_version((3, 9, 6, "final", 0))
    bootstrap.check_version((3, 11, 0, "final", 0))


LACKING = {
    "No module named venv": "Traceback (most recent call last):\n  File\nImportError: No module named venv\n",
    "venv failed": "The virtual environment was not created successfully because ensurepip is not\navailable",
}


@pytest.mark.parametrize("named", LACKING)
def test_missing_venv_says_what_to_install(
    named: str, environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's Python has no venv, or one that cannot be used, until it is installed."""
    python = tmp_path / "a Python"
    python.write_text(f"#!/bin/sh\necho '{LACKING[named]}'\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(bootstrap, "run", RUN)
    STAMP.unlink()
    with pytest.raises(SystemExit, match=rf"^error: [^\n]*{named}; [^\n]*python3-venv[^\n]*conda[^\n]*$"):
        bootstrap.prepare(bootstrap.REPORT)
    assert not STAMP.exists()


def test_without_network_there_is_a_clear_message_and_no_stamp(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "assignment1-no-such-package==1.0 --hash=sha256:" + 64 * "0" + "\n"
    Path("requirements.txt").write_text(line, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)  # it has pip
    monkeypatch.setattr(bootstrap, "fault", lambda lock: bootstrap.OUTDATED)
    monkeypatch.setattr(bootstrap, "run", RUN)
    with pytest.raises(SystemExit, match=r"^error: [^\n]*needs the network[^\n]*$"):
        bootstrap.prepare(bootstrap.REPORT)
    assert not STAMP.exists()


@pytest.mark.parametrize("keeps", [True, False])
def test_modules_are_compiled_when_imported_unless_this_python_keeps_no_bytecode(
    keeps: bool, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sys, "dont_write_bytecode", not keeps)
    monkeypatch.setattr(bootstrap, "run", lambda *command: asked.extend(command))
    Path(bootstrap.REPORT).write_text("other\n", encoding="utf-8")
    bootstrap.prepare(bootstrap.REPORT)
    assert ("--no-compile" in asked) is keeps


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a .venv with two packages as bootstrap leaves it; making it again is only noted."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "tools", "tools")
    for name in INSTALLED:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    bootstrap_python = [sys.executable, "-m", "venv", "--without-pip", ".venv"]
    subprocess.run(bootstrap_python, check=True)
    (site,) = Path(".venv").glob("lib/**/site-packages")
    for name in ("one", "two"):
        (site / name).mkdir()
        (site / name / "__init__.py").touch()
    monkeypatch.setattr(bootstrap, "run", lambda failure, python, module, *rest: Path(module).touch())
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == ["pip", "venv"]
    return site


def made() -> list[str]:
    """Return the modules that bootstrap ran since this was asked last."""
    ran = [name for name in ("pip", "venv") if Path(name).exists()]
    for name in ran:
        Path(name).unlink()
    return ran


def test_a_whole_environment_stays(environment: Path) -> None:
    (environment / "three").mkdir()  # the user's own
    (environment / "one" / "__pycache__").mkdir()
    before = STAMP.stat()
    bootstrap.prepare(bootstrap.REPORT)
    after = STAMP.stat()
    assert made() == []
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("name", INSTALLED)
def test_what_is_to_be_installed_is_installed_into_the_environment_that_is_there(
    environment: Path, name: str
) -> None:
    Path(name).write_text("other\n", encoding="utf-8")
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == ["pip"]
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == []


def test_what_the_tests_need_is_installed_beside_it_and_anew_when_it_changes(environment: Path) -> None:
    before = STAMP.stat()
    for content in ("", "other\n"):
        Path(TESTS).write_text(content, encoding="utf-8")
        bootstrap.prepare(TESTS)
        assert made() == ["pip"]
        bootstrap.prepare(TESTS)
        bootstrap.prepare(bootstrap.REPORT)
        assert made() == []
    assert STAMP.stat().st_ino == before.st_ino  # so that no report is made anew


DAMAGE = {
    "file": "without a file of a package",
    "package": "without a package",
    "python": "without its Python",
    "other python": "with another Python",
    "moved": "moved to another folder",
    "interrupted": "whose making was interrupted",
}


def put_another_python() -> None:
    """Let .venv have another Python, as an upgrade of the system does."""
    Path("python3.99").write_text("#!/bin/sh\n", encoding="utf-8")
    Path("python3.99").chmod(0o755)
    python = Path(bootstrap.PYTHON)
    python.unlink()
    python.symlink_to(Path("python3.99").resolve())


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_environment_is_made_again(
    environment: Path, what: str, tmp_path: Path, tried: Callable[..., None]
) -> None:
    if what == "file":
        (environment / "one" / "__init__.py").unlink()
    elif what == "package":
        shutil.rmtree(environment / "two")
    elif what == "python":
        Path(bootstrap.PYTHON).unlink()
    elif what == "other python":
        put_another_python()
    elif what == "moved":
        text = STAMP.read_text(encoding="utf-8")
        STAMP.write_text(text.replace(str(tmp_path), "/old"), encoding="utf-8")
    else:
        STAMP.unlink()
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == ["pip", "venv"]
    tried(f"A `.venv` {DAMAGE[what]}", 1, "noticed by the next make, and made again")


@pytest.mark.parametrize("content", [b"", b"x\n", b"\xff"])
def test_an_environment_whose_stamp_is_damaged_is_made_again(environment: Path, content: bytes) -> None:
    STAMP.write_bytes(content)
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == ["pip", "venv"]
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == []


def test_the_folder_of_an_environment_is_one_line_of_its_stamp(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a\nb").mkdir()
    shutil.move(".venv", "a\nb")
    monkeypatch.chdir("a\nb")
    assert repr(os.getcwd()) in bootstrap.identity() and "\n" not in bootstrap.identity()


@pytest.mark.parametrize("named", [True, False])
def test_an_environment_of_another_python_is_made_again_if_that_one_is_named(
    environment: Path, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bootstrap.identity()
    put_another_python()
    text = STAMP.read_text(encoding="utf-8").replace(before, bootstrap.identity())
    STAMP.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["bootstrap", "--named"] if named else ["bootstrap"])
    bootstrap.prepare(bootstrap.REPORT)
    assert made() == (["pip", "venv"] if named else [])


@needs_make
@pytest.mark.parametrize("target", [".venv/.requirements", ".venv/.requirements-test"])
def test_a_python_is_named_on_the_command_line_alone(target: str) -> None:
    def asked(*given: str, **environment: str) -> str:
        command = ["make", "--dry-run", target, *given]
        done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
        return done.stdout

    assert "--named" in asked("PYTHON=python3.12")
    assert '"python3.12" -m tools.processes' in asked(PYTHON="python3.12")
    assert "--named" not in asked(PYTHON="python3.12") + asked()


@needs_make
def test_a_python_that_is_not_there_is_named() -> None:
    done = subprocess.run(["make", "env", "PYTHON=nosuch"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode
    assert done.stderr.startswith("error: nosuch: not found; name a Python of 3.11 or later, ")


@needs_make
def test_the_locks_take_newer_versions_of_what_is_named_alone() -> None:
    def planned(*given: str) -> str:
        command = ["make", "--dry-run", "lock", *given]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert planned("UPGRADE=ruff tqdm>=4").count('--upgrade-package "ruff" --upgrade-package "tqdm>=4"') == 2
    assert "--upgrade" not in planned()


@needs_make
def test_who_makes_the_locks_without_uv_is_told_of_it(tmp_path: Path) -> None:
    make = str(shutil.which("make"))
    done = subprocess.run(
        [make, "lock"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode and done.stderr.startswith("error: uv: not found; install it, for example: pip ")


@pytest.mark.parametrize(
    "said, reason",
    [
        ("", "pip failed"),
        ("ERROR: one\nmore\nERROR: two\n", "two"),
        ("ERROR: Exception:\nTraceback:\n  a line\n\nOSError: no place\n", "OSError: no place"),
        ("ERROR: Exception:\nTraceback:\n  a line\n\na.b.ReadError: no more\n", "a.b.ReadError: no more"),
        (
            "ERROR: other hashes\n    a==1:\n        Expected 1\nWARNING: more\n",
            "other hashes a==1: Expected 1",
        ),
        ("  error: one\nerror: two\n\nnote: of pip\nhint: look above\n", "two"),
        ("Collecting one\n\nerror: interrupted; the next make does it again\n", "interrupted; the next"),
        (
            "ERROR: Exception:\nTraceback:\nEOFError: marshal data too short\n",
            "a compiled module was cut",
        ),
    ],
)
def test_the_reason_of_pip_is_its_last_error(
    said: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("build").mkdir()
    bootstrap.LOG.write_text(said, encoding="utf-8")
    with pytest.raises(SystemExit) as error:
        bootstrap.fail(bootstrap.reason("pip"))
    assert str(error.value).startswith(f"error: {reason}")


@needs_make
def test_make_alone_lists_the_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in [
        "pdf",
        "html",
        "submission",
        "pictures",
        "report",
        "test",
        "quick",
        "lint",
        "lab",
        "lock",
        "clean",
        "distclean",
    ]:
        assert re.search(rf"^make {target}\b", done.stdout, re.MULTILINE), target


def test_a_build_knows_all_that_can_change_what_the_report_computes() -> None:
    with chdir(ROOT):
        known = set(build.matching(build.SOURCES))
        for house in ("assignment1", "data", "explore", "nbtypst/src", "study"):
            files = {path for path in Path(house).rglob("*") if path.is_file() and path.suffix != ".pyc"}
            assert files <= known


def test_what_an_editor_leaves_is_no_file_of_the_project(tmp_path: Path) -> None:
    names = [
        "study/.ipynb_checkpoints/a-checkpoint.py",
        "assignment1/.a.py.swp",
        "data/.DS_Store",
        "study/a.py",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with chdir(tmp_path):
        assert build.matching(build.SOURCES) == [Path("study/a.py")]


@needs_make
def test_failing_notebook_keeps_the_older_pdf_and_names_the_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder with spaces æøå"
    folder.mkdir()
    shutil.copytree(ROOT / "tools", folder / "tools")
    for name in ["Makefile", "bootstrap.py", "requirements.txt"]:
        shutil.copy(ROOT / name, folder / name)
    # Exporters of these names count as installed in this folder: the test installs nothing.
    record = folder / "stand_in-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: stand-in\nVersion: 1.0\n", encoding="utf-8"
    )
    points = "[nbconvert.exporters]\n"
    points += "".join(f"report_{name} = nbconvert.exporters:PDFExporter\n" for name in ("pdf", "html"))
    (record / "entry_points.txt").write_text(points, encoding="utf-8")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("raise ValueError('wrong by design')")]
    )
    nbformat.write(notebook, folder / "report.ipynb")
    (folder / "report.pdf").write_bytes(b"the older report")

    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    environment.pop("MFLAGS", None)
    done = subprocess.run(
        ["make", "pdf", "ENV=active"],
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode != 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert "ValueError: wrong by design" in shown
    assert (folder / "report.pdf").read_bytes() == b"the older report"


def test_paths_in_the_environment_are_relative_so_that_any_locale_can_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "øving 1"
    packages = folder / ".venv/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    (folder / "nbtypst/src").mkdir(parents=True)
    lines = {
        "_assignment1": str(folder),
        "_nbtypst": f"{folder}/nbtypst/src\n",
        "c": "import os; var = 'ø'\n",
    }
    for name, line in lines.items():
        (packages / f"{name}.pth").write_text(line, encoding="utf-8")
    monkeypatch.chdir(folder)
    bootstrap.make_paths_relative()
    found = {path.stem: path.read_text(encoding="utf-8") for path in packages.glob("*.pth")}
    assert found == lines | {"_assignment1": "../../../..\n", "_nbtypst": "../../../../nbtypst/src\n"}
    assert (packages / found["_assignment1"].strip()).resolve() == folder.resolve()
