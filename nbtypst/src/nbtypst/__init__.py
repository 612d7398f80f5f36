"""Any notebook as an accessible page: nbconvert exporters to PDF/UA-1 and to one page of HTML."""

from importlib import import_module
from typing import Any

_HOME = {"ExportError": "problems", "ReportHTMLExporter": "export.html", "ReportPDFExporter": "export.pdf"}
__all__ = ["ExportError", "ReportHTMLExporter", "ReportPDFExporter"]


def __getattr__(name: str) -> Any:
    """Import an exporter once it is asked for: a notebook that only writes need not wait for nbconvert."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
