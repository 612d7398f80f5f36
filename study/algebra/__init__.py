"""Check the report's algebra: its derivations, read as LaTeX and evaluated in SymPy."""

from typing import Any


def steps() -> list[Any]:
    """Return every relation of the derivations, with its verdict."""
    from study.algebra import derivations  # SymPy takes long to import, and only the process beside needs it

    return derivations.steps()
