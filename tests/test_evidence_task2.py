"""The evidence of task 2 against planted cases and independent oracles."""

from typing import Any

import numpy as np
import pytest
from assignment1 import LogisticRegression, load_mnist, train
from assignment1.evidence import task2
from assignment1.mnist import Dataset, Split
from scipy.stats import ttest_rel

BAD = 4  # the planted batch, counted from 0


@pytest.fixture(scope="module")
def digits():
    return load_mnist().binary(2, 3)


@pytest.fixture(scope="module")
def planted(digits) -> Dataset:
    """Ten batches in a random order; in one of them twenty 3s are labelled as 2s."""
    order = np.random.default_rng(0).permutation(4005)[: 10 * 128 + 5]
    X, Y = digits.train.X[order], digits.train.Y[order].copy()
    Y[BAD * 128 + np.flatnonzero(Y[BAD * 128 : (BAD + 1) * 128] == 0)[:20]] = 1
    return Dataset(Split(X, Y), digits.validation, lambda: digits.test)


def test_run_lengths_of_a_case_made_by_hand():
    assert task2.run_lengths([2, 2, 3, 2, 2, 2]).tolist() == [2, 1, 3]
    assert task2.run_lengths(np.array([[1.0], [0.0], [0.0]])).tolist() == [1, 2]


def test_permuted_runs_have_the_number_that_wald_and_wolfowitz_derived():
    labels = np.repeat([0, 1], [300, 200])
    mean, longest = task2.permuted_runs(labels, 400).T
    expected = 1 + 2 * 300 * 200 / 500
    deviation = np.sqrt((expected - 1) * (expected - 2) / 499)
    assert abs((500 / mean).mean() - expected) < 4 * deviation / np.sqrt(400)
    assert longest.min() >= 3 and longest.max() < 60


def test_trajectory_is_the_run_of_train_at_every_step(digits):
    run = train(
        LogisticRegression(), digits, learning_rate=0.05, epochs=2, shuffle=False, checks_per_epoch=31
    )
    W = task2.trajectory(digits, 2)
    loss, accuracy = task2.along(W[:, 1:], digits.validation)
    np.testing.assert_allclose(W[:, -1:], run.last.w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(loss, run.history.validation_loss, rtol=1e-10)
    np.testing.assert_allclose(accuracy, run.history.validation_accuracy, atol=1e-3)


def test_the_stop_is_that_of_a_run_trained_with_the_patience(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=10, shuffle=False)
    full = train(LogisticRegression(), digits, **settings)
    for patience in (1, 3, 4):
        run = train(LogisticRegression(), digits, patience=patience, **settings)
        stop, best = task2.stop(full, patience) or pytest.fail("the run does not stop")
        assert run.stopped_early
        assert (run.steps, run.best_step) == (full.history.step[stop] + 1, full.history.step[best])
    assert task2.stop(full, 40) is None


def test_loss_difference_is_the_paired_t_test(digits):
    X, Y = digits.validation
    a, b = (LogisticRegression().copy(np.random.default_rng(s).normal(0, 0.02, (785, 1))) for s in (0, 1))
    mean, error = task2.loss_difference(a, b, digits.validation)
    losses = [np.log(1 + np.exp(np.where(Y == 1, -1, 1) * (X @ m.w)))[:, 0] for m in (a, b)]
    assert mean / error == pytest.approx(ttest_rel(*losses).statistic)


def test_a_planted_bad_batch_is_found_undone_and_cured(planted):
    W = task2.trajectory(planted, 6)
    rise = np.diff(task2.along(W, planted.validation)[0]).reshape(6, 10)
    assert (rise[2:].argmax(axis=1) == BAD).all()
    norms = np.linalg.norm(task2.step_from(W[:, 50 + BAD], planted)[0], axis=0)
    assert norms.argmax() == BAD
    recovered = task2.recovery(W[:, 20:], planted, BAD)
    next_rise = rise[2:, BAD + 1]
    np.testing.assert_allclose(recovered[:, BAD + 1], -next_rise / rise[2:, BAD], rtol=1e-9)
    before, cured, placebo = (
        task2.spike_size(data, 6, 3)
        for data in (planted, task2.scattered(planted, [BAD], 0), task2.scattered(planted, [8], 0, [BAD]))
    )
    assert cured < 0.5 * before < placebo


def test_scattering_moves_only_what_it_says(digits):
    N = np.arange(4005.0)
    numbered = Dataset(Split(N[:, None], N[:, None]), digits.validation, lambda: digits.test)
    order = task2.scattered(numbered, [3, 4], seed=1, spared=[18]).train.X[:, 0]
    assert sorted(order) == N.tolist()
    moved = order != N
    assert moved[3 * 128 : 5 * 128].all() and moved.sum() == 2 * 256
    assert not moved[18 * 128 : 19 * 128].any() and not moved[31 * 128 :].any()
    assert not np.isin(order[3 * 128 : 5 * 128], N[3 * 128 : 5 * 128]).any()


def test_costliest_images_and_their_shares_of_the_gradient(planted):
    batch, w = task2.batches(planted)[0], np.random.default_rng(0).normal(0, 0.02, 785)
    rows, cost, share = task2.costliest(w, batch, 128)
    p = 1 / (1 + np.exp(-batch.X @ w))
    np.testing.assert_allclose(cost, -np.log(np.where(batch.Y[:, 0] == 1, p, 1 - p))[rows])
    assert (np.diff(cost) <= 0).all() and share.sum() == pytest.approx(1)
    single = batch.X * (p - batch.Y[:, 0])[:, None] / 128
    whole = single.sum(axis=0)
    np.testing.assert_allclose(share, (single @ whole / (whole @ whole))[rows])
    assert task2.misread(w, batch)[rows[0]] and not task2.misread(w, batch)[rows[-1]]


def test_likeness_of_equal_and_opposite_images():
    image = np.random.default_rng(0).normal(size=785)
    assert task2.likeness(np.stack([image, 2 * image + 1])) == pytest.approx(1)
    assert task2.likeness(np.stack([image, -image])) == pytest.approx(-1)


def test_the_costliest_3s_of_a_batch_that_has_copies_of_one(digits):
    X, Y = digits.train.X[: 3 * 128].copy(), digits.train.Y[: 3 * 128]
    w = LogisticRegression().gradient(X, 1 - Y)[:, 0]  # predicts the digits, but weakly
    odd = X[(Y[:, 0] == 1)][(X @ w)[Y[:, 0] == 1].argmax()]
    X[128 + np.flatnonzero(Y[128:256, 0] == 0)[:10]] = odd  # the surest 2, labelled as a 3
    alike, wrong = task2.costliest_3s(w, Dataset(Split(X, Y), digits.validation, lambda: digits.test))
    assert alike[1] == pytest.approx(1) and max(alike[0], alike[2]) < 0.8
    assert wrong[1] == 10 and max(wrong[0], wrong[2]) < 10


def test_31_checks_in_a_row_see_each_place_in_the_epoch_once(digits):
    run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=7, shuffle=False)
    assert sorted(run.history.step[-31:] % 31) == list(range(31))
    mean, median, deviation, jump, test = task2.summary(run, digits.validation, 31)
    loss = task2.along(task2.trajectory(digits, 7), digits.validation)[0][1 + run.history.step[-31:]]
    assert (mean, median) == pytest.approx((loss.mean(), np.median(loss)))
    assert (deviation, jump) == pytest.approx((np.std(loss, ddof=1), np.abs(np.diff(loss)).max()))
    assert test == pytest.approx(run.history.validation_loss.min())


def test_the_same_place_is_the_costliest_only_in_a_fixed_order(planted):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=20)
    fixed = train(LogisticRegression(), planted, shuffle=False, **settings)
    assert task2.costliest_batch(fixed, 5) == (BAD + 1, 15, 15)
    shuffled = train(LogisticRegression(), planted, shuffle=True, seed=0, **settings)
    assert task2.costliest_batch(shuffled, 5)[1] < 8


def test_the_intervention_cures_by_the_planted_batch_alone(planted):
    before, arms = task2.spike_size(planted), task2.intervention(planted, BAD, 3)
    assert max(arms["both"].max(), arms["culprit"].max()) < 0.6 * before
    assert min(arms["next"].min(), arms["others"].min()) > 0.8 * before
