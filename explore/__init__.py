"""To explore with: a pad to draw on, a slider along the penalty, and a bench to train at (explore.ipynb)."""

from explore.answers import Answers
from explore.bench import Bench
from explore.pad import Pad, draw, penalty

__all__ = ["Answers", "Bench", "Pad", "draw", "penalty"]
