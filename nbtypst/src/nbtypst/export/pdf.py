"""The notebook as a tagged PDF: Typst sets it by the page design of page.typ."""

from __future__ import annotations

import json
import re
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from nbtypst.export.exporter import ReportExporter
from nbtypst.export.typst_writer import Writer, stand_in
from nbtypst.problems import Problems
from nbtypst.reading.document import Document
from nbtypst.reading.formulas import to_typst
from nbtypst.reading.references import nodes

PASSES = 40  # of placing figures
TOP = 100.0  # points: a figure above it is the first on its page
_GLYPH = re.compile(r"the text `\"(.+?)\"` could not be displayed")
_LINE = re.compile(r"main\.typ:(\d+):")
_FILE = re.compile(r"(picture-\d+)\.\w+")


class ReportPDFExporter(ReportExporter):
    """A notebook as PDF/UA-1."""

    export_from_notebook = "Report (PDF)"
    output_mimetype = "application/pdf"

    def _file_extension_default(self) -> str:
        return ".pdf"

    def render(self, document: Document, problems: Problems) -> bytes:
        """The bytes of the PDF; the same on every machine."""
        formulas = [
            node["formula"] for _, block in document.blocks for node in nodes(block) if node["t"] == "Math"
        ]
        writer = Writer(document, to_typst(formulas))
        pdf = self._compile(writer)
        for formula, place in writer.shown_as_text.items():
            problems.warn(place, f"the formula {formula.latex!r} cannot be set", "its source is shown")
        for key in sorted(key for key in writer.broken if isinstance(key, str)):
            alt = document.pictures[key].alt
            problems.warn(writer.dropped[key], f"the picture {alt!r} cannot be shown", "its text is")
        _say_missing(writer, problems)
        problems.stop()
        return pdf

    def _compile(self, writer: Writer) -> bytes:
        """Compile; what does not is shown in another way, and all is tried again."""
        with tempfile.TemporaryDirectory() as name:  # Typst reads nothing but what is handed over here
            folder = Path(name)
            (folder / "page.typ").write_bytes((files(__package__) / "page.typ").read_bytes())
            for key, picture in writer.document.pictures.items():
                (folder / f"{key}.{picture.kind}").write_bytes(picture.content)
            while True:  # each time, less is left that can fail
                head = _head(writer)
                try:
                    self._place(writer, head, folder)
                    options = self._options(writer, folder)
                    done: bytes = typst.compile(
                        str(folder / "main.typ"), format="pdf", pdf_standards=["ua-1"], **options
                    )
                    return done
                except typst.TypstError as error:
                    if not _repair(writer, error, head.count("\n"), self.system_fonts is None):
                        hints = " ".join(getattr(error, "hints", []))
                        words = f"Typst could not set the page: {error} {hints}\n{error.diagnostic!s:.600}"
                        raise RuntimeError(words) from error

    def _place(self, writer: Writer, head: str, folder: Path) -> None:
        """Let a figure that does not fit where it stands wait for the next page's top, text taking its place.

        It still comes after its heading and before the next one.
        """
        waiting = any(block["t"] == "Div" and block["c"][0][0] for _, block in writer.document.blocks)
        settled: set[str] = set()
        for _ in range(PASSES):
            (folder / "main.typ").write_text(head + writer.write(), encoding="utf-8", newline="\n")
            figures = self._figures(writer, folder) if waiting else []
            early = next(
                (f["name"] for f in figures if f["name"] in writer.floats and f["shown"] <= f["page"]), ""
            )
            moved = (f["name"] for f in figures if f["y"] < TOP and f["name"] not in writer.floats | settled)
            name = early or next(moved, "")
            if not name:
                break
            settled.add(name)
            writer.floats ^= {name}

    def _figures(self, writer: Writer, folder: Path) -> list[dict[str, Any]]:
        """Each figure's name, the page and height where it stands in the text, and the page that shows it.

        There is none where the page does not compile.
        """
        main = str(folder / "main.typ")
        try:
            found = typst.query(
                main, "<nb:figures>", field="value", one=True, **self._options(writer, folder)
            )
        except RuntimeError:  # compiling says what is wrong and where
            return []
        return list(json.loads(found))

    def _options(self, writer: Writer, folder: Path) -> dict[str, Any]:
        borrowed = self.system_fonts is None and bool(writer.stand_ins)
        return {
            "root": str(folder),
            "ignore_system_fonts": not (self.system_fonts or borrowed),
            "font_paths": list(self.font_paths),
        }


def _say_missing(writer: Writer, problems: Problems) -> None:
    """Warn of characters that no font of this package has: those that the machine's show, and the others."""
    by_kind: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for char, place in writer.replaced.items():
        by_kind[writer.stand_ins[char] == char][char] = place
    advice = {
        True: "the machine's fonts show them, and another machine may do it in another way",
        False: "their names are shown; font_paths gives more fonts",
    }
    for borrowed, places in by_kind.items():
        for place in dict.fromkeys(places.values()):
            chars = "".join(sorted(char for char in places if places[char] == place))
            shown = chars if len(chars) <= 20 else chars[:20] + "…"
            problems.warn(place, f"no font of this package has {shown!r}", advice[borrowed])


def _repair(writer: Writer, error: Any, offset: int, may_borrow: bool) -> bool:
    """Note what an error of Typst is about, so that it is written in another way; whether that is new.

    A character that no font has comes from the machine's fonts, if `may_borrow`, or in words.
    """
    text = f"{error}\n{error.diagnostic}"
    before = (len(writer.broken), dict(writer.stand_ins))
    chars = {char for found in _GLYPH.findall(text) for char in _literal(found) if ord(char) > 126}
    first = may_borrow and not writer.stand_ins
    for char in chars:
        words = stand_in(char)
        writer.stand_ins[char] = char if first and words else words
        if not first:
            writer.broken |= {formula for formula, body in writer.formulas.items() if char in body}
    if not chars:
        for number in map(int, _LINE.findall(text)):
            if what := writer.fragile.get(number - offset):
                writer.broken.add(what)
        writer.broken |= set(_FILE.findall(text))
    return (len(writer.broken), writer.stand_ins) != before


def _literal(text: str) -> str:
    """What Typst's debugging form of a string stands for."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), text)


def _head(writer: Writer) -> str:
    """The call of the page design with its settings."""
    own = writer.document.settings
    string = writer.string
    names = "".join(f"{string(author)}, " for author in own.authors)
    values = {
        "title": string(writer.document.title),
        "subtitle": string(own.subtitle),
        "authors": f"({names})",
        "group": string(own.group),
        "course": string(own.course),
        "date": string(own.date),
        "show-contents": str(own.contents).lower(),
        "number-sections": str(own.number_sections).lower(),
        "show-running-head": str(own.running_head).lower(),
        "language": string(own.language.partition("-")[0].lower()),
        "paper": string(own.paper),
        "font": string(own.font),
        "font-size": f"{own.font_size}pt",
    }
    arguments = ", ".join(f"{name}: {value}" for name, value in values.items())
    return f'#import "page.typ" as nb\n#show: nb.page-design.with({arguments})\n\n'
