"""pandoc's blocks with nothing unknown in them: pictures looked up, math made ready, addresses checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from pandocfilters import stringify

from nbtypst.problems import Problems
from nbtypst.reading.cells import Piece
from nbtypst.reading.formulas import formula
from nbtypst.reading.markdown import DISPLAY, INLINE, Block, printable
from nbtypst.reading.pictures import Picture, Remote, from_address
from nbtypst.reading.references import nodes

NOTHING = ["", [], []]
_WRAPPERS = ("Emph", "Underline", "Strong", "Strikeout", "Superscript", "Subscript", "SmallCaps")
_OUTSIDE = re.compile(r"(?:https?://|mailto:)\S", re.I)
_NUMBER = re.compile(r"(?:[-+−]?[\d.,]+(?:e[-+]?\d+)?[%jJ]?|NaN|nan|None|-?inf|NA|)", re.I)
DEEPEST = 12  # nested blocks


def _align_numbers(columns: list[Any], rows: list[list[Any]]) -> None:
    """Columns of nothing but numbers, whose alignment no one set, have them at the right."""
    for number, column in enumerate(columns):
        cells = [row[number] for row in rows if len(row) == len(columns)]
        own = {alignment["t"] for alignment in (column[0], *(cell[1] for cell in cells))}
        words = [" ".join(stringify(cell[4]).split()) for cell in cells]
        if own == {"AlignDefault"} and any(map(str.strip, words)) and all(map(_NUMBER.fullmatch, words)):
            column[0] = {"t": "AlignRight"}


@dataclass
class Tidier:
    """What the tidying of one notebook needs, and the pictures and macros that it finds."""

    problems: Problems
    folder: str | None
    pictures: dict[str, Picture] = field(default_factory=dict)
    macros: dict[str, tuple[int, str]] = field(default_factory=dict)

    def piece(self, piece: Piece) -> list[Block]:
        """The blocks of a piece; a figure is a Div of its caption, a table has its caption in it."""
        words = self.blocks(piece.words, piece)
        if piece.picture:
            return [self._figure(self._keep(piece.picture), piece.name, words)]
        blocks = self.blocks(piece.blocks, piece)
        if piece.kind in ("input", "output", "error"):
            blocks = [{"t": "Div", "c": [["", [piece.kind], []], blocks]}]
        if piece.widget:
            blocks.append({"t": "Div", "c": [[piece.widget, ["widget"], []], []]})
        tables = [block for block in blocks if block["t"] == "Table"]
        if words and len(tables) == 1:
            tables[0]["c"][0], tables[0]["c"][1] = [piece.name, [], []], [None, words]
        elif words or piece.name:
            blocks = [{"t": "Div", "c": [[piece.name, ["named"], []], [*words, *blocks]]}]
        return blocks

    def _keep(self, picture: Picture) -> str:
        key = f"picture-{len(self.pictures) + 1}"
        self.pictures[key] = picture
        return key

    @staticmethod
    def _figure(key: str, name: str, words: list[Block]) -> Block:
        return {"t": "Div", "c": [[name, ["figure"], [["key", key]]], words]}

    def blocks(self, blocks: list[Block], piece: Piece, depth: int = 0) -> list[Block]:
        """Tidy blocks; those of a Div or a Figure are in its place."""
        if depth > DEEPEST:
            self.problems.warn(
                piece.place, "its lists or quotations are nested too deeply", "what is deeper is plain text"
            )
            return [{"t": "Plain", "c": [{"t": "Str", "c": stringify(blocks)}]}]
        return [one for block in blocks for one in self._block(block, piece, depth)]

    def _block(self, block: Block, piece: Piece, depth: int) -> list[Block]:
        kind, content = block["t"], block.get("c", [])
        if kind in ("Plain", "Para"):
            return self._paragraph(kind, self.inlines(content, piece))
        if kind == "Header":
            return self._heading(content, piece)
        if kind == "CodeBlock":
            classes = [c for c in content[0][1] if re.fullmatch(r"[\w+#-]{1,30}", c)]
            classes = [classes[0].removeprefix("language-")] if classes else []
            return [{"t": "CodeBlock", "c": [["", classes, []], printable(content[1])]}]
        if kind == "BlockQuote":
            return [{"t": kind, "c": self.blocks(content, piece, depth + 1)}]
        if kind == "BulletList":
            return [{"t": kind, "c": [self.blocks(item, piece, depth + 1) for item in content]}]
        if kind == "OrderedList":
            start = [max(0, min(content[0][0], 999_999)), *content[0][1:]]
            return [{"t": kind, "c": [start, [self.blocks(item, piece, depth + 1) for item in content[1]]]}]
        if kind == "DefinitionList":
            items = [
                [self.inlines(term, piece), [self.blocks(one, piece, depth + 1) for one in meanings]]
                for term, meanings in content
            ]
            return [{"t": kind, "c": items}]
        if kind == "HorizontalRule":
            return [{"t": kind}]
        if kind == "Table":
            return self._table(content, piece, depth)
        if kind == "Div":
            return [*self._anchor(content[0][0]), *self.blocks(content[1], piece, depth + 1)]
        (name, _, _), (_, caption), inside = content  # of a Figure
        return [*self._anchor(name), *self.blocks([*inside, *caption], piece, depth + 1)]

    def _anchor(self, name: str) -> list[Block]:
        span = self._span(name, [])
        return [{"t": "Plain", "c": span}] if span else []

    @staticmethod
    def _span(name: str, inlines: list[Any]) -> list[Any]:
        name = re.sub(r"\s", "-", printable(name))[:100]
        return [{"t": "Span", "c": [[name, [], []], []]}, *inlines] if name else inlines

    def _paragraph(self, kind: str, inlines: list[Any]) -> list[Block]:
        """A paragraph, its pictures that stand alone as figures."""
        words = [item for item in inlines if item["t"] not in ("Space", "SoftBreak", "LineBreak")]
        if words and all(self._key(item) for item in words):
            return [self._figure(self._key(item), "", []) for item in words]
        return [{"t": kind, "c": inlines}] if inlines else []

    @staticmethod
    def _key(item: Any) -> str:
        return item["c"][0][2][0][1] if item["t"] == "Span" and item["c"][0][1] == ["picture"] else ""

    def _heading(self, content: Any, piece: Piece) -> list[Block]:
        level, _, inlines = content
        inlines = self.inlines(inlines, piece)
        if not stringify(inlines).strip():
            return self._paragraph("Para", inlines)
        anchors: list[Block] = []  # outside, since the contents repeat what is in the heading
        for node in nodes(inlines):
            if node["t"] == "Span" and node["c"][0][0]:
                anchors += self._anchor(node["c"][0][0])
                node["c"][0][0] = ""
        return [*anchors, {"t": "Header", "c": [level, ["", [], []], inlines]}]

    def _table(self, content: Any, piece: Piece, depth: int) -> list[Block]:
        """A table, its cells tidy; its columns share the width by what they hold."""
        _, caption, columns, head, bodies, foot = content

        def row(given: Any) -> Any:
            cells = [[NOTHING, c[1], *c[2:4], self.blocks(c[4], piece, depth + 1)] for c in given[1]]
            return [NOTHING, cells]

        rows = [[row(one) for one in head[1]]]
        rows += [[row(one) for part in (body[2], body[3]) for one in part] for body in bodies]
        rows += [[row(one) for one in foot[1]]]
        above = self.blocks(caption[1], piece, depth + 1)
        if not any(cells for part in rows for _, cells in part):
            return above
        columns = [[alignment, {"t": "ColWidthDefault"}] for alignment, _ in columns]
        _align_numbers(columns, [cells for part in rows[1:] for _, cells in part])
        cells = [cell[4] for part in rows for _, row_cells in part for cell in row_cells]
        if sum(map(len, rows)) == 1 and any(one["t"] == "Table" for cell in cells for one in cell):
            return [*above, *(one for cell in cells for one in cell)]  # a layout of tables side by side
        if not rows[0]:  # a table needs header cells
            rows[0] = [next(part for part in rows[1:] if part).pop(0)]
        made = [[NOTHING, body[1], [], part] for body, part in zip(bodies, rows[1:-1], strict=True)]
        table = [NOTHING, [None, above], columns, [NOTHING, rows[0]], made, [NOTHING, rows[-1]]]
        return [{"t": "Table", "c": table}]

    def inlines(self, inlines: list[Any], piece: Piece) -> list[Any]:
        """Tidy inlines."""
        return [one for item in inlines for one in self._inline(item, piece)]

    def _inline(self, item: Any, piece: Piece) -> list[Any]:
        kind, content = item["t"], item.get("c")
        if kind == "Str":
            return [{"t": kind, "c": printable(content)}]
        if kind in ("Space", "SoftBreak", "LineBreak"):
            return [{"t": kind}]
        if kind in _WRAPPERS:
            inner = self.inlines(content, piece)
            return [{"t": kind, "c": inner}] if inner else []
        if kind == "Quoted":
            return [{"t": kind, "c": [content[0], self.inlines(content[1], piece)]}]
        if kind == "Code":
            return self._code(content)
        if kind == "Link":
            return self._link(content, piece)
        if kind == "Image":
            return self._image(content, piece)
        return self._span(content[0][0], self.inlines(content[1], piece))  # of a Span

    def _code(self, content: Any) -> list[Any]:
        display = DISPLAY in content[0][1]
        if not display and INLINE not in content[0][1]:
            return [{"t": "Code", "c": [NOTHING, printable(content[1])]}]
        made = formula(display, content[1], self.macros)
        if not made.latex.strip():
            return []
        kind = {"t": "DisplayMath" if display else "InlineMath"}
        return [{"t": "Math", "c": [kind, made.latex], "formula": made}]

    def _link(self, content: Any, piece: Piece) -> list[Any]:
        """A link to the network or into the page; any other is its text."""
        inner = self.inlines(content[1], piece)
        address = printable(content[2][0]).strip()
        if address.startswith("#") or _OUTSIDE.match(address):
            return [{"t": "Link", "c": [NOTHING, inner or [{"t": "Str", "c": address}], [address, ""]]}]
        return inner

    def _image(self, content: Any, piece: Piece) -> list[Any]:
        (_, _, pairs), inlines, (address, title) = content
        alt = " ".join(stringify(inlines).split()) or printable(title)
        try:
            found = from_address(printable(address), self.folder, piece.attachments, dict(pairs))
        except Remote:
            self.problems.warn(
                piece.place,
                f"the picture {address} is on the network",
                "it is a link; store it beside the notebook",
            )
            address = "https:" + address if address.startswith("//") else address
            words = [{"t": "Str", "c": alt or address}]
            return [{"t": "Link", "c": [NOTHING, words, [address, ""]]}] if _OUTSIDE.match(address) else words
        except (ValueError, OSError) as error:
            shown = alt or PurePosixPath(unquote(address[:100])).name or "picture"
            self.problems.warn(
                piece.place, f"a picture cannot be shown: {error}", "its text stands in its place"
            )
            return [{"t": "Str", "c": printable(f"[{shown}]")}]
        if not alt:
            alt = PurePosixPath(unquote(address[:200])).name if ":" not in address[:6] else address[11:60]
            alt = alt if not address.startswith("data:") else f"Picture in {piece.place}"
            self.problems.warn(
                piece.place,
                f"the picture {alt} has no alternative text",
                "write it as ![what it shows](file)",
            )
        found.alt = " ".join(printable(alt).split()) or "Picture"
        return [{"t": "Span", "c": [["", ["picture"], [["key", self._keep(found)]]], []]}]
