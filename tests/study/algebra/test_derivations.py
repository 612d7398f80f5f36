"""The derivations: each check passes on the truth and fails on a slip."""

import re
from contextlib import suppress

import nbformat
import pytest

from study.algebra import derivations, formulas
from study.algebra.derivations import REPORT, TASKS, check, relations, section, steps

pytestmark = pytest.mark.slow


def holds(task, latex):
    """Return whether each relation in a piece of LaTeX can be read and holds."""
    try:
        verdicts = [check(task, *parts).holds for parts in relations(f"${latex}$")]
    except ValueError:
        return False
    return bool(verdicts) and all(verdicts)


def slips(latex):
    """Yield the LaTeX with one sign, hat, factor or index changed: each is wrong."""
    for found in re.finditer(r"[+-]", latex):
        yield latex[: found.start()] + "+-"[found[0] == "+"] + latex[found.end() :]
    for found in re.finditer(r"\\hat\{([yY])\}", latex):
        yield latex[: found.start()] + found[1] + latex[found.end() :]
    for found in re.finditer(r"2 |\^2|\\lambda |\\alpha |\\frac\{1\}\{N\} |\^\\top", latex):
        yield latex[: found.start()] + latex[found.end() :]


def test_every_relation_of_the_derivations_holds():
    found = steps()
    assert all(step.holds for step in found), [step for step in found if not step.holds]
    assert {step.task for step in found} == set(TASKS) and len(found) > 35
    ends = {"1a": r"= -(y^n - \hat{y}^n) x_i^n", "1b": r"= -x_j^n (y_k^n - \hat{y}_k^n)"}
    for task, end in ends.items():
        assert any(step.task == task and step.latex.endswith(end) for step in found)


class FalseRelationError(Exception):
    """A relation does not hold for some values of its indices; the others take long and are not needed."""


@pytest.mark.parametrize("task", TASKS)
def test_every_slip_in_the_notebooks_equations_is_found(task, monkeypatch):
    real = derivations._holds

    def until_one_is_false(*sides):
        if not real(*sides):
            raise FalseRelationError
        return True

    monkeypatch.setattr(derivations, "_holds", until_one_is_false)
    tried = 0
    for left, sign, right in relations(section(REPORT, task)):
        for slip in slips(f"{left} {sign} {right}"):
            with suppress(FalseRelationError):
                assert not holds(task, slip), slip
            tried += 1
    assert tried > 15


def test_a_sign_changed_in_the_notebook_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(derivations, "TASKS", ("1b",))
    notebook = nbformat.read(REPORT, as_version=4)
    cell = next(cell for cell in notebook.cells if "### Task 1b" in cell.source)
    cell.source = cell.source.replace(r"= -x_j^n (y_k^n", "= x_j^n (y_k^n")
    nbformat.write(notebook, tmp_path / "report.ipynb")
    broken = [step for step in steps(tmp_path / "report.ipynb") if not step.holds]
    assert [step.task for step in broken] == ["1b", "1b"]  # the answer, and the derivation's end


def test_targets_that_add_up_to_one_are_needed(monkeypatch):
    monkeypatch.setattr(formulas, "quantities", formulas.Quantities)  # not as they were kept
    monkeypatch.setattr(formulas, "targets", lambda N, K: formulas.symbols("y", N, K))
    assert not holds("1b", r"\sum_k y_k^n = 1")
    assert not holds("1b", r"\frac{\partial C^n}{\partial z_k^n} = -(y_k^n - \hat{y}_k^n)")


def test_cases_are_read():
    cases = r"\begin{cases} 1 & \text{if } k' = k \\ 0 & \text{if } k' \ne k \end{cases}"
    assert holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases)
    assert not holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases.replace("1 &", "2 &"))
    assert not holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases.replace("0 &", "1 &"))
    cases = r"\begin{cases} 2 w_{kj} & k' = k \text{ and } i = j \\ 0 & \text{otherwise} \end{cases}"
    assert holds("4a", r"\frac{\partial w_{k'i}^2}{\partial w_{kj}} = " + cases)
    assert not holds(
        "4a", r"\frac{\partial w_{k'i}^2}{\partial w_{kj}} = " + cases.replace("i = j", "k' = k")
    )


def test_aligned_and_boxed_lines_are_read():
    assert holds("4a", r"\begin{aligned} J &= C + \lambda R \\ &= R \lambda + C. \end{aligned}")
    assert not holds("4a", r"\begin{aligned} J &= C + \lambda R \\ &= R \lambda - C. \end{aligned}")
    assert not holds("4a", r"\boxed{J = C + R \tag{3}}.")


def test_a_size_is_no_number():
    assert holds("4a", r"C = \frac{1}{N} \sum_n C^n")
    for latex in (r"C = \frac{1}{2} \sum_n C^n", "K = 3", "N = K - 1", "I = 1"):
        assert not holds("4a", latex), latex


def test_an_order_of_matrices_is_an_error():
    for sign in "<>":
        with pytest.raises(ValueError, match=f"matrices have no order, as {sign} says"):
            check("4a", "w", sign, "w")


@pytest.mark.parametrize(
    "latex",
    [
        r"$C \leqslant 0$",
        r"$C \ll 0$",
        r"$C \simeq 0$",
        r"$C \overset{!}{=} 0$",
        r"$${C = 0}$$",
        r"$\left\{C = 0\right\}$",
    ],
)
def test_no_relation_is_passed_over(latex):
    found = list(relations(latex))
    assert found
    with pytest.raises(ValueError):
        [check("4a", *parts) for parts in found]


def test_a_notebook_without_a_task_is_named(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("### Task 1a\n$1 = 1$")])
    nbformat.write(notebook, tmp_path / "other.ipynb")
    with pytest.raises(ValueError, match=r"other.ipynb has no heading '### Task 1b'"):
        steps(tmp_path / "other.ipynb")


@pytest.mark.parametrize(
    "latex, message",
    [
        (r"\frac{\partial C}{\partial w_{jk}} = 0", "indices"),
        (r"y^n = 1", "indices"),
        (r"\frac{\partial J}{\partial w} = 2 \lambda w_{kj}", "matrix"),
        (r"\sum_{k=1}^N y_k^n = 1", "does not run from 1 to K"),
        (r"\sum_k y_k^n = y_k^n", "index k has no value in task 4a"),
        (r"\frac{C}{\partial w_{kj}} = 0", r"derivative by .partial w .* has no .partial above"),
        (r"x_i^n = \begin{cases} x_j^n & i = j \end{cases}", "no case is left for {'i': 1, 'j': 2"),
        (r"J) = J", r"'\)' was not expected in task 4a: J \)"),
        (r"(C + \lambda R = J", r"\) is missing in task 4a: \( C"),
        (r"J = C + ", r"something is missing in task 4a: C \+$"),
        (r"X + 1 = X", r"X \+ 1 means nothing in task 4a: unsupported operand"),
        (r"2^\top = 2", "2.*top means nothing in task 4a: .* no attribute 'T'"),
        (r"\frac{1}{} = 1", "frac.* means nothing in task 4a: list index"),
        (r"\sin 1 = 0", "not known"),
        (r"z_k^n \approx 1", "cannot be checked"),
    ],
)
def test_what_cannot_be_read_is_an_error(latex, message):
    with pytest.raises(ValueError, match=message):
        [check("4a", *parts) for parts in relations(f"${latex}$")]
