"""The evidence of task 2 against planted cases and independent oracles."""

from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, load_mnist, train
from assignment1.mnist import Dataset, Split
from study import statistics as intervals
from study import task2d_stopping as stopping
from study import task2e_orders as intervention
from study import task2e_spikes as spikes

pytestmark = pytest.mark.slow

BAD = 5  # the planted batch, counted from 1
MOVED = ("ten", "other ten", "together", "same slant", "upright", "1", "3", "10", "20")


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
    gradients = spikes.gradients(course.before(BAD, 1), planted.train)
    norms = np.linalg.norm(gradients, axis=0)
    assert gradients.shape == (785, 10) and norms.argmax() == BAD - 1
    X, Y = (a[128:256] for a in planted.train)
    p = 1 / (1 + np.exp(-X @ course.before(BAD, 1)))
    np.testing.assert_allclose(gradients[:, 1], X.T @ (p - Y[:, 0]) / 128, atol=1e-14)


def test_recovery_by_the_next_batch_is_what_it_did_recover(planted, course):
    found = spikes.recovery(course, planted, BAD)
    rise = course.rise[10:]
    assert found[BAD] == pytest.approx((-rise[:, BAD] / rise[:, BAD - 1]).mean())


def test_the_ten_costliest_3s(planted, course, each):
    w, few = course.before(BAD, 6), each[BAD - 1]
    X, Y = (a[(BAD - 1) * 128 : BAD * 128] for a in planted.train)
    p = 1 / (1 + np.exp(-X @ w))
    cost = np.where(Y[:, 0] == 0, -np.log(1 - p), 0)
    assert sorted(few.rows - (BAD - 1) * 128) == sorted(np.argsort(-cost)[:10])
    np.testing.assert_allclose(few.cost, np.sort(cost)[::-1][:10])
    np.testing.assert_array_equal(few.X, planted.train.X[few.rows])
    assert few.wrong == 10


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


def test_costs_are_each_images_cross_entropy(planted, course):
    X, Y = planted.validation
    z = X @ course.w[:, 70]
    found = spikes.costs(course.w[:, 70], planted.validation)
    np.testing.assert_allclose(found, np.where(Y[:, 0] == 1, np.log1p(np.exp(-z)), np.log1p(np.exp(z))))
    assert found.mean() == pytest.approx(course.loss[70])


LEAVE = {"other ten": 0, "1": 1, "3": 3}  # of the ten; of another arm all


@pytest.mark.parametrize("arm", MOVED)
def test_each_arm_moves_what_it_says_and_every_batch_keeps_its_2s_and_3s(planted, each, arm):
    N = len(planted.train.X)
    Y = planted.train.Y[:, 0]
    place = np.arange(N) // 128 + 1
    ten = each[BAD - 1].rows
    for seed in range(5):
        rows, expected = intervention.orders(planted.train, BAD, each, arm, seed)
        assert sorted(rows) == list(range(N)) and (Y[rows] == Y).all()
        moved = np.flatnonzero(rows != np.arange(N))
        assert not Y[moved].any() and not (place[moved] == 11).any()
        count = int(arm) if arm.isdecimal() else 10
        mine = moved[place[moved] == BAD]
        assert len(moved) == 2 * count and len(mine) == count
        now = np.empty(N)
        now[rows] = place
        gone = np.flatnonzero((place == BAD) & (now != BAD))
        assert np.isin(ten, gone).sum() == LEAVE.get(arm, 10)
        if arm.isdecimal():
            first = np.concatenate([ten, each[BAD - 1].next_rows])[:count]
            assert set(gone) == set(first)
        assert (expected != BAD) == (arm == "together")
        if arm == "together":
            assert (now[ten] == expected).all()


def test_3s_of_the_same_slant_are_exchanged_for_their_like(planted, each):
    lean = spikes.slant(planted.train.X)
    three = planted.train.Y[:, 0] == 0
    ten = each[2].rows  # of batch 3, which nobody planted
    outside = three & (np.arange(len(three)) // 128 != 2)
    for seed in range(3):
        rows, _ = intervention.orders(planted.train, 3, each, "same slant", seed)
        for image in ten:
            apart = np.sort(abs(lean[outside] - lean[image]))
            assert abs(lean[rows[image]] - lean[image]) <= apart[39]  # thirty, but for those that are taken
    random, _ = intervention.orders(planted.train, 3, each, "ten", 0)
    assert np.abs(lean[random[ten]] - lean[ten]).mean() > 2 * np.abs(lean[rows[ten]] - lean[ten]).mean()


def test_upright_3s_are_the_costliest_that_lean_less_than_the_average(planted, course, each):
    X, Y = (a[:1280] for a in planted.train)
    cost = spikes.costs(course.before(BAD, 6), Split(X, Y))
    cost[Y[:, 0] == 1] = 0
    lean = spikes.slant(X)
    average = lean[Y[:, 0] == 0].mean()
    candidates = []
    for batch in range(10):
        if batch + 1 != BAD:
            candidates += sorted(range(128 * batch, 128 * batch + 128), key=lambda i: -cost[i])[:10]
    expected = sorted((i for i in candidates if lean[i] < average), key=lambda i: -cost[i])[:10]
    rows, _ = intervention.orders(planted.train, BAD, each, "upright", 0)
    assert rows[each[BAD - 1].rows].tolist() == expected


def test_a_slower_run_has_as_many_times_the_epochs(planted):
    X, Y = (a[:1280].reshape(10, 128, -1) for a in planted.train)
    V, T = planted.validation
    for slower in (1, 2):
        w = np.zeros((785, 1))
        losses = []
        for batch in 10 * slower * list(range(10)):
            p = 1 / (1 + np.exp(-X[batch] @ w))
            w = w - 0.05 / slower * X[batch].T @ (p - Y[batch]) / 128
            losses.append(np.logaddexp(0, np.where(T == 1, -1, 1) * (V @ w)).mean())
        late = np.reshape(losses[-30 * slower :], (-1, 10))
        rise = np.diff(losses[-30 * slower - 1 :]).reshape(-1, 10).mean(axis=0)
        expected = (late.max(axis=1) - np.median(late, axis=1)).mean(), rise.argmax() + 1
        file = intervention.Order(np.arange(len(planted.train.X)), BAD)
        found = intervention.spike(file, planted.train, planted.validation, slower)
        assert found == pytest.approx(expected, rel=1e-9)


def test_the_planted_ten_are_the_cause_and_the_arms_show_it(planted, each):
    arms = intervention.intervene(planted, BAD, each, 4)
    assert set(arms) == {*intervention.ARMS, *map(str, intervention.DOSES)}
    seeds = dict.fromkeys(arms, 4)
    seeds |= dict.fromkeys(("centred", "file", "half", "upright"), 1)
    seeds |= dict.fromkeys(map(str, intervention.DOSES), 2)
    assert {name: len(arm.size) for name, arm in arms.items()} == seeds
    assert {name: len(arm.batch) for name, arm in arms.items()} == seeds
    file = arms["file"].mean
    unmoved = intervention.Order(np.arange(len(planted.train.X)), BAD)
    assert (file, BAD) == pytest.approx(intervention.spike(unmoved, planted.train, planted.validation))
    assert arms["ten"].size.max() < 0.6 * file
    assert arms["other ten"].size.min() > 0.8 * file and (arms["other ten"].batch == BAD).all()
    assert (arms["together"].batch == arms["together"].expected).all()
    assert intervals.apart(arms["other ten"].size, arms["ten"].size).low > 0
    assert file > arms["1"].mean > arms["3"].mean > arms["ten"].mean
    assert arms["centred"].mean < 0.3 * file
    assert arms["half"].mean < file


@pytest.fixture(scope="module")
def both_halves(digits):
    """Return the heights of the spikes in some arms of the report's experiment: seeds 0 to 7, and 8 to 15."""
    course = spikes.course(digits, 13)
    batch = spikes.find(course).batch
    each = spikes.few_of_each(course.before(batch, 13), digits)
    found = {}
    for arm in ("ten", "other ten", "same slant"):
        sizes = []
        for seed in range(16):
            order = intervention.orders(digits.train, batch, each, arm, seed)
            sizes.append(intervention.spike(order, digits.train, digits.validation)[0])
        found[arm] = map(intervals.interval, (sizes[:8], sizes[8:]))
    return found


@pytest.mark.parametrize("arm", ["ten", "other ten", "same slant"])
def test_other_seeds_give_a_mean_within_the_interval_of_the_first(both_halves, arm):
    first, again = both_halves[arm]
    assert abs(first.mean - again.mean) <= first.half + again.half


def test_ends_of_runs_and_the_loss_at_the_last_check_before_an_update(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=4, shuffle=False)
    full = train(LogisticRegression(), digits, **settings)
    ended = train(LogisticRegression(), digits, patience=1, **settings)
    assert ended.stopped_early and stopping.ends({0: full, 1: ended, 2: full}) == ([124, ended.steps, 124], 1)
    losses = spikes.course(digits, 4).loss
    for updates, last in ((1, 1), (6, 1), (7, 7), (12, 7), (124, 121)):
        assert stopping.loss_after(full, updates) == pytest.approx(losses[last])
    assert np.isnan(stopping.loss_after(full, 0))  # no check is so early


def test_disagreements_are_counted_image_by_image(digits):
    X, Y = digits.validation
    a, b = (LogisticRegression().copy(np.random.default_rng(s).normal(0, 0.02, (785, 1))) for s in (0, 1))
    right = [((X @ m.w >= 0) == (Y == 1)) for m in (a, b)]
    assert stopping.disagreements(a, b, digits.validation) == (right[0] != right[1]).sum()


def test_every_arm_has_a_title():
    assert intervention.titles(BAD)["other ten"] == "ten random ones of batch 5 apart"
    assert list(intervention.titles(BAD)) == list(intervention.ARMS)


def test_the_reference_values_are_met_to_eight_digits_by_the_run_alone(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, epochs=500, patience=10)
    run = train(LogisticRegression(), digits, shuffle=False, **settings)
    assert max(row.error for row in stopping.reproduced(run, digits.train, digits.validation)) < 1e-8
    other = train(LogisticRegression(), digits, shuffle=True, seed=0, **settings)
    assert max(row.error for row in stopping.reproduced(other, digits.train, digits.validation)) > 1e-3


def test_a_run_that_is_too_short_has_no_variation_and_no_change_and_no_error(digits):
    run = train(LogisticRegression(), digits, learning_rate=0.05, epochs=20, shuffle=False, progress=False)
    loss = run.history.validation_loss
    found = stopping.variation(run, 20)
    assert found.deviation == pytest.approx(np.std(sorted(loss[-20:])[:-1], ddof=1))
    assert found.fall == pytest.approx((np.median(loss[-40:-20]) - np.median(loss[-20:])) / 2)
    steps = zip(run.history.validation_accuracy[5:], run.history.validation_accuracy[6:], strict=False)
    assert stopping.largest_change(run, 5) == max(abs(b - a) for a, b in steps)
    assert np.isnan(stopping.variation(run, len(loss))).all()
    assert np.isnan(stopping.largest_change(run, len(loss) - 1))


def test_a_probability_that_rounds_to_0_costs_infinity_without_a_warning():
    X = np.array([[1.0] * 785, [-1.0] * 785])
    sure = LogisticRegression().copy(np.full((785, 1), 10.0))
    assert stopping.cost_as_written(sure, Split(X, np.array([[1.0], [0.0]]))) == 0
    assert stopping.cost_as_written(sure, Split(X, np.array([[0.0], [1.0]]))) == np.inf


def test_what_recurs_in_each_epoch_is_told_from_chance():
    rng = np.random.default_rng(0)
    place, chance = rng.normal(size=31), rng.normal(size=(400, 31))
    level = np.linspace(1, 0, 400)[:, None]  # falls from epoch to epoch
    assert stopping.recurring(place + level + 0 * chance) == pytest.approx(1)
    assert stopping.recurring(place + level + place.std() * chance) == pytest.approx(0.5, abs=0.02)
    assert stopping.recurring(level + chance) < 0.01
