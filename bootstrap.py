"""Make the environment of the report: .venv, or with --active the environment that is active.

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. It is run in the folder of the project, by the Makefile.
"""

import importlib
import os
import subprocess
import sys

OLDEST = (3, 11)
ENVIRONMENT = ".venv"
STAMP = os.path.join(ENVIRONMENT, ".installed")


class SetupError(Exception):
    """Something that the user has to put right; its text is the message."""


def check_version(version):
    if tuple(version[:2]) < OLDEST:
        found = ".".join(str(part) for part in version[:3])
        raise SetupError("Python 3.11 or later is needed, and this is Python " + found + ". Name a later one, for example: make pdf PYTHON=python3.12")


def can_import(name):
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def check_modules():
    for name in ("venv", "ensurepip"):
        if not can_import(name):
            raise SetupError("This Python has no module '" + name + "'. On Debian and Ubuntu: sudo apt install python3-venv." + " Without root: use conda (environment.yml) and ENV=active.")


def environment_python():
    if os.name == "nt":
        return os.path.join(ENVIRONMENT, "Scripts", "python.exe")
    return os.path.join(ENVIRONMENT, "bin", "python")


def is_usable(python):
    """Whether this Python starts, is new enough and has pip."""
    code = "import sys, pip; sys.exit(sys.version_info < " + str(OLDEST) + ")"
    try:
        return subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def make_environment():
    if is_usable(environment_python()):
        return
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
        raise SetupError("pip could not install the packages of requirements.txt (its message is above)." + " The first run needs the network: the Python package index has to be within reach.")


def install_project(python):
    if pip(python, "--no-deps", "--no-build-isolation", "-e", ".") != 0:
        raise SetupError("pip could not install the project itself (its message is above).")


def is_installed():
    """Whether nbconvert finds the exporters of this project in the Python that runs this."""
    from importlib.metadata import entry_points

    found = {point.name for point in entry_points(group="nbconvert.exporters")}
    return {"report_pdf", "report_html"} <= found


def prepare(active):
    check_version(sys.version_info)
    if active:
        if not is_installed():
            install_project(sys.executable)
        return
    check_modules()
    if os.path.exists(STAMP):
        os.remove(STAMP)
    make_environment()
    install_packages(environment_python())
    install_project(environment_python())
    with open(STAMP, "w") as stamp:
        stamp.write("requirements.txt and the project are installed\n")


def main(arguments):
    try:
        prepare("--active" in arguments)
    except SetupError as problem:
        sys.stderr.write("error: " + str(problem) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
