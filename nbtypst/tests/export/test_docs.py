"""The notebooks that the README shows, for every checker; those of the gallery without a warning."""

from functools import cache
from pathlib import Path

import pytest
from checkers import CHECKERS, errors

from nbtypst import ReportHTMLExporter, ReportPDFExporter

pytestmark = pytest.mark.slow

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOTEBOOKS = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.ipynb"))


@cache
def page(name: str) -> bytes:
    """Return the PDF of a notebook; in the gallery a warning is an error."""
    return ReportPDFExporter(strict="gallery" in name).from_filename(str(DOCS / name))[0]


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_checker_finds_an_error_in_a_notebook_of_the_readme(name, checker, tmp_path):
    (tmp_path / "page.pdf").write_bytes(page(name))
    assert errors(checker, tmp_path / "page.pdf") == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_of_the_readme_is_a_page_of_html_without_a_warning(name):
    html, _ = ReportHTMLExporter(strict="gallery" in name).from_filename(str(DOCS / name))
    assert html.count("<h1") == 1


def test_the_gallery_is_small_and_has_a_picture_of_each_notebook():
    gallery = [path for path in (DOCS / "gallery").iterdir() if path.is_file()]
    assert {f"gallery/{path.stem}.ipynb" for path in gallery if path.suffix == ".png"} == set(NOTEBOOKS[:-1])
    assert all(path.stat().st_size < 80_000 for path in gallery if path.suffix == ".png")
    assert sum(path.stat().st_size for path in gallery) < 600_000
