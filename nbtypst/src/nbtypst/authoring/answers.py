"""A table of answers up front, a line each, which fills as the questions below it are answered."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from typing import Any

from IPython.display import Markdown, display

from nbtypst.authoring.ledger import ledger
from nbtypst.authoring.parts import template
from nbtypst.authoring.templates import Check, filled


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
        self.questions = questions
        self.caption = f"**{label}.** {caption}"
        self.id = label.lower().replace("table ", "tbl-")
        self.given: dict[str, str] = {}
        self.checks: dict[str, list[Check]] = {}
        display(Markdown(self.caption), metadata={"role": "caption"})
        self.place: Any = display(Markdown(self._table()), metadata=self._about(), display_id=True)

    def give(self, text: str) -> None:
        """Put answers into the table: a template whose lines start with a question's short name and a colon.

        `text` may name a part in a Markdown file, too.

        Raises KeyError for a question that the table does not have.
        """
        frame = sys._getframe(1)
        answers: dict[str, str] = {}
        checks = []
        marks = {}
        question = ""
        for passage in filled(template(text), {**frame.f_globals, **frame.f_locals}, ledger.stale):
            checks += passage.checks
            for line in passage.text.splitlines():
                start = re.match(r"(\w+): ", line)
                if start:
                    question = start[1]
                    line = line[start.end() :]
                    self.questions[question]  # is one
                if not question:
                    continue
                answers[question] = f"{answers.get(question, '')} {line}"
                if passage.mark:
                    marks[question] = f"{passage.mark}: "
        for question, answer in answers.items():
            self.given[question] = marks.get(question, "") + " ".join(answer.split())
        self.checks[" ".join(answers)] = checks
        self.place.update(Markdown(self._table()), metadata=self._about())

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = {"id": self.id, "caption": self.caption}
        checks = [asdict(check) for given in self.checks.values() for check in given]
        return about | {"checks": checks} if checks else about

    def _table(self) -> str:
        lines = ["| Task | Answer |", f"| {'-' * 7} | {'-' * 93} |"]
        for question, heading in self.questions.items():
            answer = self.given.get(question, "…").replace("|", r"\|")
            lines.append(f"| [{question}](#{heading.replace(' ', '-')}) | {answer} |")
        return "\n".join(lines)
