"""What both exporters share: options, nbconvert's preprocessors, and problems said in one line each."""

import logging
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Any

import nbformat
from nbconvert.exporters import Exporter, TemplateExporter
from traitlets import Bool, Float, List, Unicode
from traitlets.config import Application, Config

from nbtypst.problems import ExportError, Problem
from nbtypst.reading.document import Document, collect, digest
from nbtypst.reading.markdown import PandocError
from nbtypst.reading.mending import mend, read
from nbtypst.reading.notes import read_front_matter
from nbtypst.settings import Settings, settings

HIDDEN = {
    "remove_all_outputs_tags": {"remove-output", "remove_output"},
    "remove_cell_tags": {"remove", "remove-cell", "remove_cell"},
    "remove_input_tags": {"hide-input", "hide_input", "remove-input", "remove_input"},
}


def _in_lines(record: logging.LogRecord) -> bool:
    """Take the traceback off what nbconvert logs of an `ExportError`, and put its lines there."""
    problem = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    debug = Application.initialized() and str(Application.instance().log_level) in ("0", "10", "DEBUG")
    if isinstance(problem, ExportError) and not debug:
        record.msg = f"{record.getMessage()}\n{problem}"
        record.args = ()
        record.exc_info = None
    return True


def _option(setting: Field[Any]) -> Any:
    """Return the option of a setting; it is None unless it is given."""
    kinds: dict[type, Any] = {bool: Bool, float: Float}
    kind = kinds.get(type(setting.default), Unicode)
    return kind(None, allow_none=True, help=setting.metadata["help"]).tag(config=True)


class ReportExporter(TemplateExporter):
    """An exporter that renders the `Document` of a notebook, in `render`; it has an option a setting."""

    locals().update({setting.name: _option(setting) for setting in fields(Settings)})
    folder = Unicode("", help="where the notebook's pictures are, if not beside it").tag(config=True)
    font_paths = List(Unicode(), help="folders with more fonts").tag(config=True)
    system_fonts = Bool(
        None,
        allow_none=True,
        help="the machine's fonts: never, always, or (None) where a character needs one",
    ).tag(config=True)

    @property
    def default_config(self) -> Config:
        """Return the configuration: what the usual tags hide is hidden, the steps are validated once."""
        own = Config({"Exporter": {"optimistic_validation": True}, "TagRemovePreprocessor": HIDDEN})
        own.merge(super().default_config)
        return own

    shows_widgets = False  # whether its page can have parts that move

    render: Callable[[Document], bytes | str]  # the finished file

    def settings(self, nb: Any) -> Settings:
        """Return the page's settings for a notebook; front matter that cannot be read is none, and noted."""
        options = {setting.name: getattr(self, setting.name) for setting in fields(Settings)}
        try:
            found = settings(nb, options, read_front_matter(nb))
        except PandocError as error:
            fault = f"its front matter cannot be read: {error}"
            found = settings(nb, options)
            found.ignored += (("cell 1", fault, "it is left as it is"),)
        if self.exclude_input:
            found.hide_code = True
            found.fold_code = False
        return found

    def from_file(self, file_stream: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Convert a notebook's open file, valid or not; raise ExportError for one that is no notebook."""
        self.log.addFilter(_in_lines)
        try:
            text = file_stream.read()
        except UnicodeDecodeError as error:
            raise ExportError([Problem("the notebook", f"it is not in UTF-8: {error}")]) from error
        return self.from_notebook_node(read(text), resources, **kw)

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Convert a notebook to the contents of a file.

        Raises ExportError, whose text is one line a problem, for a sentence that is not true and, if the page
        is to be strict, for all that cannot be shown as it is.
        """
        self.log.addFilter(_in_lines)
        nb, fault = mend(nb)
        made_from = digest(nb)
        try:
            nb, resources = Exporter.from_notebook_node(self, nb, resources, **kw)
        except nbformat.ValidationError as error:
            what = f"it is no valid notebook: {error.message} at {'/'.join(map(str, error.path))}"
            raise ExportError([Problem("the notebook", what)]) from error
        resources.pop("outputs", None)
        about = resources["metadata"]
        folder = self.folder or about.get("path")
        own = self.settings(nb)
        try:
            document = collect(nb, own, fault, folder, about["name"], self.shows_widgets)
            document.digest = made_from
            output = self.render(document)
        except ExportError as error:
            false = {(one.place, one.what) for one in error.problems if one.what.startswith("not true: ")}
            if not false:
                raise
            first = Problem("the notebook", f"it is no report yet; sentences that are not true: {len(false)}")
            raise ExportError([first, *error.problems]) from error
        except RuntimeError as error:  # of pandoc or Typst
            raise ExportError([Problem("the notebook", str(error))]) from error
        document.problems.stop()
        for problem in document.problems.warnings:
            self.log.warning("%s", problem)
        return output, resources
