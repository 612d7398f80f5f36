"""The mean image against plain NumPy: the same model without it, shifts of all logits, curvatures."""

import numpy as np
import pytest

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist
from assignment1.mnist import Dataset, Split
from study import mean_image
from study import task2e_spikes as spikes

pytest_plugins = "small_images"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """Return 2s and 3s: five batches and a part of one, and 300 validation images."""
    data = load_mnist().binary(2, 3)
    train = Split(*(a[: 5 * 128 + 9] for a in data.train))
    validation = Split(*(a[:300] for a in data.validation))
    return Dataset(train, validation, lambda: validation)


@pytest.fixture(scope="module")
def course(digits):
    return spikes.course(digits, 3)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_the_training_mean_is_subtracted_from_all_sets_and_the_ones_stay(few):
    found = mean_image.centred(few)
    pixels = few.train.X[:, :784].mean(axis=0)
    np.testing.assert_allclose(found.train.X[:, :784].mean(axis=0), 0, atol=1e-12)
    for own, split in zip(
        (found.train, found.validation, found.test), (few.train, few.validation, few.test), strict=True
    ):
        np.testing.assert_allclose(own.X[:, :784], split.X[:, :784] - pixels)
        assert (own.X[:, 784] == 1).all() and own.Y is split.Y
    assert few.train.X.min() == -1  # which is left as it was


def test_a_model_with_its_origin_moved_has_the_same_outputs(few):
    model = SoftmaxRegression(0.3).copy(np.random.default_rng(0).normal(0, 0.05, (785, 10)))
    kept = model.w.copy()
    moved = mean_image.moved_origin(model, few.train)
    X = mean_image.centred(few).validation.X
    np.testing.assert_allclose(moved.forward(X), model.forward(few.validation.X), atol=1e-12)
    np.testing.assert_array_equal(moved.w[:784], model.w[:784])
    np.testing.assert_array_equal(model.w, kept)
    assert moved.lam == 0.3


def test_a_steps_residual_and_shift_are_those_of_plain_numpy(digits, course):
    found = mean_image.shifts(course, digits)
    assert found.residual.shape == found.shift.shape == (3, 5)
    X, Y = (a[3 * 128 : 4 * 128] for a in digits.train)
    w = course.w[:, 5 + 3]  # which batch 4 meets in epoch 2
    error = sigmoid(X @ w) - Y[:, 0]
    assert found.residual[1, 3] == pytest.approx(error.sum())
    step = -0.05 * X.T @ error / 128
    assert found.shift[1, 3] == pytest.approx((digits.validation.X @ step).mean())
    means = digits.train.X.mean(axis=0) @ digits.validation.X.mean(axis=0)
    assert found.predicted == pytest.approx(-0.05 * means / 128)
    correlation, slope = found.fit(2)
    residual, shift = found.residual[:2].ravel(), found.shift[:2].ravel()
    assert correlation == pytest.approx(np.corrcoef(residual, shift)[0, 1]) and correlation < -0.9
    assert slope == pytest.approx(np.cov(residual, shift)[0, 1] / residual.var(ddof=1) / found.predicted)
    at = mean_image.residuals(w, digits.train)
    assert at.shape == (5,) and at[3] == pytest.approx(error.sum())


def test_the_prediction_is_exact_where_all_images_are_the_mean_image(digits):
    mean = digits.train.X.mean(axis=0)
    train, validation = (Split(0 * X + mean, Y) for X, Y in (digits.train, digits.validation))
    same = Dataset(train, validation, lambda: validation)
    found = mean_image.shifts(spikes.course(same, 3), same)
    np.testing.assert_allclose(found.shift, found.predicted * found.residual)
    assert found.fit(3) == pytest.approx((-1, 1))


def test_the_parts_of_a_step_add_up_and_count_their_wrong_2s(digits, course):
    found = mean_image.step(course, digits, 2, 3)
    X, Y = digits.validation
    before, after = course.w[:, 11], course.w[:, 12]
    np.testing.assert_allclose(found.before, X @ before)
    np.testing.assert_allclose(found.after, X @ after)
    np.testing.assert_allclose(found.change, X @ (after - before))
    unit = digits.train.X.mean(axis=0)
    unit /= np.linalg.norm(unit)
    part = unit @ (after - before) * unit
    rest = after - before - part
    assert abs(rest @ part) < 1e-15
    assert found.share == pytest.approx(part @ part / (part @ part + rest @ rest)) and 0 < found.share < 1
    ends = {"before": before, "step": after, "along": before + part, "rest": before + rest}
    assert found.wrong == {name: ((X @ w < 0) & (Y[:, 0] == 1)).sum() for name, w in ends.items()}


def test_curvatures_are_those_of_a_numerical_hessian():
    rng = np.random.default_rng(0)
    inside = [3, 100, 500, 784]  # all other inputs are 0
    X = np.zeros((40, 785))
    X[:, inside] = np.hstack([rng.normal(0.7, 1, (40, 3)), np.ones((40, 1))])
    data = Split(X, (rng.random((40, 1)) < 0.5).astype(float))
    w = np.zeros(785)
    w[inside] = rng.normal(size=4)

    def cost(offset):
        moved = w.copy()
        moved[inside] += offset
        return LogisticRegression().copy(moved[:, None]).loss(*data)

    h = 1e-3
    E = h * np.eye(4)
    hessian = np.zeros((4, 4))
    for i, j in np.ndindex(4, 4):
        corners = cost(E[i] + E[j]) - cost(E[i] - E[j]) - cost(E[j] - E[i]) + cost(-E[i] - E[j])
        hessian[i, j] = corners / (4 * h * h)
    values, vectors = np.linalg.eigh(hessian)
    found = mean_image.curvatures(w, data, rate=0.2)
    assert (found.largest, found.second) == pytest.approx((0.2 * values[3], 0.2 * values[2]), rel=1e-4)
    mean = X[:, inside].mean(axis=0)
    cosine = vectors[:, 3] @ mean / np.linalg.norm(mean)
    assert found.along_mean == pytest.approx(cosine**2, rel=1e-3)
    assert mean_image.curvatures(w, data).largest == pytest.approx(found.largest / 4)
