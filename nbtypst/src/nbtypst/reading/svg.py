"""SVG with nothing but drawing in it: known elements and attributes, no script, style, link or file."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import tinycss2
from defusedxml.ElementTree import fromstring

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_ELEMENTS_WORDS = """
svg g defs desc title symbol use path rect circle ellipse line polyline polygon text tspan textPath
image clipPath mask pattern marker linearGradient radialGradient stop switch filter feGaussianBlur
feOffset feBlend feFlood feComposite feMerge feMergeNode feColorMatrix"""
_ELEMENTS = set(_ELEMENTS_WORDS.split())
_ATTRIBUTES_WORDS = """
id d x y x1 x2 y1 y2 cx cy r rx ry fx fy dx dy width height viewBox preserveAspectRatio points transform
version offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits
patternUnits patternContentUnits patternTransform markerWidth markerHeight markerUnits refX refY orient
pathLength rotate textLength lengthAdjust in in2 result stdDeviation mode operator values type
startOffset filterUnits"""
_ATTRIBUTES = set(_ATTRIBUTES_WORDS.split())
PRESENTATION_WORDS = """
alignment-baseline baseline-shift clip-path clip-rule color display dominant-baseline fill fill-opacity
fill-rule filter flood-color flood-opacity font-family font-size font-stretch font-style font-variant
font-weight letter-spacing marker-end marker-mid marker-start mask opacity overflow stop-color stop-
opacity stroke stroke-dasharray stroke-dashoffset stroke- linecap stroke-linejoin stroke-miterlimit
stroke-opacity stroke-width text-anchor text- decoration visibility word-spacing writing-mode white-
space"""
PRESENTATION = set(PRESENTATION_WORDS.split())
_KNOWN = _ATTRIBUTES | PRESENTATION
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif);base64,[A-Za-z0-9+/=\s]+")
_URL = re.compile(r"url\(\s*['\"]?(?!#)", re.I)
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def sanitise_svg(source: str) -> str:
    """The drawing alone; ValueError if it is no SVG.

    Styles, of attributes and of a sheet's plain selectors (an element, a class, all), become attributes.
    """
    try:
        root = fromstring(re.sub(r"<!DOCTYPE[^>\[]*(\[.*?\])?\s*>", "", source, flags=re.S).strip())
    except Exception as error:  # of expat, or an entity, which defusedxml forbids
        raise ValueError(f"no SVG: {error}") from error
    if root.tag not in (f"{{{SVG}}}svg", "svg"):
        raise ValueError("no SVG: its first element is another")
    rules = [
        rule for style in root.iter() if _local(style.tag) == "style" for rule in _rules(style.text or "")
    ]
    try:
        return ElementTree.tostring(_clean(root, rules), encoding="unicode")
    except RecursionError as error:
        raise ValueError("its elements are nested too deeply") from error


def size(svg: str) -> tuple[float, float]:
    """Width and height in points; (0, 0) if it says neither those nor a view box."""
    head = re.search(r"<svg\b[^>]*>", svg)
    found = dict(re.findall(r'\s(width|height|viewBox)="([^"]*)"', head[0])) if head else {}
    units = {
        "pt": 1,
        "px": 0.75,
        "": 0.75,
        "in": 72,
        "cm": 72 / 2.54,
        "mm": 72 / 25.4,
        "pc": 12,
        "em": 12,
        "ex": 6,
    }
    sides = []
    for name in ("width", "height"):
        match = re.fullmatch(r"\s*([\d.]+(?:e[-+]?\d+)?)\s*([a-z]*)\s*", found.get(name, ""))
        sides.append(float(match[1]) * units[match[2]] if match and match[2] in units else 0.0)
    box = [float(v) * 0.75 for v in re.findall(r"[-+]?[\d.]+(?:e[-+]?\d+)?", found.get("viewBox", ""))]
    if len(box) == 4 and box[2] > 0 and box[3] > 0:
        width, height = sides
        if not width:
            width = height * box[2] / box[3] if height else box[2]
        return width, height or width * box[3] / box[2]
    return sides[0], sides[1]


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _rules(sheet: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
        if rule.type == "qualified-rule":
            for selector in tinycss2.serialize(rule.prelude).split(","):
                found.append((selector.strip(), _declarations(tinycss2.serialize(rule.content))))
    return found


def _declarations(style: str) -> dict[str, str]:
    parts = tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True)
    values = {
        part.lower_name: tinycss2.serialize(part.value).strip()
        for part in parts
        if part.type == "declaration"
    }
    if "font" in values:  # matplotlib's shorthand: font: 10px 'DejaVu Sans'
        match = re.match(r"(.*?)([\d.]+(?:[a-z]+|%))(?:/\S+)?\s+(.+)$", values["font"])
        if match:
            values |= {"font-size": match[2], "font-family": match[3]}
            for word in match[1].split():
                kind = "font-style" if word in ("italic", "oblique") else "font-weight"
                values |= {kind: word} if re.fullmatch(r"italic|oblique|bold|\d00", word) else {}
    return {name: value for name, value in values.items() if name in PRESENTATION}


def _clean(element: ElementTree.Element, rules: list[tuple[str, dict[str, str]]]) -> ElementTree.Element:
    tag = _local(element.tag)
    clean = ElementTree.Element(f"{{{SVG}}}{tag}")
    classes = {f".{name}" for name in element.get("class", "").split()}
    selectors = {tag, f"#{element.get('id')}", *classes, *(tag + name for name in classes)}
    selectors |= {"*"} if tag == "svg" else set()  # inherited by all
    known: dict[str, str] = {}
    for name, value in element.items():
        if _local(name) == "href":
            inside = value.startswith("#") or (tag == "image" and _PICTURE.fullmatch(value))
            known |= {f"{{{XLINK}}}href": value} if inside else {}
        elif name in _KNOWN:
            known[name] = value
    for selector, declared in rules:
        known |= declared if selector in selectors else {}
    known |= _declarations(element.get("style", ""))
    for name, value in known.items():
        if not _URL.search(value) and "javascript:" not in value.lower():
            clean.set(name, value)
    clean.text, clean.tail = element.text, element.tail
    clean.extend([_clean(child, rules) for child in element if _local(child.tag) in _ELEMENTS])
    return clean
