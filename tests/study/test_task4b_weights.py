"""Task 4b's and 4c's evidence: roughness, principal directions, the control, and the oscillation."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression as SklearnLogistic

from assignment1 import SoftmaxRegression, load_mnist, train
from assignment1.mnist import Dataset, Split
from study import optima, tables
from study import task4b_weights as weights
from study import task4c_oscillation as oscillation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def images(mnist):
    return mnist.softmax()


@pytest.fixture(scope="module")
def few(images) -> Dataset:
    """Return the first 600 training and 500 validation images; the next 700 training images are held out."""
    train, validation, held = (
        Split(*(a[part] for a in s))
        for s, part in (
            (images.train, slice(600)),
            (images.validation, slice(500)),
            (images.train, slice(600, 1300)),
        )
    )
    return Dataset(train, validation, lambda: held)


@pytest.fixture(scope="module")
def minima():
    return optima.load_optima()


def test_roughness_of_known_images():
    noise = np.random.default_rng(0).normal(size=(785, 400))
    assert weights.roughness(noise) == pytest.approx(1, abs=0.01)
    assert weights.roughness(5 * noise) == pytest.approx(weights.roughness(noise))
    assert weights.roughness(np.ones((785, 10))) == 0
    checkers = (-1.0) ** np.add.outer(np.arange(28), np.arange(28)).ravel()
    assert weights.roughness(np.append(checkers, 9.0)[:, None]) == pytest.approx(2)


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
    assert weights.opposite([run.last], dark) < 1e-12
    off = run.last.w.copy()
    off[dark[3], 2] += 0.5
    assert weights.opposite([run.last, run.last.copy(off)], dark) == pytest.approx(0.5)


def test_directions_are_scikit_learns_principal_components(few):
    found, pca = weights.directions(few.train), PCA(20, svd_solver="full").fit(few.train.X[:, :784])
    factor = 599 / 600  # variances over N here, over N - 1 there
    np.testing.assert_allclose(found.variance[:20], pca.explained_variance_ * factor, rtol=1e-6)
    cosines = np.abs((found.vectors[:, :20] * pca.components_.T).sum(axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    assert found.roughness[3] == pytest.approx(weights.roughness(pca.components_[3][:, None]), rel=1e-3)


def test_bands_hold_all_of_the_weights_and_find_a_planted_direction(few):
    found = weights.directions(few.train)
    planted = SoftmaxRegression().copy(
        np.vstack([np.outer(found.vectors[:, 20], np.arange(10)), np.ones(10)])
    )
    spread_out = SoftmaxRegression().copy(np.random.default_rng(0).normal(size=(785, 10)))
    bands = weights.bands(found, [planted, spread_out])
    assert [band.shares[0] for band in bands] == pytest.approx([0, 1, 0, 0, 0], abs=1e-12)
    assert sum(band.shares[1] for band in bands) == pytest.approx(1)
    assert bands[4].shares[1] == pytest.approx(484 / 784, abs=0.03)
    assert (bands[1].first, bands[1].last) == (11, 30)
    assert bands[1].variance == pytest.approx(found.variance[10:30].mean())
    (row, *_) = tables.band_rows(bands)
    assert row[0] == "1 to 10" and row[3] == "0.0%" and len(row) == 5


def test_sums_of_images_are_those_of_a_loop(few):
    rng, P, found = np.random.default_rng(0), few.train.X[:, :784], []
    for _ in range(20):
        which = rng.choice(600, 5, replace=False)
        c = rng.normal(size=5)
        found.append(weights.roughness((c[:, None] * (P[which] - P.mean(axis=0))).sum(axis=0)[:, None]))
    result = weights.sums(few.train, (5,))[5]
    assert result == pytest.approx((np.mean(found), np.std(found, ddof=1)))


def test_the_residual_is_spread_over_all_images_or_over_one(few):
    assert weights.effective_images(SoftmaxRegression(), few.train) == pytest.approx(600)
    one = Split(np.vstack([few.train.X[:1] * 0, few.train.X[:1]]), few.train.Y[[0, 0]])
    sure = SoftmaxRegression().copy(np.outer(few.train.X[0], 10 * few.train.Y[0]))
    assert weights.effective_images(sure, one) == pytest.approx(1)


def test_the_control_turns_round_and_its_minima_are_scikit_learns(few):
    found = weights.directions(few.train)
    result = weights.shrinkage(few.train, found)
    assert result["as they are"][1.0] < result["as they are"][0.001]
    assert result["reversed"][1.0] > result["reversed"][0.001]
    A = (few.train.X[:, :784] - few.train.X[:, :784].mean(axis=0)) @ found.vectors[:, :200]
    A *= np.sqrt(found.variance[199::-1] / found.variance[:200])
    X = np.hstack([A, np.ones((600, 1))])
    theirs = SklearnLogistic(C=1 / (2 * 0.001 * 600), fit_intercept=False, tol=1e-10, max_iter=5000)
    w = theirs.fit(X, few.train.Y.argmax(axis=1)).coef_.T
    expected = weights.roughness(found.vectors[:, :200] @ w[:200])
    assert result["reversed"][0.001] == pytest.approx(expected, rel=0.01)


def test_views_put_the_parts_together(few, minima):
    views = weights.views({0.1: minima[0.1], 0.001: minima[0.001]}, few.train)
    assert views[0.1].roughness == weights.roughness(minima[0.1].w) < views[0.001].roughness
    assert weights.largest({0.1: minima[0.1]}) == {0.1: np.abs(minima[0.1].w[:784]).max()}


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


def test_the_four_arms_tell_noise_from_instability(few):
    w = optima.minimise(optima.Objective(few.train.X, few.train.Y, 1.0), np.zeros((785, 10)), 1e-3)
    start = SoftmaxRegression(1.0).copy(w)
    found = oscillation.arms(start, few)
    usual = found["as in task 4c"].deviation
    assert found["a tenth of the rate"].deviation < usual > 2 * found["equal shares"].deviation
    assert found["all images"].deviation < usual / 2
    assert list(found) == ["as in task 4c", "a tenth of the rate", "equal shares", "all images"]


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
