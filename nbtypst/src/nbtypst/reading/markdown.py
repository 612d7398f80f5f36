"""Markdown as Jupyter shows it, and HTML, as pandoc's blocks: only known tags and attributes are left.

Regular expressions handle HTML before nh3 parses it, and not a tree of beautifulsoup4: html.parser writes
the names in an SVG in small letters, ends a misnested element where a browser goes on with it, and takes
four times as long as nh3.
"""

import json
import os
import re
import shutil
import subprocess
from base64 import b64encode
from functools import cache
from html import escape, unescape
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

import nh3
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from nbtypst.reading.names import names

Block = dict[str, Any]
Blocks = list[Block]
Inlines = list[Any]
Match = re.Match[str]
NOTHING = ["", [], []]  # the attributes of a node that has none
READER = (
    "html+smart-auto_identifiers-raw_html"
    "-tex_math_dollars-tex_math_single_backslash-tex_math_double_backslash"
)
INLINE = "nbtypst-math-inline"  # a class of <code> that holds LaTeX, as is the next
DISPLAY = "nbtypst-math-display"
NOTED = re.compile(r"\[\^|@")  # a footnote or its mention, or a citation
REFERENCE = re.compile(r"\\(eq)?ref\s*\{([^{}]*)\}")  # to an equation
MATH = re.compile(
    r"(?<!\\)\$\$(.+?)\$\$|\\\[(.+?)\\\]|(?<!\\)\$([^$]+?)(?<!\\)\$|\\\((.+?)\\\)"
    rf"|(\\begin\{{(\w+\*?)\}}.*\\end\{{\6\}})|({REFERENCE.pattern})",
    re.S,
)
DEEPEST = 60  # elements in one another; what is nested deeper is text alone
MOST_BOXES = 5  # in one another
MOST_OPEN = 10_000  # elements in one another before nh3, which takes their square in time
SECONDS = 30  # after which pandoc is taken to hang; more for a long text, as many as it takes at this pace:
SLOWEST = 10_000  # characters a second
_NAMES = names("html.ini")
_ATTRIBUTES = {element: set(found.split()) for element, found in _NAMES["attributes"].items()}
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_KEPT = dict(zip("'\".-", "\ufdd0\ufdd1\ufdd2\ufdd3", strict=True))  # what pandoc would make "smart"
_LOST = re.compile(
    r"<(audio|video)\b[^>]*>(?:(?!<(?:audio|video)\b).){0,2000}?</(?:audio|video)\s*>"
    r"|<(audio|canvas|embed|form|iframe|object|svg|video)\b[^>]*",
    re.I | re.S,
)
_NO_MATH = re.compile(  # tags, and what is in some of them
    r"(<(?:code|math|pre|script|style|svg|textarea)\b.*?</(?:code|math|pre|script|style|svg|textarea)\s*>"
    r"|<!--.*?-->|</?[a-z][^>]*>)",
    re.S | re.I,
)
_INLINE_LIST = re.compile(r"<ol class=[\"']?list-inline[\"']?>\s*<li>(.*?)</li>\s*</ol>", re.S)  # R's vector
_PIPE = "\ufdd4"  # stands for a pipe that ends no cell
_BOXES = _NAMES["boxes"]
_KINDS = "|".join(_BOXES)
_OPENS = rf"[ \t]*\{{\.?(?:callout-)?(?:{_KINDS})\b"
_CODE = rf" {{0,3}}(`{{3,}}+|~{{3,}}+)(?!{_OPENS})(?s:.*?)"  # up to the end of its fence
_BOX = re.compile(  # its fence, kind, title and lines, none of which opens another; or code, which holds none
    rf"^(`{{3,}}|:{{3,}})[ \t]*\{{\.?(?:callout-)?({_KINDS})\b(?:[^}}\n]*?\btitle=\"([^\"}}\n]+))?+"
    rf"[^}}\n]*+\}}[ \t]*+(.*)\n(?::\w+:.*\n)*+"
    rf"((?>{_CODE}^ {{0,3}}\6.*\n|(?![`:]{{3,}}{_OPENS}).*\n)*?)\1[ \t]*$"
    rf"|^{_CODE}(?:^ {{0,3}}\7|\Z)",
    re.M,
)
_BREAK = '<div style="break-after: page"></div>'
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""")
_STRUCTURE = re.compile(r"\\begin\{(?:tabular|longtable|table|figure|Verbatim|itemize|enumerate|description)")


class PandocError(RuntimeError):
    """pandoc cannot read something."""


class _Renderer(IPythonRenderer):
    """HTML in which math is code of two classes, and nothing has a style."""

    def block_math(self, body: str) -> str:
        return _math(body, DISPLAY)

    def inline_math(self, body: str) -> str:
        return _math(body, INLINE)

    def latex_environment(self, name: str, body: str) -> str:
        return _math(f"\\begin{{{name}}}{body}\\end{{{name}}}", DISPLAY)

    def block_code(self, code: str, info: str | None = None) -> str:
        language = re.sub(r"\s.*|[^\w+#-]", "", info or "")
        return super(IPythonRenderer, self).block_code(code, language)  # without pygments

    def block_html(self, html: str) -> str:
        return typeset(html)

    def text(self, text: str) -> str:
        return REFERENCE.sub(lambda found: _math(found[0], INLINE), super().text(text))

    def _embed_image_or_attachment(self, url: str) -> str:
        return url


def from_markdown(source: str) -> str:
    """Return the HTML of Markdown, with GitHub's tables and with math, as nbconvert and Jupyter read it."""
    renderer = _Renderer(escape=False, allow_harmful_protocols=True, exclude_anchor_links=True)
    source = printable(source)
    for _ in range(MOST_BOXES):  # the innermost first
        source = _BOX.sub(_box, source)
    source = replaced(source, _MORE)
    return MarkdownWithMath(renderer=renderer).render(source).replace(_PIPE, "|")


def _box(found: Match) -> str:
    """Return a fence that is a box, and is closed, as GitHub writes one."""
    fence, kind, title, words, text, *_ = found.groups()
    if not fence:
        return found[0]
    words = title or words
    title = f"**{words}**\n\n" if words else ""
    quoted = f"[!{_BOXES[kind]}]\n\n{title}{text}"
    return re.sub("^", "> ", quoted, flags=re.M) + "\n"


def _added(found: Match) -> str:
    """Return what is no part of Jupyter's Markdown as HTML."""
    if found[1]:
        return found[0]
    if not found[2]:
        return f"\n{_BREAK}\n"
    text = re.sub(r"^(?: {4}|\t)", "", found[3], flags=re.M)
    return f'\n<div id="nbtypst-note-[^{escape(found[2])}">\n\n{text}\n\n</div>\n\n'


def _table(found: Match) -> str:
    """Return a table of Markdown, each row as long as its head, no cell ended by a pipe in math or code."""
    count = len(re.findall("-+", found[3] or ""))
    if not found[2] or len(_cells(found[2], count)) != count:
        return found[0]
    text = ""
    for line in found[0].splitlines():
        row = [*_cells(line, count), *[""] * count]
        text += f"| {' | '.join(row[:count])} |\n"
    return text


def _cells(line: str, count: int) -> list[str]:
    """Return the cells of a row; a pipe in math or code ends none, unless there were too few then."""
    held = re.sub(r"(?<![\\$])\$[^$]+\$|`[^`]+`", lambda span: span[0].replace("|", _PIPE), line)
    rows = [re.split(r"(?<!\\)\|", re.sub(r"^\||(?<!\\)\|$", "", text.strip())) for text in (held, line)]
    return rows[len(rows[0]) < count <= len(rows[1])]


_MORE: dict[str, Any] = {
    # what is no part of Jupyter's Markdown: a footnote, a page break; or a fence, which holds none
    r"(?m)^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)|^ {0,3}\\(?:newpage|pagebreak|clearpage)[ \t]*$"
    r"|^\[\^([^\]\s]+)\]:[ \t]*([^\n]*(?:\n(?!\[\^|[ \t]*(?:\n|\Z)|[#>|`~]|[-*+] )[^\n]+"
    r"|(?:\n[ \t]*)+\n(?: {4}|\t)[^\n]+)*)": _added,
    # a table, or a fence, which holds none
    r"(?m)^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)"
    r"|^( {0,3}[^\s>][^\n]*)\n( {0,3}(?=[^\n]*\|)[-|: \t]*-[-|: \t]*)(?:\n|\Z)"
    r"((?:[^\n]*\|[^\n]*(?:\n|\Z))*)": _table,
}


def from_latex(source: str) -> str:
    """Return the HTML of a LaTeX output that is math, with or without words around it; else ""."""
    if _STRUCTURE.search(source) or "\\" in MATH.sub("", source):
        return ""
    return f"<p>{MATH.sub(_marked, escape(source))}</p>" if MATH.search(source) else ""


def typeset(html: str) -> str:
    """Return HTML, the math in its text marked as Jupyter finds it."""
    html = _INLINE_LIST.sub(
        lambda found: f"<p>{re.sub('</li>.*?<li>', ' · ', found[1], flags=re.S)}</p>", html
    )
    parts = _NO_MATH.split(unscripted(html))
    parts[::2] = [MATH.sub(_marked, text).replace(r"\$", "$") for text in parts[::2]]
    return "".join(parts)


def unscripted(html: str) -> str:
    """Return HTML without its scripts, but for those that hold math, as MathJax 2 wrote it."""
    return replaced(html, _SCRIPTS)


def _marked(math: Match) -> str:
    """Return what `MATH` found in text of HTML as code that holds LaTeX."""
    inline = math[3] or math[4] or math[7]
    latex = inline or math[1] or math[2] or math[5]
    return _math(unescape(latex), INLINE if inline else DISPLAY)


def from_latex_text(source: str) -> str:
    """Return the HTML of LaTeX that is text or a table, as pandoc reads it, its math marked; "" for none."""
    if "\\" not in source:
        return f"<p>{escape(source)}</p>"  # where pandoc would take a % for the start of a comment
    try:
        html = pandoc(printable(source), "-f", "latex", "-t", "html", "--mathjax", "--quiet")
    except PandocError:
        return ""
    math = r'(?s)<span\s+class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>'
    return re.sub(math, lambda found: _math(unescape(found[2]), f"nbtypst-math-{found[1]}"), html)


def _math(latex: str, kind: str) -> str:
    bare = re.sub(r"(?<!\\)%.*", "", latex)  # pandoc joins the lines of code: without their comments
    return f'<code class="{kind}">{escape(bare) or " "}</code>'


_SCRIPTS: dict[str, Any] = {
    r"(?i)<script\b[^<>]*math/tex(;\s*mode=display)?[^<>]*>(.*?)(?:</script\s*>|\Z)": (
        lambda math: _math(math[2], DISPLAY if math[1] else INLINE)
    ),
    r"(?i)<script\b[^<>]*>.*?(?:</script\s*>|\Z)": "",
}


def replaced(text: str, table: dict[str, Any]) -> str:
    """Return a text with each pattern of a table replaced, in its order."""
    for pattern, better in table.items():
        text = re.sub(pattern, better, text, flags=re.S)
    return text


def printable(text: str) -> str:
    """Return text without the characters that no page can hold."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Return text in one line, without the characters that no page can hold."""
    return " ".join(printable(text).split())


def _picture(match: Match) -> str:
    svg = match[0]
    if not re.search(r"<(?:path|rect|circle|ellipse|line|poly|text|image)\b", svg) or "<symbol" in svg:
        return svg
    if "xlink:" in svg and "xmlns:xlink" not in svg:
        svg = svg.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
    title = re.search(r"<title\b[^>]*>([^<]*)</title>|aria-label=[\"']([^\"']*)", svg)
    alt = f' alt="{escape(unescape(title[1] or title[2] or ""))}"' if title else ""
    return f'<img{alt} src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'


_DRAWN: dict[str, Any] = {
    # a button of nothing but an icon, such as Colab's beside a table
    r"(?i)<button\b[^<>]*>\s*<svg\b(?:(?!<svg\b).)*?</svg\s*>\s*</button\s*>": "",
    r"(?i)<svg\b(?:(?!<svg\b).)*?</svg\s*>": _picture,
}


def drawn(html: str) -> str:
    """Return HTML, each drawing in it a picture; symbols for other drawings, and icons, stay."""
    return replaced(html, _DRAWN)


def visible(html: str) -> tuple[str, list[tuple[str, str]]]:
    """Return HTML, a word or a link before each element that no page shows, and those tags and addresses."""
    lost = []

    def word(match: Match) -> str:
        tag = (match[1] or match[2]).lower()
        kept = tag in ("form", "svg")
        address = "" if kept else _address(match[0])
        lost.append((tag, address))
        if kept:
            return match[0]
        words = f'<a href="{address}">[{tag}: {address}]</a>' if address else f"[{tag}]"
        return f"<p>{words}</p>{match[0] if match[2] else ''}"

    return _LOST.sub(word, drawn(html)), lost


def _address(attributes: str) -> str:
    """Return the first address in the attributes of elements, "" if none leads out of the page."""
    for name, *values in _ATTRIBUTE.findall(attributes):
        address = "".join(values).strip()
        if name.lower() in ("src", "data", "href") and re.fullmatch("(?!data:|#)[^\"'<>]+", address):
            return address
    return ""


# HTML that nh3 or pandoc would lose, and what they keep, in the order in which it is replaced.
_TYPED = {
    r"(?i)(<\w+)(?=\s[^<>]*\bdisplay:\s*none)": r"\1 hidden",
    # a paragraph, whose attributes pandoc leaves out
    r"""(?i)<p(?:[^<>"']|"[^"<>]*"|'[^'<>]*')*?\shidden[\s>=](?:(?!<p\b).)*?</p\s*>""": (
        r"<div hidden>\g<0></div>"
    ),
    # an element, other than a div, that asks for a new page before it, or is empty
    r"(?i)<(?!div)\w+[^>]*\bbreak-(?:before\s*:\s*(?:always|page)[^>]*>|after\s*:\s*(?:always|page)[^>]*>"
    r"(?=(?:\s|&nbsp;)*(?:<|\Z)))": rf"{_BREAK}\g<0>",
    r"(?i)<input\b[^>]*\bchecked\b[^>]*>": "☑ ",
    r"(?i)<input\b[^>]*checkbox[^>]*>": "☐ ",
    **{rf"(?i)<(/?){name}\b": rf"<\1{other}" for name, other in _NAMES["otherwise"].items()},
}
_CLEAN: dict[str, Any] = {
    # blocks in a heading, for which pandoc gives it up
    r"<(h[1-6])\b(?:(?!<h[1-6]).)*?</\1>": lambda m: re.sub(r"</?(?:center|div|hr|p)\b[^>]*>", " ", m[0]),
    # a row of heads alone, some of which reach into a row of data, where pandoc would cut them off
    r"<tbody>\s*(<tr\b(?:(?!</?tr\b).)*)</tr>(?=\s*(<tr\b(?:(?!</?tr\b).)*))": lambda m: _row(
        *m.group(0, 1, 2)
    ),
    # a picture that pandoc leaves out, its text too, or fails at
    r'<img(?!(?:[^>"]|"[^"]*")*?\ssrc=)': '<img src=""',
}


def _row(whole: str, heads: str, following: str) -> str:
    """Return the first row of a body, as data if it is heads that reach into a row of data."""
    reach = "<td" not in heads and " rowspan=" in heads and "<td" in following
    return re.sub(r"(</?)th\b", r"\1td", whole) if reach else whole


def sanitise(html: str) -> str:
    """Return well-formed HTML of nothing but known tags with known attributes."""
    if _depth(html) > MOST_OPEN:
        html = escape(re.sub("<[^>]*>", " ", html))
    clean = nh3.clean(
        printable(replaced(html, _TYPED)),
        tags=set(_NAMES["elements"]),
        clean_content_tags=set(_NAMES["dropped"]),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=set(_NAMES["schemes"]),
        link_rel=None,
    )
    clean = replaced(printable(clean), _CLEAN)  # again: of references to characters it made these
    return clean if _depth(clean) <= DEEPEST else f"<p>{escape(text_of(clean))}</p>"


def _depth(html: str) -> int:
    """Return how deeply the elements of well-formed HTML are nested."""
    tags = re.finditer(r"<(/?)(?!(?:br|hr|img|col)\b)\w", html)
    return max(accumulate((-1 if tag[1] else 1 for tag in tags), initial=0))


def _attribute(tag: str, attribute: str, value: str) -> str | None:
    """Return an attribute's value if a page can have it, else None."""
    values = _NAMES["values"]
    pattern = values.get(f"{tag}.{attribute}") or values.get(attribute, ".*")
    found = re.search(pattern, value, re.S)
    return found and found[0]


def parse(fragments: list[str], *options: str) -> list[Blocks | None]:
    """Return each fragment of HTML as blocks, sanitised and read by pandoc in one go; None for a failure.

    `options` are those of pandoc for what the fragments cite.
    """
    clean = [_as_typed(sanitise(fragment)) for fragment in fragments]
    parts = {f"nbtypst-part-{number}": part for number, part in enumerate(clean)}
    whole = "".join(f'<div id="{name}">{part}</div>\n' for name, part in parts.items())
    blocks = _read(whole, *options) or []
    if list(parts) == [block["c"][0][0] if block["t"] == "Div" else "" for block in blocks]:
        return [block["c"][1] for block in blocks]
    return list(map(_read, clean))  # one of them confuses pandoc: each by itself


def _as_typed(html: str) -> str:
    """Return HTML with stand-ins, which `_read` takes back, for what pandoc would change in code and cells.

    In a text, too, dashes and dots stay what they are; its quotation marks become curly.
    """

    def literal(part: Match) -> str:
        signs = r"""(<[^>]*>)|['"]|(?<=-)-|(?<=\.)\."""
        return re.sub(signs, lambda sign: sign[1] or _KEPT[sign[0]], part[0])

    return re.sub(r"<(code|td|th)\b.*?</\1>|<[^>]*>|--+|\.\.+", literal, html, flags=re.S)


def text_of(html: str) -> str:
    """Return the text of HTML without its tags, with a space where a block or a cell begins or ends."""
    apart = re.sub(r"<(?=/?(?:br|d[dt]|div|h[1-6]|li|p|t[dhr])\b)", " <", html)
    return " ".join(unescape(nh3.clean(apart, tags=set())).split())


def _read(html: str, *options: str) -> Blocks | None:
    """Return sanitised HTML as blocks; None if pandoc cannot read it."""
    try:
        # what the filter is for: it takes a while
        if re.search(rf"{NOTED.pattern}|alert|callout|break-|mermaid|\[!", html):
            options = (f"--lua-filter={Path(__file__).with_name('read.lua')}", *options)
        read = pandoc(html, "-f", READER, "-t", "json", *options)
    except PandocError:
        return None
    for plain, kept in _KEPT.items():
        read = read.replace(kept, json.dumps(plain)[1:-1])
    return json.loads(read)["blocks"]


def pandoc(text: str, *options: str) -> str:
    """Return what pandoc makes of a text. Raise PandocError if it fails or hangs."""
    env = os.environ | {"LC_ALL": "C.UTF-8"}  # else pandoc cannot open a file in a folder such as "øving 1"
    command = [pandoc_path(), "--sandbox", "--wrap=none", *options]
    limit = SECONDS + len(text) / SLOWEST
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, encoding="utf-8", env=env, timeout=limit
        )
    except subprocess.TimeoutExpired as error:
        raise PandocError(f"pandoc took more than {limit:.0f} s") from error
    if done.returncode:
        raise PandocError(f"pandoc failed: {done.stderr.strip()}")
    return done.stdout


def written(blocks: Blocks, form: str, *options: str, **meta: Block) -> str:
    """Return what pandoc writes of blocks, and of their metadata, in one of its forms."""
    tree = json.dumps({"pandoc-api-version": [1, 23, 1], "meta": meta, "blocks": blocks})
    return pandoc(tree, "-f", "json", "-t", form, "--quiet", *options)


@cache
def pandoc_path() -> str:
    """Return the path of pypandoc's pandoc, else of one >= 3 on PATH. Raise RuntimeError without one."""
    package = str(find_spec("pypandoc").origin)  # type: ignore[union-attr]  # to import it takes a while
    own = shutil.which("pandoc", path=Path(package).with_name("files"))
    if own:
        return own
    path = shutil.which("pandoc")
    if path:
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if re.match(r"pandoc\S* ([3-9]|\d\d)", version):
            return path
    raise RuntimeError(
        "No pandoc >= 3 found: pip install pypandoc_binary, or install pandoc 3 and put it on PATH"
    )
