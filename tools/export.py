"""Export an executed notebook."""

from __future__ import annotations

import traceback
from pathlib import Path

import nbformat
from ending import LOG, BuildError
from nbconvert.exporters import get_exporter
from traitlets.config import Config

from nbtypst.export.check import evidence
from nbtypst.problems import ExportError


def exported(name: str, source: Path, count: int, names: dict[str, str]) -> list[str | bytes]:
    """The page that the exporter `name` makes of `source`, and, for a count of two, the evidence."""
    exporter = get_exporter(name)(config=Config(ReportExporter=dict(folder=".", **names)))
    try:
        content, _ = exporter.from_filename(str(source))
    except ExportError as error:
        raise BuildError(f"{source} is no report yet\n{error}") from None
    except Exception as error:
        LOG.write_text(traceback.format_exc(), encoding="utf-8")
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise BuildError(f"{what}; the whole of it is in {LOG}") from None
    return [content, *(evidence(nbformat.read(source, as_version=4)) for _ in range(1, count))]
