"""The check of all derivatives against the check of single ones, and against gradients that are wrong."""

import numpy as np
import pytest

from assignment1 import LogisticRegression, SoftmaxRegression, gradcheck, load_mnist

pytestmark = pytest.mark.slow

MODELS = {
    "logistic": LogisticRegression(),
    "softmax": SoftmaxRegression(),
    "penalised": SoftmaxRegression(0.1),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    model, mnist = MODELS[request.param], load_mnist()
    data = mnist.binary(2, 3) if request.param == "logistic" else mnist.softmax()
    w = np.random.default_rng(0).normal(0, 0.05, model.w.shape)
    return model.copy(w), data.train.X[:100], data.train.Y[:100]


def test_the_worst_of_all_is_at_least_the_worst_of_some(case):
    model, X, Y = case
    found = gradcheck.gradient_errors(model, X, Y)
    gradient = model.gradient(X, Y)
    for index in np.random.default_rng(0).permutation(model.w.size)[:50]:
        step = np.zeros(model.w.shape)
        step.flat[index] = 1e-2
        up = model.copy(model.w + step).objective(X, Y)
        down = model.copy(model.w - step).objective(X, Y)
        assert abs((up - down) / 0.02 - gradient.flat[index]) <= found.central * (1 + 1e-6) < 1e-4
    assert found.complex_step < 1e-12 and found.cost < 1e-12
    assert found.weights == model.w.size and found.largest == np.abs(model.gradient(X, Y)).max()


def test_a_moved_weight_moves_the_cost(case):
    model, X, Y = case
    k = model.w.shape[1] - 1
    w = model.w.copy()
    w[300, k] += 0.02
    assert gradcheck.moved_cost(model, X, Y, k, 0.02)[300] == pytest.approx(model.copy(w).objective(X, Y))


def test_a_single_wrong_component_is_found(case, monkeypatch):
    model, X, Y = case
    gradient = model.gradient(X, Y)
    gradient[784, -1] *= 1.001
    monkeypatch.setattr(type(model), "gradient", lambda self, X, Y: gradient)
    found = gradcheck.gradient_errors(model, X, Y)
    assert found.complex_step == pytest.approx(abs(gradient[784, -1]) / 1001, rel=1e-6)
