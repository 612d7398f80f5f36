"""nbtypst beside other ways to a PDF, on the same notebooks: python compare.py FOLDER [--only NAME ...]

Measured for each notebook below FOLDER: whether a PDF is written, its errors by pdfua, and the seconds from
the program's start to its end. The ways take turns, so that a busy machine slows all of them. A way whose
program is not there is left out, and said so. The table is printed as Markdown.
"""

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
from dataclasses import dataclass
from pathlib import Path

import pdfua
import typst

from nbtypst.reading.markdown import pandoc_path

Way = Callable[[Path, Path], bool]  # from a notebook to a PDF; whether the program ended well
LIMIT = 180  # seconds for one notebook
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
CHROMIUM_FLAGS = (
    "--disable-background-networking",
    "--disable-gpu",
    "--headless",
    "--no-first-run",
    "--no-sandbox",
)
NBCONVERT = (sys.executable, "-m", "jupyter", "nbconvert")
MYST_TYPST = f"""#!{sys.executable}
import sys, typst
if sys.argv[1] == "compile":
    typst.compile(sys.argv[2], output=sys.argv[2].removesuffix(".typ") + ".pdf")
else:
    print("typst 0.15.0")
"""
MYST = {  # files by their names below .myst
    "bin/typst": MYST_TYPST,
    "template/template.yml": "jtex: v1\ntitle: Plain\nversion: 1.0.0\nkind: typst\nparts: []\ndoc: []\n"
    "options: []\nfiles: [template.typ]\n",
    "template/template.typ": '#set document(title: "[-doc.title-]")\n[-IMPORTS-]\n= [-doc.title-]\n'
    "[-CONTENT-]\n",
}


def run(folder: Path, *command: object, **environment: str) -> bool:
    """Run a program in a folder. Return whether it ends well in its time."""
    words = [str(part) for part in command]
    settings = os.environ | environment
    try:
        done = subprocess.run(words, cwd=folder, env=settings, timeout=LIMIT, capture_output=True)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def report_pdf(notebook: Path, out: Path) -> bool:
    """Write a PDF by this package."""
    return run(notebook.parent, *NBCONVERT, "--to", "report_pdf", notebook.name, "--output", out)


def latex(notebook: Path, out: Path) -> bool:
    """Write a PDF by nbconvert and xelatex."""
    return run(notebook.parent, *NBCONVERT, "--to", "pdf", notebook.name, "--output", out.with_suffix(""))


def browser(notebook: Path, out: Path) -> bool:
    """Print nbconvert's HTML by Chromium, as webpdf does."""
    page = out.with_suffix(".html")
    if not run(notebook.parent, *NBCONVERT, "--to", "html", notebook.name, "--output", page):
        return False
    profile = f"--user-data-dir={out.parent / 'profile'}"
    return run(out.parent, CHROMIUM, *CHROMIUM_FLAGS, profile, f"--print-to-pdf={out}", page.as_uri())


def pandoc(notebook: Path, out: Path) -> bool:
    """Write a PDF by pandoc's own reader and Typst writer, and by the compiler that `report_pdf` uses."""
    source = notebook.with_suffix(".typ")
    command = (pandoc_path(), "--standalone", "-M", "title=Notebook", notebook.name, "-o", source)
    if not run(notebook.parent, *command):
        return False
    with suppress(RuntimeError, typst.TypstError):
        typst.compile(str(source), output=str(out))
    return True


def myst(notebook: Path, out: Path) -> bool:
    """Write a PDF by mystmd, with a small template, as its own come from a network, and the same compiler."""
    folder = notebook.parent
    for name, text in MYST.items():
        path = folder / ".myst" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    export = {"format": "typst", "template": ".myst/template", "output": str(out), "article": notebook.name}
    (folder / "myst.yml").write_text(json.dumps({"version": 1, "project": {"exports": [export]}}))
    programs = f"{folder / '.myst/bin'}{os.pathsep}{os.environ['PATH']}"
    return run(folder, "myst", "build", "--typst", PATH=programs)


def quarto(notebook: Path, out: Path, *options: str) -> bool:
    """Write a PDF by Quarto and its Typst, with a title, which a notebook may lack."""
    command = ("quarto", "render", notebook.name, "--to", "typst", "--no-execute", "-M", "title:Notebook")
    if not run(notebook.parent, *command, *options):
        return False
    notebook.with_suffix(".pdf").rename(out)
    return True


def quarto_ua(notebook: Path, out: Path) -> bool:
    """Write a PDF by Quarto, asked for PDF/UA-1: Typst then writes nothing that it finds an error in."""
    return quarto(notebook, out, "-M", "pdf-standard:ua-1")


WAYS: dict[str, tuple[Way, str]] = {
    "`report_pdf`": (report_pdf, sys.executable),
    "nbconvert `pdf`": (latex, "xelatex"),
    "nbconvert's HTML printed by Chromium, as `webpdf` does": (browser, CHROMIUM),
    "pandoc to Typst": (pandoc, sys.executable),
    "mystmd to Typst": (myst, "myst"),
    "Quarto to Typst": (quarto, "quarto"),
    "Quarto to Typst, asked for PDF/UA-1": (quarto_ua, "quarto"),
}


@dataclass(frozen=True)
class Result:
    """The outcome of one way on one notebook."""

    written: bool
    errors: int  # by pdfua
    seconds: float  # from the program's start to its end


def count_errors(pdf: Path) -> int:
    """Return the number of a PDF's errors by pdfua."""
    findings = pdfua.validate(str(pdf)).findings
    return sum(one.severity.name == "ERROR" for one in findings)


def measure(way: Way, notebook: Path, top: Path) -> Result:
    """Convert a notebook in a copy of the folder `top` that it is in, and return the outcome."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "in")
        out = Path(place, "out.pdf")
        shutil.copytree(top, folder, symlinks=True)
        began = time.perf_counter()
        written = way(folder / notebook.relative_to(top), out) and out.exists()
        seconds = time.perf_counter() - began
        return Result(written, count_errors(out) if written else 0, seconds)


def available(parts: list[str]) -> dict[str, Way]:
    """Return the ways whose names contain one of the parts, if any, and whose programs are there."""
    ways = {}
    for name, (way, program) in WAYS.items():
        if parts and not any(part in name for part in parts):
            continue
        if shutil.which(program):
            ways[name] = way
        else:
            print(f"left out: {name}, as {program} is not there", file=sys.stderr)
    return ways


def print_table(results: dict[str, list[Result]]) -> None:
    """Print each way's results in a row of Markdown."""
    count = max(map(len, results.values()), default=0)
    print(f"| {count} notebooks | written | without an error by pdfua | errors | seconds, median |")
    print("|---|---:|---:|---:|---:|")
    for name, found in results.items():
        errors = [one.errors for one in found if one.written]
        median = statistics.median([one.seconds for one in found] or [0])
        print(f"| {name} | {len(errors)} | {errors.count(0)} | {sum(errors):,} | {median:.1f} |")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="ways whose names contain one of these")
    given = parser.parse_args()
    found = sorted(given.folder.rglob("*.ipynb"))
    notebooks = [path for path in found if ".ipynb_checkpoints" not in path.parts]
    if not notebooks:
        parser.error(f"expected notebooks below {given.folder}, found none")
    ways = available(given.only)
    results: dict[str, list[Result]] = {name: [] for name in ways}
    with suppress(KeyboardInterrupt):  # the table is then of the notebooks before it
        for number, notebook in enumerate(notebooks, 1):
            row = {name: measure(way, notebook, given.folder) for name, way in ways.items()}
            for name, result in row.items():
                results[name].append(result)
            counts = [str(result.errors) if result.written else "-" for result in row.values()]
            line = f"{number}/{len(notebooks)} {notebook.name}: {'  '.join(counts)}"
            print(line, file=sys.stderr, flush=True)
    print_table(results)


if __name__ == "__main__":
    main()
