"""Task 4b's and 4c's evidence: roughness, principal directions, the control, and the oscillation."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from assignment1 import SoftmaxRegression, train
from assignment1.mnist import Dataset, Split
from assignment1.run import Settings
from assignment1.training import gradient_descent
from study import optima, tables
from study import task4b_weights as weights
from study import task4c_oscillation as oscillation

pytest_plugins = "small_images"
pytestmark = pytest.mark.slow


def test_roughness_of_known_images():
    noise = np.random.default_rng(0).normal(size=(785, 400))
    assert weights.roughness(noise) == pytest.approx(1, abs=0.01)
    assert weights.roughness(5 * noise) == pytest.approx(weights.roughness(noise))
    assert weights.roughness(np.ones((785, 10))) == 0
    checkers = (-1.0) ** np.add.outer(np.arange(28), np.arange(28)).ravel()
    assert weights.roughness(np.append(checkers, 9.0)[:, None]) == pytest.approx(2)
    smooth = np.add.outer(np.arange(28), np.arange(28)).ravel()[:, None] / 9 - 3
    one, two = (smooth + noise[:784, at : at + 100] for at in (0, 100))  # the noise is no common part
    common = weights.roughness(np.repeat(smooth, 100, axis=1))
    assert weights.roughness(one, two) == pytest.approx(common, abs=0.02) != weights.roughness(one)


def test_means_and_likeness_agree_with_the_raw_images_and_numpy(mnist, images):
    pictures, labels = mnist.train_images[:20000], mnist.train_labels[:20000]
    raw = [pictures[labels == k].mean(axis=0).ravel() / 255 * 2 - 1 for k in range(10)]
    w = np.random.default_rng(0).normal(size=(785, 10))
    (view,) = weights.views({0.0: SoftmaxRegression().copy(w)}, images.train).values()
    expected = np.corrcoef(w[:784, 7], raw[7] - np.mean(raw, axis=0))[0, 1]
    assert view.likeness[7] == pytest.approx(expected)


def test_the_weight_of_a_pixel_that_is_always_black_is_the_negative_bias(mnist, images, few):
    dark = weights.dark_pixels(images.train)
    assert (
        dark.tolist()
        == np.flatnonzero(mnist.train_images[:20000].reshape(20000, -1).max(axis=0) == 0).tolist()
    )
    run = train(SoftmaxRegression(0.1), few, learning_rate=0.05, epochs=2, seed=0, progress=False)
    np.testing.assert_allclose(run.last.w[dark], np.tile(-run.last.w[784], (len(dark), 1)), atol=1e-12)
    assert np.abs(run.last.w[784]).min() > 1e-6


def test_directions_are_scikit_learns_principal_components(few):
    found, pca = weights.directions(few), PCA(20, svd_solver="full").fit(few.train.X[:, :784])
    factor = 599 / 600  # variances over N here, over N - 1 there
    np.testing.assert_allclose(found.variance[:20], pca.explained_variance_ * factor, rtol=1e-6)
    cosines = np.abs((found.vectors[:, :20] * pca.components_.T).sum(axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    assert found.roughness[3] == pytest.approx(weights.roughness(pca.components_[3][:, None]), rel=1e-3)


def test_bands_hold_all_of_the_weights_and_find_a_planted_direction(few):
    found = weights.directions(few)
    planted = SoftmaxRegression().copy(
        np.vstack([np.outer(found.vectors[:, 20], np.arange(10)), np.ones(10)])
    )
    spread_out = SoftmaxRegression().copy(np.random.default_rng(0).normal(size=(785, 10)))
    bands = weights.bands(found, [planted, spread_out, planted])
    assert [band.shares[0] for band in bands] == pytest.approx([0, 1, 0, 0, 0], abs=1e-12)
    assert sum(band.shares[1] for band in bands) == pytest.approx(1)
    assert bands[4].shares[1] == pytest.approx(484 / 784, abs=0.03)
    assert (bands[1].first, bands[1].last) == (11, 30)
    assert bands[1].variance == pytest.approx(found.variance[10:30].mean())
    (row, *_) = tables.band_rows(bands)
    assert row[0] == "1 to 10" and row[3] == "0.0%" and len(row) == 7
    first = found.vectors[:, :30]
    assert bands[1].so_far[1] == pytest.approx(weights.roughness(first @ first.T @ spread_out.w[:784]))
    assert bands[4].so_far[1] == pytest.approx(weights.roughness(spread_out.w))
    assert row[6] == f"{bands[0].so_far[0]:.3f}"  # the first: the report's task 3b


def test_curvatures_are_second_differences_of_the_cost_at_zero_weights(few):
    X, Y = few.train
    found = weights.directions(few)
    curvature = weights.curvature(found.variance)
    by_class = np.eye(10)[3] - np.eye(10)[7]
    for rank in (0, 1, 40, 300):
        v = np.append(found.vectors[:, rank], 0)
        v[784] = -X.mean(axis=0) @ v  # so that the logits' mean change is 0
        bend = np.outer(v, by_class) / np.sqrt(2)
        ends = [SoftmaxRegression().copy(step * bend).loss(X, Y) for step in (-0.01, 0, 0.01)]
        assert curvature[rank] == pytest.approx(np.diff(ends, 2)[0] / 1e-4, rel=1e-2)
    assert curvature.min() > 0


def test_the_minimum_of_the_quadratic_solves_its_normal_equations(few):
    found = weights.directions(few)
    X, Y = few.train
    pixels = X[:, :784] - X[:, :784].mean(axis=0)
    excess = Y - Y.mean(axis=0)
    for lam in (0.01, 1.0):
        theirs = np.linalg.solve(pixels.T @ pixels / 6000 + 2 * lam * np.eye(784), pixels.T @ excess / 600)
        np.testing.assert_allclose(weights.quadratic(found, few.train, lam), theirs, atol=1e-8)


def test_the_model_after_some_steps_is_that_of_the_run(few):
    found = {steps: weights.after(steps, few.train).w for steps in (4, 6)}
    settings = Settings(0.01, epochs=1)
    np.testing.assert_array_equal(found[4], gradient_descent(SoftmaxRegression(), few, settings).last.w)
    rng = np.random.default_rng(0)
    order = np.arange(600)
    w = np.zeros((785, 10))
    for step in range(6):
        start = 128 * (step % 4)
        if start == 0:
            rng.shuffle(order)
        X, Y = (a[order[start : start + 128]] for a in few.train)
        P = np.exp(X @ w) / np.exp(X @ w).sum(axis=1, keepdims=True)
        w = w + 0.01 * X.T @ (Y - P) / 128
    np.testing.assert_allclose(found[6], w, atol=1e-12)


def test_views_put_the_parts_together(few, minima):
    views = weights.views({0.1: minima[0.1], 0.001: minima[0.001]}, few.train)
    assert views[0.1].roughness == weights.roughness(minima[0.1].w) < views[0.001].roughness


def test_batches_hold_what_they_say(few):
    labels, rng = few.train.Y.argmax(axis=1), np.random.default_rng(0)
    epoch = np.concatenate(list(islice(oscillation.shuffled(600, rng), 4)))
    assert len(set(epoch.tolist())) == 512
    for rows in map(np.asarray, islice(oscillation.in_shares(labels, rng), 3)):
        share = np.bincount(labels[rows], minlength=10) - np.bincount(labels) / 600 * 128
        assert len(set(rows.tolist())) == 128 and np.abs(share).max() < 1


def test_follow_is_train(few):
    rows = next(oscillation.shuffled(600, np.random.default_rng(0)))
    (stepped,) = oscillation.follow(SoftmaxRegression(0.1), few.train, 0.01, iter([rows]), every=1)
    batch = Dataset(Split(few.train.X[rows], few.train.Y[rows]), few.validation, lambda: few.validation)
    once: dict[str, Any] = dict(learning_rate=0.01, epochs=1, shuffle=False, progress=False)
    np.testing.assert_allclose(stepped.w, train(SoftmaxRegression(0.1), batch, **once).last.w, atol=1e-14)


def test_the_five_arms_tell_noise_from_instability(few):
    w = optima.minimise(optima.Objective(few.train.X, few.train.Y, 1.0), np.zeros((785, 10)), 1e-3)
    start = SoftmaxRegression(1.0).copy(w)
    found = oscillation.arms(start, few)
    usual = found["as in task 4c"].deviation
    assert found["a tenth of the rate"].deviation < usual > 2 * found["equal shares"].deviation
    assert found["all images"].deviation < usual / 2 > found["mean image subtracted"].deviation
    assert list(found) == [
        "as in task 4c",
        "mean image subtracted",
        "a tenth of the rate",
        "equal shares",
        "all images",
    ]


def test_curvature_is_that_of_finite_differences(few):
    rng = np.random.default_rng(0)
    model = SoftmaxRegression(0.1).copy(rng.normal(0, 0.01, (785, 10)))
    v = rng.normal(size=(785, 10))
    for _ in range(40):  # power iteration on differences of gradients
        v /= np.linalg.norm(v)
        ends = (model.copy(model.w + h * v).gradient(*few.train) for h in (1e-4, -1e-4))
        hv = np.subtract(*ends) / 2e-4
        size, v = float((v * hv).sum()), hv
    found, mean = oscillation.curvature(model, few.train), few.train.X.mean(axis=0)
    assert found.largest == pytest.approx(size, rel=0.03)
    cosines = [np.dot(mean, column) / np.linalg.norm(mean) / np.linalg.norm(v) for column in v.T]
    assert found.along_mean == pytest.approx(np.square(cosines).sum(), abs=0.03)


def test_lead_is_zero_where_all_logits_agree(few):
    assert oscillation.lead(SoftmaxRegression(), few.train) == 0
    w = np.zeros((785, 10))
    w[784] = np.arange(10) ** 2
    assert oscillation.lead(SoftmaxRegression().copy(w), few.train) == 81 - 64
