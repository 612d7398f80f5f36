"""The settings of a page: from the exporter's options, else the notebook's metadata, else the defaults."""

import re
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

NBCONVERTS = ("title", "subtitle", "authors", "date")  # keys that are the notebook's own


def _setting(default: Any, help: str, form: str = ".*") -> Any:
    return field(default=default, metadata={"help": help, "form": form})


@dataclass
class Settings:
    """The settings of a page; each is a metadata key of the notebook, under "nbtypst", and an option."""

    title: str = _setting("", "the title")
    subtitle: str = _setting("", "a line below the title")
    authors: tuple[str, ...] = _setting((), "on the first page and in the PDF's metadata")
    group: str = _setting("", "the group's name or number, on the first page")
    course: str = _setting("", "the course, on the first page")
    date: str = _setting("", "the date, on the first page as it is to be shown")
    strict: bool = _setting(False, "warnings are errors, and numbers are checked")
    hide_code: bool = _setting(False, "no code")
    fold_code: bool = _setting(True, "the HTML page has the code that is hidden, folded")
    all_lines: bool = _setting(False, "outputs whole, however long they are")
    contents: bool = _setting(True, "a table of contents")
    number_sections: bool = _setting(False, "1, 1.1, ... before headings")
    running_head: bool = _setting(True, "the section and the page's number at its top")
    language: str = _setting(
        "en", "hyphens, and what a screen reader speaks", "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"
    )
    paper: str = _setting("a4", "the PDF's paper: `a4` or `us-letter`", "a4|us-letter")
    font: str = _setting("New Computer Modern", "the type of the PDF")
    font_size: float = _setting(11.0, "the size of the PDF's type in points, 5 to 30")
    ignored = tuple[tuple[str, str, str], ...]()  # problems; without a type, so that it is no field


def settings(nb: Any, options: dict[str, Any], front: dict[str, Any] | None = None) -> Settings:
    """Return the settings for a notebook, `options` being those of the exporter, `front` its front matter.

    Title, authors and date also stand in the notebook's own metadata, as nbconvert has them. A value that a
    setting cannot have is left out, and noted, as is a key of the metadata that is no setting.
    """
    own = nb.metadata.get("nbtypst", {})
    given = (front or {}) | {key: nb.metadata[key] for key in NBCONVERTS if nb.metadata.get(key)}
    if isinstance(given.get("date"), float):
        del given["date"]  # the second in which Sphinx made the file
    if isinstance(own, dict):
        given |= own
    given |= {key: value for key, value in options.items() if value not in (None, "", ())}
    found = Settings()
    names = [setting.name for setting in fields(Settings)]
    for name in own if isinstance(own, dict) else ():
        if name not in names:
            near = get_close_matches(name, names, 1)
            advice = f"perhaps {near[0]!r} is meant" if near else "SETTINGS.md has all"
            found.ignored += (("the settings", f"{name!r} is no setting", advice),)
    for setting in fields(Settings):
        one = given.get(setting.name)
        if one is None:
            continue
        value = _read(setting.default, one)
        if value is not None and re.fullmatch(setting.metadata["form"], str(value)):
            setattr(found, setting.name, value)
        else:
            fault = f"{setting.name} cannot be {one!r}"
            found.ignored += (("the settings", fault, "its default is taken"),)
    if found.group.isdigit():
        found.group = f"Group {found.group}"
    return found


def _read(default: Any, value: Any) -> Any:
    """Return a value of the default's type, or None for a value that cannot be one."""
    match default:
        case tuple():
            return _names(value)
        case bool():
            return {"true": True, "false": False}.get(str(value).lower())
        case float():
            return float(value) if isinstance(value, int | float) and 5 <= value <= 30 else None
        case _:
            return _line(value)


def _names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = re.split(r"\s*[;,]\s*", value)
    if not isinstance(value, list | tuple):
        return None
    names = [_line(part.get("name", "") if isinstance(part, dict) else part) for part in value]
    return tuple(filter(None, names))


def _line(value: Any) -> str:
    """Return a value as one line of text."""
    kept = "".join(char for char in str(value) if char.isprintable() or char.isspace())
    return " ".join(kept.split())[:500]
