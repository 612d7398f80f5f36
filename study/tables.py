"""Numbers as they stand in text, and the rows of the report's tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assignment1.fast.evaluation import Evaluation
from assignment1.models import Regression
from study.appendix_errors import Readings
from study.appendix_heldout import Final
from study.figures.style import decimal
from study.statistics import Interval
from study.task4b_weights import Band
from study.task4d_penalty import Compared, Everywhere, norm

Rows = Iterable[tuple[Any, ...]]


def minus(value: float, digits: int) -> str:
    """Return a number with a typographic minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def points(difference: Interval, digits: int = 2) -> str:
    """Return a difference of accuracies in percentage points, with half of its 95% interval."""
    found = f"{100 * difference.mean:+.{digits}f} ± {100 * difference.half:.{digits}f}"
    return found.replace("-", "−")


def listed(values: Iterable[float], digits: int = 2) -> str:
    """Return numbers as "1.00, 2.00 and 3.00"."""
    *most, last = (f"{value:.{digits}f}" for value in values)
    return f"{', '.join(most)} and {last}" if most else last


def final_rows(found: Mapping[str, Final]) -> Rows:
    """Return a table's rows: run, accuracies of its last and of its best weights, interval of the latter."""
    return [
        (name, *(f"{accuracy:.4f}" for accuracy in run.means), f"{run.held.low:.4f} to {run.held.high:.4f}")
        for name, run in found.items()
    ]


def pair_list(pairs: Iterable[tuple[int, int, int]]) -> str:
    """Return pairs of digits in words, with how often they are confused."""
    return ", ".join(f"{i} and {j} ({n} times)" for i, j, n in pairs)


def cases_list(seen: Readings, which: Iterable[int]) -> str:
    """Return some images in words."""
    return ", ".join(f"{seen.digit[i]} classified as {seen.read[i]}" for i in which)


def overfitting_rows(found: Mapping[str, Mapping[int, Evaluation]], epochs: Iterable[int]) -> Rows:
    """Yield a table's rows: epochs, and mean loss and mean accuracy on each set of images."""
    for epoch in epochs:
        seen = [by_epoch[epoch] for by_epoch in found.values()]
        loss = (f"{each.loss.mean():.4f}" for each in seen)
        accuracy = (f"{each.correct.mean():.4f}" for each in seen)
        yield epoch, *loss, *accuracy


def band_rows(found: Sequence[Band]) -> Rows:
    """Yield a table's rows: ranks, variance, roughness, each model's share, the first's roughness so far."""
    for band in found:
        shares = (f"{share:.1%}" for share in band.shares)
        ranks = f"{band.first} to {band.last}"
        so_far = f"{band.so_far[0]:.3f}"
        yield ranks, f"{band.variance:.3g}", f"{band.roughness:.2f}", *shares, so_far


def against_rows(found: Mapping[float, Mapping[int, Compared]]) -> Rows:
    """Return a table's rows: lambda, and the accuracy against runs without penalty by epoch (points)."""
    return [(decimal(lam), *(points(part.accuracy) for part in by.values())) for lam, by in found.items()]


def minima_rows(at: Mapping[float, Everywhere], optima: Mapping[float, Regression]) -> Rows:
    """Yield a table's rows: lambda, norm, the losses and the accuracies on all sets."""
    for lam, parts in at.items():
        loss = (f"{part.loss:.4f}" for part in parts)
        accuracy = (f"{part.accuracy:.4f}" for part in parts)
        yield decimal(lam), f"{norm(optima[lam]):.3f}", *loss, *accuracy
