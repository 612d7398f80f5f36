"""Errors in a cell: the cell's own lines and what is wrong, for what is refused; else all lines."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import contextlib, io, json, sys, traceback
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor", history_length=0)
shell.run_cell("from assignment1 import LogisticRegression, load_mnist, models")
shell.run_cell("from study import sweep, train")
shell.run_cell("from explore import views")
shell.run_cell("views.register()")
shell.run_cell("from explore.bench import Bench")
shell.run_cell("from explore.pad import draw")
shell.run_cell("from nbtypst.writing import say, table")
shell.run_cell("digits = load_mnist().binary(2, 3)")
found = {}
for cell in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        shell.run_cell(cell)
    frames = traceback.extract_tb(sys.last_value.__traceback__)
    found[cell] = shown.getvalue().strip().splitlines(), len(frames)
print(json.dumps(found))
"""
SHORT = {
    "train(LogisticRegression(), digits, learning_rate=0.1, epochs=1.5)": "epochs is 1.5; expected a whole",
    "train(LogisticRegression(), 'digits', learning_rate=0.1, epochs=1)": "expected a Dataset",
    "sweep(LogisticRegression, digits, lam=-1.0, learning_rate=0.1, epochs=1)": "lam is -1.0; expected",
    "def called():\n    return LogisticRegression(-2.0)\ncalled()": "lam is -2.0; expected",
    "LogisticRegression(-1.0)": "lam is -1.0; expected",
    "train(LogisticRegression(), digits, learning_rat=0.1, epochs=1)": "argument 'learning_rat'",
    "sweep(LogisticRegression, digits, learning_rat=0.1, epochs=1)": "sweep() has no setting 'learning_rat'",
}
SHORT |= {
    "train(LogisticRegression(9.0), digits, learning_rate=100.0, epochs=5, progress=False)": "try a smaller",
    "load_mnist().binary(4, 4)": "both digits are 4",
    "LogisticRegression().predict(load_mnist())": "images have shape",
    "Bench(load_mnist()).train(learning_rate=-1)": "learning rate is -1",
    "Bench(load_mnist(), 3)": "drawing is 3; expected a Pad",
    "draw(LogisticRegression(), digits, 'ab').share(3)": "other is 3; expected a Pad",
    "draw(LogisticRegression(), digits, classes='abc')": "classes has 3 names",
    "say('It is {{digits +}}.')": "{{digits +}} is not a Python",
    "say('It is.\\n  check: a < and b')": "is not a Python expression",
    "say('nothing.there')": "no file of the folder",
    "table(('a',), [(1, 2)], 'Table 1', 'It is.')": "Table 1 has 1 columns",
}
LONG = {  # the last two change the package for those after it
    "load_mnist('nowhere')": "nowhere/train-images",
    "models.preprocess = __import__('json').loads\nLogisticRegression().predict([[0]])": "must be str",
    "models.preprocess = None\nLogisticRegression().predict([[0]])": "not callable",  # no `raise` of ours
}


@pytest.fixture(scope="module")
def shown():
    """Run all cells in one process; return the lines that each shows and the number of its frames."""
    command = [sys.executable, "-c", SCRIPT, json.dumps([*SHORT, *LONG])]
    kept = os.environ | {"ASSIGNMENT1_KEEP": "1"}  # as make lab
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=kept)
    return json.loads(done.stdout)


@pytest.mark.parametrize("cell", SHORT)
def test_a_refused_argument_is_told_by_the_cells_own_lines_and_what_to_do(cell, shown):
    lines, frames = shown[cell]
    assert len(lines) <= 12 and SHORT[cell] in lines[-1], lines
    *_, last = enumerate(cell.splitlines(), 1)
    assert f"----> {last[0]} {last[1]}" in lines
    assert not any("arguments.py" in line for line in lines)
    assert frames > 2  # which the error still has


@pytest.mark.parametrize("cell", LONG)
def test_another_error_shows_where_it_arose(cell, shown):
    lines, _ = shown[cell]
    assert any("assignment1" in line and "File" in line for line in lines) and LONG[cell] in lines[-1], lines
