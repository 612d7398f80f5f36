"""Problems of a page, collected cell by cell, so that all of them are said at once."""

from dataclasses import dataclass, field
from typing import Any

from nbconvert.utils.exceptions import ConversionException

LONGEST = 300  # characters of a problem's line


@dataclass(frozen=True)
class Problem:
    """Where a problem is (a cell), what it is, and what to do about it."""

    place: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        what = self.what
        if len(what) > LONGEST:
            what = what[: LONGEST - 40] + "…" + what[-39:]
        if self.advice:
            what += f"; {self.advice}"
        return " ".join(f"{self.place}: {what}".split())


class ExportError(ConversionException):
    """The notebook cannot become a page: one line a problem."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass
class Problems:
    """The problems found so far: errors stop the export, warnings only where it is strict."""

    strict: bool = False
    errors: dict[Problem, None] = field(default_factory=dict)  # each once, in order
    warnings: dict[Problem, None] = field(default_factory=dict)

    def error(self, place: str, what: str, advice: str = "") -> None:
        """Note what no page may show."""
        self.errors[Problem(place, what, advice)] = None

    def warn(self, place: str, what: str, advice: str = "") -> None:
        """Note what the page shows in another way, or as text."""
        found = self.errors if self.strict else self.warnings
        found[Problem(place, what, advice)] = None

    def stop(self) -> None:
        """Raise ExportError with every error found so far, if there is one."""
        if self.errors:
            raise ExportError(list(self.errors))


def name_of(number: int, cell: Any) -> str:
    """Return a cell's name for people: its place in the notebook, its prompt, and how it begins."""
    prompt = f" In [{cell.execution_count}]" if cell.get("execution_count") else ""
    first, *_ = str(cell.get("source", "")).strip().splitlines() or [""]
    begins = "".join(filter(str.isprintable, first.strip()))
    if len(begins) > 40:
        begins = begins[:40] + "…"
    return f"cell {number}{prompt} {begins!r}" if begins else f"cell {number}{prompt}"
