"""Zip what is handed in: python tools/submission.py NOTEBOOK PDF ZIP, from the root of the project.

The same files give the same bytes. MNIST stays out: data/README.md, which goes in, says how to put it back.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    "LICENSE",
    "Makefile",
    "README.md",
    "bootstrap.py",
    "environment.yml",
    "explore.ipynb",
    "pyproject.toml",
]
FILES += [
    "requirements.txt",
    "data/README.md",
    "nbtypst/LICENSE",
    "nbtypst/README.md",
    "nbtypst/SETTINGS.md",
    "nbtypst/data/share/jupyter/lab/settings/overrides.d/nbtypst.json",
    "nbtypst/pyproject.toml",
]
PACKAGES = ["assignment1", "study", "explore", "nbtypst/src", "tools"]
SOURCES = {".py", ".mplstyle", ".typ", ".html", ".css", ".js", ".woff2", "py.typed"}
FOLDER = "tdt4265-assignment1"


def members(notebook: Path, pdf: Path) -> Iterator[tuple[str, Path]]:
    """Each file's name in the zip, and the file."""
    yield from (("report.ipynb", notebook), ("report.pdf", pdf))
    yield from ((name, ROOT / name) for name in FILES)
    yield from ((f"data/{path.name}", path) for path in (ROOT / "data").glob("*.npz"))
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.suffix in SOURCES or path.name in SOURCES:
                yield path.relative_to(ROOT).as_posix(), path


def write(notebook: Path, pdf: Path, target: Path) -> None:
    """Write the zip, whole or not at all."""
    part = target.with_name(target.name + ".part")
    with ZipFile(part, "w") as archive:
        for name, path in sorted(members(notebook, pdf)):
            entry = ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED, compresslevel=9)
    os.replace(part, target)


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
