"""The report as a tagged PDF: pandoc writes Typst, Typst sets it by the page design of page.typ."""

import json
import re
from importlib.resources import files
from typing import Any

import typst
from pandocfilters import RawBlock, RawInline, walk

from nbtypst.document import PREFIX, Report, ReportExporter, pandoc, split_math
from nbtypst.speech import speak


class ReportPDFExporter(ReportExporter):
    """A report as PDF/UA-1."""

    export_from_notebook = "Report (PDF)"
    output_mimetype = "application/pdf"

    def _file_extension_default(self) -> str:
        return ".pdf"

    def render(self, report: Report) -> bytes:
        """The bytes of the PDF; the same on every machine."""
        blocks = walk(report.blocks, lambda key, value, *_: _to_typst(key, value, report), "", {})
        document = {"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks}
        body = pandoc(json.dumps(document), "-f", "json", "-t", "typst")
        body = re.sub(r"columns: \((?=[\d.]+%)", "columns: widths(", body)
        authors = "".join(f"{_string(author)}, " for author in report.authors)
        head = f"title: {_string(report.title)}, subtitle: {_string(report.subtitle)}, authors: ({authors})"
        sources = {
            f"{name}.svg": output.data["image/svg+xml"].encode() for name, output in report.figures.items()
        }
        main = f'#import "page.typ": *\n#show: report.with({head})\n\n{body}'
        sources |= {
            "main.typ": main.encode(),
            "page.typ": (files(__package__) / "page.typ").read_bytes(),
        }
        try:
            pdf: bytes = typst.compile(  # type: ignore[call-overload]  # its stub lacks the dict of files
                sources, format="pdf", ignore_system_fonts=True, pdf_standards=["ua-1"]
            )
        except typst.TypstError as error:
            hints = " ".join(getattr(error, "hints", []))
            raise RuntimeError(
                f"Typst could not set the report: {error} {hints}\n{error.diagnostic!s:.600}"
            ) from error
        return pdf


def _to_typst(key: str, value: Any, report: Report) -> Any:
    """What pandoc's Typst writer needs help with."""
    if key == "Math":
        return _math(value)
    if key == "Div" and value[0][0] in report.figures:
        name = value[0][0]
        alt = _string(report.figures[name].metadata["alt"])
        opening = f'#figure(image("{name}.svg", alt: {alt}), kind: image, caption: ['
        return [RawBlock("typst", opening), *value[1], RawBlock("typst", f"]) <{name}>")]
    return None


def _math(value: Any) -> list[Any]:
    """One equation as Typst calls around pandoc's own Math node."""
    display, boxed, tag, latex = split_math(value)
    alt = speak(latex) + (f", equation {tag}" if tag else "")
    latex = re.sub(  # pandoc loses the gap between the columns of cases
        r"\\begin\{cases\}.*?\\end\{cases\}",
        lambda m: re.sub(r"(?<!\\)&", r"&\\quad ", m[0]),
        latex,
        flags=re.DOTALL,
    )
    number = f"tag: {_string(tag)}, " if tag else ""
    target = f"#metadata(none) <{PREFIX['equation']}{tag.lower()}> " if tag else ""
    call = f"{target}#{'boxed' if boxed else 'read'}({number}{_string(alt)})["
    node = {"t": "Math", "c": [{"t": "DisplayMath" if display else "InlineMath"}, latex]}
    return [RawInline("typst", call), node, RawInline("typst", "];")]


def _string(text: str) -> str:
    """A Typst string literal."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
