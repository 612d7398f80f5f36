"""The evidence of task 3d against planted histories, SciPy and plain loops."""

import re
import runpy
from math import comb
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from assignment1 import SoftmaxRegression, load_mnist, mnist, train
from assignment1.fast.evaluation import Evaluation
from assignment1.mnist import Dataset, Split
from study import stored as kept
from study import tables
from study import task3d_overfitting as task3
from study.evaluate import evaluate_groups

pytestmark = pytest.mark.slow
SETTINGS: dict[str, Any] = dict(
    learning_rate=0.01, checks_per_epoch=1, train_accuracy_every=None, progress=False
)


@pytest.fixture(scope="module")
def few() -> Dataset:
    """Return the first 1280 training and 500 validation images."""
    data = load_mnist().softmax()
    train_, validation = Split(*(a[:1280] for a in data.train)), Split(*(a[:500] for a in data.validation))
    return Dataset(train_, validation, lambda: validation)


@pytest.fixture(scope="module")
def run(few):
    return train(SoftmaxRegression(), few, learning_rate=0.01, epochs=12, seed=0)


@pytest.fixture(scope="module")
def stages(few):
    return task3.stages(few, (1, 3, 5))


def test_stages_are_the_parts_of_a_run(few, stages):
    settings: dict[str, Any] = dict(learning_rate=0.01, batch_size=128)
    first = train(SoftmaxRegression(), few, epochs=1, seed=1001, **settings).last
    second = train(first, few, epochs=2, seed=1003, **settings).last
    assert list(stages) == [1, 3, 5] and len(stages[5]) == 4
    np.testing.assert_allclose(stages[1][1].w, first.w, atol=1e-12)
    np.testing.assert_allclose(stages[3][1].w, second.w, atol=1e-12)
    assert task3.distance(stages[3][1:2], [second]) < 1e-12 < task3.distance(stages[1], stages[3])


def test_each_half_of_the_held_out_images_trains_a_run_and_judges_the_other(few):
    halves = [Split(*(a[start : start + 500] for a in few.train)) for start in (0, 500)]
    both = Split(*(a[:1000] for a in few.train))
    found = task3.elsewhere(Dataset(few.validation, few.validation, lambda: both))
    for (found_model, gap), own, other in zip(found, halves, halves[::-1], strict=True):
        model = train(
            SoftmaxRegression(), Dataset(own, few.validation, few.make_test), epochs=50, **SETTINGS
        ).last
        np.testing.assert_allclose(found_model.w, model.w)
        assert gap == model.accuracy(*own) - model.accuracy(*other) > 0


def test_evaluations_of_groups_are_those_of_a_loop_over_models(few, stages):
    X, Y = few.train
    for dtype, close in ((np.float64, 1e-10), (np.float32, 1e-4)):
        found = evaluate_groups(stages, Split(X.astype(dtype), Y.astype(dtype)))
        for epoch, models in stages.items():
            for i, model in enumerate(models):
                P = np.exp(X @ model.w) / np.exp(X @ model.w).sum(axis=1, keepdims=True)
                np.testing.assert_allclose(found[epoch].loss[i], -np.log((P * Y).sum(axis=1)), atol=close)
                assert (found[epoch].correct[i] == (P.argmax(axis=1) == Y.argmax(axis=1))).mean() > 0.999


def planted(accuracies, images=200):
    """Evaluations of runs with these accuracies, (epochs, runs)."""
    right = [[np.arange(images) < a * images for a in runs] for runs in accuracies]
    return {e: Evaluation(np.array(r), np.array(r) * 0.5) for e, r in zip((2, 4, 8), right, strict=True)}


def test_the_gap_is_what_was_planted_and_its_curve_has_both_uncertainties():
    right = [[0.4, 0.3], [0.6, 0.45], [0.7, 0.6]]
    found = task3.gaps(planted(right, 2000), planted([[0.5, 0.5]] * 3, 3000))
    np.testing.assert_allclose(found.accuracy, [[-0.1, -0.2], [0.1, -0.05], [0.2, 0.1]])
    epochs, mean, half = found.curve()
    assert epochs.tolist() == [2, 4, 8] and mean == pytest.approx([-0.15, 0.025, 0.15])
    runs = stats.t.ppf(0.975, 1) * stats.sem([0.2, 0.1])
    assert half[2] == pytest.approx(found.accuracy_at[8].both) and half[2] > runs
    assert found.accuracy_at[8].shuffles == pytest.approx(runs)


def test_change_is_paired_by_image(few, stages):
    found = evaluate_groups(stages, few.validation)
    change = task3.change(found[1], found[5])
    a, b = found[5].loss.mean(axis=0), found[1].loss.mean(axis=0)
    assert change.loss.images == pytest.approx(
        stats.t.ppf(0.975, 19) * stats.sem((a - b).reshape(20, 25).mean(axis=1))
    )
    assert change.loss.mean == pytest.approx((a - b).mean())
    right = found[5].correct.mean() - found[1].correct.mean()
    assert change.accuracy.mean == pytest.approx(right)


def test_growth_of_the_gap_is_that_from_epoch_to_epoch():
    own = planted([[0.4, 0.3], [0.7, 0.6], [1, 1]], 2000)
    others = planted([[0.5, 0.5], [0.5, 0.4], [0, 0]], 3000)
    found = task3.growth(own, others, 2, 4)
    assert found.mean == pytest.approx(0.3 + 0.05)
    assert found.shuffles == pytest.approx(stats.t.ppf(0.975, 1) * stats.sem([0.3, 0.4]))


def test_rows_and_means(few, stages):
    found = evaluate_groups(stages, few.validation)
    by_hand = [np.mean([model.loss(*few.validation) for model in stages[e]]) for e in (1, 3, 5)]
    assert task3.means(found) == pytest.approx(by_hand)
    rows = list(tables.overfitting_rows({"validation": found}, (1, 5)))
    assert rows[1] == (5, f"{by_hand[2]:.4f}", f"{found[5].correct.mean():.4f}")


def lost(losses):
    """Return evaluations of these losses, (runs, images) by epoch."""
    return {epoch: Evaluation(loss < 1, loss) for epoch, loss in losses.items()}


def test_the_turn_is_as_uncertain_as_the_runs_are_unlike():
    alike = {50: np.full((4, 400), 0.55), 100: np.full((4, 400), 0.4)}
    apart = {50: alike[50], 100: np.repeat([[0.1], [0.1], [0.1], [0.9]], 400, axis=1)}
    assert task3.turn(lost(alike)).shares == {100: 1.0}
    most = sum(comb(4, k) * 0.25**k * 0.75 ** (4 - k) for k in range(3))  # 0.9 at most twice of four times
    assert task3.turn(lost(apart)).shares[100] == pytest.approx(most, abs=0.03)


def test_the_turn_of_planted_losses_has_the_shares_of_a_normal_mean():
    rng = np.random.default_rng(0)
    deep = {e: rng.normal((e - 100) ** 2 / 1000, 0.1, (1, 500)) for e in (50, 100, 150)}
    found = task3.turn(lost(deep))
    assert found == (100, {100: 1.0}, pytest.approx(2.5, abs=0.1))
    near = {50: rng.normal(0.02, 1, (1, 2000)), 100: rng.normal(0, 1, (1, 2000))}
    found = task3.turn(lost(near))
    lead = near[50][0] - near[100][0]
    assert found.epoch == (50 if lead.mean() < 0 else 100) and list(found.shares) == [50, 100]
    by_block = lead.reshape(20, 100).mean(axis=1)
    assert found.shares[50] == pytest.approx(stats.norm.cdf(-lead.mean() / stats.sem(by_block)), abs=0.03)
    assert sum(found.shares.values()) == pytest.approx(1)


@pytest.fixture(scope="module")
def stored():
    return task3.load_long_runs()


def test_a_part_of_the_stored_runs_is_made_again(stored):
    data = load_mnist().softmax(np.float32)
    settings: dict[str, Any] = SETTINGS | dict(epochs=50, seed=2600)
    again = train(stored[550][2], data, **settings)
    assert np.abs(again.last.w - stored[600][2].w).max() < 1e-4
    assert np.abs(stored[550][2].w - stored[600][2].w).max() > 0.01
    assert list(stored) == list(range(50, 601, 50))


def test_the_stored_runs_fit_ever_better_while_the_validation_loss_turns(stored):
    data, ends = load_mnist().softmax(), {e: stored[e] for e in (50, 200, 600)}
    training, validation = (evaluate_groups(ends, part) for part in (data.train, data.validation))
    assert training[50].loss.mean() > training[200].loss.mean() > training[600].loss.mean()
    assert validation[50].loss.mean() > validation[200].loss.mean() < validation[600].loss.mean()


def test_the_program_writes_runs_that_are_read_by_the_digest_it_prints(few, tmp_path, monkeypatch, capsys):
    train_, validation = (
        Split(*(a[:140].astype(np.float32) for a in part)) for part in (few.train, few.validation)
    )
    data = Dataset(train_, validation, lambda: validation)
    monkeypatch.setattr(mnist, "load_mnist", lambda: SimpleNamespace(softmax=lambda dtype: data))
    monkeypatch.setattr(mnist, "DATA", tmp_path)
    runpy.run_path(task3.__file__, run_name="__main__")
    (digest,) = re.findall(r"long_run.npz has the SHA-256 (\w+), which", capsys.readouterr().out)
    monkeypatch.setitem(kept.KEPT, "long_run.npz", digest)
    monkeypatch.setattr(task3, "FILE", tmp_path / "long_run.npz")
    found = task3.load_long_runs()
    assert list(found) == list(range(50, 601, 50)) and {len(models) for models in found.values()} == {4}
    for end, run in ((100, 0), (600, 3)):
        settings: dict[str, Any] = SETTINGS | dict(epochs=50, seed=1000 * run + end)
        start = found[end - 50][run]
        again = train(start, data, **settings).last
        assert np.abs(again.w - found[end][run].w).max() < 1e-5 < np.abs(again.w - start.w).max()


def test_another_file_is_refused(tmp_path, monkeypatch):
    with np.load(task3.FILE) as kept:
        w = kept["w"]
    np.savez(tmp_path / "long_run.npz", w=w + 1e-6)
    monkeypatch.setattr(task3, "FILE", tmp_path / "long_run.npz")
    with pytest.raises(ValueError, match=r"long_run.npz has SHA-256 .*, expected aecd71b"):
        task3.load_long_runs()


def test_each_run_has_its_own_lowest_loss():
    losses = {50: [[3.0, 1.0], [1.0, 1.0]], 100: [[1.0, 1.0], [2.0, 4.0]], 150: [[2.0, 2.0], [2.0, 2.0]]}
    found: Any = {epoch: SimpleNamespace(loss=np.array(values)) for epoch, values in losses.items()}
    assert task3.lowest(found) == [100, 50]
