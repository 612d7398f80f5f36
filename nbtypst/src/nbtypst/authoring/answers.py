"""A table of answers up front, a line each, which fills as the questions below it are answered."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from typing import Any

from IPython.display import Markdown, display

from nbtypst.authoring.ledger import ledger
from nbtypst.authoring.templates import fill

FALSE = "**No longer true**"  # as templates mark it


class Answers:
    """A table of the answers of a report, shown in the cell that makes it, with links to the questions.

        answers = Answers("Table 1", "The answers.", {"2d": "Task 2d: Early stopping"})
        ...
        answers.give(r'''
            2d: In epoch {{run.epoch}}, after {{run.steps:,}} updates.
                check: run.stopped_early
        ''')

    `questions` has the heading of each question, by the short name that stands in the table.
    """

    def __init__(self, label: str, caption: str, questions: dict[str, str]) -> None:
        self.questions, self.caption = questions, f"**{label}.** {caption}"
        self.id = label.lower().replace("table ", "tbl-")
        self.given: dict[str, str] = {}
        self.checks: dict[str, list[dict[str, Any]]] = {}
        display(Markdown(self.caption), metadata={"role": "caption"})
        self.place: Any = display(Markdown(self._table()), metadata=self._about(), display_id=True)

    def give(self, text: str) -> None:
        """Put answers into the table: a template whose lines start with a question's short name and a colon.

        KeyError for a question that the table does not have.
        """
        frame = sys._getframe(1)
        shown, checks = fill(text, {**frame.f_globals, **frame.f_locals}, ledger.stale)
        # a passage that is not true comes on one line
        names = "|".join(map(re.escape, self.questions))
        start = rf"(?:^|~~|\s)({names}): " if FALSE in shown else r"^(\w+): "
        _, *parts = re.split(start, re.sub(r"\*\*No longer true.*?~~(?=\w+: )|~~", "\n", shown), flags=re.M)
        for question, answer in zip(parts[::2], parts[1::2], strict=True):
            self.questions[question]  # is one
            self.given[question] = " ".join(answer.split())
        for question in self.questions:
            if any(not c.holds and f"{question}: " in c.sentence for c in checks):
                self.given[question] = f"{FALSE}: {self.given.get(question, '')}"
        self.checks[" ".join(parts[::2])] = [asdict(check) for check in checks]
        self.place.update(Markdown(self._table()), metadata=self._about())

    def _about(self) -> dict[str, Any]:
        checks = [check for some in self.checks.values() for check in some]
        return {"id": self.id, "caption": self.caption} | ({"checks": checks} if checks else {})

    def _table(self) -> str:
        rows = [
            (f"[{question}](#{heading.replace(' ', '-')})", self.given.get(question, "…").replace("|", r"\|"))
            for question, heading in self.questions.items()
        ]
        lines = ["| Task | Answer |", f"| {'-' * 7} | {'-' * 93} |"]
        return "\n".join([*lines, *(f"| {task} | {answer} |" for task, answer in rows)])
