"""The stored weights: refused unless intact; the minima of J against scikit-learn, and their certificates."""

import re
import runpy
import shutil
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as SklearnLogistic

from assignment1 import SoftmaxRegression
from assignment1 import mnist as mnist_module
from assignment1.mnist import Dataset, Split
from study import optima, stored
from study import task3d_overfitting as task3

pytest_plugins = "small_images"
pytestmark = pytest.mark.slow


def test_stored_weights_are_refused_unless_they_are_what_was_stored(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"optima.npz is missing.*git checkout"):
        stored.read(tmp_path / "optima.npz")
    copy = tmp_path / "long_run.npz"
    shutil.copy(task3.FILE, copy)
    assert stored.read(copy)["w"].dtype == np.float64
    copy.write_bytes(copy.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"long_run.npz has SHA-256 .*, expected .*KEPT"):
        stored.read(copy)


def test_weights_are_stored_whole_or_not_at_all(tmp_path, monkeypatch, capsys):
    path = tmp_path / "some.npz"
    stored.write(path, w=np.ones(3))
    before = path.read_bytes()
    assert sha256(before).hexdigest() in capsys.readouterr().out

    def half(path, content):
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError):
        stored.write(path, w=np.zeros(3))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_minimise_finds_scikit_learns_optimum(few):
    X, Y = few.train
    lam = 0.01
    ours = optima.minimise(optima.Objective(X, Y, lam), np.zeros((785, 10)), 1e-9)
    theirs = SklearnLogistic(C=1 / (2 * lam * len(X)), fit_intercept=False, tol=1e-10, max_iter=5000)
    np.testing.assert_allclose(ours, theirs.fit(X, Y.argmax(axis=1)).coef_.T, atol=1e-6)


def test_the_objective_is_the_models_and_its_hessian_that_of_finite_differences(few):
    rng = np.random.default_rng(0)
    model = SoftmaxRegression(0.1).copy(rng.normal(0, 0.05, (785, 10)))
    J = optima.Objective(few.train.X, few.train.Y, 0.1)
    assert J.value(model.w) == pytest.approx(model.objective(*few.train), rel=1e-12)
    np.testing.assert_allclose(J.gradient(model.w), model.gradient(*few.train), atol=1e-14)
    v = rng.normal(size=(785, 10))
    ends = (model.copy(model.w + h * v).gradient(*few.train) for h in (1e-5, -1e-5))
    expected = np.subtract(*ends) / 2e-5
    np.testing.assert_allclose(J.hessian(model.w) @ v.ravel(), expected.ravel(), atol=1e-6)


def test_minimise_halves_steps_that_are_too_long_and_says_where_it_ends(few, monkeypatch):
    newton, start = optima.newton_direction, np.zeros((785, 10))
    J = optima.Objective(few.train.X[:60], few.train.Y[:60], 1.0)
    best = optima.minimise(J, start, 1e-5)
    monkeypatch.setattr(optima, "newton_direction", lambda *given: 64 * newton(*given))
    np.testing.assert_allclose(optima.minimise(J, start, 1e-5), best, atol=1e-5)
    monkeypatch.setattr(optima, "newton_direction", lambda J, w, g: 0 * g)
    slope = np.linalg.norm(J.gradient(start))
    with pytest.raises(RuntimeError, match=rf"lam 1.0: \|grad J\| is {slope} after 100 steps, not 0.1"):
        optima.minimise(J, start, 0.1)


def test_the_program_writes_minima_and_a_separator_that_are_read_by_the_digest_it_prints(
    tmp_path, monkeypatch, capsys
):
    digit = np.arange(20) % 10
    X = np.eye(785)[digit]  # one pixel each, so that it takes seconds
    X[:, -1] = 1
    data = Split(X, np.eye(10)[digit])
    whole = Dataset(data, data, lambda: data)
    images = SimpleNamespace(softmax=lambda: whole)
    monkeypatch.setattr(mnist_module, "load_mnist", lambda: images)
    monkeypatch.setattr(mnist_module, "DATA", tmp_path)
    runpy.run_path(optima.__file__, run_name="__main__")
    (digest,) = re.findall(
        r"optima.npz has the SHA-256 (\w+), which goes into .*KEPT", capsys.readouterr().out
    )
    monkeypatch.setitem(stored.KEPT, "optima.npz", digest)
    monkeypatch.setattr(optima, "FILE", tmp_path / "optima.npz")
    minima = optima.load_optima()
    assert list(minima) == list(optima.PATH)
    for proof in optima.certificates(list(minima.values()), whole):
        assert proof.distance < 1e-7
    assert optima.smallest_margin(optima.load_separator(), data) > 0


def test_the_certificate_is_exact_where_the_penalty_is_all_there_is():
    # without inputs C is ln 10 everywhere, so that J* = ln 10 at w* = 0
    data, w = Split(np.zeros((3, 785)), np.eye(10)[:3]), np.random.default_rng(0).normal(size=(785, 10))
    model, whole = SoftmaxRegression(0.3).copy(w), Dataset(data, data, lambda: data)
    (proof,) = optima.certificates([model], whole)
    assert proof.gap == pytest.approx(model.objective(*data) - np.log(10))
    assert proof.distance == pytest.approx(np.linalg.norm(w))
    with pytest.raises(ValueError, match=r"lam is 0.0; expected above 0"):
        optima.certificates([model, SoftmaxRegression(0.0)], whole)


def test_the_certificate_bounds_what_is_known_of_weights_beside_the_optimum(images, minima):
    best = minima[0.001]
    for lam in (0.003, 0.0003):
        model = best.copy(minima[lam].w)  # the wrong optimum for this J
        (proof,) = optima.certificates([model], images)
        excess = model.objective(*images.train) - best.objective(*images.train)
        assert 1e-3 < excess <= proof.gap
        assert 1 < np.linalg.norm(model.w - best.w) <= proof.distance


def test_the_stored_optima_are_optima(images, minima):
    assert list(minima) == sorted(minima, reverse=True) and {1.0, 0.1, 0.01, 0.001} <= set(minima)
    some = [minima[lam] for lam in (1.0, 0.001, 0.00001)]
    for proof in optima.certificates(some, images):
        assert proof.gap < 1e-12 and proof.distance < 1e-6
    lengths = [np.linalg.norm(model.w) for model in minima.values()]
    assert all(a < b for a, b in pairwise(lengths))


def test_the_stored_separator_classifies_every_training_image_in_whole_numbers(mnist, images):
    w = optima.load_separator()
    assert optima.smallest_margin(w, images.train) > 0
    some = slice(None, None, 40)
    X = 2 * mnist.train_images[:20000][some].reshape(-1, 784).astype(int) - 255
    Z = X @ w[:784].astype(int) + 255 * w[784].astype(int)
    assert (Z.argmax(axis=1) == mnist.train_labels[:20000][some]).all()
    lead = [z[y] - np.delete(z, y).max() for z, y in zip(Z, mnist.train_labels[:20000][some], strict=True)]
    assert optima.smallest_margin(w, Split(*(a[some] for a in images.train))) == min(lead)


def test_smallest_margin_refuses_what_float64_cannot_prove(few):
    for w in (np.full((785, 10), 0.5), np.full((785, 10), 2.0**48)):
        with pytest.raises(ValueError, match="whole numbers"):
            optima.smallest_margin(w, few.train)


def test_separate_finds_a_proof_or_says_that_it_found_none(few):
    X, Y = few.train
    start = optima.minimise(optima.Objective(X, Y, 1.0), np.zeros((785, 10)), 1e-4)
    assert optima.smallest_margin(np.rint(start * 1e5), few.train) < 0
    assert optima.smallest_margin(optima.separate(start, few.train), few.train) > 0
    twins = Split(X[[0, 0, 1]], Y[[0, 1, 2]])  # one image with two labels
    with pytest.raises(RuntimeError, match="misclassified"):
        optima.separate(start, twins)
