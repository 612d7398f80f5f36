"""What the source report has wrong, row by row: what is said here instead, where, and what checks it."""

from __future__ import annotations

import re

from assignment1.evidence.derivations import check, relations

COST = r"y^n \ln \hat{y}^n + (1 - y^n) \ln(1 - \hat{y}^n)"
SLOPE = r"-\frac{y^n}{\hat{y}^n} + \frac{1 - y^n}{1 - \hat{y}^n}"
BY_OUTPUT = r"\frac{\partial (%s)}{\partial \hat{y}^n} = " + SLOPE
BY_WEIGHT = r"\frac{\partial \hat{y}^n}{\partial w_i} = "
PENALISED = r"%s = -\frac{1}{N} \sum_{n=1}^N %s + 2 \lambda %s"
WHOLE, PART = r"\frac{\partial J(w)}{\partial w}", r"\frac{\partial J}{\partial w_{kj}}"

# The errata's algebra: row, task, the source report's line, the right line. Where the source has f(x^n), the
# output for the inputs x^n, f(z^n) is read.
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

# All rows of the errata, in order: what was wrong | what is here instead, and where | what checks it.
ERRATA = """
The chain rule is written as a product that is 1 | 1a: a factor for each link of the chain | algebra
f, g and h are not defined; f is the sigmoid too | 1a: f is the sigmoid alone | algebra
The cost is L in one task and C in another | notation: C everywhere | algebra
The cost's outer bracket is lost | 1a: the minus sign acts on both terms | algebra
The sigmoid's derivative has a prime too many | 1a: derived, then put in | algebra
No left side, sigmoid's derivative, mean or bounds | 1a: all of these, in the form asked for | algebra
Long runs of one digit in the file | 2e: label runs against those of permutations | claim
Spikes put down to new runs of digits | 2e: the batch behind them, by intervention with placebo | claim
Shuffling improves generalisation | 2e: mean and spread over seeds, at equal steps | claim
Shuffling once, before training | 2e: before each epoch; one fixed order is tried too | claim
The epoch in progress is counted as done | 2d: epochs, batches, updates; last and best weights | claim
No word on validation above training accuracy | 2c: the difference with its standard error | claim
Where the curves part is read off one run | 3d: over seeds, with the gap's standard error | claim
Validation accuracy seems to converge | 3d: accuracy and loss at the end of the run | claim
The model is said to learn noise | 3d: trained on until the validation loss turns | claim
The gradient of a task that is not there | 1b: softmax's own derivation | algebra
A matrix equals a component without a class | 4a: components and matrix, each by itself | algebra
Indices wander; the penalty lacks the bias | notation: one meaning each; 4a has the bias | algebra
Wrong sign of the logarithm; outputs of 0 and 1 | 1a: strictly between 0 and 1 | algebra
Only the largest output is said to matter | 4a: what the wrong classes carry | claim
A derivative is defined, no intuition given | 4a: what an update does | text
An input is said to connect input and output | 4a: the weight does | text
No update rule | 4a: the update, shrinkage and step | algebra
Weight images without penalty only | 4b: both rows | figure
The strongest penalty "generalises" | 4b: likeness to mean images, roughness; 4d: underfits | claim
No lambda, no number, no word on capacity | 4d: each lambda, over seeds and at the optimum | claim
The norm is called inverse to lambda | 4e: its ratios from lambda to lambda | claim
The largest step is given as the whole range | 4e: the largest, absolute and relative | claim
The norm at the stop passes for the penalty's | 4e: also at equal steps and at the optimum | claim
Template text, dead link, no captions, wrong legend | 2b to 4e: captions and answers throughout | test
Code: threshold, overflow, gradient check, best weights | 2c, 3a and 2d: each put right | test
"""
MARKS = {"algebra": " (A)", "claim": " (C)", "figure": " (F)", "test": " (T)", "text": ""}


def verdict(task: str, latex: str) -> str:
    """Is each relation in the LaTeX "true", "false" or, if it has no meaning, "void"?"""
    try:
        steps = [check(task, *parts) for parts in relations(f"${latex}$")]
    except ValueError:
        return "void"
    return "true" if all(step.holds for step in steps) else "false"


def slips() -> list[tuple[int, str, str, str]]:
    """The table of the algebra: row, whose line, the line, and whether it is true."""
    return [
        (row, whose, f"${latex}$", verdict(task, latex))
        for row, task, source, right in SLIPS
        for whose, latex in (("source", source), ("here", right))
    ]


def errata() -> list[tuple[int, str, str]]:
    """The table of all rows: number, what was wrong, what is here, tasks linked, and its check (MARKS)."""
    lines = [line.split(" | ") for line in ERRATA.strip().splitlines()]
    return [(row, wrong, _linked(here) + MARKS[checks]) for row, (wrong, here, checks) in enumerate(lines, 1)]


def _linked(text: str) -> str:
    text = re.sub(r"\b([1-4][a-e])\b", r"[\1](#task-\1)", text)
    return text.replace("notation:", "[notation](#notation-and-settings):")
