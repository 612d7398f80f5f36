"""The derivations, the errata and the errors: each check passes on the truth and fails on a slip."""

import re

import nbformat
import numpy as np
import pytest
from assignment1 import SoftmaxRegression, load_mnist
from assignment1.evidence import errata, errors, formulas
from assignment1.evidence.derivations import REPORT, TASKS, check, relations, section, steps
from assignment1.mnist import Dataset, Split, one_hot, preprocess
from scipy import ndimage
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix


def holds(task, latex):
    """Does each relation in one piece of LaTeX hold? What cannot be read does not."""
    try:
        verdicts = [check(task, *parts).holds for parts in relations(f"${latex}$")]
    except ValueError:
        return False
    return bool(verdicts) and all(verdicts)


def slips(latex):
    """The LaTeX with one sign, hat, factor or index changed: each is wrong."""
    for found in re.finditer(r"[+-]", latex):
        yield latex[: found.start()] + "+-"[found[0] == "+"] + latex[found.end() :]
    for found in re.finditer(r"\\hat\{([yY])\}", latex):
        yield latex[: found.start()] + found[1] + latex[found.end() :]
    for found in re.finditer(r"2 |\^2|\\lambda |\\alpha |\\frac\{1\}\{N\} |\^\\top", latex):
        yield latex[: found.start()] + latex[found.end() :]


def test_every_relation_of_the_derivations_holds():
    found = steps()
    assert all(step.holds for step in found), [step for step in found if not step.holds]
    assert {step.task for step in found} == set(TASKS) and len(found) > 35
    ends = {"1a": r"= -(y^n - \hat{y}^n) x_i^n", "1b": r"= -x_j^n (y_k^n - \hat{y}_k^n)"}
    for task, end in ends.items():
        assert any(step.task == task and step.latex.endswith(end) for step in found)


@pytest.mark.parametrize("task", TASKS)
def test_every_slip_in_the_notebooks_equations_is_found(task):
    tried = 0
    for left, sign, right in relations(section(REPORT, task)):
        for slip in slips(f"{left} {sign} {right}"):
            assert not holds(task, slip), slip
            tried += 1
    assert tried > 15


def test_a_sign_changed_in_the_notebook_is_found(tmp_path):
    notebook = nbformat.read(REPORT, as_version=4)
    cell = next(cell for cell in notebook.cells if "### Task 1b" in cell.source)
    cell.source = cell.source.replace(r"= -x_j^n (y_k^n", "= x_j^n (y_k^n")
    nbformat.write(notebook, tmp_path / "report.ipynb")
    assert [step.task for step in steps(tmp_path / "report.ipynb") if not step.holds] == ["1b"]


def test_targets_that_add_up_to_one_are_needed(monkeypatch):
    monkeypatch.setattr(formulas.Quantities, "y", lambda self, n, k: formulas.sp.Symbol(f"y{n}{k}"))
    assert not holds("1b", r"\sum_k y_k^n = 1")
    assert not holds("1b", r"\frac{\partial C^n}{\partial z_k^n} = -(y_k^n - \hat{y}_k^n)")


def test_cases_are_read():
    cases = r"\begin{cases} 1 & \text{if } k' = k \\ 0 & \text{if } k' \ne k \end{cases}"
    assert holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases)
    assert not holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases.replace("1 &", "2 &"))
    assert not holds("1b", r"\frac{\partial z_{k'}^n}{\partial z_k^n} = " + cases.replace("0 &", "1 &"))
    cases = r"\begin{cases} 2 w_{kj} & k' = k \text{ and } i = j \\ 0 & \text{otherwise} \end{cases}"
    assert holds("4a", r"\frac{\partial w_{k'i}^2}{\partial w_{kj}} = " + cases)
    assert not holds(
        "4a", r"\frac{\partial w_{k'i}^2}{\partial w_{kj}} = " + cases.replace("i = j", "k' = k")
    )


def test_aligned_and_boxed_lines_are_read():
    assert holds("4a", r"\begin{aligned} J &= C + \lambda R \\ &= R \lambda + C. \end{aligned}")
    assert not holds("4a", r"\begin{aligned} J &= C + \lambda R \\ &= R \lambda - C. \end{aligned}")
    assert not holds("4a", r"\boxed{J = C + R \tag{3}}.")


@pytest.mark.parametrize(
    "latex, message",
    [
        (r"\frac{\partial C}{\partial w_{jk}} = 0", "indices"),
        (r"y^n = 1", "indices"),
        (r"\frac{\partial J}{\partial w} = 2 \lambda w_{kj}", "matrix"),
        (r"\sum_{k=1}^N y_k^n = 1", "does not run from 1 to K"),
        (r"\sin 1 = 0", "not known"),
        (r"z_k^n \approx 1", "cannot be checked"),
    ],
)
def test_what_cannot_be_read_is_an_error(latex, message):
    with pytest.raises(ValueError, match=message):
        [check("4a", *parts) for parts in relations(f"${latex}$")]


def test_the_sources_algebra_fails_and_the_reports_passes():
    rows = errata.slips()
    assert [row[0] for row in rows] == [4, 4, 5, 5, 17, 17, 19, 19]
    assert [row[3] for row in rows[::2]] == ["false", "false", "void", "false"]
    assert [row[3] for row in rows[1::2]] == ["true"] * 4


def test_all_rows_of_the_errata_are_answered_in_a_section_that_exists():
    rows = errata.errata()
    text = "\n".join(cell.source for cell in nbformat.read(REPORT, as_version=4).cells)
    headings = {found.lower().replace(" ", "-") for found in re.findall("^#+ (.+)$", text, re.MULTILINE)}
    assert [row[0] for row in rows] == list(range(1, 32))
    for _, wrong, here in rows:
        links = set(re.findall(r"\(#(.+?)\)", here))
        assert wrong and links and links <= headings, here
        assert re.search(r" \([ACFT]\)$", here) or "4a" in here  # the checks; two rows are text alone
        assert not re.search(r"\d\.\d|\d{2}", wrong + here)  # no typed results


@pytest.fixture(scope="module")
def case():
    """A rough model, the class means' templates, on 2,000 validation images, and its logits."""
    mnist = load_mnist()
    images, labels = mnist.test_images[:2000], mnist.test_labels[:2000]
    split = Split(preprocess(images), one_hot(labels))
    mean = split.X.T @ split.Y / split.Y.sum(axis=0)
    model = SoftmaxRegression().copy(0.03 * (mean - mean.mean(axis=1, keepdims=True)))
    return model, images, labels, split, split.X @ model.w


def test_confusion_and_costliest_images(case):
    model, _, labels, split, z = case
    seen = errors.readings(model, split)
    np.testing.assert_array_equal(errors.confusion(seen), confusion_matrix(labels, z.argmax(axis=1)))
    loss = -log_softmax(z, axis=1)[np.arange(len(z)), labels]
    worst = errors.costliest(seen, 5)
    np.testing.assert_allclose(loss[worst], sorted(loss)[:-6:-1])
    counts = np.array([[9, 1, 4], [3, 9, 0], [1, 5, 9]])
    assert errors.confused_pairs(counts, 2) == [(0, 2, 5), (1, 2, 5)]
    assert errors.confused_pairs(counts, 3)[2] == (0, 1, 4)


@pytest.mark.parametrize("hits, n", [(0, 10), (7, 10), (10, 10), (9153, 10_000)])
def test_wilson_intervals(hits, n):
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(errors.wilson(hits, n), expected, atol=1e-7)


def test_calibration(case):
    model, _, labels, split, z = case
    groups = errors.reliability(errors.readings(model, split))
    confidence, right = softmax(z, axis=1).max(axis=1), z.argmax(axis=1) == labels
    share, mean = calibration_curve(right, confidence, n_bins=10)
    np.testing.assert_allclose(groups.hits / groups.n, share)
    np.testing.assert_allclose(groups.confidence, mean)
    assert groups.n.sum() == 2000
    by_hand = sum(
        abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
        for low in np.arange(10) / 10
        if (inside := (confidence >= low) & (confidence < low + 0.1)).any()
    )
    assert errors.calibration_error(groups) == pytest.approx(by_hand)
    scale = errors.best_scale(model, split)
    loss = [-(split.Y * log_softmax(k * z, axis=1)).sum() for k in (scale - 0.01, scale, scale + 0.01)]
    assert 0.5 < scale < 1.99 and loss[1] < min(loss[0], loss[2])


def test_moved_and_negative_images(case):
    model, images, labels, split, _ = case
    moves = [(0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    moved = [ndimage.shift(images, move, order=0, mode="grid-wrap") for move in moves]
    expected = np.mean([(preprocess(m) @ model.w).argmax(axis=1) == labels for m in moved])
    assert errors.shifted_accuracy(model, split, 1) == pytest.approx(expected)
    assert errors.shifted_accuracy(model, split, 0) == pytest.approx(model.accuracy(*split))
    flipped = split.X * np.where(np.arange(785) < 784, -1, 1)
    assert errors.negative_accuracy(model, images, split.Y) == model.accuracy(flipped, split.Y)
    assert errors.permuted_gradient_error(model, split) < 1e-14

    class Local(SoftmaxRegression):
        def gradient(self, X, Y):
            return np.roll(super().gradient(X, Y), 1, axis=0)

    assert errors.permuted_gradient_error(Local().copy(model.w), split) > 1e-6


def test_share_of_the_wrong_classes(case):
    model, _, labels, split, z = case
    np.testing.assert_allclose(errors.wrong_class_share(SoftmaxRegression(), split), 0.1)
    Y_hat, n = softmax(z, axis=1), 3
    wrong = [Y_hat[n, k] for k in range(10) if k != labels[n]]
    right = 1 - Y_hat[n, labels[n]]
    expected = np.square(wrong).sum() / (np.square(wrong).sum() + right**2)
    shares = errors.wrong_class_share(model, split)
    assert shares[n] == pytest.approx(expected)
    assert 0.1 <= shares.min() < shares.max() <= 0.5


def test_scores_on_untouched_images(case):
    model, _, labels, split, z = case
    right = z.argmax(axis=1) == labels
    data = Dataset(split, Split(*(a[:500] for a in split)), lambda: Split(*(a[500:] for a in split)))
    found = errors.scores({"templates": (model, data)})["templates"]
    assert (found.validation, found.untouched) == (right[:500].mean(), right[500:].mean())
    interval = binomtest(int(right[500:].sum()), 1500).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose((found.low, found.high), interval, atol=1e-7)
    assert found.gap == pytest.approx(right[:500].mean() - right[500:].mean())
    assert found.error**2 == pytest.approx(right[:500].var() / 500 + right[500:].var() / 1500)
    (row,) = errors.score_rows({"templates": found})
    assert row[:2] == ("templates", f"{right[:500].mean():.4f}") and "±" in row[4]


def test_roles_exchanged(case):
    _, _, _, split, _ = case
    data = Dataset(split, Split(*(a[:500] for a in split)), lambda: Split(*(a[500:] for a in split)))
    halved = Split(*(a.astype(np.float32) for a in data.test))
    other = errors.other_validation(data, halved, 100)
    np.testing.assert_array_equal(other.validation.X, split.X[500:600].astype(np.float32))
    assert other.validation.X.dtype == other.validation.Y.dtype == np.float64
    assert other.train is data.train and other.test is data.validation
