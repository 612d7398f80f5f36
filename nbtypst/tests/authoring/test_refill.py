"""Edited text in an executed notebook: as a fresh execution gives it, or not at all."""

import copy

import nbformat
import pytest
from nbclient import NotebookClient

from nbtypst.authoring.parts import read
from nbtypst.authoring.refill import refill

pytestmark = pytest.mark.slow
CODE = (
    """
import matplotlib.pyplot as plt
from nbtypst.answers import Answers
from nbtypst.writing import say, show, table

answers = Answers("Table 1", "The answers.", {"2b": "Task 2b", "2c": "Task 2c"})
steps, loss = 300, -0.5
""",
    """
say("2b.answer")
say("A note of {{steps}} steps.")
show(plt.figure(figsize=(1, 1)), "Figure 1", "2b.loss")
table(["a", "b"], [["1", "2"]], "Table A1", "2b.table")
""",
    """
answers.give("answers.all")
steps = 4
""",
)
TEXT = """# Task 2, for the author

## 2b.answer

The loss is {{loss:.2f}} after {{steps:,}}
steps, $x^{2}$.
<!-- check: steps > 1 -->

## 2b.loss

**It falls** to {{loss:.2f}}.
<!-- check: loss < 0 -->

## 2b.loss.alt

A line that
falls in {{steps}} steps.
<!-- check: steps == 300 -->

## 2b.table

Of {{steps}} steps.

## answers.all

2b: a | loss of {{loss:.1f}}
<!-- check: loss < 1 -->
2c: In {{steps}} steps.
"""
WORDS = {
    "The loss is": "So much is the *loss*:",
    "**It falls**": "**It now falls**",
    "A line that": "A curve that",
    "Of {{steps}} steps.": "Of {{steps}} steps, and of {{steps}} more.",
    "a | loss of": "a \\\\g<0> | loss of",
    "In {{steps}} steps.": "They are {{steps}}.",
}
ANEW = {
    "another value": ("{{loss:.2f}} after", "{{loss:.3f}} after"),
    "another check": ("check: steps > 1", "check: steps > 2"),
    "a check more": ("check: steps > 1", "check: steps > 1\ncheck: steps > 2"),
    "a check less": ("<!-- check: loss < 0 -->", ""),
    "another question": ("2c: In", "2d: In"),
    "a part less": ("## 2b.table", "## 2b.tables"),
    "text before the answers": ("2b: a", "Before. 2b: a"),
}


def edited(text, *edits):
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def parts(folder, text):
    (folder / "text").mkdir(exist_ok=True)
    (folder / "text/task2.md").write_text(text, encoding="utf-8")
    return read(folder / "text")


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Return a function that executes the notebook with a text, as often as it is another."""
    folder = tmp_path_factory.mktemp("notebook")

    def execute(text):
        notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CODE)))
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
        found = parts(folder, text)
        NotebookClient(notebook, resources={"metadata": {"path": folder}}, record_timing=False).execute()
        return nbformat.reads(nbformat.writes(notebook), as_version=4), found  # as a file keeps it

    return execute


@pytest.fixture(scope="module")
def before(executed):
    return executed(TEXT)


def test_new_words_stand_as_a_fresh_execution_puts_them(executed, before):
    wanted, now = executed(edited(TEXT, *WORDS.items()))
    notebook = copy.deepcopy(before[0])
    assert refill(notebook, now)
    assert notebook == wanted != before[0]


@pytest.mark.parametrize("edit", ANEW.values(), ids=ANEW)
def test_what_the_outputs_do_not_keep_is_executed(edit, before, tmp_path):
    now = parts(tmp_path, edited(TEXT, edit))
    assert not refill(copy.deepcopy(before[0]), now)


def test_a_part_that_nothing_shows_changes_nothing(executed, before, tmp_path):
    text = edited(TEXT, ("# Task 2, for the author", "## 2a.answer\n\nMore."))
    notebook = copy.deepcopy(before[0])
    assert refill(notebook, parts(tmp_path, text))
    assert notebook == before[0] == executed(text)[0]


def test_a_text_that_was_not_true_is_executed(executed):
    notebook, now = executed(edited(TEXT, ("steps > 1", "steps < 1")))
    assert not refill(notebook, now)
