"""The committed notebook is a fresh run's, and what it says is true."""

import ast
import copy
import re

import nbformat
import numpy as np
import pytest

from conftest import ROOT, nbconvert

POWER = re.compile(r"([\d.]+) \\times 10\^\{(-?\d+)\}")
NUMBER = re.compile(r"(-?\d[\d,]*(?:\.(\d+))?(?:e([-+]?\d+))?)")
# The numbers that the text may state as they are: settings, sizes and names, never a result.
GIVEN = set(
    "0 1 2 3 4 5 6 7 8 9 10 11 17 20 25 28 31 33 45 50 75 95 100 124 128 200 255 600 784 785 3000 "  # noqa: SIM905
    "5,000 7850 10,000 20,000 40,000 60,000 0.00001 0.0003 0.001 0.01 0.05 0.1 0.2 0.5 0.6 0.89 0.93 0.99 "
    "5.1 5.2 5.3".split()
)
PRINTED = {
    "34",
    "1039",
    "0.07088705555893647",
    "0.06577187753329566",
    "0.9757802746566792",
    "0.9794319294809011",
}
TYPED = re.compile(r"(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?")


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


def numbers(text):
    """A text without its numbers, these, and one unit of the last digit of each, 0 for counts."""
    plain = POWER.sub(r"\1e\2", text)
    found = NUMBER.findall(plain)
    units = [10.0 ** (int(e or 0) - len(tail)) if tail or e else 0 for _, tail, e in found]
    return NUMBER.sub("#", plain), np.array([float(n.replace(",", "")) for n, *_ in found]), np.array(units)


def test_a_fresh_run_gives_the_committed_results(committed, fresh):
    pairs = list(zip(texts(committed), texts(fresh), strict=True))
    assert len(pairs) > 100
    for one, other in pairs:
        (words, old, units), (again, new, _) = numbers(one), numbers(other)
        assert words == again
        rounding = (np.abs(old) < 1e-9) & (np.abs(new) < 1e-9)  # the gradient checks' and optima's
        near = np.abs(old - new) <= 1.01 * units + 1e-3 * np.abs(old) * (
            units > 0
        )  # float32 on other machines
        assert (near | rounding).all(), (one, other)


def test_no_result_is_typed(committed):
    for cell in committed.cells:
        if cell.cell_type == "markdown":
            texts = [cell.source]
        else:
            nodes = ast.walk(ast.parse(cell.source))
            texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        for text in texts:
            assert set(TYPED.findall(text)) <= GIVEN | PRINTED, text


def test_a_false_claim_stops_the_build():
    from nbtypst.claims import FalseClaimError, claim

    assert claim("Two is more than one.", 2, ">", 1) == "Two is more than one."
    with pytest.raises(FalseClaimError, match=r"no longer true: 'It is small\.'.*7 < 5"):
        claim("It is small.", 1, "<", 7, "<", 5)
    with pytest.raises(FalseClaimError):
        claim("Not a number is small.", float("nan"), "<", 5)
    with pytest.raises(ValueError, match="expected value, relation"):
        claim("No check.")


CHANGES = {
    "patience": ("patience=10", "patience=5"),
    "another pair of digits": ("mnist.binary(2, 3)", "mnist.binary(4, 9)"),
    "a shuffled run in place of the unshuffled one": ("shuffle=False", "shuffle=True, seed=0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_setting_stops_the_build_and_names_the_sentence(committed, change, tmp_path):
    notebook = copy.deepcopy(committed)
    last = next(i for i, cell in enumerate(notebook.cells) if "All six agree" in cell.source)
    notebook.cells = notebook.cells[: last + 1]
    for cell in notebook.cells:
        cell.source = cell.source.replace(*CHANGES[change])
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    done = nbconvert(
        ROOT, "--to", "notebook", "--execute", "--output-dir", tmp_path, tmp_path / "changed.ipynb"
    )
    assert done.returncode != 0
    assert re.search(r"FalseClaimError.*no longer true: '[A-Z*].*measured: ", done.stderr)
