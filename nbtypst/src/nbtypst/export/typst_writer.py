"""A document as Typst source: text is in string literals only, so that none of it can be code."""

import json
import re
import unicodedata
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Any

from pandocfilters import Str, stringify

from nbtypst.reading.document import Document
from nbtypst.reading.formulas import Formula
from nbtypst.reading.markdown import Block, Blocks, Inlines
from nbtypst.reading.pictures import Picture
from nbtypst.reading.references import TEXT, nodes, words_of
from nbtypst.reading.speech import read_aloud

WIDTH = 378.0  # points of the type area, which a picture may fill
HEIGHT = 640.0
DEEPEST = 12  # nested blocks: Typst's own limit is a few more
LONG = re.compile(r"[^\s\u200b]{40}")  # a word that may need a break
_PARTED = "\\g<0>\u200b"  # a match with a place behind it where a word may be broken
_TALL = re.compile(r"(?<!\\)/|\b(?:frac|mat|vec)\(")  # a formula that reaches into the gap between rows
LONG_TABLE = 60  # rows
MORE_FONTS = "; for its letters, `python -m pip install 'nbtypst[fonts,emoji]'` may have a font"
SHORT = 600  # characters of a paragraph that stays with the equation below it
_CALLS = {
    "Emph": "emph",
    "SmallCaps": "smallcaps",
    "Strikeout": "strike",
    "Strong": "strong",
    "Subscript": "sub",
    "Superscript": "super",
    "Underline": "underline",
}
_ALIGN = {"AlignCenter": "center", "AlignDefault": "start", "AlignLeft": "left", "AlignRight": "right"}


@dataclass
class Writer:
    """A writer of one document; what turned out not to compile is shown in another way and noted."""

    document: Document
    formulas: dict[Formula, str]
    broken: set[Any] = field(default_factory=set)  # formulas and pictures that do not compile
    stand_ins: dict[str, str] = field(default_factory=dict)  # for characters that no font has
    floats: set[str] = field(default_factory=set)  # figures that go to the top of the next page
    marks: list[Any] = field(default_factory=list)  # formulas and pictures
    replaced: dict[str, str] = field(default_factory=dict)  # character: cell
    place: str = ""
    depth: int = 0
    leads: bool = False  # whether a displayed equation follows
    apart: bool = False  # for a table of several tall formulas, which would meet
    wrapped: bool = False  # for one whose cells are wrapped

    def write(self) -> str:
        """Return the source of the document's body."""
        self.marks.clear()
        text = ""
        for (place, block), (_, following) in pairwise([*self.document.blocks, ("", {"t": ""})]):
            self.place = place
            self.leads = following["t"] == "Para" and any(map(_is_display, following["c"][:1]))
            written = self.block(block)
            if _leftwards(words_of(block)):
                written = f"#[#set text(dir: rtl)\n{written}\n]"
            text += f"{written}\n\n"
        return text

    def marked(self, line: str) -> list[Any]:
        """Return the formula or the picture that a line of the source begins with, if it does."""
        return [self.marks[int(mark)] for mark in re.findall(r"\A/\*(\d+)\*/", line)]

    def _mark(self, what: Any) -> str:
        """Return a comment by which an error's line leads to what is written there."""
        self.marks.append(what)
        return f"/*{len(self.marks) - 1}*/"

    def string(self, text: str) -> str:
        """Return a Typst string literal."""
        for char, words in self.stand_ins.items():
            if char in text:
                self.replaced.setdefault(char, self.place)
                text = text.replace(char, words).replace("][U+", " U+")
        return json.dumps(text.replace("\r", "").replace("\t", "    "), ensure_ascii=False)

    def _label(self, name: str) -> str:
        """Return the label of what stands before it, "" without a name."""
        return f"#label({self.string(name)})" if name else ""

    def _anchor(self, name: str) -> str:
        """Return a place to which a link can lead, "" without a name."""
        return f"#metadata(none){self._label(name)};" if name else ""

    def blocks(self, blocks: Blocks) -> str:
        """Return blocks as the inside of a Typst content block."""
        self.depth += 1
        written = "\n\n".join(map(self.block, blocks))
        self.depth -= 1
        return written

    def block(self, block: Block) -> str:
        """Return one block."""
        kind = block["t"]
        content = block.get("c", [])
        match kind:
            case "BlockQuote" | "BulletList" | "DefinitionList" | "OrderedList" if self.depth > DEEPEST:
                fault = "its lists or quotations are nested too deeply"
                self.document.problems.warn(self.place, fault, "what is deeper is plain text")
                return self.inlines([Str(words_of(content))])
            case "Plain" | "Para":
                return self._paragraph(content)
            case "Header":
                return self._heading(content)
            case "CodeBlock":
                return self.code("plain", content)
            case "BlockQuote":
                return f"#quote(block: true)[{self.blocks(content)}]"
            case "BulletList":
                return f"#list({self._items(content)})"
            case "OrderedList":
                return f"#enum(start: {content[0][0]}, {self._items(content[1])})"
            case "DefinitionList":
                return f"#terms({''.join(self._term(*item) for item in content)})"
            case "HorizontalRule":
                return "#nb.rule"
            case "Table":
                return self.table(content)
            case "Figure":
                return self.figure(content)
            case _:
                return self._div(content)

    def _heading(self, content: Any) -> str:
        level, (name, _, _), inlines = content
        appendix = level == 1 and stringify(inlines).startswith("Appendix")
        start = "#place.flush()\n" + ("#pagebreak(weak: true)\n" if appendix else "")
        return f"{start}#heading(level: {level})[{self.inlines(inlines)}]{self._label(name)}"

    def _items(self, items: list[Blocks]) -> str:
        tight = all(block["t"] != "Para" for item in items for block in item)
        return f"tight: {json.dumps(tight)}, " + "".join(f"[{self.blocks(item)}]," for item in items)

    def _term(self, term: Inlines, meanings: list[Blocks]) -> str:
        words = "\n\n".join(map(self.blocks, meanings))
        return f"terms.item([{self.inlines(term)}], [{words}]),"

    def _div(self, content: Any) -> str:
        (name, classes, _), blocks = content
        match classes:
            case ["page"] if not self.depth:  # in a list, say, Typst allows none
                return "#pagebreak(weak: true)"
            case ["alert", kind]:
                return f"#nb.alert({self.string(kind)})[{self.blocks(blocks)}]"
            case ["input" | "output" | "error" as style]:
                return self.code(style, blocks[0]["c"])
        return self._anchor(name) + self.blocks(blocks)

    def code(self, style: str, content: Any) -> str:
        """Return a block of code: its words may break anywhere, so that none is cut."""
        (_, classes, _), text = content
        if not text.strip():
            return ""
        language = self.string(re.sub(r"\Aipython3?\Z", "python", "".join(classes[:1])))
        return f"#nb.code({self.string(style)}, {language}, {self.string(LONG.sub(_PARTED, text))})"

    def _paragraph(self, inlines: Inlines) -> str:
        """Return a paragraph, its display equations as blocks; one sticks to the words that lead to it."""
        parts = []
        place = ""  # to which a link leads, before an equation
        groups = [(display, list(items)) for display, items in groupby(inlines, _is_display)]
        for number, (display, items) in enumerate(groups, 1):
            if display:
                parts.append(place + "\n\n".join(self.math(item["c"]) for item in items))
                place = ""
                continue
            words = re.sub(r'\A#" ";|(?<=\A#") ', "", self.inlines(items))  # no space where a line begins
            if not words:
                continue
            plain = stringify(items)
            if number < len(groups) and not plain.strip() and "#metadata" in words:
                place = words.replace('#" ";', "")
                continue
            if len(plain) < SHORT and (number < len(groups) or self.leads):
                words = f"#block(sticky: true, below: 1.1em)[{words}]"
            parts.append(words)
        return "\n\n".join(parts)

    def inlines(self, inlines: Inlines) -> str:
        """Return inlines as markup that is calls alone."""
        text = ""
        for is_text, items in groupby(inlines, lambda item: item["t"] in TEXT):
            if not is_text:
                text += "".join(map(self._inline, items))
                continue
            words = words_of(list(items))
            if words:
                text += f"#{self.string(self._breakable(re.sub(' +', ' ', words)))};"
        return text

    def _breakable(self, text: str) -> str:
        """Return a text with places where its long words may be broken."""
        if self.wrapped:
            text = re.sub(r"\S{16,}", _broken, text)
        return LONG.sub(_PARTED, text)

    def _inline(self, item: Any) -> str:
        kind = item["t"]
        content = item.get("c")
        if kind in _CALLS:
            return f"#{_CALLS[kind]}[{self.inlines(content)}];"
        match kind:
            case "Code":
                return f"#raw({self.string(self._breakable(content[1]))});"
            case "LineBreak":
                return "#linebreak();"
            case "Math":
                return self.math(content)
            case "Picture":
                return self._picture(content)
            case "Note":
                return f"#footnote[{replace(self, leads=False).blocks(content)}];"
            case "Link":
                address = content[2][0]
                target = self.string(address)
                if address.startswith("#"):
                    target = f"label({self.string(address[1:])})"
                return f"#link({target})[{self.inlines(content[1])}];"
            case _:
                (name, *_), inner = content  # of a Span
                return self._anchor(name) + self.inlines(inner)

    def math(self, formula: Formula) -> str:
        """Return a formula with its reading in words, or its source where Typst cannot set it."""
        body = self.formulas.get(formula)
        if body is None or formula in self.broken:
            return self._source(formula)
        words = read_aloud(formula.latex)
        if formula.tag:
            words += f", equation {formula.tag}"
        alt = self.string(words)
        if not formula.display:
            made = f"nb.read({alt},\n{self._mark(formula)}${body}$\n)"
            return f"#box(inset: (y: 0.25em), {made});" if self.apart and _TALL.search(body) else f"#{made};"
        tag = self.string(formula.tag)
        name = self.string(formula.name)
        boxed = json.dumps(formula.boxed)
        return f"#nb.display({alt}, {tag}, {name}, {boxed},\n{self._mark(formula)}$ {body} $\n)"

    def _source(self, formula: Formula) -> str:
        """Return a formula's LaTeX as code."""
        fault = f"the formula {formula.latex!r} cannot be set"
        self.document.problems.warn(self.place, fault, "its source is shown")
        code = self.string(formula.latex + (rf" \tag{{{formula.tag}}}" if formula.tag else ""))
        call = f'#nb.code("plain", "latex", {code})' if formula.display else f"#raw({code});"
        return self._anchor(formula.name) + call

    def _image(self, picture: Picture) -> str:
        """Return a picture at its own size, or as large as fits a page."""
        width = min(picture.width, WIDTH, HEIGHT * picture.width / picture.height)
        height = width * picture.height / picture.width
        sides = f'width: {width:.2f}pt, height: {height:.2f}pt, fit: "stretch"'
        alt = self.string(picture.alt)
        return f'{self._mark(picture.name)}image("{picture.name}.{picture.kind}", alt: {alt}, {sides})'

    def _dropped(self, picture: Picture) -> str:
        """Return the text of a picture that does not compile."""
        fault = f"the picture {picture.alt!r} cannot be shown"
        self.document.problems.warn(self.place, fault, f"its text is{MORE_FONTS * (picture.kind == 'svg')}")
        return f"#{self.string(f'[{picture.alt}]')};"

    def _picture(self, picture: Picture) -> str:
        if picture.name in self.broken:
            return self._dropped(picture)
        return f"#box(baseline: 20%,\n{self._image(picture)}\n);"

    def figure(self, content: Any) -> str:
        """Return a picture with its caption; without one it stays where it is."""
        (name, *_), (_, caption), picture = content
        words = self.blocks(caption)
        label = self._label(name)
        if picture.name in self.broken:
            return f"#metadata(none){label} {self._dropped(picture)}\n\n{words}"
        place = "top" if name in self.floats else "none"
        body = "caption: none"
        if words.strip() or name:
            inside = self._anchor(name and f"in:{name}")  # which no heading has
            body = f"caption: [{inside}{words}]"
        return f"#figure(kind: image, placement: {place}, {body},\n{self._image(picture)}\n){label}"

    def table(self, content: Any) -> str:
        """Return a table, its first rows as header cells."""
        (name, _, _), (_, above), columns, (_, head), bodies, (_, foot) = content
        rows = [*head, *(row for body in bodies for row in body[3]), *foot]
        aligned = ", ".join(_ALIGN[alignment["t"]] for alignment, _ in columns)
        widths = _widths(rows, len(columns))
        tall = [node for node in nodes(rows, "Math") if _TALL.search(self.formulas.get(node["c"], ""))]
        inside = replace(self, apart=len(tall) > 1, wrapped="(" in widths)
        opening = f"table(columns: {widths}, align: ({aligned},), "
        # what is repeated on another page is an artifact, and may hold no link
        repeated = json.dumps(not any(nodes(head, "Link", "Note")))
        opening += f"table.header(repeat: {repeated}, {inside.rows(head)}),"
        body = f"{opening}{inside.rows(rows[len(head) :])})"
        if len(rows) > LONG_TABLE:
            body += f", sample: {opening}{inside.rows(_sample(rows, len(columns)))})"
        heads = max([1, *(body[1] for body in bodies)])
        words = self.blocks(above)
        caption = f"[{words}]" if words.strip() else "none"
        return (
            f"#figure(kind: table, caption: {caption}, nb.fitted({body}, index: {heads})){self._label(name)}"
        )

    def rows(self, rows: list[Any]) -> str:
        """Return the cells of rows of a table."""
        cells = ""
        for _, alignment, tall, wide, blocks in (cell for _, row in rows for cell in row):
            options = f"rowspan: {tall}, colspan: {wide}, " if (tall, wide) != (1, 1) else ""
            if alignment["t"] != "AlignDefault":
                options += f"align: {_ALIGN[alignment['t']]}, "
            elif wide > 1:
                options += "align: center, "
            # a string takes a quarter less of memory
            words = re.sub(r'\A\[#("(?:[^"\\]|\\.)*");\]\Z', r"\1", f"[{self.blocks(blocks)}]")
            cells += f"table.cell({options}{words})," if options else f"{words},"
        return cells


def _widths(rows: list[Any], count: int) -> str:
    """Return columns as wide as they are, or, where one has long text, by the roots of their lengths."""
    lengths = [[len(stringify(cell[4])) for cell in cells] for _, cells in rows if len(cells) == count]
    columns = list(zip(*lengths, strict=True))
    if count > 8 or max(map(max, columns), default=0) <= 40:
        return str(count)
    widths = ""
    for column in columns:
        mean = sum(column) / len(column)
        widths += "auto," if max(column) < 14 else f"{max(mean, 1) ** 0.5:.2f}fr,"
    return f"({widths})"


def _sample(rows: list[Any], count: int) -> list[Any]:
    """Return for each column the row that has the longest text in it."""
    whole = [row for row in rows if len(row[1]) == count and all(cell[2] == 1 for cell in row[1])]
    return [max(whole, key=lambda row: len(stringify(row[1][place][4]))) for place in range(count) if whole]


def _broken(word: re.Match[str]) -> str:
    """Return a word that may be broken behind its signs and numbers, and before a capital letter in it."""
    return re.sub(r"[\W_](?=\w)|[a-z](?=[A-Z])|\d(?=[A-Za-z])", _PARTED, word[0])


def _is_display(item: Any) -> bool:
    return item["t"] == "Math" and item["c"].display


def _leftwards(text: str) -> bool:
    """Tell whether a text is read from right to left: its first letter with a direction is."""
    kinds = (unicodedata.bidirectional(char) for char in text[:200])
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


def stand_in(char: str) -> str:
    """Return a character's name in brackets, for one that no font has; "" for one that has no shape."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc", "Co"):
        return ""
    name = unicodedata.name(char, "")
    return f"[U+{ord(char):04X}]" if not name or "IDEOGRAPH" in name else f"[{name.lower()}]"
