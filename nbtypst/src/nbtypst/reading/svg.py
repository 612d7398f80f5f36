"""SVG with nothing but drawing in it: known elements and attributes, no script, style, link or file."""

import re
import textwrap
from functools import cache
from xml.etree import ElementTree

import tinycss2
from defusedxml.ElementTree import fromstring

from nbtypst.reading.names import names

SVG = "http://www.w3.org/2000/svg"
MOST_SHAPES = 200_000
LABEL = 28  # characters in a line of Mermaid's labels, which are up to 200 pixels wide
XLINK = "http://www.w3.org/1999/xlink"
_NAMES = names("svg.ini")
_ATTRIBUTES = _NAMES["attributes"] | _NAMES["presentation"]
_TARGET = re.compile(r"#.*|data:image/(?:png|jpe?g|gif);base64,[A-Za-z0-9+/=\s]+", re.S)
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|javascript:", re.I)
_POINTS = {
    "": 0.75,
    "cm": 72 / 2.54,
    "em": 12,
    "ex": 6,
    "in": 72,
    "mm": 72 / 25.4,
    "pc": 12,
    "pt": 1,
    "px": 0.75,
}
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def sanitise_svg(source: str) -> str:
    """Return the drawing alone; a style keeps the properties that an attribute can have, and no other.

    Raises ValueError if the source is no SVG.
    """
    try:
        root = fromstring(re.sub(r"<!DOCTYPE[^>\[]*(\[.*?\])?\s*>", "", source, flags=re.S).strip())
    except Exception as error:  # of expat, or an entity, which defusedxml forbids
        raise ValueError(f"no SVG: {error}") from error
    if root.tag not in (f"{{{SVG}}}svg", "svg"):
        raise ValueError("no SVG: its first element is another")
    try:
        if _shapes(root) > MOST_SHAPES:
            raise ValueError(f"it draws more than {MOST_SHAPES:,} shapes")
        return ElementTree.tostring(_clean(root), encoding="unicode")
    except RecursionError as error:
        raise ValueError("its elements are nested too deeply") from error


def _shapes(root: ElementTree.Element) -> int:
    """Return how many elements are drawn, those that `use` repeats each time."""
    named = {f"#{element.get('id')}": element for element in root.iter()}

    @cache
    def drawn(element: ElementTree.Element) -> int:
        used = named.get(str(element.get(f"{{{XLINK}}}href") or element.get("href")))
        return 1 + sum(map(drawn, element)) + (0 if used is None else drawn(used))

    return drawn(root)


def size(svg: str) -> tuple[float, float]:
    """Return width and height in points; (0, 0) if a drawing says neither those nor a view box."""
    head, _, _ = svg.partition(">")
    found = dict(re.findall(r'\s(width|height|viewBox)="([^"]*)"', head))
    width = points(found.get("width", ""))
    height = points(found.get("height", ""))
    numbers = re.findall(r"[-+]?[\d.]+(?:e[-+]?\d+)?", found.get("viewBox", ""))
    box = [float(number) * 0.75 for number in numbers]
    if len(box) == 4 and min(box[2:]) > 0:
        *_, wide, high = box
        width = width or height * wide / high or wide
        height = height or width * high / wide
    return width, height


def points(length: str) -> float:
    """Return a length in points, one without a unit being in pixels; 0 for what is none."""
    units = "|".join(_POINTS)
    match = re.fullmatch(rf"\s*((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*({units})\s*", length)
    return float(match[1]) * _POINTS[match[2]] if match else 0.0


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _sheet(source: str) -> str:
    """Return the rules of a style sheet that are of no medium."""
    sheet = ""
    for rule in tinycss2.parse_stylesheet(source):
        if rule.type == "qualified-rule":
            declared = _declarations(tinycss2.serialize(rule.content))
            sheet += f"{tinycss2.serialize(rule.prelude)}{{{declared}}}"
    return sheet


def _declarations(style: str) -> str:
    """Return what a style declares of known properties, and leads nowhere."""
    values = {}
    for part in tinycss2.parse_declaration_list(style):
        if part.type == "declaration":
            values[part.lower_name] = tinycss2.serialize(part.value).strip()
    if "font" in values:  # without the height of lines, at which Typst stops
        values["font"] = re.sub(r"\s*/\s*\S+", "", values["font"])
    known = [name for name in values if name in _NAMES["presentation"] and not _OUTSIDE.search(values[name])]
    return "; ".join(f"{name}: {values[name]}" for name in known)


def _label(box: ElementTree.Element) -> ElementTree.Element:
    """Return a box of HTML, as Mermaid's labels are, as lines of text in its middle."""
    lines = [line for words in box.itertext() for line in textwrap.wrap(words, LABEL)]
    middle = {"dominant-baseline": "central", "overflow": "visible", "text-anchor": "middle"}
    label = ElementTree.Element("svg", box.attrib | middle)
    for number, line in enumerate(lines):
        down = f"{1.5 * number - 0.75 * (len(lines) - 1)}em"
        ElementTree.SubElement(label, "text", x="50%", y="50%", dy=down).text = line
    return label


def _clean(element: ElementTree.Element) -> ElementTree.Element:
    """Return an element with known attributes and known children."""
    tag = _local(element.tag)
    clean = ElementTree.Element(f"{{{SVG}}}{tag}")
    for name, value in element.items():
        if name == "style":
            clean.set(name, _declarations(value))
        elif name in _ATTRIBUTES and not _OUTSIDE.search(value):
            clean.set(name, value)
        elif _local(name) == "href" and _TARGET.fullmatch(value):
            clean.set(f"{{{XLINK}}}href", value)
    clean.text = _sheet(element.text or "") if tag == "style" else element.text
    clean.tail = element.tail
    for child in element:
        if _local(child.tag) == "foreignObject" and tag != "switch":
            child = _label(child)
        if _local(child.tag) in _NAMES["elements"]:
            clean.append(_clean(child))
    return clean
