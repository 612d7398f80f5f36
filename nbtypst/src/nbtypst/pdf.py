"""The notebook as a tagged PDF: Typst sets it by the page design of page.typ."""

from __future__ import annotations

import json
import re
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from nbtypst.document import Document
from nbtypst.exporter import ReportExporter
from nbtypst.formulas import to_typst
from nbtypst.problems import Problems
from nbtypst.references import nodes
from nbtypst.typst_writer import Writer, stand_in

TRIES = 40
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
        if writer.replaced:
            chars = "".join(sorted(writer.replaced))
            first = next(iter(writer.replaced.values()))
            problems.warn(
                first,
                f"no font here has {chars!r}",
                "their names are shown; font_paths or system_fonts gives more fonts",
            )
        problems.stop()
        return pdf

    def _compile(self, writer: Writer) -> bytes:
        """Compile; what does not is shown in another way, and all is tried again."""
        with tempfile.TemporaryDirectory() as name:  # Typst reads nothing but what is handed over here
            folder = Path(name)
            (folder / "page.typ").write_bytes((files(__package__) / "page.typ").read_bytes())
            for key, picture in writer.document.pictures.items():
                (folder / f"{key}.{picture.kind}").write_bytes(picture.content)
            for _ in range(TRIES):
                head = _head(writer)
                try:
                    self._place(writer, head, folder)
                    return self._typst(folder)
                except typst.TypstError as error:
                    if not _repair(writer, error, head.count("\n")):
                        hints = " ".join(getattr(error, "hints", []))
                        words = f"Typst could not set the page: {error} {hints}\n{error.diagnostic!s:.600}"
                        raise RuntimeError(words) from error
        raise RuntimeError("Typst could not set the page, whatever was left out of it")

    def _place(self, writer: Writer, head: str, folder: Path) -> None:
        """Let a figure that does not fit where it stands wait for the next page's top, text taking its place.

        It still comes after its heading and before the next one.
        """
        waiting = any(block["t"] == "Div" and block["c"][0][0] for _, block in writer.document.blocks)
        settled: set[str] = set()
        for _ in range(PASSES):
            (folder / "main.typ").write_text(head + writer.write(), encoding="utf-8", newline="\n")
            figures = self._figures(folder) if waiting else []
            early = next(
                (f["name"] for f in figures if f["name"] in writer.floats and f["shown"] <= f["page"]), ""
            )
            moved = (f["name"] for f in figures if f["y"] < TOP and f["name"] not in writer.floats | settled)
            name = early or next(moved, "")
            if not name:
                break
            settled.add(name)
            writer.floats ^= {name}

    def _figures(self, folder: Path) -> list[dict[str, Any]]:
        """Each figure's name, the page and height where it stands in the text, and the page that shows it."""
        main = str(folder / "main.typ")
        found = typst.query(main, "<nb-figures>", field="value", one=True, **self._options(folder))
        return list(json.loads(found))

    def _options(self, folder: Path) -> dict[str, Any]:
        return {
            "root": str(folder),
            "ignore_system_fonts": not self.system_fonts,
            "font_paths": list(self.font_paths),
        }

    def _typst(self, folder: Path) -> bytes:
        done: bytes = typst.compile(
            str(folder / "main.typ"), format="pdf", pdf_standards=["ua-1"], **self._options(folder)
        )
        return done


def _repair(writer: Writer, error: Any, offset: int) -> bool:
    """Note what an error of Typst is about, so that it is written in another way; whether that is new."""
    text = f"{error}\n{error.diagnostic}"
    before = (len(writer.broken), len(writer.stand_ins))
    chars = {char for found in _GLYPH.findall(text) for char in _literal(found) if ord(char) > 126}
    for char in chars:
        writer.stand_ins[char] = stand_in(char)
        writer.broken |= {formula for formula, body in writer.formulas.items() if char in body}
    if not chars:
        for number in map(int, _LINE.findall(text)):
            if what := writer.fragile.get(number - offset):
                writer.broken.add(what)
        writer.broken |= set(_FILE.findall(text))
    return (len(writer.broken), len(writer.stand_ins)) != before


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
