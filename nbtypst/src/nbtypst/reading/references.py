"""Headings, ids and mentions: what "Figure 3", "Table A2", "equation (3)" and "task 2e" link to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from pandocfilters import Link, Str, stringify

from nbtypst.problems import Problems
from nbtypst.reading.markdown import Block

PREFIX = {"figure": "fig-", "table": "tbl-", "equation": "eq-", "task": "task-"}
_LABEL = dict.fromkeys(("figure", "table"), r"(?:A?\d+[a-z]?|[A-Z])(?:\.\d+)?(?!\w)")
_LABEL |= {"equation": r"\(\w+\)", "task": r"\d[a-z](?!\w)"}
_ANY = "(?:" + "|".join(sorted(set(_LABEL.values()))) + ")"
_MENTION = re.compile(
    rf"\b(Figure|Table|[Ee]quation|[Tt]ask)(s?) ({_ANY}(?:(?:, | and | or | to |–){_ANY})*)"
)
_TEXT = ("Str", "Space", "SoftBreak")
DEEPEST = 5  # of headings


@dataclass
class References:
    """The ids of a page: what a mention can link to, by all the names that it goes by."""

    problems: Problems
    ids: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)
    order: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # kind: label and place of each

    def add(self, name: str, place: str) -> str:
        """Note the id of a figure, a table or an equation; "" for a second use of it."""
        if name in self.ids:
            self.problems.warn(place, f"{_shown(name)} is there twice", "give each its own number")
            return ""
        self.ids.add(name)
        kind, _, label = name.partition("-")
        self.order.setdefault(kind, []).append((label, place))
        return name

    def heading(self, block: Block) -> None:
        """Give a heading its id: that of its task, else made from its words."""
        words = stringify(block["c"][2])
        task = re.match(r"(?:Task )?(\d[a-z])\b", words)
        names = [PREFIX["task"] + task[1]] if task else []
        plain = re.sub(r"[^\w\s-]", "", words).strip().lower()
        names += [re.sub(r"\s", "-", plain) or "section"]
        free = next((name for name in names if name not in self.ids), None)
        count = 1
        while free is None:
            free, count = (
                (f"{names[-1]}-{count}" if f"{names[-1]}-{count}" not in self.ids else None),
                count + 1,
            )
        self.ids.add(free)
        block["c"][1] = [free, [], []]
        for alias in (*names, words.replace(" ", "-"), "-".join(words.split())):
            self.aliases.setdefault(alias, free)

    def anchor(self, name: str) -> str:
        """An id that the author gave to a place in the text; "" if it is taken."""
        safe = re.sub(r"[^\w.-]", "-", name)
        if safe in self.ids:
            return ""
        self.ids.add(safe)
        self.aliases.setdefault(name, safe)
        return safe

    def find(self, name: str) -> str | None:
        """The id that a link's fragment means, whichever way of writing it has."""
        wanted = unquote(name)
        for one in (name, wanted, wanted.lower(), re.sub(r"[^\w\s-]", "", wanted).replace(" ", "-").lower()):
            if one in self.ids:
                return one
            if one in self.aliases:
                return self.aliases[one]
        return None

    def check_order(self) -> None:
        """Figures, tables and equations are each one sequence: 1, 2, 3; A1, A2 in the appendix."""
        for kind, labels in self.order.items():
            numbered = [(label, place) for label, place in labels if re.fullmatch(r"a?\d+", label)]
            counts = {"": 0, "a": 0}
            for label, place in numbered if len(numbered) == len(labels) else []:
                letter = "a" if label[0] == "a" else ""
                counts[letter] += 1
                expected = f"{letter}{counts[letter]}"
                if label != expected:
                    wanted = _shown(f"{kind}-{expected}")
                    self.problems.only_strict(
                        place,
                        f"{_shown(f'{kind}-{label}')} stands where {wanted} is due",
                        "number in order of appearance",
                    )
                    counts[letter] = int(label.removeprefix("a"))

    def link(self, node: Any, place: str, own: str = "") -> Any:
        """Make each mention, such as Figure 2 or Tables 3 and A1, a link to it."""
        if isinstance(node, dict):
            if node["t"] == "Link" and node["c"][2][0].startswith("#"):
                return self._fragment(node, place)
            if node["t"] in ("Header", "Link", "Math", "Code", "CodeBlock") or "c" not in node:
                return node
            own = node["c"][0][0] if node["t"] in ("Div", "Table") else own
            return node | {"c": self.link(node["c"], place, own)}
        if not isinstance(node, list):
            return node
        linked: list[Any] = []
        for is_text, items in groupby(node, lambda item: isinstance(item, dict) and item["t"] in _TEXT):
            if is_text:
                linked += self._text("".join(item.get("c", " ") for item in items), place, own)
            else:
                linked += [self.link(item, place, own) for item in items]
        return linked

    def _fragment(self, node: Any, place: str) -> Any:
        address = node["c"][2][0][1:]
        target = self.find(address)
        if target is None:
            self.problems.warn(
                place, f"a link leads to #{address}, which is not there", "it is shown as text"
            )
            return {"t": "Span", "c": [["", [], []], node["c"][1]]}
        return node | {"c": [*node["c"][:2], ["#" + target, ""]]}

    def _text(self, text: str, place: str, own: str) -> list[Any]:
        """A run of text with its mentions as links, except that of a caption's own number."""
        parts: list[Any] = []
        done = 0
        for mention in _MENTION.finditer(text):
            kind, offset = mention[1].lower(), mention.start(3)
            for number, label in enumerate(re.finditer(_LABEL[kind], mention[3])):
                name = PREFIX[kind] + label[0].strip("()").lower()
                if name == own or (number and not mention[2]):
                    break
                if name not in self.ids and kind == "figure" and re.search(r"\d[a-z]$", name):
                    name = name[:-1]  # a panel of it
                start, end = offset + label.start() if number else mention.start(), offset + label.end()
                if name not in self.ids:
                    self._nothing(name, text[start:end], place)
                    continue
                words = text[start:end].replace(" ", "\N{NO-BREAK SPACE}")
                parts += [Str(text[done:start]), Link(["", [], []], [Str(words)], ["#" + name, ""])]
                done = end
        return [*parts, Str(text[done:])]

    def _nothing(self, name: str, mention: str, place: str) -> None:
        kind = name.partition("-")[0]
        label = r"\d[a-z]" if kind == "task" else r"[a-z]?\d*[a-z]?"
        known = sorted(_shown(one) for one in self.ids if re.fullmatch(f"{kind}-{label}", one))
        if kind == "task" and not known and not self.problems.strict:
            return  # an ordinary word
        advice = "there is: " + (", ".join(known) or "none")
        self.problems.warn(place, f"{mention!r} is mentioned and is not there", advice)


def _shown(name: str) -> str:
    kind, _, label = name.partition("-")
    words = {"fig": "Figure {}", "tbl": "Table {}", "eq": "equation ({})", "task": "task {}"}.get(kind, name)
    return words.format(label.upper() if label[:1] == "a" or (len(label) == 1 and kind != "eq") else label)


def close_levels(headings: list[Block]) -> None:
    """Levels without gaps: a heading is one deeper than that which it stands under."""
    above: list[int] = []
    for heading in headings:
        level = heading["c"][0]
        while above and above[-1] >= level:
            above.pop()
        above.append(level)
        heading["c"][0] = min(len(above), DEEPEST)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every node of a tree of blocks, in order."""
    if isinstance(node, dict):
        yield node
        yield from nodes(node.get("c"))
    elif isinstance(node, list):
        for item in node:
            yield from nodes(item)
