"""A table of answers up front, which fills as the questions below it are answered."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from IPython.display import Markdown, display

from nbtypst.ledger import ledger
from nbtypst.templates import fill


class Answers:
    """A table of the answers of a report, shown in the cell that makes it, with links to the questions.

        answers = Answers("Table 1", "The answers.", {"2d": "Task 2d: Early stopping"})
        ...
        answers.say("2d", r'''
            **In epoch {{run.epoch}}**, after {{run.steps:,}} updates.
                check: run.stopped_early
        ''')

    `questions` has the heading of each question, by the short name that stands in the table.
    """

    def __init__(self, label: str, caption: str, questions: dict[str, str]) -> None:
        self.questions, self.given, self.id = (
            questions,
            dict[str, str](),
            label.lower().replace("table ", "tbl-"),
        )
        self.caption = f"**{label}.** {caption}"
        display(Markdown(self.caption), metadata={"role": "caption"})
        self.place: Any = display(Markdown(self._table()), metadata=self._about(), display_id=True)

    def say(self, question: str, text: str) -> None:
        """Show `text` as `nbtypst.writing.say` does; its first paragraph is the answer to the question.

        KeyError for a question that the table does not have.
        """
        self.questions[question]
        frame = sys._getframe(1)
        shown, checks = fill(text, {**frame.f_globals, **frame.f_locals}, ledger.stale)
        display(Markdown(shown), metadata={"checks": [asdict(check) for check in checks]} if checks else {})
        self.given[question] = " ".join(shown.partition("\n\n")[0].replace("**", "").split())
        self.place.update(Markdown(self._table()), metadata=self._about())

    def _about(self) -> dict[str, str]:
        return {"id": self.id, "caption": self.caption}

    def _table(self) -> str:
        rows = [
            (f"[{question}](#{heading.replace(' ', '-')})", self.given.get(question, "…").replace("|", r"\|"))
            for question, heading in self.questions.items()
        ]
        lines = ["| Task | Answer |", f"| {'-' * 6} | {'-' * 94} |"]
        return "\n".join([*lines, *(f"| {task} | {answer} |" for task, answer in rows)])
