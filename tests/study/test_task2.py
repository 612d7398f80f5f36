"""The evidence of task 2 against planted cases and independent oracles."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_rel

from assignment1 import LogisticRegression, load_mnist, train
from assignment1.mnist import Dataset, Split
from study import statistics as intervals
from study import tables
from study import task2d_stopping as stopping
from study import task2e_orders as intervention
from study import task2e_spikes as spikes

pytestmark = pytest.mark.slow

BAD = 5  # the planted batch, counted from 1


@pytest.fixture(scope="module")
def digits():
    return load_mnist().binary(2, 3)


@pytest.fixture(scope="module")
def planted(digits) -> Dataset:
    """Ten batches in a random order; in one of them ten 3s are the mean image of the 2s."""
    order = np.random.default_rng(0).permutation(4005)[: 10 * 128 + 5]
    X, Y = digits.train.X[order].copy(), digits.train.Y[order].copy()
    inside = (BAD - 1) * 128 + np.flatnonzero(Y[(BAD - 1) * 128 : BAD * 128, 0] == 0)[:10]
    X[inside] = digits.train.X[digits.train.Y[:, 0] == 1].mean(axis=0)
    return Dataset(Split(X, Y), digits.validation, lambda: Split(*(a[:900] for a in digits.validation)))


@pytest.fixture(scope="module")
def course(planted):
    return spikes.course(planted, 13)


@pytest.fixture(scope="module")
def each(planted, course):
    return spikes.few_of_each(course.before(BAD, 6), planted)


def test_run_lengths_of_a_case_made_by_hand():
    assert spikes.run_lengths([2, 2, 3, 2, 2, 2]).tolist() == [2, 1, 3]
    found = spikes.lengths(np.array([[1.0], [0.0], [0.0], [0.0]]))
    assert (found.number, found.mean, found.longest) == (2, 2, 3)
    assert found.random_mean == pytest.approx((2 + 2 + 4 / 3 + 4 / 3) / 4, abs=0.1)  # the four orders
    assert (found.low, found.high) == (2, 3)


def test_random_runs_have_the_number_that_wald_and_wolfowitz_derived():
    found = spikes.lengths(np.repeat([0, 1], [300, 200]))
    assert found.random_mean == pytest.approx(500 / (1 + 2 * 300 * 200 / 500), rel=0.01)
    assert found.number == 2


def test_course_is_the_run_of_train_at_every_update(digits):
    run = train(
        LogisticRegression(), digits, learning_rate=0.05, epochs=2, shuffle=False, checks_per_epoch=31
    )
    found = spikes.course(digits, 2)
    np.testing.assert_allclose(found.w[:, -1:], run.last.w, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.loss[1:], run.history.validation_loss, rtol=1e-10)
    assert found.rise[1, 18] == found.loss[31 + 19] - found.loss[31 + 18]
    assert found.update(19, 2) == 50
    np.testing.assert_array_equal(found.before(19, 2), found.w[:, 49])


def test_a_planted_batch_is_found_with_the_checks_that_meet_it(planted, course):
    course = spikes.Course(course.w[:, 10:], course.loss[10:], 10)  # in whose second epoch the spikes begin
    found = spikes.find(course)
    assert (found.batch, found.always) == (BAD, True)
    assert found.next == BAD % 10 + 1 and (found.up > found.second).all()
    assert found.updates.tolist() == [115]  # after batch 5, and 1 more than a multiple of 6
    late = course.loss[101:]
    assert all(course.loss[u] > np.median(late) + 0.02 for u in found.seen)
    norms = spikes.norms(course, planted, BAD)
    assert norms.shape == (2, 10) and (norms.argmax(axis=1) == BAD - 1).all()
    model = LogisticRegression().copy(course.w[:, 100 + BAD - 1 :][:, :1])
    X, Y = (a[128:256] for a in planted.train)
    assert norms[0, 1] == pytest.approx(np.linalg.norm(model.gradient(X, Y)))


def test_recovery_by_the_next_batch_is_what_it_did_recover(planted, course):
    found = spikes.recovery(course, planted, BAD)
    rise = course.rise[10:]
    assert found[BAD] == pytest.approx((-rise[:, BAD] / rise[:, BAD - 1]).mean())


def test_the_ten_costliest_3s_and_the_gradient_without_them(planted, course, each):
    w, few = course.before(BAD, 6), each[BAD - 1]
    X, Y = (a[(BAD - 1) * 128 : BAD * 128] for a in planted.train)
    p = 1 / (1 + np.exp(-X @ w))
    cost = np.where(Y[:, 0] == 0, -np.log(1 - p), 0)
    assert sorted(few.rows - (BAD - 1) * 128) == sorted(np.argsort(-cost)[:10])
    np.testing.assert_allclose(few.cost, np.sort(cost)[::-1][:10])
    np.testing.assert_array_equal(few.X, planted.train.X[few.rows])
    assert few.wrong == 10 and few.alike == pytest.approx(1)
    terms = X * (p - Y[:, 0])[:, None] / 128
    others = np.isin(np.arange(128), few.rows - (BAD - 1) * 128, invert=True)
    assert few.norm == pytest.approx(np.linalg.norm(terms.sum(axis=0)))
    assert few.norm_without == pytest.approx(np.linalg.norm(terms[others].sum(axis=0)))
    assert max(f.alike for f in each[:4]) < 0.7


def test_likeness_of_equal_and_opposite_images():
    image = np.random.default_rng(0).normal(size=785)
    assert spikes.likeness(np.stack([image, 2 * image + 1])) == pytest.approx(1)
    assert spikes.likeness(np.stack([image, -image])) == pytest.approx(-1)


def drawn(width, lean):
    """Return a stroke, 20 pixels high, that leans by so many pixels to the right per pixel upwards."""
    row, column = np.mgrid[:28, :28]
    distance = np.abs(column - 13.5 - lean * (13.5 - row)) / np.hypot(1, lean)
    ink = np.clip(width / 2 - distance + 0.5, 0, 1) * ((row >= 4) & (row < 24))
    return np.append(2 * ink - 1, 1)


@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("lean", [-0.4, 0, 0.5])
def test_slant_of_a_drawn_stroke(width, lean):
    X = drawn(width, lean)[None]
    assert spikes.slant(X)[0] == pytest.approx(lean, abs=0.04)


def test_victims_are_those_that_the_update_turned_wrong(planted, course):
    found, (X, Y) = spikes.victims(course, planted, BAD, 6), planted.validation
    at = course.update(BAD, 6)
    wrong = [((X @ course.w[:, at + shift] >= 0) != (Y[:, 0] == 1)) for shift in (-1, 0, 1)]
    assert found.twos.tolist() == [(w & (Y[:, 0] == 1)).sum() for w in wrong]
    assert found.threes.tolist() == [(w & (Y[:, 0] == 0)).sum() for w in wrong]
    assert found.fresh == (wrong[1] & ~wrong[0]).sum()
    np.testing.assert_array_equal(found.validation, course.loss[at - 1 : at + 1])
    z = X @ course.w[:, at - 1 : at + 1]
    dearer = np.diff(np.logaddexp(0, np.where(Y == 1, -z, z)))[:, 0] / len(Y)
    assert found.parts == pytest.approx([dearer[Y[:, 0] == 1].sum(), dearer[Y[:, 0] == 0].sum()])
    assert found.parts.sum() == pytest.approx(found.validation[1] - found.validation[0])
    assert found.own[1] < found.own[0] and (np.diff(found.cost) <= 0).all()
    ten = found.X, (found.labels == 2)[:, None].astype(float)
    before, after = spikes.models(course.w[:, at - 1 : at + 1])
    assert before.accuracy(*ten) == 1 and after.accuracy(*ten) == 0


@pytest.mark.parametrize("arm", intervention.ARMS)
def test_each_arm_moves_what_it_says_and_nothing_else(planted, each, arm):
    N, Y = len(planted.train.X), planted.train.Y[:, 0]
    place, ten = np.arange(N) // 128 + 1, each[BAD - 1].rows
    for seed in range(5):
        rows, expected = intervention.orders(planted.train, BAD, each, arm, seed)
        moved = np.flatnonzero(rows != np.arange(N))
        assert sorted(rows) == list(range(N)) and not (place[moved] == 11).any()
        mine = moved[place[moved] == BAD]
        count = {"batch": 128, "other batch": 128}.get(arm, 10)
        assert len(moved) == 2 * count
        assert len(mine) == {"ten elsewhere": 0, "other batch": 0}.get(arm, count)
        assert np.isin(ten, moved).sum() == {"ten": 10, "batch": 10, "together": 10}.get(arm, 0)
        if arm not in ("batch", "other batch"):  # as many 2s and 3s in each batch
            assert (Y[rows] == Y).all()
        where = place[np.isin(rows, ten)]
        assert (expected != BAD) == (arm == "together")
        assert (set(where) == {expected}) == (arm not in ("ten", "batch"))


def test_the_planted_ten_are_the_cause_and_the_arms_show_it(planted, each):
    arms = intervention.intervene(planted, BAD, each, 3)
    file = arms["file"].mean
    unmoved = intervention.Order(np.arange(len(planted.train.X)), BAD)
    assert (file, BAD) == pytest.approx(intervention.spike(unmoved, planted.train, planted.validation))
    assert max(arms["ten"].size.max(), arms["batch"].size.max()) < 0.6 * file
    for arm in ("other ten", "ten elsewhere", "other batch"):
        assert arms[arm].size.min() > 0.8 * file and (arms[arm].batch == BAD).all()
    assert arms["ten"].size.max() < arms["next ten"].size.min() and (arms["next ten"].batch == BAD).all()
    assert (arms["together"].batch == arms["together"].expected).all()
    assert intervals.apart(arms["other ten"].size, arms["ten"].size).low > 0


def test_the_last_checks_see_each_place_in_the_epoch_four_times(digits):
    run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=25, shuffle=False)
    assert sorted(run.history.step[-124:] % 31) == sorted(4 * list(range(31)))
    found = intervention.shuffling({0: run}, digits.validation)
    loss = spikes.course(digits, 25).loss[1 + run.history.step[-124:]]
    assert (found.mean[0], found.median[0]) == pytest.approx((loss.mean(), np.median(loss)))
    assert found.spread[0] == pytest.approx(np.std(loss, ddof=1))
    assert found.test[0] == pytest.approx(run.history.validation_loss.min())


def test_shufflings_and_their_gain(planted, each):
    found = intervention.shufflings(planted, each[BAD - 1].rows, 3)
    assert [len(runs.mean) for runs in found.values()] == [1, 3, 3, 3]
    assert found["ten apart"].spread.max() < found["file"].spread[0]
    gain = intervention.gain(found)
    a = found["each epoch"].held.mean(axis=0)
    test = ttest_rel(a, found["file"].held[0]).confidence_interval(0.95)
    assert (gain.mean - gain.images, gain.mean + gain.images) == pytest.approx(tuple(test))
    over = ttest_1samp(found["each epoch"].test - found["file"].test[0], 0).confidence_interval(0.95)
    assert (gain.mean - gain.shuffles, gain.mean + gain.shuffles) == pytest.approx(tuple(over))
    once, file = tables.order_rows(found)[2], tables.order_rows(found)[0]
    assert once[1].startswith(f"{found['once'].mean.mean():.4f} ± ")
    assert file[:2] == ("file order", f"{found['file'].mean[0]:.4f}")


def test_the_stop_is_that_of_a_run_trained_with_the_patience(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=10, shuffle=False)
    full = train(LogisticRegression(), digits, **settings)
    for patience in (1, 3, 4):
        run = train(LogisticRegression(), digits, patience=patience, **settings)
        stop = stopping.stop(full, patience)
        assert run.stopped_early and (run.steps, run.epoch) == (stop.updates, stop.epoch)
        assert run.best_step + 1 == stop.best
        losses = run.history.validation_loss[-1], run.history.validation_loss.min()
        assert losses == pytest.approx((stop.loss, stop.best_loss))
        assert stop.place == run.best_step % 31 + 1
    end = stopping.stop(full, 40)  # which the run does not meet
    best = full.history.validation_loss.argmin()
    assert (end.updates, end.best) == (full.history.step[-1] + 1, full.history.step[best] + 1)
    assert list(stopping.stops(full)) == list(range(1, 32))
    with pytest.raises(ValueError):
        stopping.same_place(full, 301)
    assert stopping.loss_after(full, 12) == full.history.validation_loss[1] == stopping.loss_after(full, 7)
    assert stopping.same_place(full, 7) == (193, full.history.validation_loss[32])


def test_disagreements_are_counted_image_by_image(digits):
    X, Y = digits.validation
    a, b = (LogisticRegression().copy(np.random.default_rng(s).normal(0, 0.02, (785, 1))) for s in (0, 1))
    right = [((X @ m.w >= 0) == (Y == 1)) for m in (a, b)]
    assert stopping.disagreements(a, b, digits.validation) == (right[0] != right[1]).sum()


def test_rows_of_the_tables(digits):
    run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=8, shuffle=False)
    rows = tables.patience_rows(stopping.stops(run), (1, 3))
    assert [row[0] for row in rows] == [1, 3] and rows[0][1] == "7" and len(rows[0]) == len(tables.PATIENCE)
    assert set(intervention.titles(BAD)) == {"file", *intervention.ARMS}
    two = intervention.shuffling({0: run, 1: run}, digits.test)
    found = dict.fromkeys(("file", "ten apart", "once", "each epoch"), two)
    assert [len(row) for row in tables.order_rows(found)] == [len(tables.ORDER)] * 4


def test_the_reference_values_are_met_to_eight_digits_by_the_run_alone(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10)
    run = train(LogisticRegression(), digits, shuffle=False, **settings)
    assert max(row.error for row in stopping.reproduced(run, digits.train, digits.validation)) < 1e-8
    other = train(LogisticRegression(), digits, shuffle=True, seed=0, **settings)
    assert max(row.error for row in stopping.reproduced(other, digits.train, digits.validation)) > 1e-3
