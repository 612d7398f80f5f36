"""The models, the data and the training against independent oracles."""

import gzip
import hashlib
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.linear_model import LogisticRegression as SklearnLogistic
from sklearn.metrics import log_loss

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, sweep, train
from assignment1.gradcheck import gradient_errors
from assignment1.mnist import DATA, FILES, Dataset, Split, one_hot, preprocess, read_idx
from assignment1.models import Regression
from assignment1.run import EarlyStopping
from study.task2d_stopping import cost_as_written


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture(scope="session")
def digits(mnist):
    return mnist.binary(2, 3)


@pytest.mark.slow
def test_splits_have_the_assignments_sizes(mnist, digits):
    assert digits.train.X.shape == (4005, 785)
    assert digits.validation.X.shape == (2042, 785)
    images = mnist.softmax()
    assert images.train.Y.shape == (20_000, 10)
    assert images.validation.Y.shape == (10_000, 10)
    assert images.test.X.shape == (40_000, 785)
    assert digits.test.Y.shape == (len(digits.test.X), 1)
    assert digits.train.Y.sum() == (mnist.train_labels[:20_000] == 2).sum()


def test_preprocess_maps_to_minus_one_and_one_and_adds_the_bias():
    X = preprocess(np.array([[0] * 783 + [255]], np.uint8))
    assert X.shape == (1, 785)
    assert X[0, 0] == -1 and X[0, 783] == 1 and X[0, 784] == 1
    everything = np.arange(256, dtype=np.uint8).repeat(4)[: 784 * 1].reshape(1, 784)
    np.testing.assert_array_equal(preprocess(everything)[:, :784], everything / 255 * 2 - 1)


@pytest.mark.parametrize(
    "bad, message",
    [(np.zeros((3, 10), int), "shape"), (np.zeros((3, 784)), "dtype"), (np.full((1, 784), 256), "256")],
)
def test_preprocess_refuses_what_are_no_pixels(bad, message):
    with pytest.raises(ValueError, match=message):
        preprocess(bad)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_any_number_of_images_is_prepared_in_either_precision(dtype):
    for count in (0, 1, 49, 50, 51, 100, 237):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
        X = preprocess(pixels, dtype)
        assert X.dtype == dtype and (X[:, 784] == 1).all()
        np.testing.assert_array_equal(
            X[:, :784], (pixels.reshape(count, 784) / 255 * 2 - 1).astype(dtype), strict=True
        )
    np.testing.assert_array_equal(preprocess(np.full((2, 784), 7), dtype)[:, :784], dtype(7 / 255 * 2 - 1))
    assert one_hot([1, 1], dtype=dtype).dtype == dtype and one_hot([1]).dtype == preprocess(pixels).dtype


@pytest.mark.slow
def test_data_are_made_in_the_precision_that_is_asked_for(mnist):
    for data in (mnist.softmax(np.float32), mnist.binary(2, 3, np.float32)):
        assert {array.dtype for split in (data.train, data.validation, data.test) for array in split} == {
            np.dtype(np.float32)
        }


def test_one_hot_refuses_a_label_out_of_range():
    np.testing.assert_array_equal(one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(one_hot([2, 2], 3), [[0, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(one_hot([0], 1), [[1]])
    with pytest.raises(ValueError, match="expected 0 to 9"):
        one_hot([10])


def test_loader_names_a_missing_a_broken_and_a_changed_file(tmp_path):
    name = next(iter(FILES))
    with pytest.raises(FileNotFoundError, match=r"train-images.*git checkout"):
        load_mnist(tmp_path)
    (tmp_path / f"{name}.gz").write_bytes(b"not gzip")
    with pytest.raises(ValueError, match=r"not a whole gzip file"):
        load_mnist(tmp_path)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"\0" * 20))
    with pytest.raises(ValueError, match=r"has 20 bytes of SHA-256.*ba891046"):
        load_mnist(tmp_path)
    header = np.array([2051, 60_000, 28, 28], ">i4").tobytes()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(header, 1))
    with pytest.raises(ValueError, match=r"16 bytes"):
        load_mnist(tmp_path)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(header + bytes(60_000 * 784), 1))
    with pytest.raises(ValueError, match=r"SHA-256"):
        load_mnist(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_files_have_the_digests_by_which_they_are_known(name):
    file, (_, of_contents, of_file) = (DATA / f"{name}.gz").read_bytes(), FILES[name]
    assert hashlib.sha256(file).hexdigest() == of_file
    assert hashlib.sha256(gzip.decompress(file)).hexdigest() == of_contents


@pytest.mark.slow
def test_files_compressed_otherwise_or_not_at_all_are_read_as_well(mnist, tmp_path):
    for number, name in enumerate(FILES):
        raw = gzip.decompress((DATA / f"{name}.gz").read_bytes())
        if number % 2:  # the labels in two pieces, the images raw
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(raw[:100]) + gzip.compress(raw[100:]))
        else:
            (tmp_path / name).write_bytes(raw)
    other = load_mnist(tmp_path)
    for mine, theirs in zip(mnist.binary(2, 3).train, other.binary(2, 3).train, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(mnist, name), getattr(other, name))
    assert mnist.train_images.shape == (60_000, 28, 28)


def test_of_a_gzipped_and_a_raw_file_the_gzipped_one_is_read(tmp_path):
    name = "t10k-labels-idx1-ubyte"
    right = (DATA / f"{name}.gz").read_bytes()
    (tmp_path / f"{name}.gz").write_bytes(right)
    (tmp_path / name).write_bytes(b"other")
    assert read_idx(tmp_path, name) == right
    (tmp_path / f"{name}.gz").write_bytes(b"other")
    (tmp_path / name).write_bytes(gzip.decompress(right))
    with pytest.raises(ValueError, match=rf"{name}\.gz is not a whole gzip file"):
        read_idx(tmp_path, name)


@pytest.mark.parametrize("size", range(18))
def test_a_raw_file_cut_in_its_header_is_refused(tmp_path, size):
    name = "train-images-idx3-ubyte"
    (tmp_path / name).write_bytes(np.array([2051, 60_000, 28, 28, 0], ">i4").tobytes()[:size])
    with pytest.raises(ValueError, match=f"has {size} bytes of SHA-256"):
        read_idx(tmp_path, name)


def test_logistic_agrees_with_scipy_and_scikit_learn(digits):
    X, Y = (part[:300] for part in digits.validation)
    model = LogisticRegression().copy(np.random.default_rng(1).normal(0, 0.1, (785, 1)))
    np.testing.assert_allclose(model.forward(X), expit(X @ model.w), rtol=1e-12)
    assert model.loss(X, Y) == pytest.approx(log_loss(Y, model.forward(X)), rel=1e-9)
    assert model.accuracy(X, Y) == np.mean((expit(X @ model.w) >= 0.5) == Y)


def test_softmax_agrees_with_scipy_and_scikit_learn(mnist):
    X, Y = preprocess(mnist.test_images[:300]), one_hot(mnist.test_labels[:300])
    model = SoftmaxRegression().copy(np.random.default_rng(1).normal(0, 0.1, (785, 10)))
    np.testing.assert_allclose(model.forward(X), softmax(X @ model.w, axis=1), rtol=1e-12)
    assert model.loss(X, Y) == pytest.approx(-(Y * log_softmax(X @ model.w, axis=1)).sum(axis=1).mean())
    assert SoftmaxRegression().loss(X, Y) == pytest.approx(np.log(10))


@pytest.mark.slow
@pytest.mark.parametrize("lam", [0.0, 0.3])
@pytest.mark.parametrize("kind, K", [(LogisticRegression, 1), (SoftmaxRegression, 10)])
def test_gradient_is_the_derivative_of_the_penalised_cost(mnist, digits, kind, K, lam):
    X = digits.train.X[:100]
    Y = digits.train.Y[:100] if K == 1 else one_hot(mnist.train_labels[:100])
    model = kind(lam).copy(np.random.default_rng(2).normal(0, 0.05, (785, K)))
    errors = gradient_errors(model, X, Y)
    assert errors.central <= 1e-4 and errors.complex_step <= 1e-12


def test_gradient_checks_catch_a_gradient_without_the_penalty(digits):
    X, Y = (part[:100] for part in digits.train)

    class Wrong(LogisticRegression):
        def gradient_at(self, z, X, Y):
            return super().gradient_at(z, X, Y) - 2 * self.lam * self.w

    model = Wrong(0.3).copy(np.random.default_rng(2).normal(0, 0.05, (785, 1)))
    errors = gradient_errors(model, X, Y)
    assert errors.central > 1e-3 and errors.complex_step > 1e-3


@pytest.mark.parametrize("kind, K", [(LogisticRegression, 1), (SoftmaxRegression, 10)])
def test_any_finite_logit_is_safe(kind, K):
    z = np.array([[1e300], [-1e300], [0.0], [800.0]]) * np.linspace(1, -1, K)
    Y = np.eye(10)[:4] if K > 1 else np.array([[0.0], [1], [1], [0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(kind.activation(z)).all()
        assert np.isfinite(kind.cross_entropy(z, Y)).all()


def test_a_hand_worked_update():
    # one pixel is white in each of two images; at zero weights every output is 1/2, so the gradient is
    # -(1/2)(x1 (1 - 1/2) + x2 (0 - 1/2)) = -(x1 - x2) / 4
    X = np.full((2, 785), -1.0)
    X[:, 784], X[0, 0], X[1, 1] = 1, 1, 1
    data = Split(X, np.array([[1.0], [0.0]]))
    run = train(
        LogisticRegression(),
        Dataset(data, data, lambda: data),
        learning_rate=0.4,
        epochs=1,
        batch_size=2,
        shuffle=False,
        progress=False,
    )
    expected = np.zeros((785, 1))
    expected[0], expected[1] = 0.2, -0.2
    np.testing.assert_allclose(run.last.w, expected, atol=1e-16)
    assert run.history.train_loss[0] == pytest.approx(np.log(2))
    assert run.steps == 1 and run.epoch == 1


def stops_at(losses, patience=10):
    rule = EarlyStopping(patience)
    best = None
    for check, loss in enumerate(losses):
        rule.update(loss)
        if rule.improved:
            best = check
        if rule.stopped:
            return check, best
    return None, best


def test_early_stopping_on_hand_made_histories():
    assert stops_at([1.0] + [2.0] * 9) == (None, 0)
    assert stops_at([1.0] + [2.0] * 10) == (10, 0)
    assert stops_at([1.0] + [2.0] * 9 + [1.0] + [2.0] * 9) == (None, 10)  # a tie improves
    assert stops_at([1.0] + [float("nan")] * 10) == (10, 0)  # NaN never does
    assert stops_at([3.0, 2.0, 1.0, 4.0, 0.5], patience=1) == (3, 2)


@pytest.mark.slow
def test_the_printed_numbers_of_task_2d(digits):
    run = train(
        LogisticRegression(),
        digits,
        learning_rate=0.05,
        epochs=500,
        batch_size=128,
        shuffle=False,
        patience=10,
        progress=False,
    )
    assert (run.steps, run.epoch, run.stopped_early, run.best_step) == (1039, 34, True, 978)
    assert cost_as_written(run.last, digits.train) == pytest.approx(0.07088705555893647, rel=1e-8)
    assert cost_as_written(run.last, digits.validation) == pytest.approx(0.06577187753329566, rel=1e-8)
    assert run.last.loss(*digits.validation) == pytest.approx(0.06577187753329566, rel=1e-8)
    assert run.last.accuracy(*digits.train) == 0.9757802746566792
    assert run.last.accuracy(*digits.validation) == 0.9794319294809011
    assert run.best.loss(*digits.validation) == pytest.approx(run.history.validation_loss.min(), rel=1e-10)
    assert run.best.loss(*digits.validation) == pytest.approx(0.065690, abs=1e-6)
    assert len(run.history.train_loss) == run.steps


def test_lazy_evaluation_gives_every_checks_numbers(digits):
    settings: dict[str, Any] = dict(learning_rate=0.05, batch_size=128, shuffle=True, seed=3, progress=False)
    run = train(LogisticRegression(), digits, epochs=2, **settings)
    np.testing.assert_array_equal(run.history.step, np.arange(0, 62, 6))
    one = train(LogisticRegression(), digits, epochs=1, patience=None, **settings)
    np.testing.assert_allclose(one.history.validation_loss, run.history.validation_loss[:6], rtol=1e-12)
    assert run.best.accuracy(*digits.validation) in run.history.validation_accuracy


@pytest.mark.slow
def test_training_finds_scikit_learns_optimum(digits):
    small = Dataset(
        Split(*(a[:400] for a in digits.train)),
        Split(*(a[:200] for a in digits.validation)),
        lambda: digits.test,
    )
    lam = 1.0
    run = train(
        LogisticRegression(lam),
        small,
        learning_rate=0.01,
        epochs=1000,
        batch_size=400,
        shuffle=False,
        progress=False,
    )
    X, Y = small.train
    theirs = SklearnLogistic(C=1 / (2 * lam * len(X)), fit_intercept=False, tol=1e-10, max_iter=5000).fit(
        X, Y[:, 0]
    )
    np.testing.assert_allclose(run.last.w[:, 0], theirs.coef_[0], atol=1e-6)
    assert run.last.objective(X, Y) == pytest.approx(
        LogisticRegression(lam).copy(theirs.coef_.T).objective(X, Y)
    )


@pytest.mark.parametrize(
    "setting, message",
    [
        (dict(learning_rate=0), "learning_rate is 0"),
        (dict(epochs=0), "epochs is 0"),
        (dict(batch_size=5000), "1 to 4,005, the number of training images"),
        (dict(patience=0), "patience is 0"),
        (dict(train_accuracy_every=0), "train_accuracy_every is 0; expected a whole number, 1 or more"),
        (dict(seed=None), "seed is None"),
        (dict(seed=1.5), "seed is 1.5"),
        (dict(epochs=True), "epochs is True"),
        (dict(learning_rate="0.1"), "learning_rate is '0.1'"),
        (dict(shuffle=1), "shuffle is 1; expected True, False or 'once'"),
        (dict(train_accuracy_every=1.5), "train_accuracy_every is 1.5"),
        (dict(method="quick"), "method is 'quick'; expected 'fast' or 'plain'"),
    ],
)
def test_bad_settings_are_named(digits, setting, message):
    settings = dict(learning_rate=0.05, epochs=1, batch_size=128, shuffle=True, seed=0) | setting
    with pytest.raises(ValueError, match=message):
        train(LogisticRegression(), digits, **settings)


def test_a_diverged_run_is_reported_as_such(digits):
    data = Dataset(Split(digits.train.X * 1e308, digits.train.Y), digits.validation, lambda: digits.test)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="diverged"):
        train(LogisticRegression(), data, learning_rate=0.05, epochs=1, shuffle=False, progress=False)


def test_a_kind_of_model_that_lacks_a_function_cannot_be_made_and_says_which(mnist):
    class Half(Regression):
        K = 10
        activation = staticmethod(SoftmaxRegression.activation)
        cross_entropy = staticmethod(SoftmaxRegression.cross_entropy)

    kind: Any = Half
    with pytest.raises(TypeError, match=r"Half with.* abstract method '?correct"):
        kind()
    few = Split(preprocess(mnist.test_images[:60]), one_hot(mnist.test_labels[:60]))
    data, settings = (
        Dataset(few, few, lambda: few),
        dict[str, Any](learning_rate=0.05, epochs=1, batch_size=20),
    )
    with pytest.raises(ValueError, match=r"TypeError: Can't .* Half with.* abstract method '?correct"):
        sweep(kind, data, workers=1, **settings)

    class Whole(Half):
        correct = staticmethod(SoftmaxRegression.correct)

    found, expected = (train(kind(0.1), data, **settings) for kind in (Whole, SoftmaxRegression))
    np.testing.assert_array_equal(found.last.w, expected.last.w)
