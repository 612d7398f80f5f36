"""Evaluate models in groups, such as the runs of each stage of training."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from assignment1.fast.evaluation import Evaluation, evaluate
from assignment1.mnist import Split
from assignment1.models import Regression
from study.cache import kept

Key = TypeVar("Key")


@kept
def evaluate_groups(groups: Mapping[Key, Sequence[Regression]], split: Split) -> dict[Key, Evaluation]:
    """Return the evaluation of each group of models; one product reads the images once for all groups."""
    models = [model for group in groups.values() for model in group]
    correct, loss = evaluate(models, split)
    result = {}
    start = 0
    for key, group in groups.items():
        part = slice(start, start + len(group))
        result[key] = Evaluation(correct[part], loss[part])
        start = part.stop
    return result
