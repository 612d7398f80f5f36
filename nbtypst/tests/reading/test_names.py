"""Lists of names: each entry one well-formed name, sorted, no doubles, and known to an independent source."""

import ast
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from pygments.lexers._css_builtins import _css_properties

import nbtypst
from nbtypst import ReportHTMLExporter
from nbtypst.reading.names import names
from nbtypst.reading.svg import sanitise_svg

SOURCE = Path(nbtypst.__file__).parent
LONG = 13  # names of a list that is held here
NAME = re.compile(r"[A-Za-z\d]+(?:[-_./+][A-Za-z\d]+)*|[^A-Za-z\d\s]")
PROPERTIES_OF_SVG = {"stop-color", "stop-opacity", "text-anchor"}  # which no sheet of HTML has


def lists() -> dict[str, list[str]]:
    """Return every long list of names in the package, in its files' order."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.ini")):
        section = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = f"{path.name} {line}"
                found[section] = []
            elif line and not line.startswith(";"):
                found[section].append(line.partition(" = ")[0])
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List | ast.Set | ast.Tuple) and len(node.elts) >= LONG:
                values = [item.value for item in node.elts if isinstance(item, ast.Constant)]
                found[f"{path.name}:{node.lineno}"] = [value for value in values if isinstance(value, str)]
    return {place: entries for place, entries in found.items() if entries}


LISTS = lists()


@pytest.mark.parametrize("place", LISTS)
def test_a_list_of_names_has_one_a_line_sorted_and_without_doubles(place):
    entries = LISTS[place]
    assert [entry for entry in entries if not NAME.fullmatch(entry)] == []
    assert entries == sorted(set(entries))


def test_the_lists_of_drawings_and_formulas_are_among_them():
    assert {"svg.ini [elements]", "svg.ini [attributes]", "svg.ini [presentation]"} < set(LISTS)
    assert "speech.ini [commands]" in LISTS


def test_every_presentation_attribute_is_a_property_of_css():
    assert set(names("svg.ini")["presentation"]) <= set(_css_properties) | PROPERTIES_OF_SVG


def test_pandoc_reads_every_command_that_is_read_aloud():
    commands = [command for command in names("speech.ini")["commands"] if command.isalpha()]
    formulas = " ".join(rf"$\{command} x$" for command in commands)
    warned: list[str] = []
    exporter = ReportHTMLExporter()
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    page, _ = exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell(formulas)]))
    assert page.count("<math ") == len(commands) and warned == []


@pytest.mark.parametrize(
    "name, value",
    [
        ("stop-opacity", ".5"),
        ("stroke-linecap", "round"),
        ("text-decoration", "underline"),
        ("white-space", "pre"),
    ],
)
def test_a_drawing_keeps_its_attributes_of_presentation(name, value):
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg"><path {name}="{value}" /></svg>'
    assert sanitise_svg(drawing) == drawing
    styled = drawing.replace(f'{name}="{value}"', f'style="{name}: {value}"')
    assert sanitise_svg(styled) == styled
