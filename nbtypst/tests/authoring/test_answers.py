"""The table of answers fills in its place, in a real kernel."""

from unittest.mock import Mock

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nbtypst.authoring import answers
from nbtypst.authoring.ledger import ledger
from nbtypst.authoring.templates import Check

pytestmark = pytest.mark.slow

QUESTIONS = {"2c": "Task 2c", "2d": "Task 2d: Early stopping", "2e": "Task 2e", "3a": "Task 3a"}
TEXT = """
    2c: {{x / 40:.2f}} | on
    all images
        check: x == 34
    2d: in epoch {{x}}
    2e: shuffling helps
        check: x > LEAST
"""
CELLS = [
    new_code_cell(f"from nbtypst.answers import Answers\nx, LEAST, QUESTIONS = 34, 30, {QUESTIONS}"),
    new_code_cell("answers = Answers('Table 1', 'The answers.', QUESTIONS)"),
    new_markdown_cell("### Task 2d: Early stopping"),
    new_code_cell(f"answers.give({TEXT!r})"),
]


def executed(**change):
    notebook = nbformat.from_dict(new_notebook(cells=CELLS))
    for old, new in change.items():
        notebook.cells[0].source = notebook.cells[0].source.replace(old, new)
    NotebookClient(notebook, kernel_name="python3").execute()
    return notebook.cells


def test_answers_stand_in_the_table_with_links_and_their_checks():
    _, first, _, last = executed()
    caption, table = first.outputs
    assert caption.metadata == {"role": "caption"} and not last.outputs
    assert table.metadata.id == "tbl-1" and [check.holds for check in table.metadata.checks] == [True, True]
    assert table.data["text/markdown"].splitlines()[2:] == [
        "| [2c](#Task-2c) | 0.85 \\| on all images |",
        "| [2d](#Task-2d:-Early-stopping) | in epoch 34 |",
        "| [2e](#Task-2e) | shuffling helps |",
        "| [3a](#Task-3a) | … |",
    ]


def test_an_answer_that_is_not_true_is_shown_as_such_and_not_lost():
    table = executed(**{"34, 30": "34, 50"})[1].outputs[1]
    assert [check.holds for check in table.metadata.checks] == [True, False]
    lines = table.data["text/markdown"].splitlines()
    assert lines[2].endswith("| 0.85 \\| on all images |")
    assert lines[3].endswith("| in epoch 34 |")  # the check is that of the answer above it
    assert lines[4].endswith("| **No longer true**: ~~shuffling helps~~ |")


@pytest.mark.parametrize(
    "text, error", [("4a: no such task", "'4a'"), ("in epoch 34", "'in epoch 34' answers no question")]
)
def test_what_answers_no_question_of_the_table_is_an_error(table, text, error):
    with pytest.raises((KeyError, ValueError), match=error):
        table.give(text)


@pytest.mark.parametrize("text", ["2d : in epoch 34", "2d:in epoch 34", " 2d: in epoch\n  34"])
def test_an_answer_is_not_lost_for_a_space(table, text):
    table.give(text)
    assert table.given == {"2d": "in epoch 34"}


def test_an_answer_is_struck_while_its_section_says_what_is_not_true(table, monkeypatch):
    monkeypatch.setattr(ledger, "told", {})
    place = ledger.cell, "2d.answer"
    ledger.told[place] = [Check("It ends.", "n > 1", "0 > 1", False)]
    table.give("2d: in epoch 34")
    assert "~~in epoch 34~~" in table.shown and ledger.told[place]
    ledger.told[place] = [Check("It ends.", "n > 1", "2 > 1", True)]
    table.update()
    assert "| in epoch 34 |" in table.shown


def test_an_answer_is_struck_while_its_section_tells_of_an_older_run(table, monkeypatch):
    holds = [Check("It ends.", "n > 1", "2 > 1", True)]
    monkeypatch.setattr(ledger, "told", {("here", "2d.answer"): holds})
    table.give("2d: in epoch 34")
    for older in ("2d.answer", "tbl-1.2d", "2e.answer"):
        monkeypatch.setattr(ledger, "older", lambda older=older: [("there", older)])
        table.update()
        assert ("| **Run the cells above again**: ~~in epoch 34~~ |" in table.shown) == ("2d" in older)


@pytest.fixture
def table(monkeypatch):
    """Return a table of two answers that no notebook shows."""
    monkeypatch.setattr(answers, "display", Mock())
    return answers.Answers("Table 1", "The answers.", {"2d": "Task 2d", "2e": "Task 2e"})


def test_an_answer_goes_on_after_its_check_and_is_marked_as_a_whole(table):
    n = 34  # noqa: F841
    table.give("2d: in epoch {{n}},\n  check: n == 34\nearly\n  check: n < 30\n2e: shuffling helps")
    assert table.given == {"2d": "in epoch 34, early", "2e": "shuffling helps"}
    assert (
        "| **No longer true**: ~~in epoch 34, early~~ |\n" in table._table()
        and "~~shuff" not in table._table()
    )
    assert [check.holds for check in table.checks["2d"]] == [True, False]


def test_an_answer_with_a_value_left_behind_asks_for_the_cells_above(table, monkeypatch):
    monkeypatch.setattr(ledger, "stale", lambda names: "n is from a cell below" if "n" in names else "")
    n = 34  # noqa: F841
    table.give("2d: in epoch {{n}}\n  check: n > 1\n2e: shuffling helps")
    assert table.given == {"2d": "in epoch 34", "2e": "shuffling helps"}
    assert "| **Run the cells above again**: ~~in epoch 34~~ |\n" in table._table()
    (check,) = table.checks["2d"]
    assert check.stale and not check.holds
