"""Headings, ids and mentions: what "Figure 3", "Table A2", "likning (3)" and "task 2e" link to."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, groupby
from typing import Any
from urllib.parse import unquote

from pandocfilters import Link, Span, Str, stringify

from nbtypst.problems import Problems
from nbtypst.reading.markdown import NOTHING, Block, Blocks, Inlines
from nbtypst.reading.names import names

_NAMES = names("references.ini")
KINDS = _NAMES["kinds"]
CAPTIONED = r"(?:A?\d+[a-z]?|[A-Z])(?:\.\d+)?(?!\w)"
_LABEL = {
    "eq": r"\(\w+(?:\.\w+)*\)",
    "fig": CAPTIONED,
    "task": r"\d[a-z](?!\w)",
    "tbl": CAPTIONED,
}
_ANY = "(?:" + "|".join(sorted(set(_LABEL.values()))) + ")"
_MENTION = re.compile(
    r"\b(Figure|Table|[Ee]quation|[Tt]ask|[Ff]igur|[Tt]abell|[Ll]i[gk]ning|[Oo]ppgave)(s|er|r)? "
    rf"({_ANY}(?:(?:, | and | or | to | og | eller | til |–){_ANY})*)"
)
BREAKS = {
    "LineBreak",
    "SoftBreak",
    "Space",
}
TEXT = {
    "SoftBreak",
    "Space",
    "Str",
}

DEEPEST = 5  # of headings


@dataclass
class References:
    """The ids of a page: the targets of mentions, by all the names that authors use for them."""

    problems: Problems
    ids: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    order: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # kind: label and place of each

    def add(self, name: str, place: str) -> str:
        """Note the id of a figure, a table or an equation and return it; "" for none or a second use."""
        if name in self.ids:
            self.problems.warn(place, f"{shown(name)} is there twice", "give each its own number")
            return ""
        if name:
            self.ids.add(name)
            kind, _, label = name.partition("-")
            self.order.setdefault(kind, []).append((label, place))
        return name

    def heading(self, block: Block) -> None:
        """Give a heading its id: that of its task, else made from its words."""
        words = stringify(block["c"][2])
        plain = re.sub(r"[^\w\s-]", "", words).strip().lower()
        made = re.sub(r"\s", "-", plain) or "section"
        task = re.match(r"(?:(?:Task|Oppgave) )?(\d[a-z])\b", words)
        own = [f"task-{task[1]}", made] if task else [made]
        numbered = (f"{made}-{number}" for number in count(1))
        free = next(name for name in chain(own, numbered) if name not in self.ids)
        self.ids.add(free)
        block["c"][1] = [free, [], []]
        for alias in (*own, words.replace(" ", "-"), "-".join(words.split())):
            self.aliases.setdefault(alias, free)

    def anchor(self, name: str) -> str:
        """Note an id that the author gave to a place in the text and return it; "" for none or one taken."""
        safe = re.sub(r"[^\w.-]", "-", name)
        if not safe or safe in self.ids:
            return ""
        self.ids.add(safe)
        self.aliases.setdefault(name, safe)
        return safe

    def find(self, name: str) -> str | None:
        """Return the id that a link's fragment means, in any of the forms that tools write."""
        wanted = unquote(name)
        plain = re.sub(r"[^\w\s-]", "", wanted).replace(" ", "-").lower()
        for form in (name, wanted, wanted.lower(), plain):
            if form in self.ids:
                return form
            if form in self.aliases:
                return self.aliases[form]
        return None

    def check_order(self) -> None:
        """Note figures, tables and equations out of sequence: 1, 2, 3; A1, A2."""
        for kind, labels in self.order.items():
            if not all(re.fullmatch(r"a?\d+", label) for label, _ in labels):
                continue
            counts = Counter[str]()
            for label, place in labels:
                letter = "a" if label[0] == "a" else ""
                counts[letter] += 1
                expected = f"{letter}{counts[letter]}"
                if label != expected:
                    fault = f"{shown(f'{kind}-{label}')} stands where {shown(f'{kind}-{expected}')} is due"
                    self.problems.error(place, fault, "number in order of appearance")
                    counts[letter] = int(label.removeprefix("a"))

    def link(self, node: Any, place: str, own: str | None = "") -> Any:
        """Return a node, each mention in it, such as Figure 2 or Tables 3 and A1, a link.

        `own` is the id of the figure or table around the node: the number in a caption is no mention. In a
        heading, where it is None, nothing is one.
        """
        if isinstance(node, list):
            return self._linked(node, place, own)
        if not isinstance(node, dict) or "c" not in node:
            return node
        content = node["c"]
        match node["t"]:
            case "Link" if content[2][0].startswith("#"):
                return self._fragment(content, place)
            case "Code" | "CodeBlock" | "Link" | "Math":
                return node
            case "Header":
                own = None
            case "Div" | "Figure" | "Table":
                own = content[0][0]
        return node | {"c": self.link(content, place, own)}

    def _linked(self, items: Inlines, place: str, own: str | None) -> Inlines:
        """Return the items of a list, the mentions in its runs of text as links."""
        linked = []
        for is_text, run in groupby(items, lambda item: isinstance(item, dict) and item["t"] in TEXT):
            if is_text and own is not None:
                linked += self._text(words_of(list(run)), place, own)
            else:
                linked += [self.link(item, place, own) for item in run]
        return linked

    def _fragment(self, content: Any, place: str) -> Any:
        """Return a link into the page with the id that it means; its text if there is none."""
        attributes, inlines, (address, _) = content
        target = self.find(address[1:])
        if not target:
            if target is None:
                self.problems.warn(
                    place, f"a link leads to {address}, which is not there", "it is shown as text"
                )
            return Span(NOTHING, inlines)
        return Link(attributes, inlines, [f"#{target}", ""])

    def _text(self, text: str, place: str, own: str) -> Inlines:
        """Return a run of text with its mentions as links, except that of a caption's own number."""
        parts = []
        done = 0
        for mention in _MENTION.finditer(text):
            kind = KINDS[mention[1].lower()]
            labels = re.compile(_LABEL[kind]).finditer(text, *mention.span(3))
            for number, label in enumerate(labels):
                name = f"{kind}-{label[0].strip('()').lower()}"
                if name == own or (number and not mention[2]):
                    break
                start = label.start() if number else mention.start()
                if name not in self.ids and kind == "fig":
                    name = re.sub(r"(?<=\d)[a-z]$", "", name)  # without a panel of it
                words = text[start : label.end()]
                if name not in self.ids:
                    if name not in self.aliases:  # as an equation that is a line of a formula is
                        self._warn(name, words, place)
                    continue
                inner = [Str(words.replace(" ", "\N{NO-BREAK SPACE}"))]
                parts += [Str(text[done:start]), Link(NOTHING, inner, [f"#{name}", ""])]
                done = label.end()
        return [*parts, Str(text[done:])]

    def _warn(self, name: str, mention: str, place: str) -> None:
        """Warn of a mention of nothing, unless it may be an ordinary word."""
        kind = name.partition("-")[0]
        label = r"\d[a-z]" if kind == "task" else r"[a-z]?\d*[a-z]?"
        known = sorted(shown(one) for one in self.ids if re.fullmatch(f"{kind}-{label}", one))
        if not known and not self.problems.strict:  # of another text, perhaps
            return
        advice = "there is: " + (", ".join(known) or "none")
        self.problems.warn(place, f"{mention!r} is mentioned and is not there", advice)


def shown(name: str) -> str:
    """Return an id as words: Figure 3, Table A2, equation (3), task 2e."""
    kind, _, label = name.partition("-")
    if label[:1] == "a" or (len(label) == 1 and kind != "eq"):
        label = label.upper()
    return _NAMES["shown"].get(kind, name).format(label)


def close_levels(headings: Blocks) -> None:
    """Close gaps between levels: a heading is one deeper than the heading that it stands under."""
    above: list[int] = []
    for heading in headings:
        level = heading["c"][0]
        while above and above[-1] >= level:
            above.pop()
        above.append(level)
        heading["c"][0] = min(len(above), DEEPEST)


def nodes(node: Any, *kinds: str) -> Iterator[Block]:
    """Yield every node of a tree of blocks, or every one of some kinds, in order."""
    left = [node]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if not kinds or one["t"] in kinds:
                yield one
            left.append(one.get("c"))
        elif isinstance(one, list):
            left += reversed(one)


def rewritten(tree: Any, act: Callable[[Block], list[Any]]) -> Any:
    """Return a tree of blocks, each node replaced by those that `act` makes of it, from the inside out."""
    if not isinstance(tree, list):
        return tree
    made = []
    for item in tree:
        if not isinstance(item, dict) or "t" not in item:
            made.append(rewritten(item, act))
            continue
        if "c" in item:
            item = item | {"c": rewritten(item["c"], act)}
        made += act(item)
    return made


def words_of(tree: Any) -> str:
    """Return the text of a tree of blocks, their code too, which `stringify` leaves out."""
    words = ""
    for node in nodes(tree, "Code", "CodeBlock", "Str", *BREAKS):
        content = node.get("c", " ")  # of a break
        words += content if isinstance(content, str) else content[1]
    return words
