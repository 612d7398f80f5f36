"""Execute the notebook, or export it: every file is written whole or not at all, one build at a time.

    python tools/build.py execute report.ipynb build/report.ipynb [another copy]
    python tools/build.py report_pdf build/report.ipynb report.pdf [evidence.txt] [--authors=... --group=...]

What goes wrong is said in a line for each problem; the whole story is in build/log.txt. Nothing is left
running: a build that is asked to end, or whose make is gone, takes the kernel and its workers with it.
What takes long to import is imported once that is so.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ending import BuildError, end_with_make

BUILD = Path("build")
# In place of folders in HOME, which may not be there, or hold settings that would change a report.
OWN = {"IPYTHONDIR": "ipython", "MPLCONFIGDIR": "matplotlib", "JUPYTER_RUNTIME_DIR": "jupyter"}


@contextmanager
def one_at_a_time() -> Iterator[bool]:
    """Wait for another build in this folder to end; whether there was one."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        waited = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Waiting for another build in this folder to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
            waited = True
        yield waited


def write(target: Path, content: str | bytes, began: float) -> None:
    """Put a file in its place, whole; it is as old as what it was made from, which may have changed since."""
    if target.is_dir():
        raise BuildError(f"{target} is a folder; move it away, a file of that name is to be written")
    new = BUILD / f"{target.name}.new"
    try:
        with new.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.utime(new, (began, began))
        os.replace(new, target)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise BuildError(f"{target} could not be written, and is as it was: {error.strerror}") from None
    print(f"Wrote {target}", flush=True)


def make(what: str, source: Path, targets: list[Path], names: dict[str, str], began: float) -> None:
    """Write the targets."""
    for target in targets:
        if target.is_dir():  # said before any work is done
            write(target, b"", began)
    if what == "execute":
        import execute

        before = source.read_bytes()
        content = execute.executed(source, committed=source in targets)
        if source in targets and source.read_bytes() != before:
            raise BuildError(f"{source} was changed while it was executed, and is as you left it; run again")
        contents: list[str | bytes] = [content] * len(targets)
    else:
        import export

        contents = export.exported(what, source, len(targets), names)
    for target, content in zip(targets, contents, strict=True):
        write(target, content, began)


def main(arguments: list[str]) -> int:
    """Do what the module's docstring says."""
    named = [argument[2:].partition("=") for argument in arguments if argument.startswith("--")]
    names = {key: value for key, _, value in named}
    what, source, *rest = (argument for argument in arguments if not argument.startswith("--"))
    targets, began = [Path(target) for target in rest], time.time()
    end_with_make()
    os.environ.update({name: str(BUILD.resolve() / folder) for name, folder in OWN.items()})
    try:
        with one_at_a_time() as waited:
            # The other build wrote them (st_ctime), from a source (st_mtime) that has not changed since.
            made = [target.stat() for target in targets if waited and target.is_file()]
            ready = [
                one for one in made if one.st_ctime > began and one.st_mtime > Path(source).stat().st_mtime
            ]
            if waited and len(ready) == len(targets):
                print(f"{targets[-1]} is new", flush=True)
            else:
                make(what, Path(source), targets, names, time.time())
    except BuildError as error:
        print("\n".join(f"error: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'build'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # all is done; what libraries would still do is for a kernel that is gone
