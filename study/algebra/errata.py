"""What the student report has wrong: docs/errata.md, written by `python -m study.algebra.errata`.

Each row says what is right, in which task, and what checks it.
"""

from __future__ import annotations

from collections.abc import Sequence

from study.algebra.derivations import REPORT, check, relations

COST = r"y^n \ln \hat{y}^n + (1 - y^n) \ln(1 - \hat{y}^n)"
SLOPE = r"-\frac{y^n}{\hat{y}^n} + \frac{1 - y^n}{1 - \hat{y}^n}"
BY_OUTPUT = r"\frac{\partial (%s)}{\partial \hat{y}^n} = " + SLOPE
BY_WEIGHT = r"\frac{\partial \hat{y}^n}{\partial w_i} = "
PENALISED = r"%s = -\frac{1}{N} \sum_{n=1}^N %s + 2 \lambda %s"
WHOLE = r"\frac{\partial J(w)}{\partial w}"
PART = r"\frac{\partial J}{\partial w_{kj}}"

# The algebra: row, task, the student report's line, the right line. Its f(x^n), the output for the inputs
# x^n, is taken as f(z^n).
SLIPS = [
    (4, "1a", BY_OUTPUT % f"-{COST}", BY_OUTPUT % f"-({COST})"),
    (5, "1a", BY_WEIGHT + "x_i^n f'(z^n) (1 - f(z^n))", BY_WEIGHT + "x_i^n f(z^n) (1 - f(z^n))"),
    (
        17,
        "4a",
        PENALISED % (WHOLE, r"(x_i^n (y^n - \hat{y}^n))", "w_{jk}"),
        PENALISED % (PART, r"x_j^n (y_k^n - \hat{y}_k^n)", "w_{kj}"),
    ),
    (19, "1a", r"\ln \hat{y} > 0", r"\ln \hat{y} < 0"),
]

# All rows, in order: what the student report says or does | what is right, in which task | what checks it.
ROWS = """
The chain rule is written as a product that is 1 | 1a: one factor for each link of the chain | algebra
f, g and h are used without a definition, and f is also the sigmoid | 1a: f is the sigmoid alone | algebra
The cost is a script L in one task and C in another | notation: C everywhere | algebra
The outer bracket of the cost is lost | 1a: the minus sign applies to both terms | algebra
The sigmoid's derivative has one prime too many | 1a: it is derived and then substituted | algebra
The result has no left side; the sigmoid's derivative, the mean over N and 0 < y-hat < 1 are missing | 1a: \
all of these, and the result in the form asked for | algebra
The file is said to hold long runs of one digit | 2e: its runs are compared with those of random orders | \
report
The spikes are attributed to new runs of digits | 2e: one batch causes them, shown by intervention with a \
control | report
Shuffling is said to improve generalisation | 2e: mean and spread of the loss over seeds, at equal steps | \
report
The data are shuffled once, before training | 2e: before each epoch; one fixed order is tried as well | report
The epoch in progress is counted as completed | 2d: epochs, batches and updates; last and best weights | \
report
Validation accuracy above training accuracy goes without comment | 2c: the difference with its standard \
error | report
The place where the curves part is read off one run | 3d: over several seeds, with the standard error of \
the gap | report
The validation accuracy is said to converge | 3d: how accuracy and loss change at the end of the run | report
The model is said to learn noise | 3d: trained on until the validation loss rises | report
The softmax gradient is taken from a task that does not exist, and 1a is logistic | 1b: derived for \
softmax | algebra
A matrix is equated to a component, without a class index | 4a: components and matrix, separately | algebra
Indices change their meaning, and the penalty leaves out the bias | notation: one meaning each; 4a \
includes the bias | algebra
The logarithm has the wrong sign, and outputs of 0 and 1 are allowed | 1a: outputs lie strictly between 0 \
and 1 | algebra
Only the largest output is said to matter | 4a: the share of the wrong classes in the gradient | report
A derivative is defined where an intuition is promised | 4a: what an update does | text
The input is said to connect input and output | 4a: the weight does | text
The update is missing | 4a: shrinkage and gradient step | algebra
Weights are shown without penalty only | 4b: both rows, on scales that are stated | figure
The strongest penalty is said to generalise best | 4b: what is smoothed and why; 4d: it underfits | report
4d has no lambda and no number, and does not say that the model is linear | 4d: every lambda, over \
shuffles and images, at equal steps and at the minimum | report
The norm is called inverse to lambda | 4e: the ratio from each lambda to the next | report
The whole range of lambda is given as the largest step | 4e: the largest step, absolute and in proportion \
| report
The norm at the end of a run is taken for that of the penalty | 4e: also at equal steps and at the minimum \
| report
Template text and a dead link remain; figures lack captions, a legend is wrong, five tasks have no text | \
all tasks: question, answer and captions throughout | test
In the code: > 0.5 for >= 0.5, a softmax that overflows, a gradient check without the penalty, best \
weights not restored | 2c, 2d and 3a: each is put right | test
"""
CHECKED = {  # in the words of the page
    "algebra": "algebra, by SymPy",
    "report": "checks in the report",
    "figure": "the figure",
    "test": "tests",
    "text": "–",
}
PAGE = REPORT.parent / "docs" / "errata.md"
INTRODUCTION = """# What is wrong in the student report

[The report](../report.ipynb) answers the tasks of a student report from 2024 anew. This page lists what was
wrong there and where the right answer stands here. It is written by `python -m study.algebra.errata`,
and a test fails when it differs from what that writes.

## Algebra

Four lines of the student report can be checked in the same way as the derivations of this one: in symbols,
with three classes, two inputs and two examples. A line is void if it has no meaning, for example because a
matrix is equated to a component.
"""


def verdict(task: str, latex: str) -> str:
    """Return "true" or "false" for the relations in the LaTeX, "void" if one has no meaning."""
    try:
        steps = [check(task, *parts) for parts in relations(f"${latex}$")]
    except ValueError:
        return "void"
    return "true" if all(step.holds for step in steps) else "false"


def slips() -> list[tuple[int, str, str, str]]:
    """Return the algebra: row, whose line, the line, and its verdict."""
    found = []
    for row, task, source, right in SLIPS:
        found.append((row, "student report", f"${source}$", verdict(task, source)))
        found.append((row, "here", f"${right}$", verdict(task, right)))
    return found


def errata() -> list[tuple[int, str, str, str]]:
    """Return all rows: number, what was wrong, where it is put right and how, what checks it."""
    found = []
    for number, line in enumerate(ROWS.strip().splitlines(), 1):
        wrong, right, by = line.split(" | ")
        found.append((number, wrong, right, CHECKED[by]))
    return found


def page() -> str:
    """Return the page, in Markdown."""
    algebra = _table(("no.", "whose", "line", "verdict"), slips())
    rows = _table(("no.", "in the student report", "here", "checked by"), errata())
    return f"{INTRODUCTION}\n{algebra}\n\n## All errors\n\n{rows}\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = []
    for row in (header, ["---"] * len(header), *rows):
        cells = " | ".join(map(str, row))
        lines.append(f"| {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
