"""The notebook as one self-contained HTML page with MathML: pandoc writes it by page.html and page.css."""

from __future__ import annotations

import json
import re
from html import escape
from importlib.resources import as_file, files
from typing import Any

from pandocfilters import RawBlock, RawInline, walk

from nbtypst.export import mathml
from nbtypst.export.exporter import ReportExporter
from nbtypst.problems import Problems
from nbtypst.reading import widgets
from nbtypst.reading.document import Document
from nbtypst.reading.formulas import Formula, unreadable
from nbtypst.reading.markdown import pandoc
from nbtypst.reading.references import PREFIX, nodes
from nbtypst.reading.speech import read_aloud

LEFTWARDS = ("ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")  # languages that are written so
_ROWS = re.compile(r"<(thead|tbody|tfoot)>.*?</\1>", re.S)


class ReportHTMLExporter(ReportExporter):
    """A notebook as one HTML page that needs no network; without scripts it is whole and its widgets rest."""

    export_from_notebook = "Report (HTML)"
    output_mimetype = "text/html"
    shows_widgets = True

    def _file_extension_default(self) -> str:
        return ".html"

    def render(self, document: Document, problems: Problems) -> str:
        """The page; the same on every machine."""
        found = [
            (p, node["formula"])
            for p, block in document.blocks
            for node in nodes(block)
            if node["t"] == "Math"
        ]
        sources = unreadable(list(dict.fromkeys(formula for _, formula in found)))
        for place, formula in found:
            if formula.latex in sources:
                problems.warn(place, f"the formula {formula.latex!r} cannot be set", "its source is shown")
        moving = _widgets(document, problems)
        problems.stop()
        blocks = [block for _, block in document.blocks]
        blocks = walk(blocks, lambda key, value, *_: _to_html(key, value, document), "", {})
        blocks = _math_nodes(blocks, sources)
        if any(check for _, check in document.checks):
            blocks.append(RawBlock("html", _evidence(document)))
        own = document.settings
        names = {"title": document.title, "subtitle": own.subtitle, "lang": own.language}
        names["dir"] = "rtl" if own.language.partition("-")[0].lower() in LEFTWARDS else ""
        names["about"] = " · ".join(filter(None, (own.group, own.course, own.date)))
        meta: dict[str, Any] = {key: _meta(value) for key, value in names.items() if value}
        meta["author"] = {"t": "MetaList", "c": [_meta(author) for author in own.authors]}
        page_source = {"pandoc-api-version": [1, 23, 1], "meta": meta, "blocks": blocks}
        style = (files(__package__) / "page.css").read_text(encoding="utf-8")
        options = ["--mathml", "--section-divs", "--shift-heading-level-by=1", "--quiet"]
        options += ["--toc", "--toc-depth=3"] if own.contents else []
        options += [f"--variable=author-meta:{escape(author)}" for author in own.authors]
        options += ["--number-sections"] if own.number_sections else []
        allowed = sorted({digest for html in moving.values() for digest in widgets.hashes(html)})
        options += [f"--variable=policy:; script-src {' '.join(allowed)}"] if allowed else []
        with as_file(files(__package__) / "page.html") as template:
            options += [f"--template={template}", f"--variable=style:{style}"]
            page = pandoc(json.dumps(page_source), "-f", "json", "-t", "html5", *options)
        page = page.replace("\N{NO-BREAK SPACE}", " ")  # page.css keeps the words of a reference together
        page = _ROWS.sub(_scopes, mathml.tidy(page))
        if "<math " in page:
            page = page.replace("</style>", f"{mathml.font_face()}</style>", 1)
        for name, html in moving.items():
            page = page.replace(_place_of(name), html)
        return page


def _scopes(rows: re.Match[str]) -> str:
    """A table's rows, each header cell with what it is the header of."""
    return re.sub(r"<th\b", f'<th scope="{"col" if rows[1] == "thead" else "row"}"', rows[0])


def _meta(text: str) -> dict[str, str]:
    return {"t": "MetaString", "c": text}


def _widgets(document: Document, problems: Problems) -> dict[str, str]:
    """The HTML of each widget that the page has, by its name."""
    named = {
        node["c"][0][0]: place
        for place, block in document.blocks
        for node in nodes(block)
        if node["t"] == "Div" and node["c"][0][1] == ["widget"]
    }
    return {name: widgets.made(name, place, problems) for name, place in named.items()}


def _place_of(name: str) -> str:
    """What holds a widget's place until the page is written: no notebook can bring a comment onto it."""
    return f"<!-- widget {name} -->"


def _to_html(key: str, value: Any, document: Document) -> Any:
    """What pandoc's HTML writer does not do by itself."""
    if key == "Div" and "figure" in value[0][1]:
        name, pairs = value[0][0], dict(value[0][2])
        opening = f"<figure{f' id={escape(name)!r}' if name else ''}>{_image(pairs['key'], document)}"
        closing = "</figure>"
        if value[1]:
            opening, closing = opening + "<figcaption>", "</figcaption></figure>"
        return [RawBlock("html", opening), *value[1], RawBlock("html", closing)]
    if key == "Div" and value[0][1] == ["widget"]:
        return RawBlock("html", _place_of(value[0][0]))
    if key == "Span" and value[0][1] == ["picture"]:
        return RawInline("html", _image(dict(value[0][2])["key"], document))
    if key == "Div" and value[0][1] and value[0][1][0] in ("input", "output", "error"):
        return {"t": "Div", "c": [["", [value[0][1][0]], []], value[1]]}
    if key == "Table":
        label = value[0][0].replace("tbl-", "Table ") or "Table"
        opening = f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
        return [RawBlock("html", opening), {"t": "Table", "c": value}, RawBlock("html", "</div>")]
    return None


def _image(key: str, document: Document) -> str:
    picture = document.pictures[key]
    width = f' width="{picture.width * 4 / 3:.0f}"'
    return f'<img src="{picture.address}" alt="{escape(picture.alt)}"{width}>'


def _math_nodes(node: Any, sources: set[str]) -> Any:
    """Every formula in its box, which scrolls where the screen is narrow, with its number; or its source."""
    if isinstance(node, list):
        made: list[Any] = []
        for item in node:
            one = _math_nodes(item, sources)
            made += one if isinstance(one, list) and isinstance(item, dict) else [one]
        return made
    if not isinstance(node, dict):
        return node
    if node.get("t") == "Math":
        return _formula(node["c"][0], node["formula"], sources)
    return node | {"c": _math_nodes(node["c"], sources)} if "c" in node else node


def _formula(kind: Any, formula: Formula, sources: set[str]) -> list[Any]:
    node = {"t": "Math", "c": [kind, formula.latex]}
    if formula.latex in sources:
        node = {"t": "Code", "c": [["", [], []], formula.latex]}
    if not formula.display:
        return [node]
    name = f' id="{escape(PREFIX["equation"] + formula.tag.lower())}"' if formula.tag else ""
    box = " boxed" if formula.boxed else ""
    opening = f'<span class="equation{box}" tabindex="0"{name}><span>'
    closing = f"</span><span>({escape(formula.tag)})</span></span>" if formula.tag else "</span></span>"
    return [RawInline("html", opening), node, RawInline("html", closing)]


def _plain(sentence: str) -> str:
    """A sentence of Markdown as words: formulas read aloud, no marks of emphasis or of links."""
    words = re.sub(r"\$([^$]+)\$", lambda match: read_aloud(match[1]), sentence)
    return re.sub(r"\*+|\[([^\]]+)\]\([^)]*\)", lambda match: match[1] or "", words)


def _evidence(document: Document) -> str:
    """The sentences that were checked, folded, with what was measured."""
    rows = "".join(
        f"<li>{escape(_plain(str(check.get('sentence'))))} <code>{escape(str(check.get('check')))}</code>: "
        f"{escape(str(check.get('values')))}</li>"
        for _, check in document.checks
    )
    words = f"The {len(document.checks)} checks of this page, each with what was measured"
    return f'<details class="evidence"><summary>{words}</summary><ol>{rows}</ol></details>'
