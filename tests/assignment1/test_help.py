"""`help()` of every public name: it has words, and an example that runs as it stands there."""

import doctest
import inspect
import sys

import pytest

import assignment1
from assignment1 import LogisticRegression, Run, SoftmaxRegression, gradcheck, mnist, training

PUBLIC = {name: getattr(assignment1, name) for name in assignment1.__all__}
PUBLIC |= {"mnist.binary": mnist.MNIST.binary, "mnist.softmax": mnist.MNIST.softmax}
PUBLIC["gradient_descent"] = training.gradient_descent
PUBLIC["gradient_errors"] = gradcheck.gradient_errors
NAMES = {name: getattr(assignment1, name) for name in assignment1.__all__} | vars(training) | vars(gradcheck)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example_that_runs(name, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # where a bar would be an output
    thing = PUBLIC[name]
    lines = (inspect.getdoc(thing) or "").splitlines()
    assert lines and lines[0].endswith((".", ":")) and max(map(len, lines)) <= 110
    tests = doctest.DocTestFinder(recurse=False).find(thing, name, globs=dict(NAMES))
    assert sum(len(test.examples) for test in tests) > 0
    said: list[str] = []
    for test in tests:
        doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("kind", [LogisticRegression, SoftmaxRegression, Run, mnist.MNIST, mnist.Dataset])
def test_every_public_method_has_words(kind):
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            assert inspect.getdoc(member), (kind, name)


def test_help_says_what_patience_counts_and_where_lambda_belongs():
    words = " ".join((inspect.getdoc(assignment1.train) or "").split())
    assert "after `patience` such checks in a row" in words and "lambda belongs to the model" in words
    assert inspect.getdoc(gradcheck.gradient_errors)
