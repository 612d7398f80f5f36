"""Rows of tables, and numbers as they stand in text."""

from __future__ import annotations

from collections.abc import Mapping

from assignment1.gradcheck import GradientErrors

GRADIENTS = r"$\lambda$", "weights", "central differences", "complex step", "largest component"


def gradient_rows(checked: Mapping[float, GradientErrors]) -> list[tuple[str, ...]]:
    """A table's rows, under GRADIENTS, one for each lambda."""
    return [
        (f"{lam:g}", f"{c.weights:,}", _sci(c.central), _exact(c.complex_step), f"{c.largest:.2f}")
        for lam, c in checked.items()
    ]


def _sci(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def _exact(value: float) -> str:
    """Of an error that is nothing but rounding, whose digits are not the same on each machine, the bound."""
    return "below $10^{-12}$" if value < 1e-12 else _sci(value)
