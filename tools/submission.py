"""Zip what is handed in: python -m tools.submission NOTEBOOK PDF ZIP, from the root of the project.

The same files give the same bytes. MNIST stays out: data/README.md, which goes in, says how to put it back.
"""

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tools import files

ROOT = Path(__file__).resolve().parent.parent
FILES = """
CHANGELOG.md
CONTRIBUTING.md
LICENSE
Makefile
README.md
assignment1/**/*.py
bootstrap.py
data/*.npz
data/README.md
environment.yml
explore.ipynb
explore/**/*.css
explore/**/*.js
explore/**/*.py
nbtypst/LICENSE
nbtypst/README.md
nbtypst/SETTINGS.md
nbtypst/data/**/*.json
nbtypst/pyproject.toml
nbtypst/src/**/*.css
nbtypst/src/**/*.html
nbtypst/src/**/*.ini
nbtypst/src/**/*.py
nbtypst/src/**/*.typ
nbtypst/src/**/*.woff2
nbtypst/src/**/py.typed
pyproject.toml
requirements.txt
study/**/*.mplstyle
study/**/*.py
text/*.md
tools/**/*.py
"""
FOLDER = "tdt4265-assignment1"


def write(notebook: Path, pdf: Path, target: Path) -> None:
    """Write the zip, whole or not at all."""
    found = [path for pattern in FILES.split() for path in ROOT.glob(pattern)]
    members = {path.relative_to(ROOT).as_posix(): path for path in found}
    members |= {"report.ipynb": notebook, "report.pdf": pdf}
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        for name, path in sorted(members.items()):
            entry = ZipInfo(f"{FOLDER}/{name}")  # of 1980
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)
    files.write(target, data.getvalue())


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
