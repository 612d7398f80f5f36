"""TDT4265 assignment 1: logistic and softmax regression on MNIST, from scratch in NumPy."""

from assignment1.fast.sweep import Runs, sweep
from assignment1.fast.train import train
from assignment1.mnist import load_mnist
from assignment1.models import LogisticRegression, SoftmaxRegression
from assignment1.run import Run

__all__ = ["LogisticRegression", "Run", "Runs", "SoftmaxRegression", "load_mnist", "sweep", "train"]
