"""A table of answers up front, a line each, which fills as the questions below it are answered."""

import re
from itertools import chain
from typing import Any

from IPython.display import Markdown, display

from nbtypst.authoring.ledger import ledger
from nbtypst.authoring.parts import NAME, template
from nbtypst.authoring.templates import FALSE, STALE, About, Check, Words, cell, fill, kept, names_of_caller


class Answers:
    """A table of the answers of a report, shown in the cell that makes it, with links to the questions.

        answers = Answers("Table 1", "The answers.", {"2d": "Task 2d: Early stopping"})
        ...
        answers.give(r'''
            2d: In epoch {{run.epoch}}, after {{run.steps:,}} updates.
                check: run.stopped_early
        ''')

    `questions` has the heading of each question, by the short name that stands in the table. An answer
    is struck that is not true, or whose section, the part "2d.answer", say, has a sentence that is not.
    """

    def __init__(self, label: str, caption: str, questions: Words) -> None:
        self.questions = questions
        self.caption = f"**{label}.** {caption}"
        self.id = label.lower().replace("table ", "tbl-")
        self.given: Words = {}
        self.shown = ""
        self.checks: dict[str, list[Check]] = {}
        self.parts: Words = {}
        self.values: Words = {}
        display(Markdown(self.caption), metadata={"role": "caption"})
        self.place: Any = display(Markdown(self._table()), metadata=self._about(), display_id=True)
        ledger.after_cell[label] = self.update

    def give(self, text: str) -> None:
        """Put answers into the table: a template whose lines start with a question's short name and a colon.

        `text` may name a part in a Markdown file, too.

        Raises KeyError for a question that the table does not have, ValueError for text before the first.
        """
        names = names_of_caller()
        for question, answer in by_question(template(text)).items():
            self.questions[question]  # is one
            words, checks, values = fill(answer, names, ledger.stale, marked=False)
            self.given[question] = cell(words)
            self.checks[question] = checks
            ledger.tell(f"{self.id}.{question}", checks)
            if NAME.fullmatch(text):
                self.parts[question] = text
                self.values |= values
        self.update()

    def update(self) -> None:
        """Show the table again if it is another now."""
        table = self._table()
        if table != self.shown:
            self.shown = table
            self.place.update(Markdown(table), metadata=self._about())

    def _about(self) -> About:
        about = {"id": self.id, "caption": self.caption}
        return about | kept(chain(*self.checks.values()), self.parts, self.values)

    def _table(self) -> str:
        lines = ["| Task | Answer |", f"| {'-' * 7} | {'-' * 93} |"]
        older = {part for _, part in ledger.older()}
        for question, heading in self.questions.items():
            answer = self.given.get(question, "…")
            if mark := _mark({f"{question}.answer", f"{self.id}.{question}"}, older):
                answer = f"{mark}: ~~{answer}~~"
            lines.append(f"| [{question}](#{heading.replace(' ', '-')}) | {answer} |")
        return "\n".join(lines)


def by_question(text: str) -> Words:
    """Return a template's answers by the short names of their questions.

    Raises ValueError for text before the first.
    """
    before, *parts = re.split(r"^\s*(?!check\b)(\w+)\s*:", text, flags=re.MULTILINE)
    if before.strip():
        raise ValueError(f"{before.strip()!r} answers no question; expected a short name and a colon")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _mark(parts: set[str], older: set[str]) -> str:
    """Return the mark of what the parts say; "" if it is true or was not said."""
    told = [check for (_, name), checks in ledger.told.items() if name in parts for check in checks]
    if parts & older or any(check.stale for check in told):
        return STALE
    return "" if all(check.holds for check in told) else FALSE
