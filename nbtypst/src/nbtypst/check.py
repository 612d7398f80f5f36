"""Check that all that a notebook says is true: python -m nbtypst.check NOTEBOOK [--evidence FILE].

Lists every sentence that is not true, and in a strict notebook all that a page cannot show, one line each
with its cell; the exit status is then 1. With --evidence it writes every check made, with what was measured.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

from nbtypst.problems import ExportError, Problems
from nbtypst.reading.cells import pieces
from nbtypst.reading.document import collect, digest
from nbtypst.reading.mending import mend, read

LABEL = re.compile(r"""["']((?:Figure|Table) A?\d+)["']""")


def evidence(nb: Any) -> str:
    """Return as text every check of a notebook, measured, and the line that shows each figure and table."""
    shown = pieces(nb, Problems(), hide_code=True)
    found = [check for piece in shown for check in piece.checks]
    text = f"The {len(found)} checks of this report, each with what was measured.\nNotebook {digest(nb)}\n"
    for number, check in enumerate(found, 1):
        text += (
            f"\n{number}. {' '.join(str(check.get('sentence')).split())}\n"
            f"     check:    {check.get('check')}\n"
            f"     measured: {check.get('values')}\n"
            f"     where:    {check['place']}\n"
        )
    lines = ""
    for number, cell in enumerate(nb.cells, 1):
        for line in cell.source.splitlines() if cell.cell_type == "code" else ():
            if label := LABEL.search(line):
                lines += f"{label[1]}: cell {number}, {line.strip()}\n"
    if lines:
        text += f"\nThe figures and tables, each with its cell and the line of it that shows it.\n\n{lines}"
    return text


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m nbtypst.check", description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--evidence", type=Path, metavar="FILE", help="write the checks that were made there")
    parser.add_argument("--folder", type=Path, help="where the notebook's pictures are, if not beside it")
    given = parser.parse_args(arguments)
    try:
        nb, fault = mend(read(given.notebook.read_text(encoding="utf-8")))
        folder = given.folder or given.notebook.parent
        collect(nb, fault=fault, folder=str(folder), name=given.notebook.stem)
    except ExportError as error:
        print(f"{given.notebook} is no report yet:\n{error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{given.notebook} cannot be read: {error}", file=sys.stderr)
        return 1
    if given.evidence:
        part = given.evidence.with_name(given.evidence.name + ".part")
        part.write_text(evidence(nb), encoding="utf-8", newline="\n")
        part.replace(given.evidence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
