"""What both exporters share: options, nbconvert's preprocessors, and problems said in one line each."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter, TemplateExporter
from traitlets import Bool, Float, List, Unicode
from traitlets.config import Application, Config

from nbtypst.problems import ExportError, Problem, Problems
from nbtypst.reading.document import Document, collect
from nbtypst.reading.mending import mend, read
from nbtypst.settings import Settings, settings

HIDDEN = {
    "remove_cell_tags": {"remove", "remove-cell", "remove_cell"},
    "remove_input_tags": {"remove-input", "remove_input", "hide-input", "hide_input"},
    "remove_all_outputs_tags": {"remove-output", "remove_output"},
}


class _OneLine(logging.Filter):
    """Takes the traceback off what nbconvert logs of an `ExportError`, and puts its lines there."""

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        debug = Application.initialized() and str(Application.instance().log_level) in ("0", "10", "DEBUG")
        if isinstance(problem, ExportError) and not debug:
            record.exc_info = record.exc_text = None
            record.msg, record.args = f"{record.getMessage()}\n{problem}", ()
        return True


class ReportExporter(TemplateExporter):
    """An exporter that renders the `Document` of a notebook, in `render`."""

    strict = Bool(None, allow_none=True, help="Whether what would be a warning is an error.").tag(config=True)
    authors = Unicode("", help="Names for the first page, with commas between them.").tag(config=True)
    group = Unicode("", help="The group's name or number, for the first page.").tag(config=True)
    course = Unicode("", help="The course, for the first page.").tag(config=True)
    date = Unicode("", help="The date, for the first page, as it is to be shown.").tag(config=True)
    title = Unicode("", help="The title, in place of the notebook's.").tag(config=True)
    subtitle = Unicode("", help="A line below the title.").tag(config=True)
    contents = Bool(None, allow_none=True, help="Whether there is a table of contents.").tag(config=True)
    number_sections = Bool(None, allow_none=True, help="Whether headings have numbers.").tag(config=True)
    running_head = Bool(None, allow_none=True, help="Whether pages have a running head.").tag(config=True)
    language = Unicode("", help="The language of the text, such as en or nb.").tag(config=True)
    paper = Unicode("", help="The paper: a4 or us-letter.").tag(config=True)
    font = Unicode("", help="The font of the text.").tag(config=True)
    font_size = Float(None, allow_none=True, help="The size of the text in points.").tag(config=True)
    folder = Unicode("", help="Where the notebook's pictures are, if not beside it.").tag(config=True)
    font_paths = List(Unicode(), help="Folders with more fonts.").tag(config=True)
    system_fonts = Bool(
        None,
        allow_none=True,
        help="Whether the machine's fonts are used: never, always, or (None) where a character needs one.",
    ).tag(config=True)

    @property
    def default_config(self) -> Config:
        """Cells that the usual tags hide are hidden."""
        own = Config({"TagRemovePreprocessor": {"enabled": True, **HIDDEN}})
        own.merge(super().default_config)
        return own

    def _template_name_default(self) -> str:
        return "base"

    shows_widgets = False  # whether its page can have parts that move

    render: Callable[[Document, Problems], bytes | str]  # the finished file

    def settings(self, nb: Any) -> Settings:
        """The page's settings for a notebook."""
        names = [name for name in Settings.__dataclass_fields__ if self.has_trait(name)]
        found = settings(nb, {name: getattr(self, name) for name in names})
        if self.exclude_input:
            found.hide_code = True
        return found

    def from_file(self, file_stream: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Convert a notebook's open file, valid or not; ExportError for one that is no notebook."""
        return self.from_notebook_node(read(file_stream.read()), resources, **kw)

    def from_notebook_node(  # type: ignore[override]
        self, nb: Any, resources: Any = None, **kw: Any
    ) -> tuple[Any, Any]:
        """Convert a notebook to the contents of a file.

        Raises ExportError, whose text is one line a problem, for a sentence that is not true and, if the page
        is to be strict, for all that cannot be shown as it is.
        """
        if not any(isinstance(one, _OneLine) for one in self.log.filters):
            self.log.addFilter(_OneLine())
        nb, fault = mend(nb)
        try:
            nb, resources = Exporter.from_notebook_node(self, nb, resources, **kw)
        except nbformat.ValidationError as error:
            what = f"it is no valid notebook: {error.message} at {'/'.join(map(str, error.path))}"
            raise ExportError([Problem("the notebook", what)]) from error
        resources["output_extension"] = self.file_extension
        resources.pop("outputs", None)
        own = self.settings(nb)
        problems = Problems(own.strict)
        problems.not_valid(fault)
        about = resources.get("metadata", {})
        beside = self.folder or about.get("path")
        folder = None if beside is None else str(Path(beside or "."))
        try:
            document = collect(nb, own, problems, folder, about.get("name", ""), self.shows_widgets)
            output = self.render(document, problems)
        except (RuntimeError, subprocess.SubprocessError) as error:  # of pandoc or Typst
            raise ExportError([Problem("the notebook", str(error), "")]) from error
        for problem in problems.warnings:
            self.log.warning("%s", problem)
        return output, resources
