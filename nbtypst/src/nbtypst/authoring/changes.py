"""A summary of a session: which sentences no longer hold, what was before, and where a cell stopped."""

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import quote

from IPython.display import Markdown, display

from nbtypst.authoring.ledger import kernel, ledger
from nbtypst.authoring.templates import Check, Words


class Changes:
    """A line that counts and links what no longer holds, shown in the cell that makes it.

        changes = Changes("report.ipynb")  # near the top
        ...
        changes.report()  # alone in the last cell

    The values before are those in the notebook's file when its kernel started; the links lead to it. In a
    copy of another name that is the copy's, which Jupyter Server tells. When a cell stops a run of all cells,
    the last one is not run, but what it would say is shown below it.
    """

    def __init__(self, file: str) -> None:
        session = Path(os.environ.get("JPY_SESSION_NAME", file))
        if session.suffix == ".ipynb" and session.is_file():
            file = session.name
        self.file = quote(file)
        self.shown = ""
        self.place: Any = display(Markdown(""), display_id=True)
        self.before = saved(Path(file))
        checks = [check for made in self.before.values() for check in made]
        ledger.saved = {check["check"]: check["values"] for check in checks if check["holds"]} | ledger.saved
        ledger.after_cell["changes"] = self.update
        if hasattr(kernel(), "_send_abort_reply"):  # of ipykernel's own: no public name says what never ran
            kernel()._send_abort_reply = self._aborted

    def update(self) -> None:
        """Show the line again if it is another now."""
        text = self.text().partition("\n")[0]
        if text != self.shown:
            self.shown = text
            self.place.update(Markdown(text))

    def report(self) -> None:
        """Show the line, and each check that does not hold with its values before and now."""
        count = sum(map(len, ledger.told.values()))
        words = f"All {count} checks of this notebook hold."
        left = self.before.keys() - {*ledger.order, ""}
        if left and ledger.order:
            words = f"All {count} checks so far hold. Cells with checks that have not run: {len(left)}."
        display(Markdown(self.text() or words))

    def text(self) -> str:
        """Return what `report` shows; "" where all holds and no cell stopped."""
        lines = [f"**{self._link(ending, cell)}.**" for cell, ending in ledger.stopped.items()]
        older = ledger.older()
        if older and not lines:  # after a stop they wait
            cell, part = older[0]
            count = len({cell for cell, _ in older})
            first = self._link(part, cell)
            lines.append(f"**Of an older run: {count} cell{'s' * (count > 1)}**, from {first} on.")
        false: dict[Check, str] = {}
        for (cell, part), checks in ledger.told.items():
            wrong = (check for check in checks if not (check.holds or check.stale))
            false |= dict.fromkeys(wrong, self._link(part, cell))
        if false:
            count = len({check.sentence for check in false})
            places = ", ".join(dict.fromkeys(false.values()))
            lines.append(f"**No longer true: {count} sentence{'s' * (count > 1)}**, in {places}.")
        lines = [" ".join(lines), ""]
        for check, link in false.items():
            before = ledger.saved.get(check.check, "not known")
            values = f"`{before}` before, `{check.values}` now"
            lines.append(f"- {link}: {_start(check.sentence)} `{check.check}`: {values}.")
        return "\n".join(lines).strip()

    def _link(self, text: str, cell: str | None) -> str:
        text = re.sub(r"([][])", r"\\\1", _start(text))
        return f"[{text}]({self.file}#cell-id={cell})" if cell else text

    def _aborted(self, stream: Any, message: Any, identities: Any) -> None:
        """Answer a cell that waited when another stopped, as the kernel does; the last one shows why."""
        if LAST in message["content"].get("code", ""):
            display(Markdown(self.text()))  # in the cell that waited: the kernel has made it the parent
        ours = kernel()
        type(ours)._send_abort_reply(ours, stream, message, identities)


SHORT = 100  # characters of a sentence
LAST = "changes.report()"


def _start(sentence: str) -> str:
    """Return the start of a sentence in Markdown, of which no formula and no code is cut."""
    start = textwrap.shorten(sentence, SHORT, placeholder=" …")
    for mark in ("$", "`"):
        if start.count(mark) % 2:
            start = start[: start.rindex(mark)] + "…"
    return start + "**" * (start.count("**") % 2)


def saved(path: Path) -> dict[str, list[Words]]:
    """Return the checks in a notebook's file, by the cell that made them; none without a file."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return {}
    made: dict[str, list[Words]] = {}
    for cell in cells:
        for output in cell.get("outputs", ()):
            for check in output.get("metadata", {}).get("checks", ()):
                made.setdefault(cell.get("id", ""), []).append(check)
    return made
