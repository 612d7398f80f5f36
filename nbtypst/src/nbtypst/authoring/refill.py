"""Put edited parts of the text into an executed notebook, without its kernel.

An output keeps the names of its parts, their values and their checks (see `nbtypst.authoring.writing`). While
the code is as it was, new words around these need nothing to be computed.
"""

import re
from typing import Any

from nbtypst.authoring import answers, templates
from nbtypst.authoring.templates import Words

TITLED = re.compile(r"(\*\*\w+ \w+\.\*\* ).*", re.DOTALL)
PLACES = ("text", "caption", "alt")


def refill(nb: Any, parts: Words) -> bool:
    """Put parts of the text, by name, into a notebook's outputs; return False if it has to be executed.

    It has to for a value or a check that an output does not keep, and for a check that did not hold; then
    some outputs may be filled and others not.
    """
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            used = dict(output.get("metadata", {}).get("parts", ()))
            try:
                if used:
                    _put(output, _templates(used, parts))
            except (KeyError, ValueError):
                return False
    return True


def _templates(used: Words, parts: Words) -> Words:
    """Return an output's templates by place; of a table of answers, by question."""
    found: Words = {}
    for place, name in used.items():
        found |= {place: parts[name]} if place in PLACES else answers.by_question(parts[name])
    if set(found) != set(used):
        raise KeyError("the questions are others")
    return {place: found[place] for place in used}


def _put(output: Any, of_place: Words) -> None:
    """Fill an output. Raises KeyError for a value or a check that it does not keep."""
    about = output.metadata
    data = output.data
    texts = {}
    made = []
    for place, template in of_place.items():
        texts[place], checks = templates.refill(template, about.get("values", {}))
        made += checks
    if about.get("role") == "caption":
        data["text/markdown"] = _titled(data["text/markdown"], texts["caption"])
        return
    kept = about.get("checks", [])
    if [source for _, source in made] != [check["check"] for check in kept if check["holds"]]:
        raise KeyError("the checks are others")
    for check, (sentence, _) in zip(kept, made, strict=True):
        check["sentence"] = sentence
    for place, text in texts.items():
        match place:
            case "text":
                data["text/markdown"] = text
            case "caption":
                about["caption"] = _titled(about["caption"], text)
            case "alt":
                data["text/plain"] = text
                about["alt"] = " ".join(text.split())
            case _:
                row = re.compile(rf"^(\| \[{place}\]\(\S*\) \| ).*$", re.M)
                before, label, after = row.split(data["text/markdown"])
                data["text/markdown"] = f"{before}{label}{templates.cell(text)} |{after}"


def _titled(caption: str, text: str) -> str:
    """Return a caption with its label, such as "Figure 3", and a new text."""
    return TITLED.sub(r"\1", caption) + text
