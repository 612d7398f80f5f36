"""The notebook as one self-contained HTML page with MathML: pandoc writes it by page.html and page.css."""

import re
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import Any

from pandocfilters import Math, RawBlock, RawInline

from nbtypst.export import mathml
from nbtypst.export.exporter import ReportExporter
from nbtypst.reading import widgets
from nbtypst.reading.document import Document, placed
from nbtypst.reading.formulas import Formula, framed
from nbtypst.reading.markdown import NOTHING, Block, Blocks, Match, replaced, written
from nbtypst.reading.pictures import Picture
from nbtypst.reading.references import rewritten, shown
from nbtypst.reading.speech import read_aloud
from nbtypst.settings import Settings

LEFTWARDS = ("ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")  # languages that are written so
_SOURCE = re.compile(r'<span\s+class="math (?:inline|display)">\$\$?(.*?)\$\$?</span>', re.S)  # of a formula
ICON = 120  # points; a picture of so few is not enlarged
_CODE = '<details class="code"><summary>Code</summary>'
_raw = partial(RawBlock, "html")


def _scopes(rows: Match) -> str:
    """Return a table's rows, each header cell with what it is the header of."""
    return re.sub(r"<th\b", f'<th scope="{"col" if rows[1] == "thead" else "row"}"', rows[0])


_BETTER: dict[str, Any] = {  # what pandoc writes, and what a page has, in the order in which it is replaced
    "\N{NO-BREAK SPACE}": " ",  # page.css keeps the words of a reference together
    mathml.MATH: mathml.tidy,
    r"<(thead|tbody|tfoot)>.*?</\1>": _scopes,
    r"(<t[hd]\b[^>]*)(>\d{4}-\d\d-\d\d)": r'\1 class="kept"\2',  # a date, which a browser breaks
    # a formula alone in a header cell counts as no words
    r'(<th\b[^>]*>)\s*<math ([^>]*alttext="([^"]*)"(?:(?!</?t[hd]\b).)*</math>\s*</th>)': (
        r'\1<span class="read">\3</span><math aria-hidden="true" \2'
    ),
    rf"</details>\n{_CODE}\n|<figcaption>\s*</figcaption>": "",  # between cells; no caption
}


class ReportHTMLExporter(ReportExporter):
    """A notebook as one HTML page that needs no network; without scripts it is whole and its widgets rest."""

    export_from_notebook = "Report (HTML)"
    file_extension = ".html"
    output_mimetype = "text/html"
    shows_widgets = True

    def render(self, document: Document) -> str:
        """Return the page; the same on every machine."""
        moving = _widgets(document)
        to_html = partial(_to_html, document.settings.hide_code)
        blocks = rewritten([block for _, block in document.blocks], to_html)
        if document.checks:
            blocks.append(_raw(_evidence(document)))
        options = _options(document.settings)
        allowed = sorted({digest for html in moving.values() for digest in widgets.hashes(html)})
        if allowed:
            options.append(f"--variable=policy:; script-src {' '.join(allowed)}")
        page = written(blocks, "html5", *options, **_meta(document))
        page = replaced(_with_sources(page, document), _BETTER)
        if re.search("[\u0590-\u08ff]", page):  # letters that are written leftwards
            page = re.sub(r"<(blockquote|ol|table|ul)\b", r'<\1 dir="auto"', page)
        if "<math " in page:
            page = page.replace("</style>", f"{mathml.font_face()}</style>", 1)
        for name, html in moving.items():
            page = page.replace(f"<!-- widget {name} -->", html)
        return page


def _with_sources(page: str, document: Document) -> str:
    """Return a page, each formula that pandoc could not read as code, its source, and warn of it."""
    found = {unescape(one[1]) for one in _SOURCE.finditer(page)}
    sources = {}
    for place, node in placed(document.blocks, "Math"):
        latex = node["c"].latex
        if framed(latex) in found:
            document.problems.warn(place, f"the formula {latex!r} cannot be set", "its source is shown")
            sources[framed(latex)] = escape(latex, quote=False)
    return _SOURCE.sub(lambda one: f"<code>{sources.get(unescape(one[1]), one[1])}</code>", page)


def _meta(document: Document) -> Block:
    """Return pandoc's metadata, which page.html shows; of an option, pandoc takes True for no text."""
    own = document.settings
    values = {
        "title": document.title,
        "keywords": f"notebook {document.digest}",
        "subtitle": own.subtitle,
        "lang": own.language,
        "dir": "rtl" if own.language.partition("-")[0].lower() in LEFTWARDS else "",
        "about": " · ".join(filter(None, (own.group, own.course, own.date))),
    }
    meta = {key: _text(value) for key, value in values.items() if value}
    return meta | {"author": {"t": "MetaList", "c": list(map(_text, own.authors))}}


def _text(text: str) -> Block:
    return {"t": "MetaString", "c": text}


def _options(own: Settings) -> list[str]:
    """Return pandoc's options for a page."""
    options = [
        f"--template={Path(__file__).with_name('page.html')}",
        "--mathml",
        "--section-divs",
        "--shift-heading-level-by=1",
        f"--variable=style:{Path(__file__).with_name('page.css').read_text(encoding='utf-8')}",
    ]
    if own.contents:
        options += ["--toc", "--toc-depth=3"]
    if own.number_sections:
        options.append("--number-sections")
    return options


def _widgets(document: Document) -> dict[str, str]:
    """Return the HTML of each widget that the page has, by its name."""
    made = {}
    for place, node in placed(document.blocks, "Div"):
        (name, classes, _), _ = node["c"]
        if classes == ["widget"]:
            made[name] = widgets.made(name, place, document.problems)
    return made


def _to_html(hide_code: bool, node: Block) -> Blocks:
    """Return raw HTML in place of a node that pandoc's HTML writer does not do by itself."""
    match node:
        case {"t": "Math", "c": formula}:
            return _formula(formula)
        case {"t": "Picture", "c": picture}:
            return [RawInline("html", _image(picture))]
        case {"t": "Table", "c": content}:
            return _table(content)
        case {"t": "Figure", "c": content}:
            return _figure(content)
        case {"t": "Div", "c": [[name, ["widget"], _], _]}:
            return [_raw(f"<!-- widget {name} -->")]  # holds its place: no notebook brings a comment there
        case {"t": "Div", "c": [[_, ["input"], _], _]} if hide_code:
            return [_raw(_CODE), node, _raw("</details>")]
        case {"t": "Div", "c": [[_, ["alert", "details"], _], [first, *rest]]}:
            opening = _raw('<details class="fold" open><summary>')
            return [opening, first, _raw("</summary>"), *rest, _raw("</details>")]
    return [node]


def _table(content: Any) -> Blocks:
    """Return a table in a box that scrolls where the screen is narrow, its caption above the box."""
    (name, *_), (_, caption), *parts = content
    label = escape(shown(name)) or "Table"
    box = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
    return [
        _raw(f"<figure{f' id={escape(name)!r}' if name else ''}><figcaption>"),
        *caption,
        _raw(f"</figcaption>{box}"),
        {"t": "Table", "c": [NOTHING, [None, []], *parts]},
        _raw("</div></figure>"),
    ]


def _figure(content: Any) -> Blocks:
    """Return a figure with its caption; a picture that is no icon enlarges, without a script."""
    (name, *_), (_, caption), picture = content
    html = _image(picture)
    if picture.width >= ICON:
        size = f"--wide: {picture.width:.1f}pt; --ratio: {picture.width / picture.height:.4f}"
        button = f'<button type="button" popovertarget="large-{picture.name}"'
        label = escape(shown(name)) or "the picture"
        html = (  # a popover that rests in the page until it is opened
            f'<div class="picture"><div style="{size}"><div popover id="large-{picture.name}">'
            f'{button} popovertargetaction="hide" autofocus>Close</button>{html}</div>'
            f'{button} aria-label="Enlarge {label}"></button></div></div>'
        )
    return [
        _raw(f"<figure{f' id={escape(name)!r}' if name else ''}>{html}<figcaption>"),
        *caption,
        _raw("</figcaption></figure>"),
    ]


def _image(picture: Picture) -> str:
    width = f"{picture.width * 4 / 3:.0f}"
    return f'<img src="{picture.address}" alt="{escape(picture.alt)}" width="{width}">'


def _formula(formula: Formula) -> Blocks:
    """Return a formula, one that stands alone in a box that scrolls on a narrow screen, with its number."""
    node = Math({"t": "DisplayMath" if formula.display else "InlineMath"}, framed(formula.latex))
    if not formula.display:
        return [node]
    name = f' id="{escape(formula.name)}"' if formula.tag else ""
    number = f"<span>({escape(formula.tag)})</span>" if formula.tag else ""
    opening = f'<span class="equation{" boxed" * formula.boxed}" tabindex="0"{name}><span>'
    return [RawInline("html", opening), node, RawInline("html", f"</span>{number}</span>")]


def _plain(sentence: str) -> str:
    """Return a sentence of Markdown as words: formulas read aloud, no marks of emphasis or of links."""
    words = re.sub(r"\$([^$]+)\$", lambda match: read_aloud(match[1]), sentence)
    return re.sub(r"\*+|\[([^\]]+)\]\([^)]*\)", r"\1", words)


def _evidence(document: Document) -> str:
    """Return the sentences that were checked, folded, with what was measured."""
    rows = ""
    for check in document.checks:
        sentence = escape(_plain(str(check.get("sentence"))))
        source = escape(str(check.get("check")))
        values = escape(f"{check.get('values')} ({check['place']})")
        rows += f"<li>{sentence} <code>{source}</code>: {values}</li>"
    words = f"The {len(document.checks)} checks of this page, each with what was measured"
    return f'<details class="evidence"><summary>{words}</summary><ol>{rows}</ol></details>'
