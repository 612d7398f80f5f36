"""A notebook's cells as pieces of a page: text, code, outputs and figures, in order."""

import json
import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from nbconvert.filters import strip_ansi
from pandocfilters import CodeBlock

from nbtypst.problems import Problems, name_of
from nbtypst.reading.markdown import (
    Blocks,
    Match,
    drawn,
    from_latex,
    from_latex_text,
    from_markdown,
    one_line,
    printable,
    sanitise,
    typeset,
    unscripted,
    visible,
)
from nbtypst.reading.mending import Data, mapping, mappings
from nbtypst.reading.pictures import Picture, from_text, sized
from nbtypst.reading.widgets import widget_of

WORDS = "text/latex, words"  # our own name, for LaTeX that is no formula; only plain text goes after it
MERMAID = "text/vnd.mermaid"
JSON = "application/json"
LATEX = {"text/latex": from_latex, WORDS: from_latex_text}
ORDER = (  # the best form first
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
    "text/html",
    "text/markdown",  # after HTML, as in Jupyter: that of R is malformed
    WORDS,
    JSON,
    "text/plain",
)
QUIET = {  # stands beside another form of the same
    "application/pdf",
    "application/vnd.dataresource+json",
    "application/vnd.google.colaboratory.intrinsic+json",
}
TALL = 2_000_000  # characters of one output: more is no page
MOST_LINES = 1_000  # of an output that is shown whole; of others only so many:
FIRST = 200
LAST = 100
START = 20_000  # characters that are shown of an output that is too long
_DISPLAYED = re.compile(  # all of an output, as SymPy and Sage write it
    r"\s*(?:<html>)?\s*(?:\$|\\\()\s*\\displaystyle(?![A-Za-z])((?:(?!\$|\\\)).)*)(?:\$|\\\))\s*(?:</html>)?\s*\Z",
    re.S,
)
_STRAY = re.compile(  # a check that Python takes for an annotation; or a string, which may hold one
    r"(\"{3}|'{3}).*?\1|^check:(?![^\n]* = )", re.S | re.M
)


@dataclass
class Piece:
    """A part of the page: HTML still to be read, or blocks; the caption of a figure or table is one, too."""

    place: str  # the cell, for people
    kind: str = ""  # of code: input, output, error
    html: str = ""
    caption: "Piece | None" = None
    blocks: Blocks = field(default_factory=list)
    name: str = ""  # the target of mentions: fig-3
    picture: Picture | None = None
    attachments: Data = field(default_factory=dict)
    checks: list[Data] = field(default_factory=list)
    widget: str = ""  # a part that moves, after the text


def pieces(
    nb: Any, problems: Problems, hide_code: bool, widgets: bool = False, all_lines: bool = False
) -> list[Piece]:
    """Return every piece of a notebook; a part that no page can hold is text, and a problem.

    Long outputs are shortened unless `all_lines` is set. A cell that asks for a widget is there on a page
    that shows `widgets` alone.
    """
    found = []
    was_run = {}  # each cell of code
    info = nb.metadata.get("language_info", {})
    language = re.sub(r"[^\w+#-]", "", str(info.get("name", "python")))
    for number, cell in enumerate(nb.cells, 1):
        place = name_of(number, cell)
        reader = _Reader(place, problems, all_lines)
        match cell.cell_type:
            case "markdown":
                widget = widget_of(cell)
                if widgets or not widget:
                    piece = reader.markdown(cell.source)
                    piece.attachments = cell.get("attachments", {})
                    piece.widget = widget
                    found.append(piece)
            case "code":
                tags = set(cell.metadata.get("tags", ()))
                hidden = hide_code or cell.metadata.get("transient", {}).get("remove_source")
                if cell.source.strip():
                    # nbconvert takes its number and its outputs away for a tag
                    silent = tags & {"remove-output", "remove_output"}
                    was_run[place] = cell.get("execution_count") or cell.outputs or silent
                    if any(not found[1] for found in _STRAY.finditer(cell.source)):
                        reader.warn("a line 'check: ...' stands in no text", "move it into the string of say")
                    found += [] if hidden else [reader.code("input", cell.source, language)]
                for _, parts in groupby(cell.outputs, _stream):
                    found += reader.output(list(parts), "raises-exception" in tags)
            case "raw":
                found += reader.raw(cell)
            case kind:  # of a later format
                reader.warn(f"no page has cells of the kind {kind!r}", "its text is shown")
                found.append(reader.code("", str(cell.get("source", ""))))
    waiting = [place for place, run in was_run.items() if not run]
    if waiting:
        fault = f"{len(waiting)} of {len(was_run)} cells of code never ran"
        problems.warn(waiting[0], fault, "run all of them")
    return found


def _stream(output: Any) -> str | int:
    """Return the name of an output's stream, whose parts in succession are one, as in Jupyter."""
    return output.name if output.output_type == "stream" else id(output)


@dataclass
class _Reader:
    """The reader of one cell."""

    place: str
    problems: Problems
    all_lines: bool

    def warn(self, what: str, advice: str = "") -> None:
        """Warn of what no page shows as it is."""
        self.problems.warn(self.place, what, advice)

    def code(self, kind: str, text: str, language: str = "") -> Piece:
        """Return a piece that is a block of code."""
        attributes = ["", [language] if language else [], []]
        return Piece(self.place, kind, blocks=[CodeBlock(attributes, printable(text))])

    def markdown(self, source: str) -> Piece:
        """Return Markdown as a piece; as its source where the parser fails."""
        try:
            html = from_markdown(source)
        except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            self.warn("its Markdown cannot be read", "it is shown as it is written")
            return self.code("", source)
        return self.html(html)

    def html(self, source: str) -> Piece:
        """Return HTML as a piece, and warn of each element that no page shows."""
        html, lost = visible(source)
        for tag, address in lost:
            self.warn(f"a page cannot show <{tag}>", address and f"its address {address} stands there")
        return Piece(self.place, html=html)

    def raw(self, cell: Any) -> list[Piece]:
        """Return a raw cell that is meant for this kind of page, or for no kind in particular."""
        kind = str(cell.metadata.get("raw_mimetype", cell.metadata.get("format", ""))).lower()
        if kind == "text/markdown" or re.fullmatch(r"\\(?:newpage|pagebreak|clearpage)", cell.source.strip()):
            return [self.markdown(cell.source)]
        if kind == "text/html":
            return [self.html(typeset(cell.source))]
        if kind in ("", "text/plain") and cell.source.strip():
            return [self.code("output", cell.source)]
        return []

    def output(self, parts: list[Any], expected: bool) -> list[Piece]:
        """Return an output's piece, if it shows anything; `expected` is whether the cell may raise errors.

        An output of a stream may be in parts.
        """
        output, *_ = parts
        if output.output_type == "stream":
            text = "".join(part.text for part in parts)
            return [self._text("output", text)] if terminal(text[:TALL]) else []
        if output.output_type == "error":
            fault = f"{output.ename}: {output.evalue}".rstrip(": \n")
            if not expected:
                self.warn(f"it shows an error, {fault}", "run it again")
            return [self._text("error", "\n".join(output.traceback) or fault)]
        about = output.get("metadata", {})
        if about.get("role") == "caption" or output.get("data") == {}:
            return []
        return [self._display(output.get("data", {}), about)]

    def _display(self, data: Data, about: Data) -> Piece:
        """Return the best form of an output that a page can hold."""
        if MERMAID in data:
            data["text/markdown"] = f"```mermaid\n{data[MERMAID]}\n```"
        if "-text-repr-fallback" in data.get("text/html", ""):  # of scikit-learn and xarray
            del data["text/html"]
        for kind in ORDER:
            mime = kind.partition(",")[0]
            piece = self._form(kind, data[mime], about) if mime in data else None
            if piece:
                self._warn_of_richer(data, kind)
                break
        else:
            piece = self._no_form(data)
        name = str(about.get("id"))
        if re.fullmatch(r"(?:fig|tbl)-[a-z0-9]+(?:\.[0-9]+)?", name):  # of `nbtypst.writing`
            piece.name = name
        addresses = _addresses(data.get("text/html", "")) if piece.picture else []
        if about.get("caption"):
            piece.caption = Piece(self.place, html=from_markdown(str(about["caption"])))
        elif addresses:
            piece.caption = Piece(self.place, html=f'<a href="{addresses[0]}">{addresses[0]}</a>')
        parts = re.findall(r"'([\w.-]+?)(?:\.alt)?'\]", str(about.get("parts")))
        where = {"part": "".join(f"{name}, " for name in dict.fromkeys(parts)), "place": self.place}
        piece.checks = [check | where for check in mappings(about.get("checks"))]
        return piece

    def _form(self, kind: str, text: str, about: Data) -> Piece | None:
        """Return one form of an output as a piece; None if it shows nothing or cannot be read."""
        if kind.startswith("image/"):
            return self._picture(kind, text, about)
        if kind == JSON:
            text = json.dumps(text, indent=1, ensure_ascii=False)
        if kind in ("text/html", "text/latex"):
            text = _DISPLAYED.sub(r"\\[\1\\]", unscripted(text))
        if len(text) > (START if kind == JSON else TALL):
            return self._start(text)
        if kind == "text/markdown":
            return self.markdown(text)
        if kind in LATEX:
            html = LATEX[kind](text)
            return Piece(self.place, html=html) if html else None
        if kind == "text/html":
            seen = re.sub(r"<(?!img|hr|table)[^>]*>|\s", "", sanitise(drawn(text))) or _addresses(text)
            return self.html(typeset(text)) if seen else None
        if re.fullmatch(r"<IPython\.core\.display\.\w+ object>", text):  # shows nothing in Jupyter
            return Piece(self.place)
        return self._text("output", text)

    def _text(self, kind: str, text: str) -> Piece:
        """Return what a terminal shows, of a long text the first and the last lines."""
        if len(text) > TALL:
            return self._start(text)
        lines = terminal(text).split("\n")
        if len(lines) > MOST_LINES and not self.all_lines:
            left = len(lines) - FIRST - LAST
            lines[FIRST:-LAST] = [f"[{left:,} lines are left out here]"]
            self.warn(f"{left:,} lines of an output are left out", "`all_lines` keeps them")
        return self.code(kind, "\n".join(lines))

    def _no_form(self, data: Data) -> Piece:
        """Return an output that has none of the forms of `ORDER`: what it is called."""
        html = data.get("text/html", "")
        if set(data) == {"text/html"} and "<script" not in html and not visible(html)[1]:
            return Piece(self.place)  # as in Jupyter
        kinds = ", ".join(sorted(data)) or "nothing"
        advice = "store its text or a picture with it, as pio.renderers.default = 'png' does for Plotly"
        self.warn(f"a page cannot show an output of the kind {kinds}", advice)
        return self.code("output", f"[An output that a page cannot show: {kinds}]")

    def _start(self, text: str) -> Piece:
        """Return the start of an output that is too long."""
        self.warn(f"an output has {len(text):,} characters", "only its start is shown")
        return self.code("output", terminal(text[:START]) + "\n…")

    def _warn_of_richer(self, data: Data, shown: str) -> None:
        """Warn of the richer forms of an output that only a browser with scripts shows."""
        richer = [printable(kind) for kind in data if kind not in ORDER and kind not in QUIET]
        if shown == "text/plain" and "<script" in data.get("text/html", ""):
            richer.append("text/html that is scripts alone")
        if richer and shown in ("text/plain", "text/html"):
            self.warn(f"a page cannot show {', '.join(richer)}", "its text is shown instead")

    def _picture(self, kind: str, text: str, about: Data) -> Piece | None:
        """Return a picture as a figure; None, and a warning, if it cannot be read."""
        own = mapping(about.get(kind))
        try:
            picture = sized(from_text(text), own)
        except ValueError as error:
            self.warn(f"its {kind} cannot be shown: {error}")
            return None
        alt = own.get("alt") or about.get("alt") or own.get("alternative-text")
        if not alt:
            advice = "give it 'alt' in its metadata, such as display(figure, metadata={'alt': '...'})"
            self.warn("a picture has no alternative text", advice)
            alt = re.sub(r"[*_`$]", "", str(about.get("caption", "")))
        picture.alt = one_line(str(alt or f"Picture, output of {self.place}"))
        return Piece(self.place, picture=picture)


def _addresses(html: str) -> list[str]:
    """Return where the videos, frames and the like are that HTML shows."""
    return [address for _, address in visible(html[:START])[1] if address]


def terminal(text: str) -> str:
    """Return what a terminal shows of a text: no colours, and no characters that were written over."""
    shown = re.sub(r"^.*\r(?=[^\r\n])", "", strip_ansi(str(text)), flags=re.M)
    shown = re.sub(r"^.*\x08.*", _rubbed_out, shown, flags=re.M)
    return "\n".join(map(str.rstrip, shown.split("\n"))).strip("\n")


def _rubbed_out(line: Match) -> str:
    """Return a line without the characters that its backspaces rub out."""
    kept: list[str] = []
    for char in line[0]:
        if char != "\b":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)
