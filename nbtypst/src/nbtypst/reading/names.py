"""Lists of names that stand in files beside this one: one a line, sorted, in sections."""

from configparser import ConfigParser
from pathlib import Path


def names(file: str) -> dict[str, dict[str, str]]:
    """Return the names of each section, each with the words after its equals sign or with itself."""
    parser = ConfigParser(
        allow_no_value=True, comment_prefixes=("; ",), delimiters=(" = ",), interpolation=None
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    parser.read(Path(__file__).with_name(file), encoding="utf-8")
    return {
        section: {name: words or name for name, words in pairs.items()} for section, pairs in parser.items()
    }
