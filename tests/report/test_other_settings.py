"""Whatever setting the package accepts, the notebook runs to its end.

SETTINGS=30 in the environment tries as many of the thirty, in half an hour; four stand in test_report.py.
"""

import ast
import os
from itertools import islice

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from test_report import shown

from conftest import ROOT
from nbtypst.authoring import parts, templates

COUNT = int(os.environ.get("SETTINGS", "0"))
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not COUNT, reason="SETTINGS=30 tries thirty settings")]
TASK_2 = "learning_rate=0.05, epochs=500, batch_size=128, shuffle=False, patience=10"
TASK_3 = "learning_rate=0.01, epochs=50, shuffle=True, seed=0, patience=10"
DIGITS = "positive, negative = 2, 3"
LAMBDAS = "lambdas = 0.0, 0.001, 0.01, 0.1, 1.0"
DIVERGES = (TASK_3, "learning_rate=0.01, epochs=50", "learning_rate=10, epochs=4")
CHANGES = [  # the line of a cell, and what is in it and in its place
    (TASK_2, "epochs=500, batch_size=128", "epochs=1, batch_size=4005"),
    (TASK_2, "epochs=500", "epochs=1"),
    (TASK_2, "epochs=500", "epochs=3"),
    (TASK_2, "batch_size=128", "batch_size=1000"),
    (TASK_2, "batch_size=128", "batch_size=64"),
    (TASK_2, "500, batch_size=128", "50, batch_size=4005"),
    (TASK_2, "learning_rate=0.05", "learning_rate=1"),
    (TASK_2, "learning_rate=0.05", "learning_rate=3"),
    (TASK_2, "learning_rate=0.05", "learning_rate=50"),
    (TASK_2, "learning_rate=0.05, epochs=500", "learning_rate=1e-6, epochs=60"),
    (TASK_2, "patience=10", "patience=1"),
    (TASK_2, "patience=10", "patience=2"),
    (TASK_2, "patience=10", "patience=3"),
    (TASK_2, "500, batch_size=128, shuffle=False", "40, batch_size=128, shuffle=True"),
    (DIGITS, "2, 3", "3, 2"),
    (DIGITS, "2, 3", "4, 9"),
    (DIGITS, "2, 3", "0, 1"),
    (DIGITS, "2, 3", "7, 1"),
    (DIGITS, "2, 3", "5, 8"),
    (TASK_3, "epochs=50", "epochs=1"),
    (TASK_3, "epochs=50", "batch_size=20000, epochs=1"),
    (TASK_3, "epochs=50", "batch_size=19000, epochs=50"),
    DIVERGES,
    (TASK_3, "learning_rate=0.01", "learning_rate=0.1"),
    (TASK_3, "patience=10", "patience=1"),
    (TASK_3, "patience=10", "patience=None"),
    (TASK_3, "seed=0", "seed=7"),
    (TASK_3, "shuffle=True, seed=0", "shuffle=False, seed=5"),
    (LAMBDAS, "0.0, 0.001, 0.01, 0.1, 1.0", "0.5,"),
    (LAMBDAS, "0.0, 0.001, 0.01, 0.1, 1.0", "0.0, 0.5, 3.0"),
]  # fmt: skip


def names(source):
    """Return the names that a cell reads, those of its parts of the text too, and those that it binds."""
    texts = parts.read(ROOT / parts.FOLDER)
    read: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else read).add(node.id)
    for part in shown(source):
        for passage in templates.passages(texts[part]):
            read |= passage.names()
    return read, bound


def affected(sources, line, old, new):
    """Yield the number and the source of each cell that a change of a line reaches."""
    changed = set()
    for number, source in enumerate(sources):
        read, bound = names(source)
        if line in source:
            yield number, source.replace(line, line.replace(old, new))
            changed |= bound
        elif read & changed:
            yield number, source
            changed |= bound


def test_the_notebook_runs_on_whatever_the_setting(committed, unpacked, tried):
    cells = [cell for cell in committed.cells if cell.cell_type == "code"]
    sources = [cell.source for cell in cells]
    notebook = committed.copy()
    notebook.cells = [new_code_cell(source) for source in sources]
    client = NotebookClient(notebook, resources={"metadata": {"path": unpacked}}, timeout=600)
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        save = "_kept = {**globals()}"
        back = "globals().update(_kept)"
        notebook.cells += [new_code_cell(save), new_code_cell(back)]
        client.execute_cell(notebook.cells[-2], len(sources))
        for change in islice(CHANGES, COUNT):
            reached = list(affected(sources, *change))
            warned: list[str] = []
            assert len(reached) > 4, change
            for number, source in reached:
                notebook.cells[number].source = source
                client.execute_cell(notebook.cells[number], number)  # raises if it ends in an error
                outputs = notebook.cells[number].outputs
                said = [output.text for output in outputs if output.get("name") == "stderr"]
                if change != DIVERGES:
                    assert not said, (change, source)
                warned += said
            client.execute_cell(notebook.cells[-1], len(sources) + 1)
            if change == DIVERGES:
                assert len(warned) == 1 and "RuntimeWarning: run 1.0 failed: " in warned[0]
    tried(
        "A setting of report.ipynb changed, its cells run again",
        COUNT,
        "no cell ends in an error",
        f"SETTINGS={COUNT}",
    )
