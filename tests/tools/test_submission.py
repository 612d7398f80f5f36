"""The zip that is handed in, and README's pictures and table."""

import hashlib
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from tools import pictures, submission

pytestmark = pytest.mark.slow


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_zip_holds_what_a_rerun_needs_and_nothing_else(handed_in):
    names = [name.removeprefix(f"{submission.FOLDER}/") for name in zipfile.ZipFile(handed_in).namelist()]
    assert names == sorted(names) and {name.split("/")[0] for name in names} == {
        *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "assignment1"),
        *("bootstrap.py", "data", "environment.yml"),
        *(
            "explore",
            "explore.ipynb",
            "text",
            "nbtypst",
            "pyproject.toml",
            "report.ipynb",
            "report.pdf",
            "requirements.txt",
            "study",
            "tools",
        ),
    }
    kept = {path.name for path in (ROOT / "data").iterdir() if "ubyte" not in path.name}
    assert {name.removeprefix("data/") for name in names if name.startswith("data/")} == kept
    assert not [name for name in names if "__pycache__" in name or ".ipynb_checkpoints" in name]
    for package in ("assignment1", "study", "explore", "nbtypst/src", "tools"):
        files = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if path.is_file()}
        ours = {path.as_posix() for path in files if not re.search(r"\.pyc$|/\.", path.as_posix())}
        assert {name for name in names if name.startswith(f"{package}/")} == ours


def test_a_second_zip_is_the_same_bytes(handed_in, pdf, tmp_path):
    submission.write(ROOT / "report.ipynb", pdf, tmp_path / "again.zip")
    assert digest(tmp_path / "again.zip") == digest(handed_in)
    assert [path.name for path in tmp_path.iterdir()] == ["again.zip"]


def test_a_failing_build_keeps_the_older_zip(tmp_path):
    (tmp_path / "old.zip").write_bytes(b"older")
    with pytest.raises(FileNotFoundError):
        submission.write(ROOT / "report.ipynb", tmp_path / "no.pdf", tmp_path / "old.zip")
    assert (tmp_path / "old.zip").read_bytes() == b"older"


def test_pictures_in_the_readme_show_the_report_as_it_is(pdf, tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures.write(pdf, tmp_path)
    made = sorted(tmp_path.iterdir())
    assert len(made) == 4
    for path in made:
        assert f"docs/{path.name}" in readme
        old, new = (
            np.asarray(Image.open(file).convert("L"), float) for file in (ROOT / "docs" / path.name, path)
        )
        stale = f"docs/{path.name} is not a picture of the report as it is: make pictures"
        assert old.shape == new.shape and np.abs(old - new).mean() < 1, stale


def test_the_table_in_the_readme_is_that_of_the_benchmarks_results():
    code = "import json, run; print(run.summary(json.loads(run.RESULTS.read_text())))"
    command = [sys.executable, "-X", "utf8", "-c", code]
    made = subprocess.run(command, cwd=ROOT / "benchmarks", check=True, capture_output=True, encoding="utf-8")
    assert made.stdout.strip() in (ROOT / "README.md").read_text(encoding="utf-8")
