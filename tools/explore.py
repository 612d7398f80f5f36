"""Execute explore.ipynb in place, and keep stills where its widgets were: `python tools/explore.py`.

A widget that is saved without its kernel shows nothing but an error; and its state would be megabytes.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).resolve().parent.parent / "explore.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(notebook: NotebookNode) -> NotebookNode:
    """Run all cells in a fresh kernel, in place."""
    options = {"store_widget_state": False, "record_timing": False, "timeout": 600}
    NotebookClient(notebook, resources={"metadata": {"path": str(NOTEBOOK.parent)}}, **options).execute()
    return notebook


def stilled(notebook: NotebookNode) -> NotebookNode:
    """Without widgets, in place: what else they have to show stays."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def main() -> None:
    """Execute, and write the notebook whole or not at all."""
    notebook = stilled(execute(nbformat.read(NOTEBOOK, as_version=4)))
    new = NOTEBOOK.with_suffix(".new")
    nbformat.write(notebook, new)
    new.replace(NOTEBOOK)


if __name__ == "__main__":
    sys.exit(main())
