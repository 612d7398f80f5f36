"""The report as one self-contained HTML page with MathML: pandoc writes it by page.html and page.css."""

import json
import re
from base64 import b64encode
from html import escape, unescape
from importlib.resources import as_file, files
from typing import Any

from pandocfilters import RawBlock, RawInline, walk

from nbtypst.document import PREFIX, Report, ReportExporter, pandoc, split_math
from nbtypst.speech import speak

_MATH = re.compile(
    r"<math ([^>]*)>\s*<semantics>(.*?)<annotation[^>]*>(.*?)</annotation>\s*</semantics>", re.S
)


class ReportHTMLExporter(ReportExporter):
    """A report as one HTML page that needs no network and no script."""

    export_from_notebook = "Report (HTML)"
    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def render(self, report: Report) -> str:
        """The page; the same on every machine."""
        blocks = walk(report.blocks, lambda key, value, *_: _to_html(key, value, report), "", {})
        names = {"title": report.title, "subtitle": report.subtitle}
        meta: dict[str, Any] = {key: _meta(value) for key, value in names.items() if value}
        meta["author"] = {"t": "MetaList", "c": [_meta(author) for author in report.authors]}
        document = {"pandoc-api-version": [1, 23, 1], "meta": meta, "blocks": blocks}
        style = (files(__package__) / "page.css").read_text(encoding="utf-8")
        options = ["--mathml", "--toc", "--toc-depth=3", "--section-divs", "--shift-heading-level-by=1"]
        with as_file(files(__package__) / "page.html") as template:
            options += [f"--template={template}", f"--variable=style:{style}"]
            page = pandoc(json.dumps(document), "-f", "json", "-t", "html5", *options)
        page = page.replace("\N{NO-BREAK SPACE}", " ")  # page.css keeps the words of a reference together
        return re.sub(r"<th\b", '<th scope="col"', _MATH.sub(_read_aloud, page))


def _meta(text: str) -> dict[str, str]:
    return {"t": "MetaString", "c": text}


def _read_aloud(math: re.Match[str]) -> str:
    """MathML with its reading in words in place of its LaTeX."""
    return f'<math {math[1]} alttext="{escape(speak(unescape(math[3])))}">{math[2]}'


def _to_html(key: str, value: Any, report: Report) -> Any:
    """What pandoc's HTML writer does not do by itself."""
    if key == "Math":
        return _math(value)
    if key == "Div" and value[0][0] in report.figures:
        name, output = value[0][0], report.figures[value[0][0]]
        source = b64encode(output.data["image/svg+xml"].encode()).decode()
        width = re.search(r'<svg[^>]* width="([\d.]+)pt"', output.data["image/svg+xml"])
        size = f' width="{float(width[1]) * 4 / 3:.0f}"' if width else ""
        image = f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(output.metadata["alt"])}"{size}>'
        opening = RawBlock("html", f'<figure id="{name}">{image}<figcaption>')
        return [opening, *value[1], RawBlock("html", "</figcaption></figure>")]
    if key == "Table":
        label = value[0][0].replace("tbl-", "Table ") or "Table"
        opening = RawBlock("html", f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">')
        return [opening, {"t": "Table", "c": value}, RawBlock("html", "</div>")]
    return None


def _math(value: Any) -> Any:
    """A display equation in a box of its own, which scrolls where the screen is narrow, with its number."""
    display, boxed, tag, latex = split_math(value)
    if not display:
        return None
    name = f' id="{PREFIX["equation"]}{tag.lower()}"' if tag else ""
    opening = RawInline(
        "html", f'<span class="equation{" boxed" if boxed else ""}" tabindex="0"{name}><span>'
    )
    node = {"t": "Math", "c": [value[0], latex]}
    return [
        opening,
        node,
        RawInline("html", f"</span><span>({tag})</span></span>" if tag else "</span></span>"),
    ]
