"""Make the environment of the report: .venv, or with --active the environment that is active.

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. It is run in the folder of the project, by the Makefile.
With --check it only looks: a .venv that is damaged loses its stamp, so that make makes it again.
"""

import glob
import importlib
import os
import subprocess
import sys

OLDEST = (3, 11)
ENVIRONMENT = ".venv"
STAMP = os.path.join(ENVIRONMENT, ".installed")
PROJECTS = ["./nbtypst", "."]
SELF = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)"


class SetupError(Exception):
    """Something that the user has to put right; its text is the message."""


def check_version(version):
    if tuple(version[:2]) < OLDEST:
        found = ".".join(str(part) for part in version[:3])
        message = "Python 3.11 or later is needed, and this is Python " + found + "."
        raise SetupError(message + " Name a later one, for example: make pdf PYTHON=python3.12")


def can_import(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def check_modules():
    for name in ("venv", "ensurepip"):
        if not can_import(name):
            message = "This Python has no module '" + name + "'."
            message += " On Debian and Ubuntu: sudo apt install python3-venv."
            raise SetupError(message + " Without root: use conda (environment.yml) and ENV=active.")


def environment_python():
    if os.name == "nt":
        return os.path.join(ENVIRONMENT, "Scripts", "python.exe")
    return os.path.join(ENVIRONMENT, "bin", "python")


def identity():
    """The version of the environment's Python and the folder it is for; "" if it does not start."""
    try:
        said = subprocess.check_output([environment_python(), "-c", SELF], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.decode("utf-8", "replace").strip()


def records():
    """The files that list each installed package's files, by the package's name."""
    found = {}
    for folder in (("lib", "python3*"), ("Lib",)):
        for path in glob.glob(os.path.join(ENVIRONMENT, *folder, "site-packages", "*.dist-info", "RECORD")):
            found[os.path.basename(os.path.dirname(path)).split("-")[0]] = path
    return found


def missing_file():
    """A file that an installed package should have and has not, or ""."""
    for record in records().values():
        folder = os.path.dirname(os.path.dirname(record))
        with open(record, encoding="utf-8") as lines:
            for name in (line.split(",")[0].strip('"') for line in lines):
                if not name.endswith(".pyc") and not os.path.exists(os.path.join(folder, name)):
                    return name
    return ""


def damage():
    """What is wrong with the environment that the stamp vouches for, or ""."""
    with open(STAMP, encoding="utf-8") as stamp:
        python, names = (stamp.read() + "\n\n").splitlines()[:2]
    if identity() != python:
        return "its Python is gone or is another one, or the folder was moved"
    gone = [name for name in names.split() if name not in records()] or [missing_file()]
    return gone[0] and gone[0] + " is missing"


def is_whole():
    """Whether the environment is there as it was made; if not, its stamp is taken away."""
    if not os.path.exists(STAMP):
        return False
    fault = damage()
    if fault:
        sys.stderr.write("The environment " + ENVIRONMENT + " is damaged: " + fault + ".\n")
        os.remove(STAMP)
    return not fault


def make_environment():
    print("Making the environment " + ENVIRONMENT)
    sys.stdout.flush()
    if subprocess.call([sys.executable, "-m", "venv", "--clear", ENVIRONMENT]) != 0:
        raise SetupError("The environment " + ENVIRONMENT + " could not be made (the reason is above).")


def pip(python, *arguments):
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
    return subprocess.call([python, "-m", "pip", "install", "--quiet"] + list(arguments), env=environment)  # noqa: RUF005


def install_packages(python):
    print("Installing the packages of requirements.txt (the first time takes some minutes)")
    sys.stdout.flush()
    if pip(python, "--require-hashes", "-r", "requirements.txt") != 0:
        message = "pip could not install the packages of requirements.txt (its message is above)."
        message += " The first run needs the network: the Python package index has to be within reach."
        raise SetupError(message)


def install_projects(python):
    editable = [part for folder in PROJECTS for part in ("-e", folder)]
    if pip(python, "--no-deps", "--no-build-isolation", *editable) != 0:
        raise SetupError("pip could not install the project itself (its message is above).")


def is_installed():
    """Whether the Python that runs this has the report's package, and nbconvert finds its exporters."""
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    found = {point.name for point in entry_points(group="nbconvert.exporters")}
    return {"report_pdf", "report_html"} <= found and find_spec("assignment1") is not None


def prepare(active):
    check_version(sys.version_info)
    if active:
        if not is_installed():
            install_projects(sys.executable)
        return
    check_modules()
    whole = is_whole()  # not so when new, interrupted or damaged
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if not whole:
        make_environment()
    install_packages(environment_python())
    install_projects(environment_python())
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(identity() + "\n" + " ".join(sorted(records())) + "\n")


def main(arguments):
    try:
        if "--check" in arguments:
            is_whole()
        else:
            prepare("--active" in arguments)
    except SetupError as problem:
        sys.stderr.write("error: " + str(problem) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
