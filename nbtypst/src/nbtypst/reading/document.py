"""A notebook as a page's title, blocks and pictures, its numbers and mentions checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pandocfilters import stringify

from nbtypst.problems import Problems
from nbtypst.reading.cells import Piece, pieces
from nbtypst.reading.formulas import untagged
from nbtypst.reading.markdown import Block, parse, sanitise, text_of
from nbtypst.reading.pictures import Picture
from nbtypst.reading.references import PREFIX, References, close_levels, nodes
from nbtypst.reading.speech import unspoken
from nbtypst.reading.tidy import Tidier
from nbtypst.settings import Settings
from nbtypst.settings import settings as settings_of

WORDS = {"Str", "Code", "CodeBlock"}


@dataclass
class Document:
    """What both kinds of page are made from."""

    title: str
    settings: Settings
    blocks: list[tuple[str, Block]]  # each with its cell's name
    pictures: dict[str, Picture]
    checks: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def collect(
    nb: Any,
    settings: Settings | None = None,
    problems: Problems | None = None,
    folder: str | None = None,
    name: str = "",
    widgets: bool = False,
) -> Document:
    """The document in a notebook of the file `name` in `folder`, where its pictures are.

    `widgets` says whether it is for a page that can show those.
    Raises ExportError with every problem found if it cannot become one.
    """
    settings = settings or settings_of(nb, {})
    problems = problems or Problems(settings.strict)
    found = pieces(nb, problems, settings.hide_code, widgets)
    checks = [(piece.place, check) for piece in found for check in piece.checks]
    for place, check in checks:
        if not check.get("holds"):
            problems.error(place, *_false(check))
    _read(found, problems)
    tidier = Tidier(problems, folder)
    blocks = [(piece.place, block) for piece in found for block in tidier.piece(piece)]
    title, blocks = _title(blocks, settings.title, name)
    close_levels([node for _, block in blocks for node in nodes(block) if node["t"] == "Header"])
    references = References(problems)
    _name_all(blocks, references)
    references.check_order()
    for place, block in blocks:
        for node in nodes(block):
            if node["t"] == "Math" and (fault := unspoken(node["formula"].latex)):
                problems.only_strict(place, fault, "its alternative text would be its source")
    blocks = [(place, references.link(block, place)) for place, block in blocks]
    problems.stop()
    return Document(title, settings, blocks, tidier.pictures, checks)


def _read(found: list[Piece], problems: Problems) -> None:
    """Read the HTML of all pieces and of their captions at once: pandoc takes a while to start."""
    texts = [(piece, False, piece.html) for piece in found if piece.html is not None]
    texts += [(piece, True, piece.caption) for piece in found if piece.caption is not None]
    for (piece, is_caption, html), blocks in zip(texts, parse([html for *_, html in texts]), strict=True):
        if blocks is None or _lost(html, blocks):
            problems.warn(piece.place, "its HTML cannot be read", "its text alone is shown")
            blocks = [{"t": "Para", "c": [{"t": "Str", "c": text_of(html)}]}]
        if is_caption:
            piece.words = blocks
        else:
            piece.blocks = blocks


def _lost(html: str, blocks: list[Block]) -> Counter[str]:
    """The letters and digits that pandoc left out of HTML, such as those of a `dl` in no `dt` or `dd`."""
    read = [node["c"] if node["t"] == "Str" else node["c"][1] for node in nodes(blocks) if node["t"] in WORDS]
    return _letters(text_of(sanitise(html))) - _letters("".join(read))


def _letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, text))


def _false(check: dict[str, Any]) -> tuple[str, str]:
    sentence = str(check.get("sentence", ""))
    if check.get("stale"):
        return f"{sentence!r} is out of date, {check['stale']}", "run the cells above again"
    return f"not true: {sentence!r} (check: {check.get('check')}; measured: {check.get('values')})", ""


def _title(blocks: list[tuple[str, Block]], given: str, name: str) -> tuple[str, list[tuple[str, Block]]]:
    """The title: the one that is set, else the only heading of the first level, else the file's name."""
    roots = [block for _, block in blocks if block["t"] == "Header" and block["c"][0] == 1]
    words = " ".join(stringify(roots[0]["c"][2]).split()) if roots else ""
    if len(roots) == 1 and given in ("", words):
        pictures = [n for n in nodes(roots[0]) if n["t"] == "Span" and n["c"][0][1] == ["picture"]]
        left = [{"t": "Para", "c": pictures}] if pictures else []
        kept = ((place, left if block is roots[0] else [block]) for place, block in blocks)
        return words, [(place, block) for place, some in kept for block in some]
    return given or name or "Notebook", blocks


def _name_all(blocks: list[tuple[str, Block]], references: References) -> None:
    """Note every id; headings get theirs last, so that none takes a figure's."""
    for place, block in blocks:
        for node in nodes(block):
            tag = node["formula"].tag if node["t"] == "Math" else ""
            if tag and not references.add(PREFIX["equation"] + tag.lower(), place):
                node["formula"] = untagged(node["formula"])
                node["c"][1] = node["formula"].latex
            if node["t"] in ("Div", "Table") and node["c"][0][0]:
                node["c"][0][0] = references.add(node["c"][0][0], place)
    for _, block in blocks:
        for node in nodes(block):
            if node["t"] == "Header":
                references.heading(node)
            if node["t"] == "Span" and node["c"][0][0]:
                node["c"][0][0] = references.anchor(node["c"][0][0])
