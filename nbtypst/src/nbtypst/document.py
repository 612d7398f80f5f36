"""What both exporters share: a notebook as one pandoc document, its references checked and linked."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

import pypandoc
from nbconvert.exporters import TemplateExporter
from pandocfilters import Link, Str, stringify, walk

READER = "markdown+lists_without_preceding_blankline-blank_before_header+gfm_auto_identifiers-raw_tex"
PREFIX = {"figure": "fig-", "table": "tbl-", "equation": "eq-", "task": "task-"}
_LABEL = dict.fromkeys(("figure", "table"), r"(?:\d+[a-z]?|[A-Z])(?:\.\d+)?(?!\w)")
_LABEL |= {"equation": r"\(\w+\)", "task": r"\d[a-z](?!\w)"}
_ANY = "(?:" + "|".join(sorted(set(_LABEL.values()))) + ")"
_MENTION = re.compile(rf"\b(Figure|Table|[Ee]quation|[Tt]ask)(s?) ({_ANY}(?:(?:, | and | or | to ){_ANY})*)")
_TEXT = ("Str", "Space", "SoftBreak")
_TAG = re.compile(r"\s*\\tag\{([^{}]*)\}")


@dataclass
class Report:
    """A notebook's title and authors, its figures by id, and its text as pandoc blocks."""

    title: str
    subtitle: str
    authors: list[str]
    figures: dict[str, Any] = field(default_factory=dict)  # id: the notebook's output
    blocks: list[Any] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)  # the ids that a reference can have


class ReportExporter(TemplateExporter):
    """An exporter that renders the `Report` of a notebook, in `render`."""

    def _template_name_default(self) -> str:
        return "base"

    def render(self, report: Report) -> bytes | str:
        """The finished file."""
        raise NotImplementedError

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:  # type: ignore[override]
        """Convert an executed notebook to the contents of a file."""
        resources = self._init_resources(resources)
        resources["output_extension"] = self.file_extension
        resources.pop("outputs", None)
        return self.render(collect(nb)), resources


def collect(nb: Any) -> Report:
    """The report in a notebook; ValueError for what has no place in it, or a reference to nothing."""
    authors = [author["name"] for author in nb.metadata.get("authors", ()) if author.get("name")]
    report = Report(nb.metadata.get("title", ""), nb.metadata.get("subtitle", ""), authors)
    markdown = "\n\n".join(part for cell in nb.cells for part in _cell(cell, report))
    document = json.loads(pandoc(markdown, "-f", READER, "-t", "json"))
    blocks = walk(document["blocks"], lambda key, value, *_: _prepare(key, value, report), "", {})
    report.blocks = _link(blocks, report.targets)
    return report


def pandoc(text: str, *options: str) -> str:
    """What pandoc makes of `text`; a warning of its, such as of lost math, is an error."""
    command = [_pandoc_path(), "--fail-if-warnings", "--wrap=none", *options]
    env = os.environ | {"LC_ALL": "C.UTF-8"}  # else pandoc cannot open a file in a folder such as "øving 1"
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", env=env)
    if done.returncode:
        raise RuntimeError(f"pandoc failed: {done.stderr.strip()}")
    return done.stdout


@cache
def _pandoc_path() -> str:
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


def split_math(value: Any) -> tuple[bool, bool, str, str]:
    """A pandoc Math value as: whether display, whether boxed, its \\tag or "", the LaTeX without the two."""
    display, latex = value[0]["t"] == "DisplayMath", value[1]
    tags = _TAG.findall(latex)
    if len(tags) > 1 or (tags and not display):
        raise ValueError(f"Only a display equation takes a \\tag, and only one: {latex}")
    latex = _TAG.sub("", latex).strip()
    box = re.fullmatch(r"\\boxed\s*\{(.*)\}([.,]?)", latex, re.DOTALL) if display else None
    latex = box[1] + box[2] if box else latex
    if "\\boxed" in latex:
        raise ValueError(f"\\boxed must hold the whole of a display equation: {latex}")
    return display, bool(box), tags[0] if tags else "", latex


def _cell(cell: Any, report: Report) -> list[str]:
    """The Markdown of one cell: its text, or its outputs that belong in a report."""
    if "remove" in cell.metadata.get("tags", []):
        return []
    if cell.cell_type != "code":
        return [cell.source] if cell.cell_type == "markdown" else []
    return [text for output in cell.outputs if (text := _output(output, report))]


def _output(output: Any, report: Report) -> str:
    if output.output_type == "error":
        raise ValueError(f"The notebook holds an error, run it again: {output.ename}: {output.evalue}")
    if output.output_type == "stream" or output.metadata.get("role") == "caption":
        return ""
    name, caption = output.metadata.get("id", ""), output.metadata.get("caption", "")
    if "text/markdown" in output.data:
        text: str = output.data["text/markdown"]
        return f"::: {{#{name}}}\n\n{text}\n\n: {caption}\n\n:::" if name else text
    if "image/svg+xml" in output.data:
        if not name or not caption or not output.metadata.get("alt"):
            raise ValueError(
                f"Figure {name!r} needs an id, a caption and an alternative text in its metadata"
            )
        report.figures[name] = output
        return f"::: {{#{name}}}\n\n{caption}\n\n:::"
    if any(kind.startswith("image/") for kind in output.data):
        raise ValueError(f"An image needs an SVG representation, this one has {sorted(output.data)}")
    return "".join(f"    {line}\n" for line in output.data.get("text/plain", "").splitlines())


def _prepare(key: str, value: Any, report: Report) -> Any:
    """Take the title out, give everything that can be referred to its id, and refuse raw HTML."""
    if key == "Math" and (tag := split_math(value)[2]):
        _add(report, PREFIX["equation"] + tag.lower())
    if key == "Header":
        level, attributes, content = value
        words = stringify(content)
        if level == 1:
            report.title = report.title or words
            return []
        task = re.match(r"Task (\d[a-z])\b", words)
        name = PREFIX["task"] + task[1] if task else attributes[0]
        name = attributes[0] if name in report.targets else name  # a task's second heading
        _add(report, name)
        return {"t": "Header", "c": [level - 1, [name, *attributes[1:]], content]}
    if key == "Div" and value[0][0]:
        _add(report, value[0][0])
        if value[0][0] not in report.figures:  # a table: the id is its own
            (table,) = value[1]
            table["c"][0] = value[0]
            return _prepare("Table", table["c"], report) or table
    if key == "Table" and len({json.dumps(width) for _, width in value[2]}) == 1:
        # equal dashes in the Markdown wish for no widths
        columns = [[alignment, {"t": "ColWidthDefault"}] for alignment, _ in value[2]]
        return {"t": "Table", "c": [*value[:2], columns, *value[3:]]}
    if key == "CodeBlock":  # no syntax colours
        return {"t": "CodeBlock", "c": [["", [], []], value[1]]}
    if key in ("RawBlock", "RawInline"):
        if value[1].startswith("<!--"):
            return []
        raise ValueError(f"HTML has no place in the report, write it in Markdown: {value[1]}")
    return None


def _add(report: Report, name: str) -> None:
    if name in report.targets:
        raise ValueError(f"The id {name!r} is used twice: figures, tables, \\tag and headings need their own")
    report.targets.add(name)


def _link(node: Any, targets: set[str], own: str = "") -> Any:
    """Make each mention, such as Figure 2b, Tables 3a and A, equation (3) or task 2e, a link to it."""
    if isinstance(node, dict):
        if node["t"] == "Link" and (target := node["c"][2][0]).startswith("#"):
            _check(target[1:], stringify(node), targets)
        if node["t"] in ("Header", "Link", "Math", "Code") or "c" not in node:
            return node
        own = node["c"][0][0] if node["t"] in ("Div", "Table") else own
        return node | {"c": _link(node["c"], targets, own)}
    if not isinstance(node, list):
        return node
    linked: list[Any] = []
    for is_text, items in groupby(node, lambda item: isinstance(item, dict) and item["t"] in _TEXT):
        if is_text:
            linked += _link_text("".join(item.get("c", " ") for item in items), targets, own)
        else:
            linked += [_link(item, targets, own) for item in items]
    return linked


def _link_text(text: str, targets: set[str], own: str) -> list[Any]:
    """A run of text with its mentions as links, except that of a caption's own number."""
    parts: list[Any] = []
    done = 0
    for mention in _MENTION.finditer(text):
        kind, offset = mention[1].lower(), mention.start(3)
        for number, label in enumerate(re.finditer(_LABEL[kind], mention[3])):
            name = PREFIX[kind] + label[0].strip("()").lower()
            if name == own or (number and not mention[2]):
                break
            start, end = offset + label.start() if number else mention.start(), offset + label.end()
            _check(name, text[start:end], targets)
            words = text[start:end].replace(" ", "\N{NO-BREAK SPACE}")
            parts += [Str(text[done:start]), Link(["", [], []], [Str(words)], ["#" + name, ""])]
            done = end
    return [*parts, Str(text[done:])]


def _check(name: str, mention: str, targets: set[str]) -> None:
    if name not in targets:
        known = ", ".join(sorted(t for t in targets if t.startswith(name.partition("-")[0]))) or "none"
        raise ValueError(f"{mention!r} refers to {name!r}, which is not in the report; there is: {known}")
