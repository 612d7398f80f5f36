"""A notebook as a page's title, blocks and pictures, its numbers and mentions checked."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from textwrap import shorten
from typing import Any

from pandocfilters import Header, Para, Plain, Span, Str, stringify

from nbtypst.problems import Problems
from nbtypst.reading.cells import Piece, pieces
from nbtypst.reading.formulas import Macros
from nbtypst.reading.markdown import (
    NOTED,
    NOTHING,
    REFERENCE,
    Block,
    Blocks,
    Match,
    one_line,
    parse,
    sanitise,
    text_of,
)
from nbtypst.reading.mending import Data
from nbtypst.reading.notes import bibliography
from nbtypst.reading.pictures import Picture
from nbtypst.reading.references import References, close_levels, nodes, rewritten, words_of
from nbtypst.reading.speech import read_aloud, unspoken
from nbtypst.reading.tidy import Tidier
from nbtypst.settings import Settings, settings

_PART = re.compile(r"abstract|[01][.):\s]|import|(?:introduction|overview)\W*\Z|setup", re.I)
_CONTENTS = re.compile(r"\W*(?:contents|table of)\b", re.I)
Placed = list[tuple[str, Block]]  # blocks, each with its cell's name


@dataclass
class Document:
    """The material that both kinds of page are made from."""

    title: str
    settings: Settings
    blocks: Placed
    pictures: list[Picture]
    checks: list[Data]
    problems: Problems
    digest: str = ""  # of the notebook


def digest(nb: Any) -> str:
    """Return the SHA-256 of a notebook's sources and outputs, which a page made from it names."""
    cells = []
    for cell in nb.cells:
        left = [output for output in cell.get("outputs", ()) if output.get("data") != {}]  # by a cleared bar
        cells.append((cell.cell_type, cell.get("source"), left))
    return f"sha256:{sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()}"


def collect(
    nb: Any,
    own: Settings | None = None,
    fault: str = "",
    folder: str | None = None,
    name: str = "",
    widgets: bool = False,
) -> Document:
    """Return the document in a notebook of the file `name` in `folder`, where its pictures are.

    `own` are its settings, without an exporter's options those of the notebook; `fault` is what was not valid
    in it; `widgets` says whether it is for a page that can show those, and can unfold code that is hidden.
    Raise ExportError with every problem found if the notebook cannot become a document.
    """
    own = own or settings(nb, {})
    problems = Problems(own.strict)
    for problem in own.ignored:
        problems.warn(*problem)
    if fault:
        what = f"it is no valid notebook: {fault}"
        problems.warn("the notebook", what, "it is read as well as it can be")
    no_code = own.hide_code and not (widgets and own.fold_code)
    found = pieces(nb, problems, no_code, widgets, own.all_lines)
    checks = [check for piece in found for check in piece.checks]
    for check in checks:
        if not check.get("holds"):
            _judge(check, problems)
    options = bibliography(folder, own.language)
    if options:
        found.append(Piece("the references", html='<div id="refs"></div>'))
    _read(found, problems, options)
    blocks = []
    pictures: list[Picture] = []
    macros: Macros = {}
    for piece in found:
        tidy = Tidier(piece, problems, folder, pictures, macros).tidy()
        blocks += [(piece.place, block) for block in tidy]
    title = _title(blocks, own.title, name)
    headings = [node for _, node in placed(blocks, "Header")]
    close_levels(headings)
    references = References(problems)
    _refer(blocks, references)
    _name_all(blocks, references)
    if own.strict:
        references.check_order()
        for place, node in placed(blocks, "Math"):
            if fault := unspoken(node["c"].latex):
                problems.error(place, fault, "its alternative text would be its source")
    top = Header(1, NOTHING, [Str(title)])
    references.heading(top)
    blocks = [(place, references.link(block, place)) for place, block in blocks]
    target = top["c"][1][0]
    if f"#{target}" in _targets([block for _, block in blocks]):
        blocks.insert(0, ("the title", Plain([Span([target, [], []], [])])))
    lists = [block for _, block in blocks if block["t"] in ("BulletList", "OrderedList")]
    if any(len(_targets(one)) > max(2, len(headings) // 3) for one in lists):
        own.contents = False  # it has its own
    problems.stop()
    return Document(title, own, blocks, pictures, checks, problems)


def placed(blocks: Placed, *kinds: str) -> Placed:
    """Return every node of placed blocks, or every one of some kinds, with its cell's name."""
    return [(place, node) for place, block in blocks for node in nodes(block, *kinds)]


def _targets(tree: Any) -> set[str]:
    """Return the places of the page that links in a tree lead to."""
    return {node["c"][2][0] for node in nodes(tree, "Link") if node["c"][2][0].startswith("#")}


def _judge(check: Data, problems: Problems) -> None:
    """Note a checked sentence that is not true, or that is out of date."""
    sentence = shorten(str(check.get("sentence", "")), 100, placeholder=" …")
    place = check["part"] + check["place"]
    if stale := check.get("stale"):
        problems.error(place, f"{sentence!r} is out of date, {stale}", "run the cells above again")
    else:
        measured = f"check: {check.get('check')}; measured: {check.get('values')}"
        problems.error(place, f"not true: {sentence!r}", measured)


def _read(found: list[Piece], problems: Problems, options: list[str]) -> None:
    """Read the HTML of all pieces and of their captions at once: pandoc takes a while to start."""
    sources = [one for piece in found for one in (piece, piece.caption) if one and one.html]
    read = parse([one.html for one in sources], *options)
    for one, blocks in zip(sources, read, strict=True):
        text = text_of(sanitise(one.html))
        # pandoc leaves out some letters, such as those of a `dl` in no `dt`
        if blocks is None or (not NOTED.search(one.html) and _letters(text) - _letters(words_of(blocks))):
            problems.warn(one.place, "its HTML cannot be read", "its text alone is shown")
            blocks = [Para([Str(text)])]
        one.blocks = blocks


def _letters(text: str) -> Counter[str]:
    """Return how often each letter and digit stands in a text."""
    return Counter(filter(str.isalnum, text.lower()))


def _title(blocks: Placed, given: str, name: str) -> str:
    """Return the title, and take it out of the blocks.

    It is the title of the settings, else the only heading of the first level, if at most one other stands
    before it and others below, else the first heading, if it does not begin a mere part, else the file's
    name. The heading of contents is none of them.
    """
    headings = []
    for _, block in blocks:
        if block["t"] == "Header" and not _CONTENTS.match(stringify(block["c"][2])):
            headings.append(block)
    roots = [block for block in headings if block["c"][0] == 1]
    if not roots or roots not in (headings[:1], headings[1:-1][:1]):
        roots = [block for block in headings[:1] if not _PART.match(stringify(block["c"][2]))]
    words = one_line(stringify(rewritten(roots[0]["c"][2], _aloud))) if roots else ""
    if not words or given not in ("", words):
        return given or name or "Notebook"
    at = [block for _, block in blocks].index(roots[0])
    pictures = list(nodes(roots, "Picture"))
    blocks[at : at + 1] = [(blocks[at][0], Para(pictures))] if pictures else []
    return words


def _aloud(node: Block) -> Blocks:
    """Return a formula's reading as text, for a title, which is text alone."""
    return [Str(read_aloud(node["c"].latex).removeprefix("LaTeX: ")) if node["t"] == "Math" else node]


def _refer(blocks: Placed, references: References) -> None:
    r"""Put numbers in the place of \ref and \eqref; an equation that has none and needs one gets the next."""
    formulas = placed(blocks, "Math")
    math = [node for _, node in formulas]
    wanted = {label for node in math for _, label in REFERENCE.findall(node["c"].latex)}
    taken = {tag for node in math for tag in node["c"].tags}
    free = (str(one) for one in count(1) if str(one) not in taken)
    numbers = {}
    for place, node in formulas:
        formula = node["c"]
        labels = dict(formula.labels)
        for label, own in labels.items():
            if label in numbers:
                references.problems.warn(place, f"the label {label!r} is there twice", "give each its own")
            number = own or formula.tag
            if not number and formula.display and label in wanted:
                number = next(free)
                if len(labels) == 1:
                    formula = node["c"] = formula._replace(tag=number)
            numbers[label] = number
            references.aliases[label] = formula.name if number == formula.tag else ""
    lines = {f"eq-{tag.lower()}": "" for tag in taken.union(numbers.values())}
    references.aliases = lines | references.aliases

    def referred(found: Match) -> str:
        words = numbers.get(found[2]) or found[2]
        return f"({words})" if found[1] else words

    for node in math:
        latex = node["c"].latex
        if REFERENCE.fullmatch(latex):
            node |= {"t": "Str", "c": REFERENCE.sub(referred, latex)}
        else:
            latex = REFERENCE.sub(lambda found: rf"\text{{{referred(found)}}}", latex)
            node["c"] = node["c"]._replace(latex=latex)


def _name_all(blocks: Placed, references: References) -> None:
    """Note every id; headings get theirs last, so that none takes a figure's."""
    for place, node in placed(blocks, "Div", "Figure", "Math", "Table"):
        about = node["c"]
        if node["t"] != "Math":
            about[0][0] = references.add(about[0][0], place)
        elif about.tag and not references.add(about.name, place):
            node["c"] = about._replace(tag="", latex=rf"{about.latex} \qquad \text{{({about.tag})}}")
    for _, node in placed(blocks, "Header", "Span"):
        if node["t"] == "Header":
            references.heading(node)
        else:
            node["c"][0][0] = references.anchor(node["c"][0][0])
