"""Notebooks that are not valid, made valid: a wrong part is left out or becomes text."""

import copy
import json
import re
from typing import Any

import nbformat
from nbformat.validator import normalize

from nbtypst.problems import ExportError, Problem

_TEXTS = {"stream": ("name", "text"), "error": ("ename", "evalue")}
Data = dict[str, Any]
_JSON = re.compile(r"application/(.*\+)?json$")  # what may be no text, by nbformat's schema


def read(text: str) -> Any:
    """Return the notebook in a file's text, of any version. Raise ExportError for a text that holds none."""
    text = text.removeprefix("\ufeff")
    try:
        return nbformat.convert(nbformat.reader.reads(text), 4)  # `mend` validates it
    except (nbformat.ValidationError, AttributeError, TypeError):
        raw = mapping(json.loads(text))
        if isinstance(raw.get("cells"), list):
            metadata = mapping(raw.get("metadata"))
            return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 4} | raw | {"metadata": metadata})
        fault = "it has no list of cells"
    except Exception as error:  # nbformat raises errors of many kinds for other JSON, or for none
        fault = f"it cannot be read: {str(error) or type(error).__name__:.200}"
    raise ExportError([Problem("the notebook", fault, "open it in Jupyter and save it")])


def mend(nb: Any) -> tuple[Any, str]:
    """Return a copy of a notebook that nbconvert takes, and the copy's first fault before mending, or ""."""
    nb = copy.deepcopy(nb)
    if "title" in nb.metadata:
        nb.metadata["title"] = str(nb.metadata["title"])
    if isinstance(nb.metadata.get("authors"), str):
        nb.metadata["authors"] = [{"name": nb.metadata["authors"]}]
    fault = _fault(nb)
    if not fault:
        return nb, ""
    nb.nbformat = 4
    nb.nbformat_minor = 4  # without ids of cells
    nb.cells = [_cell(mapping(cell) or {"source": cell}) for cell in nb.get("cells", ())]
    _, nb = normalize(nb, relax_add_props=True, strip_invalid_metadata=True)
    return nb, fault


def _fault(nb: Any) -> str:
    """Return the first breach of nbformat's schema and its place, or ""."""
    try:
        nbformat.validate(nb, relax_add_props=True)
    except nbformat.ValidationError as error:
        place = "/".join(map(str, error.path))
        return f"{error.message:.200} at {place or 'its top'}"
    except (AttributeError, TypeError) as error:  # of nbformat, at a cell that is none
        return str(error)
    return ""


def _cell(cell: Any) -> Any:
    """Return a cell of one of the three kinds, its parts of the right type."""
    kind = cell.get("cell_type")
    if kind not in ("code", "markdown"):
        kind = "raw"
    about = mapping(cell.get("metadata"))
    tags = about.get("tags")
    if isinstance(tags, list):
        names = [str(tag).replace(",", "") for tag in tags if tag]
        about["tags"] = list(dict.fromkeys(names))
    made = {"cell_type": kind, "source": joined(cell.get("source", "")), "metadata": about}
    if kind == "code":
        count = cell.get("execution_count")
        made["execution_count"] = count if type(count) is int and count >= 0 else None
        made["outputs"] = [_output(output) for output in mappings(cell.get("outputs"))]
    else:
        attachments = mapping(cell.get("attachments"))
        made["attachments"] = {name: _data(data) for name, data in attachments.items()}
    return nbformat.from_dict(made)


def _output(output: Any) -> Data:
    """Return an output of one of the kinds that nbformat knows, its parts of the right type."""
    kind = output.get("output_type")
    if kind not in _TEXTS:
        data = _data(output.get("data"))
        return {"output_type": "display_data", "data": data, "metadata": mapping(output.get("metadata"))}
    made = {"output_type": kind} | {name: joined(output.get(name, "")) for name in _TEXTS[kind]}
    if kind == "error":
        trace = output.get("traceback")
        made["traceback"] = [joined(line) for line in trace] if isinstance(trace, list) else []
    return made


def _data(data: Any) -> Data:
    """Return a bundle of forms by their MIME types; JSON stays as it is, others become text."""
    forms = mapping(data).items()
    return {str(kind): value if _JSON.match(str(kind)) else joined(value) for kind, value in forms}


def mapping(value: Any) -> dict[Any, Any]:
    """Return a mapping; an empty one in place of what is none."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Any]:
    """Return the mappings in a list; none if the value is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def joined(value: Any) -> str:
    """Return a value of a notebook as one text: its lines may be a list."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
