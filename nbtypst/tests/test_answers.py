"""The table of answers fills in its place, in a real kernel."""

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nbtypst.answers import Answers

QUESTIONS = {"2d": "Task 2d: Early stopping", "2e": "Task 2e"}
TEXT = "**In epoch {{x}}.**\n    check: x > 30\n\nMore is said | here.\n"
CELLS = [
    new_code_cell(f"from nbtypst.answers import Answers\nx, QUESTIONS = 34, {QUESTIONS}"),
    new_code_cell(
        "answers = Answers('Table 1', 'The answers.', {'2d': 'Task 2d: Early stopping', '2e': 'Task 2e'})"
    ),
    new_markdown_cell("### Task 2d: Early stopping"),
    new_code_cell(
        "answers.say('2d', r'''\n**In epoch {{x}}.**\n    check: x > 30\n\nMore is said | here.\n''')"
    ),
]


def test_an_answer_stands_where_it_is_given_and_in_the_table():
    notebook = nbformat.from_dict(new_notebook(cells=CELLS))
    NotebookClient(notebook, kernel_name="python3").execute()
    caption, table = notebook.cells[1].outputs
    assert caption.metadata == {"role": "caption"}
    assert table.metadata == {"id": "tbl-1", "caption": "**Table 1.** The answers."}
    lines = table.data["text/markdown"].splitlines()
    assert lines[2] == "| [2d](#Task-2d:-Early-stopping) | In epoch 34. |"
    assert lines[3] == "| [2e](#Task-2e) | … |"
    (said,) = notebook.cells[3].outputs
    assert said.data["text/markdown"].startswith("**In epoch 34.**") and said.metadata.checks[0].holds


def test_a_question_that_the_table_does_not_have_is_an_error():
    with pytest.raises(KeyError):
        Answers("Table 1", "The answers.", {}).say("2d", "In epoch 34.")
