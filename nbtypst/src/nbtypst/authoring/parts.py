"""Prose that stands in Markdown files: in the folder `text` beside the notebook, a part for each call.

    ## 2b.answer

    The validation loss falls from {{first:.3f}} to {{final:.3f}}.
    <!-- check: final < first -->

`say("2b.answer")` shows this part: one word that does not end in a full stop names one. A heading of two `#`
names a part, a heading of one is for the author; checks stand in comments, which a preview hides.
`show(figure, "Figure 1", "2b.loss")` takes the caption from `2b.loss` and the alternative text from
`2b.loss.alt`.
"""

import re
from difflib import get_close_matches
from pathlib import Path

FOLDER = "text"
NAME = re.compile(r"[\w.-]*\w")
HEADING = re.compile(r"^## +(\S+) *$", re.M)
TITLE = re.compile(r"^# .*\n", re.M)
COMMENT = re.compile(r"<!--\s*(check:.*?)\s*-->", re.DOTALL)
BEGUN = re.compile(r"(?:<!--\s*|^)(?!check:)(\w+:?) ", re.M)  # a line of a comment, by another word


def template(text: str) -> str:
    """Return the part that `text` names, or `text` itself where it is no name, such as a sentence.

    Raises ValueError for a name that no file of the folder has.
    """
    if not NAME.fullmatch(text):
        return text
    parts = read(Path(FOLDER))
    if text not in parts:
        near = sorted(name for name in parts if name.partition(".")[0] == text.partition(".")[0])
        there = f"expected one of {', '.join(near or parts)}" if parts else "it has none, or is not there"
        advice = f"write '## {text}' in it, or end a sentence in a full stop"
        raise ValueError(f"no file of the folder {FOLDER} has a part {text!r}; {there}; {advice}")
    return parts[text]


def read(folder: Path) -> dict[str, str]:
    """Return the parts of a folder's Markdown files by name.

    Raises ValueError for a name given twice, and for a comment that is not closed or misspells `check:`.
    """
    parts = {}
    for path in sorted(folder.glob("*.md")):
        _, *found = HEADING.split(TITLE.sub("", path.read_text(encoding="utf-8")))
        for name, text in zip(found[::2], found[1::2], strict=True):
            if name in parts:
                raise ValueError(f"{path} has a second part {name!r}; expected each name once")
            for comment in re.findall(r"<!--.*?(?:-->|\Z)", text, re.DOTALL):
                if comment.count("<!--") != comment.count("-->"):
                    raise ValueError(f"{path}: a comment of {name!r} is not closed; expected '-->'")
                if near := get_close_matches("check:", BEGUN.findall(comment)):
                    raise ValueError(f"{path}: a comment of {name!r} has {near[0]!r}; expected 'check:'")
            parts[name] = COMMENT.sub(r"\1", text).strip("\n")
    return parts
