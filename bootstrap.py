"""Make .venv for the report, or for the tests, or install the project into the environment that is active.

    python -m tools.processes PARENT bootstrap (LOCK [--named] | --active)     in the folder of the project

With --named a .venv of another Python than the one that runs this is made again.

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. A .venv that is as it should be stays.
What pip says goes to build/log.txt; an error is one line.
"""

import os
import re
import subprocess
import sys
from glob import glob
from pathlib import Path

from tools.processes import LOG, fail, turn

# A line that begins so, with the indented ones below it; of a traceback the last, with the error's name.
ERROR = r"^(?:error: (?!Exception:$)|(?=[\w.]+error: ))(.+(?:\n .*)*)"
ONLINE = "; the first run needs the network: the Python package index has to be within reach"
OUTDATED = "what is to be installed has changed"
PYTHON = ".venv/bin/python"
PROJECTS = ["--no-build-isolation", "-e", "./nbtypst", "-e", "."]  # our own two, as links
REPORT = "requirements.txt"
VENV = (
    "; on Debian and Ubuntu it takes sudo apt install python3-venv; "
    "without root use conda (environment.yml) and ENV=active"
)


def check_version(version):
    """Exit with an error if a Python is too old."""
    if version < (3, 11):
        message = (
            "error: Python 3.11 or later is needed, and this is Python {}.{}.{}. "
            "Name a later one, for example: make pdf PYTHON=python3.12"
        )
        sys.exit(message.format(*version))


def identity():
    """Return the Python of .venv and the folder, as they are now."""
    return repr((os.path.realpath(PYTHON), os.getcwd()))


def stamp(lock):
    """Return the file that is there while .venv has all that a lock names."""
    return Path(".venv", "." + Path(lock).stem)


def digest(lock):
    """Return a checksum of the files that say what is to be installed."""
    return subprocess.getoutput("cat nbtypst/pyproject.toml pyproject.toml " + lock + " | cksum")


def fault(lock):
    """Return why .venv cannot be used as it is, or ""."""
    if not stamp(lock).exists():
        return "it is not there, or is not finished"
    made, *files = stamp(lock).read_text("utf-8", "replace").split("\n")
    if identity() not in made:
        return "its Python is another one, or the folder was moved"
    if "--named" in sys.argv and repr(os.path.realpath(sys.executable)) not in made:
        return "its Python is not the one that PYTHON names"
    for name in files:
        if not os.path.exists(name):
            return name + " is missing"
    return "" if digest(lock) in made else OUTDATED


def reason(module):
    """Return why a module failed: the last error in the log."""
    return [module + " failed", *re.findall(ERROR, LOG.read_text("utf-8", "replace"), re.I | re.M)][-1]


def run(advice, python, module, *given):
    """Run a module, which ends with this process; exit with an error, and advice, if it fails."""
    command = [python, "-m", "tools.processes", str(os.getpid()), module, *given]
    try:
        with LOG.open("wb") as log:  # close_fds: the module holds the lock, too
            subprocess.check_call(command, close_fds=False, start_new_session=True, stderr=log, stdout=log)
    except subprocess.CalledProcessError:
        fail(reason(module), advice)


def install(python, *what):
    """Install packages by pip; a lock is whole, and pip 23 stops at an extra that is not spelt out there."""
    run(ONLINE, python, "pip", "install", "--no-deps", *what)


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

    print("Making the environment .venv by " + lock + ", some minutes the first time: " + found, flush=True)
    stamp(lock).unlink(missing_ok=True)
    if lock == REPORT and found != OUTDATED:
        run(VENV, sys.executable, "venv", "--clear", ".venv")
    # Python compiles what it imports, some 1,600 modules of 10,000.
    compiled = [] if sys.dont_write_bytecode else ["--no-compile"]
    install(PYTHON, "--require-hashes", "-r", lock, *compiled)
    install(PYTHON, *PROJECTS)
    make_paths_relative()
    files = glob(".venv/bin/*") + glob(".venv/lib/**", recursive=True)
    files = [name for name in files if "__pycache__" not in name]
    write(stamp(lock), "\n".join([digest(lock) + identity(), *files]).encode())


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
            install(sys.executable, *PROJECTS)


if __name__ == "__main__":
    check_version(sys.version_info)
    if sys.argv[1] == "--active":
        prepare_active()
    else:
        prepare(sys.argv[1])
