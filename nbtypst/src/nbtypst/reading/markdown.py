"""Markdown as Jupyter shows it, and HTML, as pandoc's blocks: only known tags and attributes are left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from base64 import b64encode
from functools import cache
from html import escape, unescape
from typing import Any

import nh3
import pypandoc
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

Block = dict[str, Any]
READER = "html+smart-tex_math_dollars-tex_math_single_backslash-tex_math_double_backslash-raw_html"
INLINE, DISPLAY = "nbtypst-math-inline", "nbtypst-math-display"  # classes of <code> that hold LaTeX
MATH = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\$([^$\n]+?)\$|\\\((.+?)\\\)|(\\begin\{(\w+\*?)\}.*\\end\{\6\})", re.S
)
DEEPEST = 60  # elements in one another; what is nested deeper is text alone
SECONDS = 30  # after which pandoc is taken to hang; more for a long text, as many as it takes at this pace:
SLOWEST = 10_000  # characters a second
_TAGS_WORDS = """
a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup dd dfn
div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img kbd li mark nav ol p
pre q s samp section small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var"""
_TAGS = set(_TAGS_WORDS.split())
# Pandoc reads nothing outside main; at del and ins that hold blocks it can fail, in a time that doubles with
# each level of nesting.
_OTHERWISE = {"main": "div", "del": "s", "ins": "u"}
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "name"},
    "code": {"class"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "pre": {"class"},
    "td": {"align", "colspan", "rowspan", "style"},
    "th": {"align", "colspan", "rowspan", "style"},
}
_DROPPED = {"script", "style", "template", "noscript", "head", "title", "object", "applet", "math", "svg"}
_SCHEMES = {"http", "https", "mailto", "data", "attachment", "file"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_KEPT = dict(zip("'\".-", "\ufdd0\ufdd1\ufdd2\ufdd3", strict=True))  # what pandoc would make "smart" in code
_LOST = re.compile(r"<(iframe|video|audio|embed|object|canvas|svg|form|script)\b([^>]*)", re.I)
_BLOCK = re.compile(r"<(?=/?(?:br|d[dt]|div|h[1-6]|li|p|t[dhr])\b)")
_NO_SOURCE = re.compile(r'<img(?!(?:[^>"]|"[^"]*")*?\ssrc=)')
_SOURCE = re.compile(r"""(?:src|data|href)\s*=\s*["']?\s*(https?://[^\s"'>]+)""", re.I)


class PandocError(RuntimeError):
    """pandoc cannot read something."""


class _Renderer(IPythonRenderer):  # type: ignore[misc]
    """HTML in which math is code of two classes, and nothing has a style."""

    def block_math(self, body: str) -> str:
        return _math(body, DISPLAY)

    def inline_math(self, body: str) -> str:
        return _math(body, INLINE)

    def latex_environment(self, name: str, body: str) -> str:
        return _math(f"\\begin{{{name}}}{body}\\end{{{name}}}", DISPLAY)

    def block_code(self, code: str, info: str | None = None) -> str:
        language = re.sub(r"[^\w+#-]", "", (info or "").split(maxsplit=1)[0]) if (info or "").split() else ""
        name = f' class="language-{language}"' if language else ""
        return f"<pre><code{name}>{escape(code)}</code></pre>\n"

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<h{level}>{text}</h{level}>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = "th" if head else "td"
        return f"<{tag}{f' align={align!r}' if align else ''}>{text}</{tag}>\n"

    def task_list_item(self, text: str, checked: bool = False) -> str:
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"

    def _embed_image_or_attachment(self, url: str) -> str:
        return url


def from_markdown(source: str) -> str:
    """The HTML of Markdown, with GitHub's tables and with math, as nbconvert and Jupyter read it."""
    return MarkdownWithMath(renderer=_Renderer(escape=False, allow_harmful_protocols=True)).render(
        printable(source)
    )


def from_latex(source: str) -> str | None:
    """The HTML of a LaTeX output, if it is math with or without words around it; else None."""
    if re.search(r"\\begin\{(?:tabular|longtable|table|figure|itemize|enumerate|description)", source):
        return None
    parts, done = [], 0
    for match in MATH.finditer(source):
        inline = match[3] or match[4]
        parts.append(escape(source[done : match.start()]))
        parts.append(_math(inline or match[1] or match[2] or match[5], INLINE if inline else DISPLAY))
        done = match.end()
    words = escape(source[done:])
    return f"<p>{''.join(parts)}{words}</p>" if parts and "\\" not in "".join(parts[::2]) + words else None


def from_latex_text(source: str) -> str:
    """The HTML of LaTeX that is text or a table, as pandoc reads it, its math marked; "" if it cannot."""
    try:
        html = pandoc(printable(source), "-f", "latex", "-t", "html", "--mathjax", "--quiet")
    except (PandocError, subprocess.TimeoutExpired):
        return ""
    return re.sub(
        r'<span\s+class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>',
        lambda m: _math(unescape(m[2]), DISPLAY if m[1] == "display" else INLINE),
        html,
        flags=re.S,
    )


def _math(latex: str, kind: str) -> str:
    bare = re.sub(r"(?<!\\)%.*", "", latex)  # pandoc joins the lines of code: without their comments
    return f'<code class="{kind}">{escape(bare) or " "}</code>'


def printable(text: str) -> str:
    """Text without the characters that no page can hold."""
    return _CONTROL.sub("", text)


def plain_code(text: str, language: str = "") -> Block:
    """Text as a block of code."""
    return {"t": "CodeBlock", "c": [["", [language] if language else [], []], printable(text)]}


def drawn(html: str) -> str:
    """HTML with each drawing of its own as a picture; symbols for other drawings, and icons, are none."""

    def picture(match: re.Match[str]) -> str:
        svg = match[0]
        if not re.search(r"<(path|rect|circle|ellipse|line|poly|text|image)\b", svg) or "<symbol" in svg:
            return svg
        svg = re.sub(r"<svg\b(?![^>]*\bxmlns=)", '<svg xmlns="http://www.w3.org/2000/svg"', svg, count=1)
        if "xlink:" in svg and "xmlns:xlink" not in svg:
            svg = svg.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
        title = re.search(r"<title\b[^>]*>([^<]*)</title>|aria-label=[\"']([^\"']*)", svg)
        alt = f' alt="{escape(unescape(title[1] or title[2] or ""))}"' if title else ""
        return f'<img{alt} src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'

    return re.sub(r"<svg\b(?:(?!<svg\b).)*?</svg\s*>", picture, html, flags=re.S | re.I)


def lost(html: str) -> list[tuple[str, str]]:
    """The parts of HTML that no page shows: each tag's name and the address that it has, or ""."""
    found = []
    for match in _LOST.finditer(html):
        source = _SOURCE.search(match[2])
        found.append((match[1].lower(), source[1] if source else ""))
    return found


def sanitise(html: str) -> str:
    """Well-formed HTML of nothing but known tags with known attributes."""
    html = re.sub(r"<input\b[^>]*\bchecked\b[^>]*>", "☑", html, flags=re.I)
    html = re.sub(r"<input\b[^>]*checkbox[^>]*>", "☐", html, flags=re.I)
    html = re.sub(
        rf"<(/?)({'|'.join(_OTHERWISE)})\b", lambda m: f"<{m[1]}{_OTHERWISE[m[2].lower()]}", html, flags=re.I
    )
    clean = nh3.clean(
        printable(html),
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    clean = _NO_SOURCE.sub('<img src=""', clean)  # which pandoc leaves out, its text too, or fails at
    return clean if _depth(clean) <= DEEPEST else f"<p>{escape(text_of(clean))}</p>"


def _depth(html: str) -> int:
    """How deeply the elements of well-formed HTML are nested."""
    depth = deepest = 0
    for match in re.finditer(r"<(/?)(?!(?:br|hr|img|col)\b)\w", html):
        depth += -1 if match[1] else 1
        deepest = max(deepest, depth)
    return deepest


def _attribute(tag: str, attribute: str, value: str) -> str | None:
    """An attribute's value; numbers are small ones, so that no table has a million columns."""
    if attribute == "style":  # of a table's cell
        match = re.search(r"text-align:\s*(left|right|center)", value)
        return match and f"text-align: {match[1]}"
    if attribute in ("colspan", "rowspan", "start", "width", "height"):
        return (
            value
            if re.fullmatch(r"[1-9]\d{0,3}(px)?", value) and (len(value) < 3 or "span" not in attribute)
            else None
        )
    return value


def parse(fragments: list[str]) -> list[list[Block] | None]:
    """The blocks of each fragment of HTML, sanitised and read by pandoc in one go; None where it cannot."""
    clean = [_code_kept(sanitise(fragment)) for fragment in fragments]
    if not clean:
        return []
    whole = "".join(f'<div id="nbtypst-part-{i}">{part}</div>\n' for i, part in enumerate(clean))
    blocks = _read(whole) or []
    names = [block["c"][0][0] if block["t"] == "Div" else "" for block in blocks]
    if names == [f"nbtypst-part-{i}" for i in range(len(clean))]:
        return [block["c"][1] for block in blocks]
    return [_read(part) for part in clean]  # one of them confuses pandoc: each by itself


def _code_kept(html: str) -> str:
    """HTML whose code has stand-ins for what pandoc would make curly, which `_read` takes back."""

    def literal(code: re.Match[str]) -> str:
        return re.sub(r"""(<[^>]*>)|['".-]""", lambda part: part[1] or _KEPT[part[0]], code[0])

    return re.sub(r"<code\b.*?</code>", literal, html, flags=re.S)


def text_of(html: str) -> str:
    """The text of HTML without its tags, with a space where a block or a cell begins or ends."""
    return " ".join(unescape(nh3.clean(_BLOCK.sub(" <", html), tags=set())).split())


def _read(html: str) -> list[Block] | None:
    try:
        read = pandoc(html, "-f", READER, "-t", "json")
    except (PandocError, subprocess.TimeoutExpired):
        return None
    for plain, kept in _KEPT.items():
        read = read.replace(kept, json.dumps(plain)[1:-1])
    blocks: list[Block] = json.loads(read)["blocks"]
    return blocks


def pandoc(text: str, *options: str) -> str:
    """What pandoc makes of `text`."""
    env = os.environ | {"LC_ALL": "C.UTF-8"}  # else pandoc cannot open a file in a folder such as "øving 1"
    command = [pandoc_path(), "--sandbox", "--wrap=none", *options]
    limit = SECONDS + len(text) / SLOWEST
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", env=env, timeout=limit)
    if done.returncode:
        raise PandocError(f"pandoc failed: {done.stderr.strip()}")
    return done.stdout


@cache
def pandoc_path() -> str:
    """A pandoc >= 3: the one on PATH, else pypandoc's."""
    found = [shutil.which("pandoc")]
    with contextlib.suppress(OSError):
        found.append(pypandoc.get_pandoc_path())
    for path in filter(None, found):
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if re.match(r"pandoc\S* ([3-9]|\d\d)", version):
            return path
    raise RuntimeError(
        "No pandoc >= 3 found: pip install pypandoc_binary, or install pandoc 3 and put it on PATH"
    )
