"""The assignment's notation, as the report's table has it."""

from __future__ import annotations

ROWS = [
    ("$N$, $n$", "number of examples; index of an example"),
    (
        "$I = 784$, $i$ or $j$",
        "number of pixels; index of an input, of which the last, constantly 1, belongs to the bias",
    ),
    ("$K$, $k$", "number of outputs; index of an output"),
    (
        r"$x_i^n$, $y_k^n$, $\hat{y}_k^n$",
        r"input, target and output of example $n$, with $0 < \hat{y}_k^n < 1$",
    ),
    ("$w_{ki}$, $z_k$", r"weight from input $i$ to output $k$; logit $z_k = \sum_i w_{ki} x_i$"),
    ("$C$, $R$, $J$", r"average cost; penalty, the sum of all squared weights; $J = C + \lambda R$"),
    (r"$\alpha$, $\lambda$", "learning rate; strength of the penalty"),
]
