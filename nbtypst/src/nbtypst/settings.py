"""How a page is to look: from the exporter's options, else the notebook's metadata, else as most want it."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

PAPERS = ("a4", "us-letter")


@dataclass
class Settings:
    """The settings of a page; each is a metadata key of the notebook, under "nbtypst", and an option."""

    title: str = ""
    subtitle: str = ""
    authors: tuple[str, ...] = ()
    group: str = ""
    course: str = ""
    date: str = ""
    strict: bool = False
    hide_code: bool = False
    contents: bool = True
    number_sections: bool = False
    running_head: bool = True
    language: str = "en"
    paper: str = "a4"
    font: str = "New Computer Modern"
    font_size: float = 11.0


def settings(nb: Any, options: dict[str, Any]) -> Settings:
    """The settings for a notebook, `options` being those that were given to the exporter.

    Title, authors and date also stand in the notebook's own metadata, as nbconvert has them. A value that a
    setting cannot have is left out.
    """
    own = nb.metadata.get("nbtypst", {})
    given = {
        key: nb.metadata[key] for key in ("title", "subtitle", "authors", "date") if nb.metadata.get(key)
    }
    given |= own if isinstance(own, dict) else {}
    given |= {key: value for key, value in options.items() if value not in (None, "", ())}
    made = {f.name: _as(f.name, given[f.name], f.default) for f in fields(Settings) if f.name in given}
    found = Settings(**{name: value for name, value in made.items() if value is not None})
    found.group = f"Group {found.group}" if found.group.isdigit() else found.group
    found.paper = found.paper if found.paper in PAPERS else Settings.paper
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", found.language):
        found.language = "en"
    return found


def _as(name: str, value: Any, default: Any) -> Any:
    if name == "authors":
        parts = re.split(r"\s*[;,]\s*", value) if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return None
        names = [part.get("name", "") if isinstance(part, dict) else part for part in parts]
        return tuple(_line(one) for one in names if _line(one))
    if isinstance(default, bool):
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
    if isinstance(default, float):
        return float(value) if isinstance(value, int | float) and 5 <= value <= 30 else None
    return _line(value)


def _line(value: Any) -> str:
    return " ".join("".join(c for c in str(value) if c.isprintable() or c.isspace()).split())[:500]
