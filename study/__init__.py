"""What the report's answers rest on: a module for each task, figures, and results kept between builds."""

from study.ahead import begin, softmax_data
from study.cache import sweep, train

__all__ = ["begin", "softmax_data", "sweep", "train"]
