"""Notebooks that are not valid, made so: what is wrong in them is left out, or is text."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import nbformat

from nbtypst.problems import ExportError, Problem

_TEXTS = {"stream": ("name", "text"), "error": ("ename", "evalue")}
_JSON = re.compile(r"application/(.*\+)?json$")  # what may be no text, by nbformat's schema


def read(text: str) -> Any:
    """The notebook in a file's text, of any version; ExportError if it is none."""
    try:
        return nbformat.reads(text, as_version=4)
    except nbformat.ValidationError:
        raw = json.loads(text)
        if isinstance(raw, dict) and isinstance(raw.get("cells"), list):
            metadata = raw["metadata"] if isinstance(raw.get("metadata"), dict) else {}
            return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 4} | raw | {"metadata": metadata})
        fault = "it has no list of cells"
    except Exception as error:  # what nbformat raises for other JSON, or for none, is of many kinds
        fault = f"it cannot be read: {str(error) or type(error).__name__:.200}"
    raise ExportError([Problem("the notebook", fault, "open it in Jupyter and save it")])


def mend(nb: Any) -> tuple[Any, str]:
    """A copy of a notebook that nbconvert takes, and what was wrong with it, "" for nothing."""
    nb = copy.deepcopy(nb)
    if not isinstance(nb.metadata.get("title", ""), str):
        nb.metadata["title"] = str(nb.metadata["title"])
    if isinstance(nb.metadata.get("authors", []), str):
        nb.metadata["authors"] = [{"name": nb.metadata["authors"]}]
    fault = _fault(nb)
    if not fault:
        return nb, ""
    nb.nbformat, nb.nbformat_minor = 4, 4  # without ids of cells
    nb.cells = [_cell(cell) for cell in nb.get("cells", []) if isinstance(cell, dict)]
    if _fault(nb):
        for cell in nb.cells:
            cell.metadata = type(nb)()
    if _fault(nb):
        kept = [name for name in ("title", "nbtypst") if nb.metadata.get(name)]
        nb.metadata = type(nb)({name: nb.metadata[name] for name in kept})
    return nb, fault


def _fault(nb: Any) -> str:
    try:
        nbformat.validate(nb, relax_add_props=True)
    except nbformat.ValidationError as error:
        return f"{error.message:.200} at {'/'.join(map(str, error.path)) or 'its top'}"
    return ""


def _cell(cell: Any) -> Any:
    """A cell of one of the three kinds, its parts of the right type."""
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown", "raw") else "raw"
    about = cell.get("metadata")
    made: dict[str, Any] = {"cell_type": kind, "source": _text(cell.get("source", "")), "metadata": {}}
    if isinstance(about, dict):
        made["metadata"] = {
            key: value for key, value in about.items() if key not in ("name", "tags", "jupyter")
        }
        if isinstance(tags := about.get("tags"), list):
            made["metadata"]["tags"] = list(dict.fromkeys(str(tag).replace(",", "") for tag in tags if tag))
    if kind == "code":
        count = cell.get("execution_count")
        made["execution_count"] = count if type(count) is int and count >= 0 else None
        outputs = cell.get("outputs")
        made["outputs"] = (
            [_output(o) for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []
        )
    elif isinstance(bundles := cell.get("attachments"), dict):
        made["attachments"] = {name: _data(data) for name, data in bundles.items() if isinstance(data, dict)}
    return nbformat.from_dict(made)


def _output(output: Any) -> dict[str, Any]:
    kind = output.get("output_type")
    if kind in _TEXTS:
        made = {"output_type": kind} | {name: _text(output.get(name, "")) for name in _TEXTS[kind]}
        trace = output.get("traceback")
        return made | (
            {"traceback": [_text(line) for line in trace] if isinstance(trace, list) else []}
            if kind == "error"
            else {}
        )
    about = output.get("metadata")
    return {
        "output_type": "display_data",
        "data": _data(output.get("data", {})),
        "metadata": about if isinstance(about, dict) else {},
    }


def _data(data: Any) -> dict[str, Any]:
    """A bundle of forms by their MIME types; JSON stays as it is, others are text."""
    items = data.items() if isinstance(data, dict) else ()
    return {str(kind): value if _JSON.match(str(kind)) else _text(value) for kind, value in items}


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
