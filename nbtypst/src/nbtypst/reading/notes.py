"""What authors know from Quarto: front matter, and the .bib files beside the notebook."""

import json
import re
from pathlib import Path
from typing import Any

from nbtypst.reading.markdown import pandoc
from nbtypst.reading.mending import Data

NAMED = {"author": "authors", "date": "date", "lang": "language", "subtitle": "subtitle", "title": "title"}


def read_front_matter(nb: Any) -> Data:
    """Take front matter out of a notebook's first cell, and return the settings in it; an abstract stays.

    Raises PandocError for front matter that is no YAML.
    """
    front = r"(?s)\s*---[ \t]*\n(.*\n)(?:---|\.\.\.)\s*"
    first = nb.cells[0] if nb.cells else None
    found = re.fullmatch(front, first.source) if first and first.cell_type != "code" else None
    if not found:
        return {}
    meta = _read(found[1], "plain")
    given = {setting: meta[name] for name, setting in NAMED.items() if name in meta}
    if given:  # the cell stays, too, so that those after it keep their numbers
        left = _read(found[1], "markdown-smart-raw_attribute")["abstract"] if "abstract" in meta else ""
        nb.cells[0] |= {"cell_type": "markdown", "source": left}
    return given


def _read(front: str, form: str) -> Data:
    """Return what front matter gives, its texts in a form of pandoc's."""
    template = Path(__file__).with_name("meta.txt")
    text = f"---\n{front}---\n"
    return json.loads(pandoc(text, "-f", "markdown-smart", "-t", form, f"--template={template}"))


def bibliography(folder: str | None, language: str) -> list[str]:
    """Return pandoc's options for the .bib files in a folder; none without them."""
    files = sorted(Path(folder).glob("*.bib")) if folder is not None else []
    options = [f"--bibliography={path}" for path in files if not path.is_symlink()]
    about = ["--citeproc", "--metadata=link-citations:true", f"--metadata=lang:{language}"]
    return options and [*about, *options]
