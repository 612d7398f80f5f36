"""A document as Typst source: text is in string literals only, so that none of it can be code."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from pandocfilters import stringify

from nbtypst.reading.document import Document
from nbtypst.reading.formulas import Formula
from nbtypst.reading.markdown import Block
from nbtypst.reading.references import PREFIX
from nbtypst.reading.speech import read_aloud

WIDTH, HEIGHT = 378.0, 640.0  # points of the type area: what a picture may fill
LONG = re.compile(r"[^\s\u200b]{40}")  # a word that may need a break
_CALLS = {
    "Emph": "emph",
    "Underline": "underline",
    "Strong": "strong",
    "Strikeout": "strike",
    "Superscript": "super",
    "Subscript": "sub",
    "SmallCaps": "smallcaps",
}
_ALIGN = {"AlignLeft": "left", "AlignRight": "right", "AlignCenter": "center", "AlignDefault": "left"}


@dataclass
class Writer:
    """Writes one document; what turned out not to compile is shown in another way and noted."""

    document: Document
    formulas: dict[Formula, str]
    broken: set[Any] = field(default_factory=set)  # formulas and pictures that do not compile
    stand_ins: dict[str, str] = field(default_factory=dict)  # for characters that no font has
    floats: set[str] = field(default_factory=set)  # figures that go to the top of the next page
    marks: list[tuple[str, Any]] = field(default_factory=list)  # cell, formula or picture
    fragile: dict[int, Any] = field(default_factory=dict)  # line: formula or picture
    shown_as_text: dict[Any, str] = field(default_factory=dict)  # formula: cell
    dropped: dict[str, str] = field(default_factory=dict)  # picture: cell
    replaced: dict[str, str] = field(default_factory=dict)  # character: cell
    place: str = ""
    leads: bool = False  # whether a displayed equation follows

    def write(self) -> str:
        """The source of the document's body."""
        self.marks, self.fragile = [], {}
        text = ""
        blocks = self.document.blocks
        for (place, block), (_, following) in zip(blocks, [*blocks[1:], ("", {"t": ""})], strict=False):
            self.place, self.leads = place, _begins_with_display(following)
            text += self.block(block) + "\n\n"
        for number, line in enumerate(text.split("\n"), 1):
            if match := re.match(r"/\*(\d+)\*/", line):
                self.fragile[number] = self.marks[int(match[1])][1]
        return text

    def _mark(self, what: Any) -> str:
        """A comment by which an error's line leads to what is written there."""
        self.marks.append((self.place, what))
        return f"/*{len(self.marks) - 1}*/"

    def string(self, text: str) -> str:
        """A Typst string literal."""
        for char in set(text) & set(self.stand_ins):
            self.replaced.setdefault(char, self.place)
            text = text.replace(char, self.stand_ins[char])
        if self.stand_ins:
            text = text.replace("][U+", " U+")
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + text.replace("\n", "\\n").replace("\r", "").replace("\t", "    ") + '"'

    def blocks(self, blocks: list[Block]) -> str:
        """Blocks as the inside of a Typst content block."""
        return "\n\n".join(self.block(block) for block in blocks)

    def block(self, block: Block) -> str:
        """One block."""
        kind, content = block["t"], block.get("c", [])
        if kind in ("Plain", "Para"):
            return self._paragraph(content)
        if kind == "Header":
            level, (name, _, _), inlines = content
            appendix = level == 1 and stringify(inlines).startswith("Appendix")
            start = "#place.flush()\n" + ("#pagebreak(weak: true)\n" if appendix else "")
            return f"{start}#heading(level: {level})[{self.inlines(inlines)}]#label({self.string(name)})"
        if kind == "CodeBlock":
            return self.code("plain", content)
        if kind == "BlockQuote":
            return f"#quote(block: true)[{self.blocks(content)}]"
        if kind == "BulletList":
            return f"#list({self._items(content)})"
        if kind == "OrderedList":
            return f"#enum(start: {content[0][0]}, {self._items(content[1])})"
        if kind == "DefinitionList":
            items = [
                (self.inlines(term), "\n\n".join(map(self.blocks, meanings))) for term, meanings in content
            ]
            return "#terms(" + "".join(f"terms.item([{term}], [{words}])," for term, words in items) + ")"
        if kind == "HorizontalRule":
            return "#nb.rule"
        if kind == "Table":
            return self.table(content)
        return self._div(content)

    def _items(self, items: list[list[Block]]) -> str:
        tight = all(block["t"] != "Para" for item in items for block in item)
        return f"tight: {str(tight).lower()}, " + "".join(f"[{self.blocks(item)}]," for item in items)

    def _div(self, content: Any) -> str:
        (name, classes, pairs), blocks = content
        if "figure" in classes:
            return self.figure(name, dict(pairs)["key"], blocks)
        if classes and classes[0] in ("input", "output", "error"):
            return self.code(classes[0], blocks[0]["c"])
        label = f"#metadata(none)#label({self.string(name)})" if name else ""
        return label + self.blocks(blocks)

    def code(self, style: str, content: Any) -> str:
        """A block of code: its words may break anywhere, so that none is cut."""
        (_, classes, _), text = content
        text = LONG.sub(lambda m: m[0] + "\u200b", text)
        language = self.string({"ipython3": "python", "ipython": "python"}.get(c := (classes or [""])[0], c))
        return f"#nb.code({self.string(style)}, {language}, {self.string(text)})" if text.strip() else ""

    def _paragraph(self, inlines: list[Any]) -> str:
        """A paragraph, its display equations as blocks; one sticks to the words that lead to it."""
        parts: list[str] = []
        run: list[Any] = []
        for item in [*inlines, None]:
            display = item is not None and item["t"] == "Math" and item["formula"].display
            if item is not None and not display:
                run.append(item)
                continue
            words = self.inlines(run)
            if words.strip():
                if _leftwards(stringify(run)):
                    words = f"#text(dir: rtl)[{words}]"
                short = len(stringify(run)) < 600
                sticks = short and (display or self.leads)
                parts.append(f"#block(sticky: true, below: 1.1em)[{words}]" if sticks else words)
            run = []
            if display:
                parts.append(self.math(item["formula"]))
        return "\n\n".join(parts)

    def inlines(self, inlines: list[Any]) -> str:
        """Inlines as markup that is calls alone."""
        text, run = "", ""
        for item in [*inlines, None]:
            kind = item["t"] if item else ""
            if kind == "Str":
                run += item["c"]
            elif kind in ("Space", "SoftBreak"):
                run += " "
            else:
                if run:
                    text += f"#{self.string(LONG.sub(lambda m: m[0] + chr(0x200B), re.sub(' +', ' ', run)))};"
                    run = ""
                text += self._inline(item) if item else ""
        return text

    def _inline(self, item: Any) -> str:
        kind, content = item["t"], item.get("c")
        if kind in _CALLS:
            return f"#{_CALLS[kind]}[{self.inlines(content)}];"
        if kind == "Quoted":
            open_, close = "‘’" if content[0]["t"] == "SingleQuote" else "“”"
            return self.inlines([{"t": "Str", "c": open_}, *content[1], {"t": "Str", "c": close}])
        if kind == "Code":
            return f"#raw({self.string(LONG.sub(lambda m: m[0] + chr(0x200B), content[1]))});"
        if kind == "LineBreak":
            return "#linebreak();"
        if kind == "Math":
            return self.math(item["formula"])
        if kind == "Link":
            address = content[2][0]
            target = f"label({self.string(address[1:])})" if address.startswith("#") else self.string(address)
            return f"#link({target})[{self.inlines(content[1])}];"
        (name, classes, pairs), inner = content  # of a Span
        if classes == ["picture"]:
            return self._picture(dict(pairs)["key"])
        return (f"#metadata(none)#label({self.string(name)});" if name else "") + self.inlines(inner)

    def math(self, formula: Formula) -> str:
        """A formula with its reading in words, or its source where Typst cannot set it."""
        name = PREFIX["equation"] + formula.tag.lower() if formula.tag else ""
        body = self.formulas.get(formula)
        if body is None or formula in self.broken:
            self.shown_as_text[formula] = self.place
            source = self.string(formula.latex + (rf" \tag{{{formula.tag}}}" if formula.tag else ""))
            label = f"#metadata(none)#label({self.string(name)});" if name else ""
            return label + (
                f'#nb.code("plain", "latex", {source})' if formula.display else f"#raw({source});"
            )
        alt = self.string(read_aloud(formula.latex) + (f", equation {formula.tag}" if formula.tag else ""))
        if not formula.display:
            return f"#nb.read({alt},\n{self._mark(formula)}${body}$\n);"
        tag = self.string(formula.tag) if formula.tag else "none"
        boxed = str(formula.boxed).lower()
        return f"#nb.display({alt}, {tag}, {self.string(name)}, {boxed},\n{self._mark(formula)}$ {body} $\n)"

    def _image(self, key: str, most: float) -> str:
        picture = self.document.pictures[key]
        width = min(picture.width, most, HEIGHT * picture.width / picture.height)
        height = f", height: {width * picture.height / picture.width:.2f}pt"
        alt = self.string(picture.alt)
        return f'image("{key}.{picture.kind}", alt: {alt}, width: {width:.2f}pt{height}, fit: "stretch")'

    def _dropped(self, key: str) -> str:
        self.dropped[key] = self.place
        return f"#{self.string(f'[{self.document.pictures[key].alt}]')};"

    def _picture(self, key: str) -> str:
        if key in self.broken:
            return self._dropped(key)
        return f"#box(baseline: 20%,\n{self._mark(key)}{self._image(key, WIDTH)}\n);"

    def figure(self, name: str, key: str, caption: list[Block]) -> str:
        """A picture with its caption; without one it stays where it is."""
        words = self.blocks(caption)
        label = f"#label({self.string(name)})" if name else ""
        if key in self.broken:
            return f"#metadata(none){label} {self._dropped(key)}\n\n{words}"
        image = f"{self._mark(key)}{self._image(key, WIDTH)}"
        place = "top" if name in self.floats else "none"
        # a name that no heading has
        inside = f"#metadata(none)#label({self.string(f'in:{name}')})" if name else ""
        body = f"caption: [{inside}{words}]" if words.strip() or name else "caption: none"
        return f"#figure(kind: image, placement: {place}, {body},\n{image}\n){label}"

    def table(self, content: Any) -> str:
        """A table, its first rows as header cells."""
        (name, _, _), (_, above), columns, head, bodies, foot = content
        rows = [*head[1], *(row for body in bodies for row in body[3]), *foot[1]]
        aligned = ", ".join(_ALIGN[alignment["t"]] for alignment, _ in columns)
        cells = [f"table.header({''.join(map(self._row, head[1]))}),"] if head[1] else []
        cells += [self._row(row) for row in rows[len(head[1]) :]]
        body = f"table(columns: {self._widths(rows, len(columns))}, align: ({aligned},), {''.join(cells)})"
        words = self.blocks(above)
        caption = f"[{words}]" if words.strip() else "none"
        label = f"#label({self.string(name)})" if name else ""
        return f"#figure(kind: table, caption: {caption}, nb.fitted({body})){label}"

    def _row(self, row: Any) -> str:
        made = ""
        for _, alignment, rows, columns, blocks in row[1]:
            span = f"rowspan: {rows}, colspan: {columns}, " if (rows, columns) != (1, 1) else ""
            own = f"align: {_ALIGN[alignment['t']]}, " if alignment["t"] != "AlignDefault" else ""
            made += f"table.cell({span}{own}[{self.blocks(blocks)}]),"
        return made

    @staticmethod
    def _widths(rows: list[Any], count: int) -> str:
        """Columns as wide as they are; where one has long text, in proportion to roots of their lengths."""
        lengths: list[list[int]] = [[] for _ in range(count)]
        for row in rows:
            if len(row[1]) == count:
                for cell, column in zip(row[1], lengths, strict=True):
                    column.append(len(stringify(cell[4])))
        longest = [max(column, default=0) for column in lengths]
        if max(longest, default=0) <= 40 or count > 8:
            return str(count)
        means = [sum(column) / max(len(column), 1) for column in lengths]
        share = [math.sqrt(max(mean, 1.0)) for mean in means]
        return (
            "("
            + "".join(
                "auto," if long < 14 else f"{part:.2f}fr," for long, part in zip(longest, share, strict=True)
            )
            + ")"
        )


def _begins_with_display(block: Block) -> bool:
    """Whether a block is a paragraph that begins with a displayed equation."""
    first = block["c"][:1] if block["t"] == "Para" else []
    return bool(first) and first[0]["t"] == "Math" and first[0]["formula"].display


def _leftwards(text: str) -> bool:
    """Whether a text is read from right to left: its first letter with a direction is."""
    kinds = (unicodedata.bidirectional(char) for char in text[:200])
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


def stand_in(char: str) -> str:
    """Words for a character that no font here has: its name in brackets; "" for one that has no shape."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc", "Co") or 0xFE00 <= ord(char) <= 0xFE0F:
        return ""
    name = unicodedata.name(char, "")
    return f"[U+{ord(char):04X}]" if not name or "IDEOGRAPH" in name else f"[{name.lower()}]"
