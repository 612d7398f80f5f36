"""The checkers of PDF/UA-1 that are installed: pdfua, and two that others wrote apart from it."""

from importlib.util import find_spec
from pathlib import Path

CHECKERS = [name for name in ("outloud", "page", "pdfua") if find_spec(name)]


def errors(checker: str, pdf: Path) -> list[str]:
    """Return what a checker finds wrong with a PDF."""
    if checker == "outloud":
        import outloud

        return [found.message for found in outloud.check(str(pdf)).findings if found.severity == "error"]
    if checker == "page":
        import page

        return [failure.message for failure in page.validate_pdf(pdf, profile="ua1").failures]
    import pdfua

    return [found.message for found in pdfua.validate(str(pdf)).findings if found.severity.name == "ERROR"]
