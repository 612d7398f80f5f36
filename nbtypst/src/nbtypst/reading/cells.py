"""A notebook's cells as pieces of a page: text, code, outputs, figures and tables, in order."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from nbconvert.filters import strip_ansi

from nbtypst.problems import Problems, name_of
from nbtypst.reading.markdown import (
    Block,
    drawn,
    from_latex,
    from_latex_text,
    from_markdown,
    lost,
    plain_code,
    printable,
    sanitise,
)
from nbtypst.reading.pictures import Picture, from_output
from nbtypst.reading.widgets import widget_of

PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
WORDS = "text/latex, words"  # LaTeX that is no formula: what else there is goes before it
ORDER = ("image/svg+xml", "text/markdown", "text/latex", *PICTURES[1:], "text/html", WORDS, "text/plain")
LATEX = {"text/latex": from_latex, WORDS: from_latex_text}
QUIET = ("application/pdf", "application/vnd.dataresource+json")  # beside another form of the same
TALL, START = 2_000_000, 20_000  # characters of one output: more is no page, and what is then shown


@dataclass
class Piece:
    """A part of the page: HTML still to be read, or blocks; for a figure or table its caption is HTML too."""

    place: str  # the cell, for people
    kind: str = "text"  # text, input, output, error, figure, table
    html: str | None = None
    caption: str | None = None
    blocks: list[Block] = field(default_factory=list)
    words: list[Block] = field(default_factory=list)  # of the caption
    name: str = ""  # what a mention links to: fig-3
    picture: Picture | None = None
    attachments: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    widget: str = ""  # what moves, after the text


def pieces(nb: Any, problems: Problems, hide_code: bool, widgets: bool = False) -> list[Piece]:
    """Every piece of a notebook; what has no form that a page can hold is text, and a problem.

    A cell that asks for a widget is there only on a page that shows `widgets`.
    """
    found: list[Piece] = []
    info = nb.metadata.get("language_info", {})
    language = re.sub(r"[^\w+#-]", "", str(info.get("name", "python")))
    for number, cell in enumerate(nb.cells, 1):
        place = name_of(number, cell)
        if cell.cell_type == "markdown":
            widget = widget_of(cell)
            if widgets or not widget:
                found.append(_markdown(cell.source, place, problems, cell.get("attachments", {})))
                found[-1].widget = widget
        elif cell.cell_type == "code":
            hidden = hide_code or cell.metadata.get("transient", {}).get("remove_source")
            if cell.source.strip() and not hidden:
                found.append(Piece(place, "input", blocks=[plain_code(cell.source, language)]))
            for output in cell.get("outputs", ()):
                found += _output(output, place, problems, "raises-exception" in cell.metadata.get("tags", ()))
        elif cell.cell_type == "raw":
            found += _raw(cell, place, problems)
        else:  # of a later format
            problems.warn(place, f"no page has cells of the kind {cell.cell_type!r}", "its text is shown")
            found.append(Piece(place, blocks=[plain_code(str(cell.get("source", "")))]))
    return found


def _markdown(source: str, place: str, problems: Problems, attachments: Any = None) -> Piece:
    try:
        html = from_markdown(source)
    except (RecursionError, RuntimeError, ValueError, TypeError, AttributeError, IndexError, KeyError):
        problems.warn(place, "its Markdown cannot be read", "it is shown as it is written")
        return Piece(place, blocks=[plain_code(source)])
    html = drawn(html)
    _lost(html, place, problems)
    return Piece(place, html=_addresses(html), attachments=dict(attachments or {}))


def _lost(html: str, place: str, problems: Problems) -> None:
    for tag, address in lost(html):
        if tag != "script":
            problems.warn(
                place, f"a page cannot show <{tag}>", f"it is a link to {address}" if address else ""
            )


def _addresses(html: str) -> str:
    """HTML with a visible word, or a link, for each element that no page shows."""

    def word(match: re.Match[str]) -> str:
        tag, rest = match[1].lower(), match[2]
        source = re.search(r"""(?:src|data)\s*=\s*["']?\s*(https?://[^\s"'<>]+)""", rest, re.I)
        shown = f'<a href="{source[1]}">[{tag}: {source[1]}]</a>' if source else f"[{tag}]"
        return f"<p>{shown}</p>{match[0]}"

    return re.sub(r"<(iframe|video|audio|embed|object|canvas)\b([^>]*)>", word, html, flags=re.I)


def _raw(cell: Any, place: str, problems: Problems) -> list[Piece]:
    """A raw cell meant for this kind of page, or for no kind in particular; others are for others."""
    kind = str(cell.metadata.get("raw_mimetype", cell.metadata.get("format", ""))).lower()
    if kind == "text/markdown":
        return [_markdown(cell.source, place, problems)]
    if kind == "text/html":
        _lost(cell.source, place, problems)
        return [Piece(place, html=_addresses(cell.source))]
    if kind in ("", "text/plain"):
        return [Piece(place, "output", blocks=[plain_code(cell.source)])] if cell.source.strip() else []
    return []


def _output(output: Any, place: str, problems: Problems, expected: bool) -> list[Piece]:
    if output.output_type == "stream":
        text = terminal(output.text)
        return [Piece(place, "output", blocks=[plain_code(text)])] if text.strip() else []
    if output.output_type == "error":
        if not expected:
            problems.only_strict(place, f"it shows an error, {output.ename}: {output.evalue}", "run it again")
        text = terminal("\n".join(output.traceback)) or f"{output.ename}: {output.evalue}"
        return [Piece(place, "error", blocks=[plain_code(text)])]
    about = dict(output.get("metadata", {}))
    if about.get("role") == "caption":
        return []
    return [_display(dict(output.get("data", {})), about, place, problems)]


def terminal(text: str) -> str:
    """What a terminal shows of a text: colours taken off, lines that were written over gone."""
    lines = strip_ansi(str(text)).replace("\r\n", "\n").split("\n")
    kept = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    while any("\b" in line for line in kept):
        kept = [re.sub(r"^\x08|[^\x08]\x08", "", line) for line in kept]
    return "\n".join(line.rstrip() for line in kept).strip("\n")


def _display(data: dict[str, Any], about: dict[str, Any], place: str, problems: Problems) -> Piece:
    """The best form of an output that a page can hold."""
    name = _name(about)
    caption = from_markdown(str(about["caption"])) if about.get("caption") else None
    checks = [check for check in about.get("checks", ()) if isinstance(check, dict)]
    for kind in (kind for kind in ORDER if kind.partition(",")[0] in data):
        raw = data[kind.partition(",")[0]]
        text = "".join(map(str, raw)) if isinstance(raw, list) else str(raw)
        piece = None
        if kind in PICTURES:
            piece = _picture(kind, text, about, place, problems)
        elif len(text) > TALL:
            piece = _start(text, place, problems)
        elif kind == "text/markdown":
            piece = _markdown(text, place, problems)
            piece.kind = "table" if name.startswith("tbl-") or caption else "text"
        elif kind in LATEX and (html := LATEX[kind](text)):
            piece = Piece(place, html=html)
        elif kind == "text/html" and re.sub(r"<(?!img|hr|table)[^>]*>|\s", "", sanitise(drawn(text))):
            text = drawn(text)
            _lost(text, place, problems)
            piece = Piece(place, html=_addresses(text))
        elif kind == "text/plain":
            piece = Piece(place, "output", blocks=[plain_code(terminal(text))])
        if piece is not None:
            _missed(data, kind, place, problems)
            piece.name, piece.caption, piece.checks = name, caption, checks
            return piece
    kinds = ", ".join(sorted(data)) or "nothing"
    words = data.get("text/latex", data.get("text/html", ""))
    if not words and "application/json" in data:
        words = json.dumps(data["application/json"], indent=1, ensure_ascii=False)
        piece = Piece(place, "output", blocks=[plain_code(words)])
        piece = piece if len(words) <= START else _start(words, place, problems)
        piece.checks = checks
        return piece
    problems.warn(place, f"a page cannot show an output of the kind {kinds}", "give it a text/plain form too")
    shown = f"[An output that a page cannot show: {kinds}]"
    return Piece(place, "output", blocks=[plain_code(shown)], checks=checks)


def _start(text: str, place: str, problems: Problems) -> Piece:
    """The start of an output that is too long."""
    problems.warn(place, f"an output has {len(text):,} characters", "only its start is shown")
    return Piece(place, "output", blocks=[plain_code(text[:START] + "\n…")])


def _missed(data: dict[str, Any], shown: str, place: str, problems: Problems) -> None:
    """Say which richer form an output has that only a browser with scripts shows."""
    richer = [kind for kind in data if kind not in ORDER and kind not in QUIET]
    if "text/html" in data and shown == "text/plain":
        richer.append("text/html that is scripts alone")
    if richer and shown in ("text/plain", "text/html"):
        problems.warn(
            place, f"a page cannot show {', '.join(map(printable, richer))}", "its text is shown instead"
        )


def _name(about: dict[str, Any]) -> str:
    """The id of a figure or table, if it is one of ours: fig-3, tbl-a1."""
    name = str(about.get("id", ""))
    return name if re.fullmatch(r"(?:fig|tbl)-[a-z0-9]+(?:\.[0-9]+)?", name) else ""


def _picture(kind: str, text: str, about: dict[str, Any], place: str, problems: Problems) -> Piece | None:
    own = about.get(kind, {}) if isinstance(about.get(kind), dict) else {}
    try:
        picture = from_output(kind, text, own)
    except ValueError as error:
        problems.warn(place, f"its {kind} cannot be shown: {error}")
        return None
    alt = own.get("alt") or about.get("alt") or own.get("alternative-text")
    caption = re.sub(r"[*_`$]", "", str(about.get("caption", "")))
    if not alt:
        advice = "give it 'alt' in its metadata, such as display(figure, metadata={'alt': '...'})"
        problems.warn(place, "a picture has no alternative text", advice)
    picture.alt = " ".join(printable(str(alt or caption or f"Picture, output of {place}")).split())
    return Piece(place, "figure", picture=picture)
