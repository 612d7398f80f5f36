"""pandoc's blocks normalised: pictures resolved, math parsed, unsafe links and unknown nodes gone.

Three nodes hold what pandoc has no place for. The content of a Picture, an inline, is a `Picture`; that of a
Figure is like a table's, its attributes and its caption, with a `Picture` behind them. The content of a Math
node is a `Formula`; its first two fields stand where pandoc has a formula's kind and LaTeX.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from pandocfilters import Code, CodeBlock, Div, Header, Link, Plain, Span, Str, stringify

from nbtypst.problems import Problems
from nbtypst.reading.cells import Piece
from nbtypst.reading.formulas import Macros, formula
from nbtypst.reading.markdown import (
    DISPLAY,
    INLINE,
    NOTHING,
    REFERENCE,
    Block,
    Blocks,
    Inlines,
    one_line,
    printable,
)
from nbtypst.reading.pictures import Picture, from_address
from nbtypst.reading.references import BREAKS, CAPTIONED, KINDS, nodes, rewritten, words_of

KINDS_OF_BLOCKS = {"fig": "Figure", "tbl": "Table"}
_QUOTES = {"DoubleQuote": ("“", "”"), "SingleQuote": ("‘", "’")}
_CAPTION = re.compile(rf"(Figure|Figur|Table|Tabell) ({CAPTIONED})\s*[.:]\s")
_NUMBER = re.compile(r"(?:[-+−]?[\d.,]+(?:e[-+]?\d+)?[%jJ]?|NaN|nan|None|-?inf|NA|)", re.I)


@dataclass
class Tidier:
    """The tidier of one piece; all pieces of a notebook share the list of pictures and the macros."""

    piece: Piece
    problems: Problems
    folder: str | None
    pictures: list[Picture]
    macros: Macros

    def tidy(self) -> Blocks:
        """Return the piece's blocks; a figure or a table has its caption in it."""
        piece = self.piece
        words = rewritten(piece.caption.blocks, self._node) if piece.caption else []
        blocks = _captioned(rewritten(piece.blocks, self._node))
        if piece.picture:
            blocks = [_figure(self._kept(piece.picture))]
        if piece.kind:
            blocks = [Div(["", [piece.kind], []], blocks)]
        if piece.widget:
            blocks.append(Div([piece.widget, ["widget"], []], []))
        if words or piece.name:
            named = [block for block in blocks if block["t"] in KINDS_OF_BLOCKS.values()]
            if len(named) != 1:
                return [Div([piece.name, ["named"], []], [*words, *blocks])]
            _name(named[0], piece.name, words)
        return blocks

    def _warn(self, what: str, advice: str) -> None:
        self.problems.warn(self.piece.place, what, advice)

    def _kept(self, picture: Picture) -> Picture:
        """Return a picture with a name, new among the notebook's."""
        self.pictures.append(picture)
        picture.name = f"picture-{len(self.pictures)}"
        return picture

    def _node(self, node: Block) -> list[Any]:
        """Return what a node, whose content is tidy, becomes: mostly one of the same kind."""
        kind = node["t"]
        content: Any = node.get("c")
        match kind:
            case "Plain" | "Para":
                return _paragraph(kind, content)
            case "Header":
                return _heading(content[0], content[1][0], content[2])
            case "CodeBlock":
                (_, classes, _), text = content
                language = [name.removeprefix("language-") for name in classes[:1]]
                if language == ["mermaid"]:
                    self._warn(
                        "a diagram of Mermaid is shown as its source", "a picture of it would be shown"
                    )
                return [CodeBlock(["", language, []], text)]
            case "Table":
                return _table(content)
            case "Div":
                (name, classes, pairs), inside = content
                blocks = [*_anchor(name), *inside]
                if "hidden" in dict(pairs):
                    return []  # but the macros in it are known
                own = classes[:1] in (["alert"], ["page"])
                return [Div(["", classes, pairs], blocks)] if own else blocks
            case "Figure":
                (name, *_), (_, caption), inside = content
                return [*_anchor(name), *inside, *caption]
            case "Quoted":
                first, last = _QUOTES[content[0]["t"]]
                return [Str(first), *content[1], Str(last)]
            case "Code":
                return self._code(content)
            case "Link":
                return self._link(content)
            case "Image":
                return self._image(content)
            case "Cite":
                return content[1]
            case "Math":  # of a title in a .bib file
                return [{"t": "Math", "c": formula(False, content[1], self.macros)}]
            case "Span":
                (name, _, pairs), inner = content
                if key := dict(pairs).get("unknown"):
                    self._warn(f"'@{key}' is in no .bib file", "correct the key, or add what it names")
                return [] if "hidden" in dict(pairs) else [*_place(name), *inner]
        return [] if content == [] else [node]  # of Emph and the like

    def _code(self, content: Any) -> Inlines:
        """Return code, or the formula that it holds."""
        (_, classes, _), text = content
        if DISPLAY not in classes and INLINE not in classes:
            return [Code(NOTHING, text)]
        made = formula(DISPLAY in classes, text, self.macros)
        math = {"t": "Math", "c": made}
        if re.fullmatch(r"\s*-?[\d.]{60,}\s*", text):  # too long for a line, and no formula breaks
            return [Str(made.latex)]
        reference = REFERENCE.fullmatch(made.latex)
        if reference:
            return [Link(NOTHING, [math], [f"#{reference[2]}", ""])]
        return [math] if made.latex else []

    def _link(self, content: Any) -> Inlines:
        """Return a link to the network or into the page; any other is its text, and mostly a warning."""
        inner: Inlines = []
        for item in content[1]:  # a picture that became a link is a part of this one
            inner += item["c"][1] if item["t"] == "Link" else [item]
        address = content[2][0].strip()
        if address.startswith("#") or re.match(r"(https?://|mailto:)\S", address, re.I):
            return [Link(NOTHING, inner or [Str(address)], [address, ""])]
        if address not in stringify(inner) and "#cell-id=" not in address:  # which JupyterLab alone follows
            self._warn(f"a link leads to the file {address}", "its words alone are shown")
        return inner

    def _image(self, content: Any) -> Inlines:
        """Return a picture; its text, or a link, where it is not to be had."""
        (_, _, sides), inlines, (address, title) = content
        alt = one_line(stringify(inlines)) or one_line(title)
        if re.match(r"(https?:)?//", address, re.I):
            advice = "it is a link; store it beside the notebook"
            self._warn(f"the picture {address} is on the network", advice)
            address = re.sub(r"\A//", "https://", address)
            return [Link(NOTHING, [Str(alt or address)], [address, ""])]
        try:
            found = from_address(address, self.folder, self.piece.attachments, dict(sides))
        except (ValueError, OSError) as error:
            shown = printable(f"[{alt or _file_name(address) or 'picture'}]")
            self._warn(f"a picture cannot be shown: {error}", f"{shown} stands in its place")
            return [Str(shown)]
        if not alt:
            data = address.lower().startswith("data:")
            alt = f"Picture in {self.piece.place}" if data else _file_name(address)
            self._warn(f"the picture {alt} has no alternative text", "write it as ![what it shows](file)")
        found.alt = one_line(alt) or "Picture"
        return [{"t": "Picture", "c": self._kept(found)}]


def _file_name(address: str) -> str:
    return PurePosixPath(unquote(address[:200])).name


def _figure(picture: Picture) -> Block:
    return {"t": "Figure", "c": [NOTHING, [None, []], picture]}


def _name(block: Block, name: str, caption: Blocks) -> None:
    """Give a figure or a table its name and its caption."""
    block["c"][:2] = [[name, [], []], [None, caption]]


def _place(name: str) -> Inlines:
    """Return an empty Span that links can lead to; nothing without a name."""
    return [Span([name, [], []], [])] if name else []


def _anchor(name: str) -> Blocks:
    """Return a block that links can lead to; nothing without a name."""
    return [Plain(_place(name))] if name else []


def _paragraph(kind: str, inlines: Inlines) -> Blocks:
    """Return a paragraph; a figure for each picture in one of nothing but pictures."""
    if len(inlines) > 2 and inlines[0]["t"] == "Picture" and inlines[1]["t"] in BREAKS:
        rest = {"t": kind, "c": inlines[2:]}
        if _CAPTION.match(words_of(rest)):
            return [_figure(inlines[0]["c"]), rest]
    shown = [item for item in inlines if item["t"] not in BREAKS]
    if shown and all(item["t"] == "Picture" for item in shown):
        return [_figure(item["c"]) for item in shown]
    return [{"t": kind, "c": inlines}] if inlines else []


def _heading(level: int, name: str, inlines: Inlines) -> Blocks:
    """Return a heading, its anchors before it, since the contents repeat all that is in a heading."""
    anchors = _anchor(name)
    if not stringify(inlines).strip():
        return [*anchors, *_paragraph("Para", inlines)]
    for node in nodes(inlines, "Span"):
        anchors += _anchor(node["c"][0][0])
        node["c"][0][0] = ""
    return [*anchors, Header(level, NOTHING, inlines)]


def _rows(rows: list[Any]) -> list[Any]:
    """Return rows of a table without attributes."""
    return [[NOTHING, [[NOTHING, *cell] for _, *cell in cells]] for _, cells in rows]


def _table(content: Any) -> Blocks:
    """Return a table with header cells; tables side by side in one row that lays them out, one by one."""
    _, (_, above), columns, (_, head), bodies, (_, foot) = content
    header = _rows(head)
    parts = [*(_rows(first + rows) for _, _, first, rows in bodies), _rows(foot)]
    below = [row for part in parts for row in part]
    rows = header + below
    inside = [cell[4] for _, cells in rows for cell in cells]
    if not inside:
        return above
    columns = [[alignment, {"t": "ColWidthDefault"}] for alignment, _ in columns]
    _align_numbers(columns, below)
    blocks = [block for cell in inside for block in cell]
    if len(rows) == 1 and any(block["t"] == "Table" for block in blocks):
        return above + blocks
    if not header:
        full = next(filter(None, parts))
        deepest = 1  # of the rows that its cells reach over
        while full and len(header) < deepest:
            deepest = max([deepest, *(len(header) + cell[2] for cell in full[0][1])])
            header.append(full.pop(0))
    made = [[NOTHING, body[1], [], part] for body, part in zip(bodies, parts[:-1], strict=True)]
    table = [
        [_numbered(above), [], []],
        [None, above],
        columns,
        [NOTHING, header],
        made,
        [NOTHING, parts[-1]],
    ]
    return [{"t": "Table", "c": table}]


def _captioned(blocks: Blocks) -> Blocks:
    """Return blocks, each paragraph that is a caption in its figure, above it, or in its table, beside it."""
    captions = []
    for number, block in enumerate(blocks):
        name = _numbered(block) if block["t"] in ("Para", "Plain") else ""
        if not name:
            continue
        kind = name.partition("-")[0]
        above = blocks[max(number - 1, 0) : number]
        for other in [*blocks[number + 1 : number + 2], *above] if kind == "tbl" else above:
            if other["t"] == KINDS_OF_BLOCKS[kind] and not other["c"][1][1]:
                _name(other, name, [block])
                captions.append(number)
                break
    return [block for number, block in enumerate(blocks) if number not in captions]


def _numbered(caption: Any) -> str:
    """Return the name of what a caption is of, by its number; "" for a text that is none."""
    found = _CAPTION.match(words_of(caption))
    return f"{KINDS[found[1].lower()]}-{found[2].lower()}" if found else ""


def _align_numbers(columns: list[Any], rows: list[Any]) -> None:
    """Align to the right the columns of nothing but numbers whose alignment no one has set."""
    whole = [cells for _, cells in rows if len(cells) == len(columns)]
    for column, *cells in zip(columns, *whole, strict=True):
        alignments = [column[0], *(cell[1] for cell in cells)]
        words = [one_line(stringify(cell[4])) for cell in cells]
        unset = all(alignment == {"t": "AlignDefault"} for alignment in alignments)
        if unset and any(words) and all(map(_NUMBER.fullmatch, words)):
            column[0] = {"t": "AlignRight"}
