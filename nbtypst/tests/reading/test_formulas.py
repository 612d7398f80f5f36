"""Formulas: what notebooks write that pandoc does not read, macros, and how a formula is read aloud."""

import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from nbtypst import ExportError, ReportHTMLExporter, ReportPDFExporter
from nbtypst.reading.formulas import _BRACES, _SIGNED, _UNSIGNED, Formula, _expand, formula, to_typst
from nbtypst.reading.markdown import replaced


@pytest.mark.parametrize(
    "source, latex",
    [
        (r"\DeclareMathOperator{\argmin}{arg\,min} \argmin_x", r"{\operatorname{arg\,min}}_x"),
        (r"\DeclareMathOperator*{\most}{most} \most", r"{\operatorname*{most}}"),
        (r"\newcommand{\f}[2]{#1 + #2} \f {a} b", "{a + b}"),
        (r"\newcommand{\g}[1]{<#1>} \g\alpha c", r"{<\alpha>} c"),
        (r"\newcommand{\h}[1]{(#1)} \h", "{()}"),
        (r"\newcommand{\h}[1]{(#1)} \h{a", "{(a)}"),
        (r"\newcommand{\x}{y", r"\newcommand{\x}{y"),
        (r"\def\a{\b}\def\b{c} \a", "{c}"),
        (r"\gdef\f#1#2{#1+#2}\f ab", "{a+b}"),
        (r"\newcommand\f[2][3]{#1^#2} \f4 \f[5]6", "{3^4} {5^6}"),
        (r"\newcommand{\f}[1]{\lVert#1\rVert}\f x", r"{\lVert x\rVert}"),
        (r"\DeclarePairedDelimiter\abs{\lvert}{\rvert}\abs x", r"{\left\lvert x \right\rvert}"),
        (r"\let\eps\epsilon \eps", r"\epsilon"),
        (r"a\hspace{10mm}b\hspace*{0.5 em}c", r"a\hspace{2.835em}b\hspace{0.5em}c"),
        (r"{a\kern 1ex}\hskip-2.px b\mspace{18mu}", r"{a\hspace{0.43em}}\hspace{-0.2em}b\hspace{1.0em}"),
        (r"\def\bm{ \boldsymbol }\bm{x}", r"\boldsymbol{x}"),
        (r"\let\vv\vec \vv x", r"\vec x"),
        (r"\newcommand{\l}{\left}\newcommand{\r}{\right} \l( x \r)", r"\left( x \right)"),
        (r"{a_{1} \over b} + c", r"{\frac{a_{1} }{b}} + c"),
        (r"\left( n \atop k \right)", r"\left(\begin{matrix} n \\k \end{matrix}\right)"),
        (r"\sum_{i \atop j}", r"\sum_{\substack{i \\j}}"),
        (r"{\bf x {y}} \\\rm d & z", r"\begin{aligned}{\mathbf{x {y}}} \\\mathrm{d }& z\end{aligned}"),
        (r"\matrix{a & b \cr c & d}", r"\begin{matrix}a & b  \\  c & d\end{matrix}"),
        (r"\begin{bmatrix*}[r] a \\ \end{bmatrix*}", r"\begin{bmatrix} a \end{bmatrix}"),
        (r"\unicode{x3b1}\unicode{946}", "αβ"),
        (r"\textcolor{red}x + \\And", r"\begin{aligned}{x}  + \\And\end{aligned}"),
        (r"a = b \\ c = d", r"\begin{aligned}a = b \\ c = d\end{aligned}"),
        (r"\begin{pmatrix}a \\ b\end{pmatrix}", r"\begin{pmatrix}a \\ b\end{pmatrix}"),
        (
            r"\begin{pmatrix}a \\ b\end{pmatrix} \\ \begin{pmatrix}c\end{pmatrix}",
            r"\begin{aligned}\begin{pmatrix}a \\ b\end{pmatrix} \\ \begin{pmatrix}c\end{pmatrix}"
            r"\end{aligned}",
        ),
        (r"x \bigm| y \Biggm\| z", r"x \,\big|\, y \,\Bigg\|\, z"),
        (r"\Bigl. x \Bigr|_0", r"x \Bigr|_0"),
    ],
)
def test_macros_are_expanded_and_lines_aligned(source, latex):
    assert formula(True, source, {}) == Formula(True, latex)


DOUBLED = "".join(rf"\newcommand{{\{b}}}{{\{a}\{a}}}" for a, b in pairwise("abcdefghijklmnopq"))


@pytest.mark.parametrize(
    "definitions, rest",
    [
        (r"\def\a{\a\a}", r"\a"),
        (r"\def\a{\b}\def\b{\a}", r"\a"),
        (r"\newcommand{\f}[1]{\f{#1}}", r"\f{x}"),
        (r"\newcommand{\f}[1]{#1#1}", r"\f{" * 30 + "x" + "}" * 30),
        (rf"\newcommand{{\a}}{{x}}{DOUBLED}", r"\q"),
        (r"\newcommand{\f}[1]{\f{#1}}", r"\f{" + "x" * 19_000 + "}"),
        (r"\newcommand{\f}[1]{\f{#1}}", r"\f{" + "{}" * 9_500 + "}"),
    ],
)
def test_macros_without_end_are_soon_shown_as_they_are_written(definitions, rest):
    began = time.process_time()
    assert formula(False, definitions + rest, {}).latex == rest
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "source, boxed, latex",
    [
        (r"\boxed{x = 1}.", True, "x = 1."),
        (r"\boxed{x} + \boxed{y}", False, r"\boxed{x} + \boxed{y}"),
        (r"\boxed{x_{1}^{2} = \{1\}}", True, r"x_{1}^{2} = \{1\}"),
        (r"\boxed{x} = 1", False, r"\boxed{x} = 1"),
        (r"\boxed{x", False, r"\boxed{x"),
    ],
)
def test_a_box_around_all_of_an_equation_is_that_of_its_block(source, boxed, latex):
    made = formula(True, source, {})
    assert (made.boxed, made.latex) == (boxed, latex)
    assert not formula(False, source, {}).boxed


def page(source: str, **options: Any) -> str:
    nb = new_notebook(cells=[new_markdown_cell(source)])
    return ReportHTMLExporter(**options).from_notebook_node(nb)[0].partition("<main")[2]


def test_definitions_alone_show_nothing_and_hold_in_the_rest_of_the_notebook():
    shown = page("before $\\newcommand{\\R}{\\mathbb{R}}$ after\n\n$$\\boxed{x \\in \\R}$$")
    assert "<p>before  after</p>" in shown.replace("\n", " ") and shown.count("<math") == 1
    assert '<span class="equation boxed"' in shown and 'alttext="x in blackboard R"' in shown


def symbols() -> list[str]:
    """Return every command without arguments that stands for a character in JupyterLab's MathJax."""
    static = Path(pytest.importorskip("jupyterlab").__file__).parents[4] / "share/jupyter/lab/static"
    found = set()
    for path in static.glob("*.js"):
        source = path.read_text("utf-8")
        for table in re.findall(
            r'(?:CharacterMap\("(?:AMS|math|upg)|CommandMap\("textcomp)[^"]*",[^{]*\{(.*?)\}\)', source
        ):
            found |= set(re.findall(r'[{,](\w+):["\[]', f"{{{table}")) - {"texClass"}
    return sorted(name for name in found if name.isalpha())


@pytest.mark.slow
def test_every_symbol_of_jupyterlab_is_set():
    found = symbols()
    assert {"cap", "otimes", "nsubseteqq", "Upsigma", "texteuro"} < set(found) and len(found) > 590
    others = [r"\surd", r"\boxed{x} + \underset{w}{y}", r"\begin{matrix}a\\b\end{matrix}", "⟦⧀⩀⟧"]
    nb = new_notebook(cells=[new_markdown_cell(f"$x {one} y$") for one in others])
    nb.cells += [new_markdown_cell(rf"$x \{name} y$ $\{name}$") for name in found]
    warned: list[str] = []
    for exporter in (ReportPDFExporter(), ReportHTMLExporter()):
        exporter.log.warning = lambda form, *values: warned.append(form % values)
        exporter.from_notebook_node(nb)
    assert warned == []


SPOKEN = {
    r"\sqrt{2}": "the square root of 2",
    r"\mathbf{w}^\top": "bold w transpose",
    r"\frac{1}{N} \sum_{n=1}^N x_n": "1 over N the sum over n from 1 to N of x sub n",
    r"\frac{a + b}{2}": "the fraction a plus b over 2, end fraction",
    r"\max_x y": "max over x of y",
    r"\sqrt[3]{x}": "the root of order 3 of x",
    r"\sqrt{a+b}c": "the square root of a plus b end root c",
    r"e^{x+1}y_{n+1}z_{n+1}": "e to the x plus 1 end exponent y sub n plus 1 end sub z sub n plus 1",
    r"90^\circ": "90 degrees",
    r"\frac12 + \dfrac34": "1 over 2 plus 3 over 4",
    r"\binom{n}{k}": "n choose k",
    r"|x| \left|x\right|": "vertical bar x vertical bar vertical bar x vertical bar",
    r"\left. \|x\| \right|_0": "double bar x double bar vertical bar sub 0",
    r"\overline{x} + \underbrace{a+b}_n": "bar over x plus brace under a plus b end brace sub n",
    r"\operatorname*{arg\,max} \Pr(\text{R\&D})": "arg max probability open paren R&amp;D close paren",
}
UNSPOKEN = {
    r"\begin{array}{c} x \end{array}": "LaTeX environment 'array' is not one of",
    r"\left< x \right>": r"Only brackets stretch rightly after \left",
    r"\unheardof{x}": r"LaTeX command \unheardof is not known to convert rightly",
    r"{x": "LaTeX lacks a closing brace: {x",
    r"\frac{1}": r"Unfinished LaTeX, an argument is missing at the end of: \frac{1}",
    r"\quad": r"there are no words for \quad",
}


@pytest.mark.parametrize("latex", SPOKEN)
def test_a_formula_is_read_in_words(latex):
    assert f'alttext="{SPOKEN[latex]}"' in page(f"${latex}$", strict=True)


def test_the_head_of_a_column_that_is_a_formula_alone_has_a_name():
    shown = page("| $\\lambda$ | x |\n|---|---|\n| 1 | 2 |")
    assert '<span class="read">lambda</span><math aria-hidden="true"' in shown


def test_a_formula_without_words_is_read_as_its_source():
    shown = page(" ".join(f"${latex}$" for latex in UNSPOKEN))
    assert r'alttext="LaTeX: \begin{array}{c} x \end{array}"' in shown
    assert r'alttext="LaTeX: \left&lt; x \right&gt;"' in shown
    assert r"<code>{x</code>" in shown and r"<code>\frac{1}</code>" in shown


def test_a_strict_page_refuses_formulas_without_words_each_in_a_line():
    with pytest.raises(ExportError) as caught:
        page(" ".join(f"${latex}$" for latex in UNSPOKEN), strict=True)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(UNSPOKEN)
    for line, reason in zip(lines, UNSPOKEN.values(), strict=True):
        assert f": {reason}" in line and line.endswith("; its alternative text would be its source")


TYPST = {
    r"\left\{\begin{aligned} x & = a \\ y + 1 & = b \end{aligned}\right.": "nb.system( x & = a, y + 1 & = b)",
    r"\left\{\begin{array}{@{}ll} x & y \\ & z \end{array}\right.": (
        'mat(delim: #("{", none), align: #left, column-gap: #1em,  x, y; #none, z)'
    ),
    r"\begin{bmatrix} a & b \\ & c \end{bmatrix}": 'mat(delim: "[", a, b; #none, c)',
    r"\begin{align} & \min & x & = 1 \\ & y \end{align}": "& min #h(2em) & x & = 1\\  & y",
    r"\begin{eqnarray} a &\le& b \\ c & = & d \end{eqnarray}": "a & lt.eq b\\ c & = d",
    r"|0\rangle + P(a|b) + ||x||": r"\|0 chevron.r + P \( a\|b \) +\|\|x\|\|",
    r"\|x\|_2^2 + \left\|y\right\|": "‖x‖_2^2 + lr(‖y‖)",
    r"\big\|x\big\|": 'class("normal", stretch(‖, size: #120%)) x class("normal", stretch(‖, size: #120%))',
    r"\bigl\langle x\bigr\rangle": "stretch(chevron.l, size: #120%) x stretch(chevron.r, size: #120%)",
    r"\Big\{ \Bigl(x^2": r"stretch(\{, size: #180%) stretch(\(, size: #180%) x^2",
    r"x \bigm| y": r'x thin class("normal", stretch(\|, size: #120%)) thin y',
    r"\left\|\begin{matrix} a & b \end{matrix}\right\|": 'mat(delim: "‖", a, b)',
    r"\begin{array}{c|c} & x \\ \hline 1 & 20 \end{array}": "mat(delim: #none, , x; 1, 20)",
    r"\begin{array}{ll} x & 20 \\ y & 3 \end{array}": (
        "mat(delim: #none, align: #left, column-gap: #1em,  x, 20; y, 3)"
    ),
    r"\begin{array}{l} x \\ y \end{array}": "vec(delim: #none, align: #left,  x, y)",
    r"\begin{cases} a = b \\ c = d \end{cases}": 'cases(delim: "{", a = b & , c = d)',
    r"\mathrm{R\&D} + \text{a\&b}": r'upright(R \u{26} D) + upright("a\u{26}b")',
    r"\begin{align} a\&b & = c \\& = d \end{align}": r"a \u{26} b & = c\  & = d",
    r"\left.\frac{a}{b}\right|_{x}": "lr(a / b|)_x",
    r"\operatorname*{arg\,max}_x": 'op("arg\u2006max", limits: #true)_x',
    r"\left. a \right\rangle + \Bigl. b \bigr.": "a⟩ + b",
    r"\operatorname{a\kern 0.1em b}": '"a\u2006b"',
    r"a \hspace{1mm} b \kern-1em c": "a #h(0.283em) b #h(-1.0em) c",
}


@pytest.mark.parametrize("latex", TYPST)
def test_braces_bars_and_gaps_stand_as_in_jupyter(latex):
    made = formula(True, latex, {})
    assert to_typst([made]) == {made: TYPST[latex]}


def test_what_stands_as_in_jupyter_compiles_without_a_warning():
    warned: list[str] = []
    exporter = ReportPDFExporter()
    exporter.log.warning = lambda form, *values: warned.append(form % values)
    exporter.from_notebook_node(new_notebook(cells=[new_markdown_cell(f"$${latex}$$") for latex in TYPST]))
    assert warned == []


@pytest.mark.parametrize(
    "part",
    [
        r"\left\{\begin{aligned}",
        r"\left\{\begin{array}",
        r"\begin{array}{l",
        r"\begin{aligned} &",
        r"\begin{cases} a",
        r"\\|",
        r"\&",
        " ",
        "& ",
    ],
)
def test_formulas_that_no_one_would_write_are_soon_made_ready(part):
    began = time.process_time()
    _expand(replaced(part * 20_000, _SIGNED), _BRACES)
    replaced(part * 20_000, _UNSIGNED)
    formula(True, r"\begin{eqnarray}" + part * 2_000, {})
    assert time.process_time() - began < 2
