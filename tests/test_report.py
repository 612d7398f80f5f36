"""The committed notebook is a fresh run's, and what it says is true."""

import re

import nbformat
import numpy as np
import pytest

from conftest import ROOT, nbconvert

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def texts(notebook):
    """The Markdown and alternative texts of every output, cell by cell; not those that name versions."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = data.get("text/markdown", data.get("text/plain", ""))
            if not text.startswith("Computed with "):
                yield text


def test_executed_in_order_without_errors_warnings_or_bars(committed):
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type in ("display_data", "execute_result"), output
    assert "epoch/s" not in nbformat.writes(committed)


def test_code_cells_are_short(committed):
    assert max(len(c.source.splitlines()) for c in committed.cells if c.cell_type == "code") <= 5


def test_a_fresh_run_gives_the_committed_results(committed, fresh):
    pairs = list(zip(texts(committed), texts(fresh), strict=True))
    assert len(pairs) > 25
    for old, again in pairs:
        assert NUMBER.sub("#", old) == NUMBER.sub("#", again)
        numbers = [np.array([float(n) for n in NUMBER.findall(text)]) for text in (old, again)]
        tiny = (np.abs(numbers[0]) < 1e-9) & (np.abs(numbers[1]) < 1e-9)  # rounding errors of gradient checks
        np.testing.assert_allclose(numbers[0][~tiny], numbers[1][~tiny], rtol=1e-6, atol=1e-12)


def test_a_false_claim_stops_the_build():
    from assignment1.claims import FalseClaimError, claim

    assert claim("Two is more than one.", 2, ">", 1) == "Two is more than one."
    with pytest.raises(FalseClaimError, match=r"no longer true: 'It is small\.'.*7 < 5"):
        claim("It is small.", 1, "<", 7, "<", 5)
    with pytest.raises(FalseClaimError):
        claim("Not a number is small.", float("nan"), "<", 5)
    with pytest.raises(ValueError, match="expected value, relation"):
        claim("No check.")


def test_another_setting_changes_the_truth_or_stops_the_build(tmp_path):
    notebook = nbformat.read(ROOT / "report.ipynb", as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if "These are the last weights" in cell.source)
    notebook.cells = notebook.cells[: last + 1]
    for cell in notebook.cells:
        cell.source = cell.source.replace("patience=10", "patience=5")
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    done = nbconvert(
        ROOT, "--to", "notebook", "--execute", "--output-dir", tmp_path, tmp_path / "changed.ipynb"
    )
    assert done.returncode != 0
    assert "no longer true" in done.stderr
