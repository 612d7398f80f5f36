"""Make the environment of the report: .venv, or with --active install into the environment that is active.

    python -m tools.processes PARENT bootstrap [--active]        in the folder of the project

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. A .venv that is as it should be stays.
What pip says goes to build/environment.txt; an error is one line.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from tools.processes import turn

IDENTITY = "import sys; print(sys.version_info[:2], sys.prefix)"
LOG = Path("build/environment.txt")
OUTDATED = "what is to be installed has changed"
PYTHON = ".venv/bin/python"
SOURCES = ["nbtypst/pyproject.toml", "pyproject.toml", "requirements.txt"]
STAMP = Path(".venv/.installed")


def check_version(version):
    """Exit with an error if a Python is too old."""
    if version < (3, 11):
        found = ".".join(str(part) for part in version[:3])
        message = "error: Python 3.11 or later is needed, and this is Python " + found
        sys.exit(message + ". Name a later one, for example: make pdf PYTHON=python3.12")


def check_modules():
    """Exit with an error if this Python cannot make environments."""
    for name in ("venv", "ensurepip"):
        if not importlib.util.find_spec(name):
            message = "error: This Python has no module '" + name + "'. On Debian and Ubuntu: "
            message += (
                "sudo apt install python3-venv. Without root: use conda (environment.yml) and ENV=active."
            )
            sys.exit(message)


def identity():
    """Return the version and the folder of .venv's Python, or what is said if that Python does not start."""
    return subprocess.getoutput(PYTHON + ' -c "' + IDENTITY + '"')


def digest():
    """Return the digest of the files that say what is to be installed."""
    contents = [Path(name).read_bytes() for name in SOURCES]
    return hashlib.sha256(b"".join(contents)).hexdigest()


def fault():
    """Return why .venv cannot be used as it is, or ""."""
    if not STAMP.exists():
        return "it is not there, or is not finished"
    made_from, python, *files = STAMP.read_text("utf-8").splitlines()
    if identity() != python:
        return "its Python is gone or is another one, or the folder was moved"
    for name in files:
        if not os.path.exists(name):
            return name + " is missing"
    return "" if digest() == made_from else OUTDATED


def reason(text, failure):
    """Return why pip failed, from its output, or `failure`."""
    other = re.search("DO NOT MATCH THE HASHES.*?^ +(\\S+==\\S+) from", text, re.M | re.S)
    if other:
        found = " is not the file that requirements.txt names (its hash differs); it was not installed"
        return other.group(1) + found
    errors = [failure, *re.findall("^ERROR: (.+)", text, re.M)]
    if re.search("connection|No matching distribution|Could not find a version", text, re.I):
        errors[-1] += "; the first run needs the network: the Python package index has to be within reach"
    return errors[-1]


def run(failure, *command):
    """Run a module with a Python; both end with this process. Exit with an error if the module fails."""
    python, *module = command
    guarded = [python, "-m", "tools.processes", str(os.getpid()), *module]
    with LOG.open("ab") as log:  # close_fds: the module holds the lock, too
        status = subprocess.call(guarded, close_fds=False, start_new_session=True, stderr=log, stdout=log)
    if status != 0:
        text = LOG.read_text("utf-8", "replace")
        sys.exit("error: " + reason(text, failure) + "; all that was said is in " + str(LOG))


def install_packages():
    """Install the packages of the lock."""
    # The lock is whole, so there is nothing to resolve: pip 23 stops at an extra that is not spelt out there.
    options = ["--no-deps", "--require-hashes", "-r", "requirements.txt"]
    if not sys.dont_write_bytecode:  # Python compiles what it imports, some 1,600 modules of 10,000
        options.append("--no-compile")
    run("pip could not install the packages", PYTHON, "pip", "install", *options)


def install_projects(python):
    """Install the project's own two distributions, as links."""
    options = ["--no-deps", "--no-build-isolation", "-e", "./nbtypst", "-e", "."]
    run("pip could not install the project itself", python, "pip", "install", *options)


def make_paths_relative():
    """In .venv, say where the project is without the names above it.

    A Python before 3.13 reads these files in the locale's encoding: in the C locale, with a letter that is
    not ASCII among those names, it would not start.
    """
    for path in Path(".venv").glob("lib/python3*/site-packages/*.pth"):
        name = path.read_text("utf-8").strip()
        if os.path.isdir(name) and os.path.isabs(name):
            path.write_text(os.path.relpath(name, path.parent) + "\n", "utf-8")


def make(found):
    """Make .venv anew unless it is only outdated; it has a stamp while it is whole."""
    check_modules()
    print("Making the environment .venv, some minutes the first time: " + found, flush=True)
    STAMP.unlink(missing_ok=True)
    LOG.write_text("")
    if found != OUTDATED:
        run("The environment .venv could not be made", sys.executable, "venv", "--clear", ".venv")
    install_packages()
    install_projects(PYTHON)
    make_paths_relative()
    lines = [digest(), identity()]
    lines += [str(path) for path in Path(".venv/lib").rglob("*") if "__pycache__" not in str(path)]
    STAMP.write_text("\n".join(lines), "utf-8")
    print("Made .venv")


def prepare():
    """Make .venv unless it is as it should be; one process at a time does."""
    if fault():
        with turn(".environment", "Waiting for another make, which makes the environment"):
            found = fault()
            if found:
                make(found)


def prepare_active():
    """Install the project into the environment that is active unless nbconvert finds its exporters there."""
    from importlib.metadata import entry_points

    if not entry_points(group="nbconvert.exporters", name="report_html"):
        with turn(".environment", "Waiting for another make, which installs the project"):
            install_projects(sys.executable)


if __name__ == "__main__":
    check_version(sys.version_info)
    if "--active" in sys.argv:
        prepare_active()
    else:
        prepare()
