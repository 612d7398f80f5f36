"""Parts of an HTML page that move, such as a drawing pad: made by installed packages, named by a notebook.

A package offers one as an entry point of the group "nbtypst.widgets": a function without arguments that
gives HTML for the page's body, complete in itself, with its script and its style in it and its name as the id
of its root. A notebook names it in a cell's metadata and has no other say in it: the page's security policy
allows the scripts that the package gave, by their hashes, and no others.
"""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.metadata import entry_points
from typing import Any

from nbtypst.problems import Problems
from nbtypst.reading.mending import mapping

GROUP = "nbtypst.widgets"


def widget_of(cell: Any) -> str:
    """Return the name of the widget that a cell asks for; "" if it asks for none."""
    name = mapping(cell.metadata.get("nbtypst")).get("widget")
    return name if isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,49}", name) else ""


def made(name: str, place: str, problems: Problems) -> str:
    """Return the widget's HTML; warn and return "" if no installed package has it or it cannot be made."""
    offered = entry_points(group=GROUP)
    if name not in offered.names:
        known = ", ".join(sorted(offered.names)) or "none"
        problems.warn(place, f"no installed package has the widget {name!r}", f"there is: {known}")
        return ""
    try:
        return str(offered[name].load()())
    except Exception as error:  # of the package
        problems.warn(place, f"the widget {name!r} cannot be made: {type(error).__name__}: {error}")
        return ""


def hashes(html: str) -> list[str]:
    """Return the names by which a content security policy allows the scripts of trusted HTML."""
    scripts = re.findall(r"(?is)<script\b[^>]*>(.*?)</script>", html)
    digests = [sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{b64encode(digest).decode()}'" for digest in digests]
