"""nbconvert exporter: an executed notebook becomes a tagged PDF report (Markdown -> pandoc -> Typst)."""

import contextlib
import json
import re
import shutil
import subprocess
from importlib.resources import files
from typing import Any

import pypandoc
import typst
from nbconvert.exporters import TemplateExporter
from pandocfilters import RawBlock, RawInline, stringify, walk

READER = "markdown+lists_without_preceding_blankline-blank_before_header+gfm_auto_identifiers-raw_tex"

# The LaTeX commands that convert rightly: those read as they are written, in other words, and as silence.
_SAME = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega exp sin cos tan tanh max min
det dim sup inf log partial nabla prime ell in to implies times"""
_WORDED = """varepsilon: epsilon; varphi: phi; ln: natural log; lim: limit; infty: infinity; top:
transpose; circ: circle; le: is at most; leq: is at most; ge: is at least; geq: is at least; ne: is not
equal to; neq: is not equal to; approx: is approximately; sim: is distributed as; equiv: is identical to;
propto: is proportional to; ll: is much less than; gg: is much greater than; notin: not in; subset: is a
subset of; cup: union; forall: for all; exists: there exists; mid: given; rightarrow:
right arrow; leftarrow: left arrow; mapsto: maps to; Rightarrow: implies; iff: if and only if; cdot:
times; pm: plus or minus; dots: and so on; ldots: and so on; cdots: and so on; vdots: and so on; lVert:
the norm of; rVert: end norm; sum: the sum; prod:
the product; int: the integral; {: open brace; }: close brace; %: percent; _: underscore; #: number"""
_SILENT = [",", " ", "quad", "qquad", "left", "right", "bigl", "bigr", "Bigl", "Bigr"]
_WORDS = {name: name for name in _SAME.split()} | dict.fromkeys(_SILENT, "") | {"\\": ";"}
_WORDS |= {name: " ".join(words.split()) for name, words in re.findall(r"(\S+):\s([^;]+)", _WORDED)}
_AFTER = {"hat": "hat", "bar": "bar", "tilde": "tilde", "vec": "vector", "dot": "dot", "boxed": ""}
_BEFORE = {"sqrt": "the square root of", "mathbf": "bold", "mathbb": "blackboard", "mathcal": "script"}
_ENVIRONMENTS = ("aligned", "cases", "pmatrix", "bmatrix")
_CHARS = {"=": "equals", "+": "plus", "-": "minus", "<": "is less than", ">": "is greater than", "~": ""}
_CHARS |= {"*": "star", "|": "vertical bar", "'": "prime", "!": "factorial", "&": "", ":": "colon"}
_CHARS |= {"/": "divided by"}
_CHARS |= {"(": "open paren", ")": "close paren", "[": "open bracket", "]": "close bracket"}
_TOKEN = re.compile(
    r"\\(?:begin|end|text|mathrm|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S", re.DOTALL
)


def speak(latex: str) -> str:
    """Read LaTeX math in words; a command outside the subset that converts rightly raises ValueError."""
    tokens = _TOKEN.findall(latex)[::-1]

    def atom() -> str:
        if not tokens:
            raise ValueError(f"Unfinished LaTeX, an argument is missing at the end of: {latex}")
        token = tokens.pop()
        if token == "{":
            return sequence("}")
        if not token.startswith("\\"):
            return _CHARS.get(token, token)
        if braced := re.match(r"\\(begin|end|text|mathrm|operatorname)\s*\{(.*)\}", token, re.DOTALL):
            kind, content = braced.groups()
            if kind not in ("begin", "end"):
                return content
            if content not in _ENVIRONMENTS:
                raise ValueError(f"LaTeX environment {content!r} is not one of {_ENVIRONMENTS}: {latex}")
            return "" if content != "cases" else "cases:" if kind == "begin" else "end cases"
        name = token[1:]
        if name == "frac":
            top, bottom = atom(), atom()
            simple = max(len(top.split()), len(bottom.split())) <= 2
            return f"{top} over {bottom}" if simple else f"the fraction {top} over {bottom}, end fraction,"
        if name in _AFTER:
            return f"{atom()} {_AFTER[name]}"
        if name in _BEFORE:
            return f"{_BEFORE[name]} {atom()}"
        if name in ("left", "right") and tokens[-1:] not in (["("], [")"], ["["], ["]"], ["\\{"], ["\\}"]):
            raise ValueError(f"Only brackets stretch rightly after {token}: {latex}")
        if name in ("sum", "prod", "int", "max", "min", "lim"):
            limits = {}
            while tokens and tokens[-1] in "_^":
                side = tokens.pop()
                limits[side] = atom()
            lower = " over " + limits["_"].replace(" equals ", " from ", 1) if "_" in limits else ""
            return _WORDS[name] + lower + (f" to {limits['^']}" if "^" in limits else "") + " of"
        if name not in _WORDS:
            hint = (
                r"\lVert and \rVert"
                if name == "|"
                else r"\, or \quad"
                if name in ";:!"
                else "a supported one"
            )
            raise ValueError(
                f"LaTeX command {token} is not known to convert rightly; write it with {hint}, or, once its "
                f"Typst output has been looked at, add it to the words in {__name__}. Found in: {latex}"
            )
        return _WORDS[name]

    def sequence(end: str) -> str:
        words: list[str] = []
        while tokens and tokens[-1] != end:
            if tokens[-1] not in ("_", "^"):
                words.append(atom())
                continue
            raised = tokens.pop() == "^"
            part = " ".join(atom().split())
            short = {"2": "squared", "transpose": "transpose", "prime": "prime", "star": "star"}.get(part)
            power = "superscript" if part.startswith("open paren") else "to the"
            words.append(f"sub {part}" if not raised else short or f"{power} {part}")
        if end and not tokens:
            raise ValueError(f"LaTeX lacks a closing brace: {latex}")
        if end:
            tokens.pop()
        return " ".join(" ".join(words).split())

    return re.sub(r"\s+([,;.])", r"\1", sequence("")).strip(" ,;.")


def _math(display: bool, latex: str) -> list[Any]:
    """One equation as Typst calls around pandoc's own Math node."""
    tags = re.findall(r"\\tag\{([^{}]*)\}", latex)
    if len(tags) > 1 or (tags and not display):
        raise ValueError(f"Only a display equation takes a \\tag, and only one: {latex}")
    latex = re.sub(r"\\tag\{[^{}]*\}", "", latex).strip()
    box = re.fullmatch(r"\\boxed\s*\{(.*)\}([.,]?)", latex, re.DOTALL) if display else None
    if box:
        latex = box[1] + box[2]
    if "\\boxed" in latex:
        raise ValueError(f"\\boxed must hold the whole of a display equation: {latex}")
    alt = speak(latex) + (f", equation {tags[0]}" if tags else "")
    latex = re.sub(  # pandoc loses the gap between the columns of cases
        r"\\begin\{cases\}.*?\\end\{cases\}",
        lambda m: re.sub(r"(?<!\\)&", r"&\\quad ", m[0]),
        latex,
        flags=re.DOTALL,
    )
    number = f"tag: {_string(tags[0])}, " if tags else ""
    call = f"#{'boxed' if box else 'read'}({number}{_string(alt)})["
    node = {"t": "Math", "c": [{"t": "DisplayMath" if display else "InlineMath"}, latex]}
    return [RawInline("typst", call), node, RawInline("typst", "];")]


def _string(text: str) -> str:
    """A Typst string literal."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _pandoc(text: str, *options: str) -> str:
    """Run a pandoc >= 3: the one on PATH, else pypandoc's; a warning, such as lost math, is an error."""
    found = [shutil.which("pandoc")]
    with contextlib.suppress(OSError):
        found.append(pypandoc.get_pandoc_path())
    for path in filter(None, found):
        version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if re.match(r"pandoc\S* ([3-9]|\d\d)", version):
            command = [path, "--fail-if-warnings", "--wrap=none", *options]
            done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8")
            if done.returncode:
                raise RuntimeError(f"pandoc failed: {done.stderr.strip()}")
            return done.stdout
    raise RuntimeError(
        "No pandoc >= 3 found: pip install pypandoc_binary, or install pandoc 3 and put it on PATH"
    )


class ReportPDFExporter(TemplateExporter):
    """A report as PDF/UA-1: prose, math, figures and tables of an executed notebook, without its code."""

    export_from_notebook = "Report (PDF)"
    output_mimetype = "application/pdf"

    def _file_extension_default(self) -> str:
        return ".pdf"

    def _template_name_default(self) -> str:
        return "base"

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[bytes, Any]:  # type: ignore[override]
        """Convert an executed notebook to the bytes of a PDF."""
        resources = self._init_resources(resources)
        self.figures: dict[str, Any] = {}
        markdown = "\n\n".join(part for cell in nb.cells for part in self._cell(cell))
        document = json.loads(_pandoc(markdown, "-f", READER, "-t", "json"))
        self.title: str = ""
        document = walk(document, self._filter, "", {})
        body = _pandoc(json.dumps(document), "-f", "json", "-t", "typst")
        authors = nb.metadata.get("authors") or [{}]
        title = _string(nb.metadata.get("title") or self.title or "Report")
        author = _string(authors[0]["name"]) if authors[0].get("name") else "none"
        head = f'#import "report.typ": *\n#show: report.with(title: {title}, author: {author})\n\n'
        sources = {
            f"{name}.svg": output.data["image/svg+xml"].encode() for name, output in self.figures.items()
        }
        sources |= {
            "main.typ": (head + body).encode(),
            "report.typ": (files(__name__) / "report.typ").read_bytes(),
        }
        try:
            pdf: bytes = typst.compile(  # type: ignore[call-overload]  # its stub lacks the dict of files
                sources, format="pdf", ignore_system_fonts=True, pdf_standards=["ua-1"]
            )
        except typst.TypstError as error:
            hints = " ".join(getattr(error, "hints", []))
            raise RuntimeError(
                f"Typst could not set the report: {error} {hints}\n{error.diagnostic!s:.600}"
            ) from error
        resources["output_extension"] = ".pdf"
        resources.pop("outputs", None)
        return pdf, resources

    def _cell(self, cell: Any) -> list[str]:
        """The Markdown of one cell: its text, or its outputs that belong in a report."""
        if "remove" in cell.metadata.get("tags", []):
            return []
        if cell.cell_type != "code":
            return [cell.source] if cell.cell_type == "markdown" else []
        return [text for output in cell.outputs if (text := self._output(output))]

    def _output(self, output: Any) -> str:
        if output.output_type == "error":
            raise ValueError(f"The notebook holds an error, run it again: {output.ename}: {output.evalue}")
        if output.output_type == "stream" or output.metadata.get("role") == "caption":
            return ""
        if "text/markdown" in output.data:
            return output.data["text/markdown"]
        if "image/svg+xml" in output.data:
            name = output.metadata.get("id") or f"figure-{len(self.figures) + 1}"
            if name in self.figures or not re.fullmatch(r"[\w-]+", name) or not output.metadata.get("alt"):
                raise ValueError(
                    f"Figure {name!r} needs a unique plain id, and alt text, in its output metadata"
                )
            self.figures[name] = output
            return f"::: {{#{name} .report-figure}}\n\n{output.metadata.get('caption', '')}\n\n:::"
        if any(kind.startswith("image/") for kind in output.data):
            raise ValueError(f"An image needs an SVG representation, this one has {sorted(output.data)}")
        return "".join(f"    {line}\n" for line in output.data.get("text/plain", "").splitlines())

    def _filter(self, key: str, value: Any, _format: str, _meta: Any) -> Any:
        """What pandoc's Typst writer needs help with."""
        if key == "Math":
            return _math(value[0]["t"] == "DisplayMath", value[1])
        if key == "Header":
            level, attributes, content = value
            if level == 1 and not self.title:
                self.title = stringify({"t": "Plain", "c": content})
                return []
            return {"t": "Header", "c": [max(1, level - 1), attributes, walk(content, self._filter, "", {})]}
        if key == "CodeBlock":  # no syntax colours: they would need pandoc's own template
            return {"t": "CodeBlock", "c": [["", [], []], value[1]]}
        if key == "Div" and "report-figure" in value[0][1]:
            name = value[0][0]
            alt = _string(self.figures[name].metadata["alt"])
            opening = f'#figure(image("{name}.svg", width: 100%, alt: {alt}), kind: image, caption: ['
            return [
                RawBlock("typst", opening),
                *walk(value[1], self._filter, "", {}),
                RawBlock("typst", f"]) <{name}>"),
            ]
        if key in ("RawBlock", "RawInline") and value[0] == "html" and not value[1].startswith("<!--"):
            raise ValueError(f"HTML has no place in the PDF, write it in Markdown: {value[1]}")
        return None
