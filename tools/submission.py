"""Zip what is handed in: python -m tools.submission NOTEBOOK PDF ZIP, from the root of the project.

The same files give the same bytes. MNIST stays out: data/README.md, which goes in, says how to put it back.
"""

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tools.files import write as write_file

ROOT = Path(__file__).resolve().parent.parent
FILES = """
LICENSE
Makefile
README.md
bootstrap.py
data/README.md
data/*.npz
environment.yml
explore.ipynb
nbtypst/LICENSE
nbtypst/README.md
nbtypst/SETTINGS.md
nbtypst/data/**/*.json
nbtypst/pyproject.toml
pyproject.toml
requirements.txt
"""
PACKAGES = ["assignment1", "study", "explore", "nbtypst/src", "tools"]
SOURCES = {".css", ".html", ".js", ".mplstyle", ".py", ".typ", ".typed", ".woff2"}
FOLDER = "tdt4265-assignment1"


def members(notebook: Path, pdf: Path) -> dict[str, Path]:
    """Return the files by their names in the zip."""
    found = [path for pattern in FILES.split() for path in ROOT.glob(pattern)]
    for package in PACKAGES:
        found += [path for path in ROOT.glob(f"{package}/**/*") if path.suffix in SOURCES]
    files = {path.relative_to(ROOT).as_posix(): path for path in found}
    return files | {"report.ipynb": notebook, "report.pdf": pdf}


def write(notebook: Path, pdf: Path, target: Path) -> None:
    """Write the zip, whole or not at all."""
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        for name, path in sorted(members(notebook, pdf).items()):
            entry = ZipInfo(f"{FOLDER}/{name}")  # of 1980
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED, compresslevel=9)
    write_file(target, data.getvalue())


if __name__ == "__main__":
    write(*[Path(path) for path in sys.argv[1:]])
