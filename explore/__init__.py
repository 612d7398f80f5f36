"""To explore with: a pad to draw on, a slider along the penalty, and a bench to train at (explore.ipynb)."""

from assignment1.explore.answers import Answers
from assignment1.explore.bench import Bench
from assignment1.explore.pad import Pad, draw, penalty

__all__ = ["Answers", "Bench", "Pad", "draw", "penalty"]
