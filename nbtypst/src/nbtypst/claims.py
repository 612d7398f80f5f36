"""Sentences whose numbers are computed and whose truth is checked where they stand.

The first form of `nbtypst.writing`, kept until the one report that is written in it is rewritten.
"""

from __future__ import annotations

import io
import operator
import platform
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display
from matplotlib.figure import Figure

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
NUMBER = re.compile(
    r"[-+−]?\d[\d.,]*(e[-+]?\d+)?( ?%)?( ± [\d.]+)?|\$(-?[\d.]+ \\times 10\^\{-?\d+\}|\\infty)\$"
)
TYPE = "'New Computer Modern', 'CMU Serif', 'Latin Modern Roman', 'STIXGeneral', serif"
claims: list[tuple[str, str]] = []  # every claim checked so far: sentence, evidence


class FalseClaimError(AssertionError):
    """A sentence of the report is not true of the data."""


def claim(sentence: str, *chain: Any) -> str:
    """Return `sentence` if the comparisons that follow hold: claim("x is small.", 0, "<", x, "<", 1).

    Raises FalseClaimError with the sentence and the measured values when one does not.
    """
    if len(chain) < 3 or len(chain) % 2 == 0 or any(r not in RELATIONS for r in chain[1::2]):
        raise ValueError(f"the check of {sentence!r} is {chain}; expected value, relation, value, ...")
    evidence = " ".join(_plain(part) for part in chain)
    for left, relation, right in zip(chain[::2], chain[1::2], chain[2::2], strict=False):
        if not np.all(RELATIONS[str(relation)](left, right)):
            raise FalseClaimError(f"no longer true: {sentence!r} (measured: {evidence})")
    claims.append((sentence, evidence))
    return sentence


def say(*sentences: str) -> None:
    """Show sentences as one paragraph of Markdown."""
    display(Markdown(" ".join(sentences)))


def table(header: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> None:
    """Show a table as Markdown under its caption, which opens with its number: "**Table 2d.** ..."."""
    number = re.match(r"\*\*Table ([\w.]*\w)\.\*\* ", caption)
    if not number:
        raise ValueError(f"the caption is {caption!r}; expected it to start like '**Table 2d.** '")
    columns = [
        [str(cell).replace("|", r"\|") for cell in column] for column in zip(header, *rows, strict=True)
    ]
    lengths = [[len(re.sub(r"\]\(\S*\)", "", cell)) for cell in column] for column in columns]
    wrapped = max(map(max, lengths)) > 40
    widths = [max(5, sum(column) // len(column)) if wrapped else 5 for column in lengths]
    filled = [[cell for cell in cells if cell != "–"] for _, *cells in columns]
    numbers = [sum(map(bool, map(NUMBER.fullmatch, cells))) for cells in filled]
    # a column of numbers stands to the right
    ends = ["-:"[2 * count > len(cells)] for count, cells in zip(numbers, filled, strict=True)]
    dashes = ["-" * (width - 1) + end for width, end in zip(widths, ends, strict=True)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in zip(*columns, strict=True))
    top, _, rest = body.partition("\n")
    about = {"id": f"tbl-{number[1].lower()}", "caption": caption}
    display(Markdown(caption), metadata={"role": "caption"})
    display(Markdown(f"{top}\n| {' | '.join(dashes)} |\n{rest}"), metadata=about)


def show(figure: Figure, name: str, caption: str, alt: str) -> None:
    """Show a figure, at its own size, with its caption below and its alternative text.

    SVG is what the exporters here and JupyterLab take, PDF what nbconvert's LaTeX takes. The SVG holds its
    words as text, in the page's type.
    """
    svg, pdf = io.BytesIO(), io.BytesIO()
    with plt.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine(None)  # that of the SVG stands
        figure.savefig(pdf, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
    plt.close(figure)
    caption = f"**Figure {name}.** {caption}"
    about = {"id": f"fig-{name.lower()}", "caption": caption, "alt": alt}
    text = svg.getvalue().decode().replace("'STIXGeneral'", TYPE)
    data = {"image/svg+xml": text, "application/pdf": b64encode(pdf.getvalue()).decode()}
    plain = f"[JupyterLab shows this figure once the notebook is run or trusted.] {alt}"
    display(data | {"text/plain": plain}, raw=True, metadata=about)
    display(Markdown(caption), metadata={"role": "caption"})


def sci(value: float, digits: int = 1) -> str:
    """A number as a formula, such as $3.6 \\times 10^{-7}$, for sentences and tables."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"${mantissa} \\times 10^{{{int(exponent)}}}$"


def claims_table() -> None:
    """Show every claim made so far with the measured values behind it."""
    signs = {"<=": r"$\le$", ">=": r"$\ge$", "==": "="}
    rows = [
        (number, sentence, " ".join(signs.get(word, word) for word in evidence.split()))
        for number, (sentence, evidence) in enumerate(claims, 1)
    ]
    table(("no.", "claim", "measured"), rows, "**Table A.** Every claim that this report checks.")


def _plain(part: object) -> str:
    if isinstance(part, str):
        return part
    values = np.atleast_1d(np.asarray(part))
    ends = [f"{v:.6g}" for v in sorted({values.min().item(), values.max().item()})]
    return " to ".join(ends)


def versions() -> None:
    """Show the versions of what computed the numbers.

    Its LaTeX defines a counter too, which tables without a caption need in the LaTeX of pandoc >= 3.8.2.1,
    and nbconvert's template lacks (nbconvert #2317): so call it before the first table.
    """
    parts = {"Python": platform.python_version()}
    parts |= {name: version(name.lower()) for name in ("NumPy", "SciPy", "Matplotlib")}
    names = ", ".join(f"{name} {number}" for name, number in parts.items())
    text = f"Computed with {names}, in float64."
    display({"text/markdown": text, "text/latex": rf"\newcounter{{none}}{text}"}, raw=True)
