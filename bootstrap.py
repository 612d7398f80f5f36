"""Make .venv for the report, or for the tests, or install the project into the environment that is active.

    python -m tools.processes PARENT bootstrap [--tests | --active] [--named]     in the folder of the project

With --named a .venv of another version than the Python that runs this is made again.

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. A .venv that is as it should be stays.
What pip says goes to build/environment.txt; an error is one line.
"""

import hashlib
import os
import re
import subprocess
import sys
from glob import glob
from pathlib import Path

from tools.processes import recompile, turn

LOG = Path("build/environment.txt")
OUTDATED = "what is to be installed has changed"
PYTHON = ".venv/bin/python"
REPORT = "requirements.txt"
SOURCES = ["nbtypst/pyproject.toml", "pyproject.toml"]
TESTS = "requirements-test.txt"  # what they need beside it


def check_version(version):
    """Exit with an error if a Python is too old."""
    if version < (3, 11):
        message = (
            "error: Python 3.11 or later is needed, and this is Python {}.{}.{}. "
            "Name a later one, for example: make pdf PYTHON=python3.12"
        )
        sys.exit(message.format(*version))


def check_modules():
    """Exit with an error if this Python cannot make environments."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as problem:
        message = (
            "error: {}. On Debian and Ubuntu: sudo apt install python3-venv. "
            "Without root: use conda (environment.yml) and ENV=active."
        )
        sys.exit(message.format(problem))


def identity():
    """Return the version and the folder of .venv's Python, or what is said if that Python does not start."""
    return subprocess.getoutput(PYTHON + " -c 'import sys; print((sys.version_info[:2], sys.prefix))'")


def stamp(lock):
    """Return the file that is there while .venv has all that a lock names."""
    return Path(".venv", "." + Path(lock).stem)


def digest(lock):
    """Return the digest of the files that say what is to be installed."""
    return hashlib.sha256(b"".join(Path(name).read_bytes() for name in [*SOURCES, lock])).hexdigest()


def fault(lock):
    """Return why .venv cannot be used as it is, or ""."""
    if not stamp(lock).exists():
        return "it is not there, or is not finished"
    made_from, _, rest = stamp(lock).read_text("utf-8", "replace").partition("\n")
    python, *files = rest.split("\n")
    if identity() != python:
        return "its Python is gone or is another one, or the folder was moved"
    if "--named" in sys.argv and str(sys.version_info[:2]) not in python:
        return "its Python is not the one that PYTHON names"
    for name in files:
        if not os.path.exists(name):
            return name + " is missing"
    return "" if digest(lock) == made_from else OUTDATED


def reason(failure):
    """Return why pip failed, from the log, or `failure`."""
    text = LOG.read_text("utf-8", "replace")
    recompile(text)
    other = re.search("DO NOT MATCH THE HASHES.*?^ +(\\S+==\\S+) from", text, re.M | re.S)
    if other:
        return other.group(1) + " is not the file that the lock names: its hash differs"
    errors = [failure, *re.findall("^(?:ERROR|error): (?:Exception:\n(?:.*\n)*)?(.+)", text, re.M)]
    if re.search("connection|No matching distribution|Could not find a version", text, re.I):
        errors[-1] += "; the first run needs the network: the Python package index has to be within reach"
    return errors[-1]


def run(failure, python, *module):
    """Run a module, which ends with this process; exit with an error if it fails."""
    command = [python, "-m", "tools.processes", str(os.getpid()), *module]
    with LOG.open("wb") as log:  # close_fds: the module holds the lock, too
        status = subprocess.call(command, close_fds=False, start_new_session=True, stderr=log, stdout=log)
    if status:
        sys.exit("error: " + reason(failure) + "; all that was said is in build/environment.txt")


def install_packages(lock):
    """Install the packages of a lock."""
    # The lock is whole, so there is nothing to resolve: pip 23 stops at an extra that is not spelt out there.
    options = ["--no-deps", "--require-hashes", "-r", lock]
    if not sys.dont_write_bytecode:  # Python compiles what it imports, some 1,600 modules of 10,000
        options.append("--no-compile")
    run("pip could not install the packages", PYTHON, "pip", "install", *options)


def install_projects(python):
    """Install the project's own two distributions, as links."""
    options = ["--no-deps", "--no-build-isolation", "-e", "./nbtypst", "-e", "."]
    run("pip could not install the project itself", python, "pip", "install", *options)


def make_paths_relative():
    """Write relative paths to the project into .venv.

    A Python before 3.13 reads these files in the locale's encoding: in the C locale, with a letter that is
    not ASCII among those names, it would not start.
    """
    for path in Path(".venv").glob("lib/python3*/site-packages/*.pth"):
        name = path.read_text("utf-8").strip()
        if os.path.isabs(name):
            path.write_text(os.path.relpath(name, path.parent) + "\n", "utf-8")


def make(lock, found):
    """Install what a lock names, into a .venv that is made anew unless it is only outdated; then stamp it."""
    from tools.files import write  # no old Python can read it

    check_modules()
    what = "the environment .venv, some minutes the first time" if lock == REPORT else "what the tests need"
    print("Making " + what + ": " + found, flush=True)
    stamp(lock).unlink(missing_ok=True)
    if lock == REPORT and found != OUTDATED:
        run("The environment .venv could not be made", sys.executable, "venv", "--clear", ".venv")
    install_packages(lock)
    install_projects(PYTHON)
    make_paths_relative()
    files = [name for name in glob(".venv/lib/**", recursive=True) if "__pycache__" not in name]
    write(stamp(lock), "\n".join([digest(lock), identity(), *files]).encode())


def prepare(lock):
    """Make .venv unless it is as it should be; one process at a time does."""
    if fault(lock):
        with turn():
            found = fault(lock)
            if found:
                make(lock, found)


def prepare_active():
    """Install the project into the environment that is active unless nbconvert finds its exporters there."""
    from importlib.metadata import entry_points

    if not entry_points(group="nbconvert.exporters", name="report_html"):
        with turn():
            install_projects(sys.executable)


if __name__ == "__main__":
    check_version(sys.version_info)
    if "--active" in sys.argv:
        prepare_active()
    else:
        prepare(REPORT)
        if "--tests" in sys.argv:
            prepare(TESTS)
