"""Numbers as they stand in text, and the rows of the report's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from assignment1.gradcheck import GradientErrors
from study.statistics import Interval

GRADIENTS = r"$\lambda$", "weights", "central differences", "complex step", "largest component"


def minus(value: float, digits: int) -> str:
    """Return a number with a typographic minus sign."""
    return _typographic(f"{value:.{digits}f}")


def points(difference: Interval, digits: int = 2) -> str:
    """Return a difference of accuracies in percentage points, with half of its 95% interval."""
    return _typographic(f"{100 * difference.mean:+.{digits}f} ± {100 * difference.half:.{digits}f}")


def loss_points(difference: Interval) -> str:
    """Return a difference of losses in thousandths of a nat, with half of its 95% interval."""
    return _typographic(f"{1000 * difference.mean:+.1f} ± {1000 * difference.half:.1f}")


def plain(lam: float) -> str:
    """Return a lambda without an exponent."""
    return np.format_float_positional(lam, trim="-")


def listed(values: Iterable[float], digits: int = 2) -> str:
    """Return numbers as "1.00, 2.00 and 3.00"."""
    *most, last = (f"{value:.{digits}f}" for value in values)
    return f"{', '.join(most)} and {last}" if most else last


def gradient_rows(checked: Mapping[float, GradientErrors]) -> list[tuple[str, ...]]:
    """Return a table's rows under GRADIENTS, one for each lambda."""
    return [
        (f"{lam:g}", f"{c.weights:,}", _sci(c.central), _exact(c.complex_step), f"{c.largest:.2f}")
        for lam, c in checked.items()
    ]


def _typographic(number: str) -> str:
    return number.replace("-", "−")


def _sci(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return rf"${mantissa} \times 10^{{{int(exponent)}}}$"


def _exact(value: float) -> str:
    """Return the bound of an error that is nothing but rounding: its digits differ between machines."""
    return "below $10^{-12}$" if value < 1e-12 else _sci(value)
