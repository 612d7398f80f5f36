"""nbtypst beside other ways to a PDF, on the same notebooks: python compare.py FOLDER [--only NAME ...]

Measured for each notebook below FOLDER: whether a PDF is written, its errors by pdfua, and the seconds from
the program's start to its end. The ways take turns, so that a busy machine slows all of them. A way whose
program is not there is left out, and said so. The table is printed as Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pdfua
import typst

from nbtypst.reading.markdown import pandoc_path

LIMIT = 180  # seconds for one notebook
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
NBCONVERT = (sys.executable, "-m", "jupyter", "nbconvert")
TYPST = f"""#!{sys.executable}
import sys, typst
if sys.argv[1] == "compile":
    typst.compile(sys.argv[2], output=sys.argv[2].removesuffix(".typ") + ".pdf")
else:
    print("typst 0.15.0")
"""
TEMPLATE = {
    "template.yml": "jtex: v1\ntitle: Plain\nversion: 1.0.0\nkind: typst\nparts: []\ndoc: []\noptions: []\n"
    "files: [template.typ]\n",
    "template.typ": '#set document(title: "[-doc.title-]")\n[-IMPORTS-]\n= [-doc.title-]\n[-CONTENT-]\n',
}


def run(folder: Path, *command: object, **environment: str) -> bool:
    """Whether a program ends well in its time, run in a folder."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=os.environ | environment,
            timeout=LIMIT,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def report_pdf(notebook: Path, out: Path) -> bool:
    return run(notebook.parent, *NBCONVERT, "--to", "report_pdf", notebook.name, "--output", out)


def latex(notebook: Path, out: Path) -> bool:
    return run(notebook.parent, *NBCONVERT, "--to", "pdf", notebook.name, "--output", out.with_suffix(""))


def browser(notebook: Path, out: Path) -> bool:
    """What nbconvert's webpdf does: its HTML, printed by Chromium."""
    page = out.with_suffix(".html")
    if not run(notebook.parent, *NBCONVERT, "--to", "html", notebook.name, "--output", page):
        return False
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    )
    profile = f"--user-data-dir={out.parent / 'profile'}"
    return run(out.parent, CHROMIUM, *flags, profile, f"--print-to-pdf={out}", page.as_uri())


def pandoc(notebook: Path, out: Path) -> bool:
    """Pandoc's own reader and Typst writer, and the compiler that `report_pdf` uses."""
    source = notebook.with_suffix(".typ")
    if not run(
        notebook.parent, pandoc_path(), "--standalone", "-M", "title=Notebook", notebook.name, "-o", source
    ):
        return False
    with suppress(RuntimeError, typst.TypstError):
        typst.compile(str(source), output=str(out))
    return True


def myst(notebook: Path, out: Path) -> bool:
    """Mystmd with a small template, as its own come from a network, and the same compiler as `typst`."""
    folder = notebook.parent
    for name, text in (
        ("bin/typst", TYPST),
        *((f"template/{name}", text) for name, text in TEMPLATE.items()),
    ):
        path = folder / ".myst" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    export = {"format": "typst", "template": ".myst/template", "output": str(out), "article": notebook.name}
    (folder / "myst.yml").write_text(json.dumps({"version": 1, "project": {"exports": [export]}}))
    return run(
        folder, "myst", "build", "--typst", PATH=f"{folder / '.myst/bin'}{os.pathsep}{os.environ['PATH']}"
    )


def quarto(notebook: Path, out: Path, *options: str) -> bool:
    """Quarto's Typst; the title spares it that of a notebook that has none."""
    command = ("quarto", "render", notebook.name, "--to", "typst", "--no-execute", "-M", "title:Notebook")
    if not run(notebook.parent, *command, *options):
        return False
    notebook.with_suffix(".pdf").rename(out)
    return True


def quarto_ua(notebook: Path, out: Path) -> bool:
    """Quarto, asked for PDF/UA-1, which Typst then checks: it writes nothing that it finds an error in."""
    return quarto(notebook, out, "-M", "pdf-standard:ua-1")


WAYS: dict[str, tuple[Callable[[Path, Path], bool], str]] = {
    "`report_pdf`": (report_pdf, sys.executable),
    "nbconvert `pdf`": (latex, "xelatex"),
    "nbconvert's HTML printed by Chromium, as `webpdf` does": (browser, CHROMIUM),
    "pandoc to Typst": (pandoc, sys.executable),
    "mystmd to Typst": (myst, "myst"),
    "Quarto to Typst": (quarto, "quarto"),
    "Quarto to Typst, asked for PDF/UA-1": (quarto_ua, "quarto"),
}


def errors(pdf: Path) -> int:
    return sum(one.severity.name == "ERROR" for one in pdfua.validate(str(pdf)).findings)


def measured(way: Callable[[Path, Path], bool], notebook: Path, top: Path) -> tuple[bool, int, float]:
    """Whether a PDF was written, its errors, and the seconds that it took; in a copy of the folder `top`."""
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place, "in"), Path(place, "out.pdf")
        shutil.copytree(top, folder, symlinks=True)
        began = time.perf_counter()
        written = way(folder / notebook.relative_to(top), out) and out.exists()
        seconds = time.perf_counter() - began
        return written, errors(out) if written else 0, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="ways whose names contain one of these")
    given = parser.parse_args()
    notebooks = sorted(
        path for path in given.folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
    )
    if not notebooks:
        parser.error(f"expected notebooks below {given.folder}, found none")
    ways = {}
    for name, (way, program) in WAYS.items():
        if given.only and not any(part in name for part in given.only):
            continue
        if shutil.which(program):
            ways[name] = way
        else:
            print(f"left out: {name}, as {program} is not there", file=sys.stderr)
    results: dict[str, list[tuple[bool, int, float]]] = {name: [] for name in ways}
    with suppress(KeyboardInterrupt):  # which ends it: the table is then of what is done
        for number, notebook in enumerate(notebooks, 1):
            row = [measured(way, notebook, given.folder) for way in ways.values()]
            for name, found in zip(ways, row, strict=True):
                results[name].append(found)
            said = "  ".join(str(count) if written else "-" for written, count, _ in row)
            print(f"{number}/{len(notebooks)} {notebook.name}: {said}", file=sys.stderr, flush=True)
    count = len(next(iter(results.values()), []))
    print(f"| {count} notebooks | written | without an error by pdfua | errors | seconds, median |")
    print("|---|---:|---:|---:|---:|")
    for name, found in results.items():
        done = [one for one in found if one[0]]
        clean = sum(one[1] == 0 for one in done)
        median = statistics.median([one[2] for one in found] or [0])
        print(f"| {name} | {len(done)} | {clean} | {sum(one[1] for one in done):,} | {median:.1f} |")


if __name__ == "__main__":
    main()
