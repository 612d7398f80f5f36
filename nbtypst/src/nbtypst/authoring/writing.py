"""Prose, tables and figures whose numbers are computed where they stand, each sentence beside its check.

    say(r'''
        The validation loss (Figure 3) falls from {{first:.3f}} after the first update to {{final:.3f}}.
            check: final < first
    ''')

Text, captions and alternative texts are templates (see `nbtypst.authoring.templates`), filled from the names
of the cell; or they are names of templates in Markdown files (see `nbtypst.authoring.parts`). A sentence that
is not true, or has a value that cannot be computed, is shown as such and the notebook goes on; the exporters
and `python -m nbtypst.check` refuse a notebook that shows one, and list all. One with a value that a cell
left behind, run out of order, asks for the cells above to be run again.
"""

import io
import platform
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from IPython.display import Markdown, display

from nbtypst.authoring.ledger import ledger, watch
from nbtypst.authoring.parts import NAME, template
from nbtypst.authoring.templates import About, Names, Words, cell, fill, kept, names_of_caller

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBER = re.compile(
    r"[-+−]?\d[\d.,]*(e[-+]?\d+)?( ?%)?( ± [\d.]+)?|\$(-?[\d.]+ \\times 10\^\{-?\d+\}|\\infty)\$"
)
OWN = "STIXGeneral"  # of Matplotlib's types the one that is nearest to the page's
TYPE = "'New Computer Modern', 'CMU Serif', 'Latin Modern Roman', 'STIXGeneral', serif"
PNG_DPI = 110  # of the PNG, for viewers that show no SVG
PNG_COLOURS = 64
WRAPPED = 40  # characters of a cell whose text stands in lines

watch()


def say(text: str) -> None:
    """Show `text` as Markdown, its values computed and its checks made in the caller's names."""
    shown, about = _filled(names_of_caller(), text=text)
    display(Markdown(shown["text"]), metadata=about)


def table(header: Sequence[str], rows: Iterable[Sequence[object]], label: str, caption: str) -> None:
    """Show a table as Markdown under its caption; `label` is its number, such as "Table 2" or "Table A1".

    A column that is mostly numbers stands to the right; columns of long text share the width.
    Raises ValueError for rows of unequal length or a label of another form.
    """
    name = _id(label, "Table", "tbl-")
    shown, about = _filled(names_of_caller(), caption=caption)
    cells = [list(map(cell, row)) for row in (header, *rows)]
    for row in cells:
        if len(row) != len(header):
            raise ValueError(f"{label} has {len(header)} columns, a row has {len(row)}: {row!r}")
    wrapped = any(_length(cell) > WRAPPED for row in cells for cell in row)
    dashes = [_dashes(column, wrapped) for column in zip(*cells, strict=True)]
    lines = [f"| {' | '.join(line)} |" for line in (cells[0], dashes, *cells[1:])]
    titled = f"**{label}.** {shown['caption']}"
    display(Markdown(titled), metadata=_as_caption(about))
    display(Markdown("\n".join(lines)), metadata={"id": name, "caption": titled} | about)


def show(figure: "Figure", label: str, caption: str, alt: str = "") -> None:
    """Show a figure at its own size, its caption below; `label` is its number, such as "Figure 3".

    Without `alt`, `caption` names a part, and the alternative text is the part of that name and ".alt".

    As SVG, whose words are text in the page's type, unless there are formulas, whose letters stand apart as
    those of another type; as PNG, for viewers that show no SVG; and as PDF, for nbconvert's LaTeX. Raises
    ValueError for a label of another form.
    """
    import matplotlib.pyplot as plt

    name = _id(label, "Figure", "fig-")
    names = names_of_caller()
    if not alt and not NAME.fullmatch(caption):
        raise ValueError(f"{label} has no alternative text; expected one, or a caption that names a part")
    shown, about = _filled(names, caption=caption, alt=alt or f"{caption}.alt")
    titled = f"**{label}.** {shown['caption']}"
    svg = io.BytesIO()
    pdf = io.BytesIO()
    png = io.BytesIO()
    kind = "path" if _has_foreign_formulas(figure) else "none"
    with plt.rc_context({"svg.hashsalt": name, "svg.fonttype": kind}):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine(None)  # that of the SVG stands
        figure.savefig(pdf, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
        figure.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    plt.close(figure)
    data = {
        "image/svg+xml": svg.getvalue().decode().replace(f"'{OWN}'", TYPE),
        "image/png": b64encode(_fewer_colours(png)).decode(),
        "application/pdf": b64encode(pdf.getvalue()).decode(),
        "text/plain": shown["alt"],
    }
    own = {"id": name, "caption": titled, "alt": " ".join(shown["alt"].split())}
    display(data, raw=True, metadata=own | about)
    display(Markdown(titled), metadata=_as_caption(about))


def sci(value: float, digits: int = 1) -> str:
    """Return a number as a formula, such as $3.6 \\times 10^{-7}$, for sentences and tables."""
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    return f"${mantissa} \\times 10^{{{int(exponent)}}}$"


def versions(*packages: str) -> None:
    """Show the versions of what computed the numbers: Python's, and those of packages by name.

    Its LaTeX defines a counter too, which tables without a caption need in the LaTeX of pandoc >= 3.8.2.1,
    and nbconvert's template lacks (nbconvert #2317): so call it before the first table.
    """
    parts = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
    text = f"Computed with {', '.join(parts)}."
    display({"text/markdown": text, "text/latex": rf"\newcounter{{none}}{text}"}, raw=True)


def _filled(names: Names, **texts: str) -> tuple[Words, About]:
    """Return templates, or the parts that they name, with their values, and what their output keeps."""
    shown = {}
    checks = []
    parts = {}
    values: Words = {}
    for place, text in texts.items():
        shown[place], made, found = fill(template(text), names, ledger.stale)
        ledger.tell(text, made)
        checks += made
        if NAME.fullmatch(text):
            parts[place] = text
            values |= found
    return shown, kept(checks, parts, values)


def _as_caption(about: About) -> About:
    """Return what the output of a caption keeps; the checks stand with its figure or table."""
    return {"role": "caption"} | {key: kept for key, kept in about.items() if key != "checks"}


def _id(label: str, kind: str, prefix: str) -> str:
    """Return the id that a mention of the label links to: fig-3, tbl-a1."""
    match = re.fullmatch(rf"{kind} (A?\d+)", label)
    if not match:
        raise ValueError(
            f"the label is {label!r}; expected one like '{kind} 3' or, in the appendix, '{kind} A1'"
        )
    return prefix + match[1].lower()


def _length(cell: str) -> int:
    return len(re.sub(r"\]\(\S*\)", "", cell))  # without addresses of links


def _dashes(column: Sequence[str], wrapped: bool) -> str:
    """Return the dashes below a column's head, which give its width and whether it stands to the right."""
    width = max(5, sum(map(_length, column)) // len(column)) if wrapped else 5
    filled = [cell for cell in column[1:] if cell not in ("", "–")]
    numbers = [cell for cell in filled if NUMBER.fullmatch(cell)]
    return "-" * (width - 1) + (":" if 2 * len(numbers) > len(filled) else "-")


def _has_foreign_formulas(figure: "Figure") -> bool:
    """Return whether there are formulas whose letters Matplotlib places by another type than the page's."""
    from matplotlib.text import Text

    texts: Any = figure.findobj(Text)
    return any("$" in text.get_text() and OWN not in text.get_fontfamily() for text in texts)


def _fewer_colours(png: io.BytesIO) -> bytes:
    from PIL import Image

    small = io.BytesIO()
    Image.open(png).convert("RGB").quantize(PNG_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
