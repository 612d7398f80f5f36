"""What authors know from Quarto: front matter, and the .bib files beside the notebook."""

import json
import re
from pathlib import Path
from typing import Any

from nbtypst.reading.markdown import pandoc
from nbtypst.reading.mending import Data

NAMED = {"author": "authors", "date": "date", "lang": "language", "subtitle": "subtitle", "title": "title"}


def read_front_matter(nb: Any) -> Data:
    """Take front matter out of a notebook's first cell, and return the settings in it.

    Raises PandocError for front matter that is no YAML.
    """
    front = r"(?s)\s*---[ \t]*\n(.*\n)(?:---|\.\.\.)\s*"
    first = nb.cells[0] if nb.cells else None
    found = re.fullmatch(front, first.source) if first and first.cell_type != "code" else None
    if not found:
        return {}
    template = Path(__file__).with_name("meta.txt")
    made = pandoc(f"---\n{found[1]}---\n", "-f", "markdown-smart", "-t", "plain", f"--template={template}")
    meta = json.loads(made)
    given = {setting: meta[name] for name, setting in NAMED.items() if name in meta}
    if given:
        del nb.cells[0]
    return given


def bibliography(folder: str | None, language: str) -> list[str]:
    """Return pandoc's options for the .bib files in a folder; none without them."""
    files = sorted(Path(folder).glob("*.bib")) if folder is not None else []
    options = [f"--bibliography={path}" for path in files if not path.is_symlink()]
    about = ["--citeproc", "--metadata=link-citations:true", f"--metadata=lang:{language}"]
    return options and [*about, *options]
