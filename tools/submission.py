"""Make and zip what is handed in; as tools.build it is run by tools.processes, and takes its turn.

The same files give the same bytes. Where it is unpacked, `make pdf` makes the same PDF: names that make was
given stand in the notebook there.
"""

import io
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import nbformat

from tools import build, files

FILES = f"""
{build.SOURCES}
LICENSE
Makefile
environment.yml
explore.ipynb
nbtypst/*.md
nbtypst/LICENSE
nbtypst/OFL.txt
nbtypst/data/**/*.json
nbtypst/docs/**/*
nbtypst/pyproject.toml
pyproject.toml
requirements.txt
text/*.md
"""
FOLDER = "tdt4265-assignment1"


def write(notebook: Path, pdf: Path, target: Path) -> None:
    """Write the zip, whole or not at all."""
    members = {path.as_posix(): path.read_bytes() for path in build.matching(FILES)}
    members["README.md"] = Path("docs", "submission.md").read_bytes()
    executed = nbformat.read(notebook, 4)
    executed.metadata.setdefault("nbtypst", {}).update(build.names())
    members["report.ipynb"] = build.saved(executed)
    members["report.pdf"] = pdf.read_bytes()
    if re.search(b"Kurinto|OpenMoji", members["report.pdf"]):  # names of fonts that no lock has
        print("Who unpacks it needs more fonts: .venv/bin/python -m pip install 'nbtypst[fonts,emoji]'")
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        for name, content in sorted(members.items()):
            entry = ZipInfo(f"{FOLDER}/{name}")  # of 1980
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, ZIP_DEFLATED)
    files.write(target, data.getvalue())


def hand_in(what: str) -> None:
    """Make the PDF again, of the names that are given now, and zip it with what it was made from."""
    if "authors" not in build.names():
        print('It names no author; if it should: make submission AUTHORS="Ada Lovelace, Alan Turing"')
    build.export(what)
    write(build.BUILT, Path("report.pdf"), Path("submission.zip"))


if __name__ == "__main__":
    build.main(hand_in, "pdf")
