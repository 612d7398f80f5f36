"""Make the environment of the report: .venv, or with --active the environment that is active.

Only the standard library is used, and the syntax is one that old Pythons can read, so that a Python that
is too old gets a message and not a SyntaxError. It is run in the folder of the project, by the Makefile.
With --check it only looks: a .venv that is damaged loses its stamp, so that make makes it again.
What pip says goes to build/environment.txt; an error is one line.
"""

import glob
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

OLDEST = (3, 11)
ENVIRONMENT = ".venv"
STAMP = os.path.join(ENVIRONMENT, ".installed")
LOG = os.path.join("build", "environment.txt")
PROJECTS = ["./nbtypst", "."]
SELF = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix)"

PARENT = os.getppid()

interrupted = []  # the signals that came


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


def interrupt(number, frame):
    """Note a signal. An exception could come between a process's start and the care for its end."""
    interrupted.append(number)


def go_on():
    """Stop if a signal came, or if the make that started this is gone."""
    if interrupted or os.getppid() != PARENT:
        raise KeyboardInterrupt


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
    go_on()  # a signal also ends the Python that damage() asks
    if fault:
        sys.stderr.write("The environment " + ENVIRONMENT + " is damaged: " + fault + ".\n")
        os.remove(STAMP)
    return not fault


class Bar:
    """A line of a terminal with a bar and the time left; without a terminal, nothing."""

    def __init__(self):
        self.began = time.time()
        self.shown = sys.stdout.isatty()

    def draw(self, part):
        if self.shown and 0 < part <= 1:
            left = int((time.time() - self.began) * (1 - part) / part)
            width = shutil.get_terminal_size().columns - 42
            full = "\u2588" if "utf" in (sys.stdout.encoding or "").lower() else "#"
            bar = (full * int(part * width)).ljust(width)
            form = "\r{:<28} {} {:02d}:{:02d} left"
            sys.stdout.write(form.format("Installing packages", bar, left // 60, left % 60))
            sys.stdout.flush()

    def clear(self):
        if self.shown:
            sys.stdout.write("\r\033[K")
            sys.stdout.flush()


def run(command, seen=lambda line: None, step=lambda: None):
    """Whether a command ends well, and what it said; it ends with this process, and with the make of this."""
    os.makedirs("build", exist_ok=True)
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0", PYTHONUTF8="1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    lines = []

    def read():
        with process.stdout as said, open(LOG, "ab", 0) as log:
            for line in said:
                log.write(line)
                lines.append(line.decode("utf-8", "replace").rstrip())
                seen(lines[-1])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while process.poll() is None:
            go_on()
            step()
            time.sleep(0.2)
        go_on()
    finally:
        if process.poll() is None:
            process.terminate()
        reader.join()
        process.wait()
    return process.returncode == 0, lines


def make_environment():
    print("Making the environment " + ENVIRONMENT + ", which takes some minutes the first time")
    sys.stdout.flush()
    if not run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT])[0]:
        raise SetupError("The environment " + ENVIRONMENT + " could not be made; the reason is in " + LOG)


def pip(python, *arguments, **watched):
    command = [python, "-m", "pip", "install", "--progress-bar", "off"]
    return run(command + list(arguments), **watched)


def install_packages(python):
    with open("requirements.txt", encoding="utf-8") as lock:
        total = len(re.findall("^[A-Za-z0-9].*==", lock.read(), re.M))
    bar, before, found, installing = Bar(), len(records()), set(), []

    def seen(line):
        about = re.search("requirements.txt \\(line ([0-9]+)|^Ignoring ([^:]+)", line)
        if about:
            found.add(about.groups())
        if line.startswith("Installing collected packages"):
            installing.append(line)

    def step():
        installed = len(records()) - before if installing else 0
        bar.draw(min((len(found) + installed) / (2.0 * max(total, 1)), 1))

    # The lock is whole, so there is nothing to resolve: pip 23 stops at an extra that is not spelt out there.
    options = ["--no-deps", "--require-hashes", "-r", "requirements.txt"]
    if not sys.dont_write_bytecode:  # Python compiles what it imports, some 1,600 modules of 10,000
        options.append("--no-compile")
    try:
        well, lines = pip(python, *options, seen=seen, step=step)
    finally:
        bar.clear()
    if not well:
        raise SetupError(reason(lines) + "; all that pip said is in " + LOG)


def reason(lines):
    """Why pip could not install the packages of the lock, of what it said."""
    text = "\n".join(lines)
    if "DO NOT MATCH THE HASHES" in text:
        found = re.findall("^ +([A-Za-z0-9._-]+==[^ ]+) from", text, re.M) or ["a package"]
        return (
            found[0] + " is not the file that requirements.txt names (its hash differs); it was not installed"
        )
    errors = re.findall("^ERROR: (.+)", text, re.M) or ["pip could not install the packages"]
    if re.search("connection|No matching distribution|Could not find a version", text, re.I):
        errors[-1] += "; the first run needs the network: the Python package index has to be within reach"
    return errors[-1]


def install_projects(python):
    editable = [part for folder in PROJECTS for part in ("-e", folder)]
    if not pip(python, "--no-deps", "--no-build-isolation", *editable)[0]:
        raise SetupError("pip could not install the project itself; what it said is in " + LOG)


def make_paths_relative():
    """In .venv, say where the project is without the names above it.

    A Python before 3.13 reads these files in the locale's encoding: in the C locale, with a letter that is
    not ASCII among those names, it would not start.
    """
    for folder in (("lib", "python3*"), ("Lib",)):
        for path in glob.glob(os.path.join(ENVIRONMENT, *folder, "site-packages", "*.pth")):
            with open(path, encoding="utf-8") as file:
                name = file.read().strip()
            if os.path.isabs(name) and os.path.isdir(name):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(os.path.relpath(name, os.path.dirname(path)) + "\n")


@contextmanager
def alone():
    """One at a time makes the environment of a folder; whether another was waited for."""
    try:
        import fcntl
    except ImportError:  # Windows, where no make starts two
        yield False
        return
    os.makedirs("build", exist_ok=True)
    with open(os.path.join("build", ".environment"), "w") as lock:
        waited = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not waited:
                    print("Waiting for another make, which makes the environment")
                    sys.stdout.flush()
                waited = True
                go_on()
                time.sleep(0.2)
        yield waited


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
    with alone() as waited:
        whole = is_whole()  # not so when new, interrupted or damaged
        if not (waited and whole):
            make(whole)


def make(whole):
    """Make the environment, or only install into one that is whole."""
    if os.path.exists(LOG):
        os.remove(LOG)
    if os.path.exists(STAMP):
        os.remove(STAMP)
    if not whole:
        make_environment()
    install_packages(environment_python())
    install_projects(environment_python())
    make_paths_relative()
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(identity() + "\n" + " ".join(sorted(records())) + "\n")
    print("Made " + ENVIRONMENT)


def main(arguments):
    try:
        if "--check" in arguments:
            is_whole()
        else:
            prepare("--active" in arguments)
    except SetupError as problem:
        sys.stderr.write("error: " + str(problem) + "\n")
        return 1
    except OSError as problem:
        sys.stderr.write(
            "error: " + str(problem.filename or ENVIRONMENT) + ": " + str(problem.strerror) + "\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; the next make makes the environment\n")
        return 130
    return 0


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), interrupt)
    sys.exit(main(sys.argv[1:]))
