"""The page's trainer against the plain algorithm in float64, on the same images at 4 bits a pixel."""

import zlib
from base64 import b64decode, b64encode

import numpy as np
import pytest

import browser
from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, training
from assignment1.mnist import Dataset, Split, one_hot, preprocess
from assignment1.run import Settings
from explore import page

pytestmark = pytest.mark.slow

RUN = """(module, { packed, pair, labels, task, settings, epochs, turn, measured }) => {
    const images = module.unpack(decoded(packed));
    const learner = new module.Learner(module.tasks(images, { pair, labels })[task], settings);
    const found = { train: [], trained: [], validation: [], validated: [], orders: [] };
    for (let step = 0; step < epochs * learner.perEpoch; step++) {
        if (turn && step === turn.step) {
            const outputs = () => [...learner.measure(learner.validation).slice(0, 2), ...learner.weights()];
            found.before = outputs();
            if ("centred" in turn) learner.centre(turn.centred);
            Object.assign(learner.settings, turn);
            found.after = outputs();
        }
        const [loss, right] = learner.step();
        if (step % learner.perEpoch === 0) found.orders.push(Array.from(learner.order));
        found.train.push(loss);
        found.trained.push(right);
        if (!measured) continue;
        const [cost, accuracy, costliest] = learner.measure(learner.validation);
        found.validation.push(cost);
        found.validated.push(accuracy);
        found.costliest = costliest;
    }
    const rows = learner.train.rows;
    const shown = [0, 1, rows.length - 1].map((i) => Array.from(module.pixelsOf(images, rows[i])));
    return { ...found, w: Array.from(learner.weights()), own: Array.from(learner.w), shown };
}"""


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def packed(mnist):
    return page.training(mnist)


@pytest.fixture
def trained(packed, tmp_path, monkeypatch):
    """Return `trained(task, epochs, turn, **settings)`: what the page's own script makes of the images.

    The validation images are measured after each step if they are asked for: it takes the most time.
    """
    source = tmp_path / "modules.js"
    source.write_text(page.modules(), encoding="utf-8")
    monkeypatch.setattr(browser, "PAD", source)

    def run(task, epochs, turn=None, measured=True, **settings):
        images = zlib.decompress(b64decode(packed["images"]))
        given = packed | {"packed": b64encode(images).decode(), "images": None}
        given |= {"task": task, "settings": settings, "epochs": epochs, "turn": turn}
        given["measured"] = measured
        return browser.javascript(RUN, given, tmp_path)

    return run


def rounded(images):
    """Return images at 16 shades of grey, 0 to 255."""
    return np.rint(images / 17).astype(np.uint8) * 17


def data(mnist, task, centred=False):
    """Return a task's images as the page has them, in float64; if asked, less the training images' mean."""
    splits = []
    for images, labels, first in (
        (mnist.train_images[:20_000], mnist.train_labels[:20_000], 3000),
        (mnist.test_images, mnist.test_labels, 1000),
    ):
        if task == "ten":
            splits.append(Split(preprocess(rounded(images[:first])), one_hot(labels[:first])))
        else:
            kept = np.isin(labels, (2, 3))
            splits.append(Split(preprocess(rounded(images[kept])), (labels[kept, None] == 2).astype(float)))
    if centred:
        mean = splits[0].X.mean(axis=0)
        mean[784] = 0
        splits = [Split(X - mean, Y) for X, Y in splits]
    train, validation = splits
    return Dataset(train, validation, lambda: validation)


def close(found, expected):
    return np.abs(np.ravel(found) - np.ravel(expected)).max() <= 1e-9 * np.abs(expected).max()


CASES = [
    ("two", dict(rate=0.05)),
    ("two", dict(rate=0.3, **{"lambda": 0.01}, centred=True)),
    ("two", dict(rate=0.05, shuffle=True, seed=3)),
    ("ten", dict(rate=0.01)),
    ("ten", dict(rate=0.02, **{"lambda": 0.1}, shuffle=True)),
    ("ten", dict(rate=0.01, centred=True, batch=100)),
]


@pytest.mark.parametrize(("task", "settings"), CASES, ids=str)
def test_the_page_trains_as_the_plain_algorithm_does(task, settings, mnist, trained, monkeypatch):
    found = trained(task, 2, **settings)
    model = LogisticRegression if task == "two" else SoftmaxRegression
    images = data(mnist, task, settings.get("centred", False))
    if settings.get("shuffle"):
        orders = [np.array(order) for order in found["orders"]]
        monkeypatch.setattr(training, "orders", lambda *_: iter(orders))
    batch = settings.get("batch", 128)
    asked = Settings(
        settings["rate"], 2, batch, False, checks_per_epoch=len(images.train.X) // batch
    )  # a check after each step
    run = training.gradient_descent(model(settings.get("lambda", 0)), images, asked)
    assert close(found["train"], run.history.train_loss)
    assert close(found["validation"], run.history.validation_loss)
    assert found["validated"] == pytest.approx(run.history.validation_accuracy, abs=1e-12)
    assert close(found["own"], run.last.w)
    z = images.validation.X @ run.last.w
    assert found["costliest"] == run.last.cross_entropy(z, images.validation.Y).argmax()
    plain = data(mnist, task)  # the weights for the pad's pixels, -1 to 1, whatever was subtracted
    w = np.reshape(found["w"], run.last.w.shape)
    assert close(plain.validation.X @ w, z)
    pixels = (plain.train.X[[0, 1, -1], :784] + 1) / 2 * 255
    assert np.array_equal(found["shown"], np.rint(pixels))


def test_each_epoch_has_an_order_of_its_own_only_while_it_is_shuffled(trained):
    found = trained("two", 4, {"step": 62, "shuffle": False}, measured=False, rate=0.05, shuffle=True)
    first, second, third, fourth = found["orders"]
    whole = list(range(4005))
    assert sorted(first) == sorted(second) == whole and first != second != whole != first
    assert third == fourth == whole
    moved = np.abs(np.array(first) - np.arange(4005)).mean()
    assert moved == pytest.approx(4005 / 3, rel=0.03)  # as of an order by chance


def test_subtracting_the_mean_on_the_way_changes_no_output(trained):
    for centred in (True, False):
        turn = {"step": 40, "centred": centred}
        found = trained("two", 2, turn, measured=False, rate=0.05, centred=not centred)
        assert close(found["before"], found["after"])


def height(validation):
    """Return how far an epoch's highest validation loss lies above its median, the mean of epochs 8 to 10."""
    epochs = np.reshape(validation, (-1, 31))[7:10]
    return (epochs.max(axis=1) - np.median(epochs, axis=1)).mean()


def test_the_spikes_of_task_2e_are_there_in_file_order_and_the_switches_take_them_away(trained):
    found = trained("two", 10, rate=0.05)
    assert height(found["validation"]) == pytest.approx(0.0869, abs=1e-4)  # of all 256 shades 0.0872
    assert found["validation"][-1] == pytest.approx(0.07406, abs=1e-5)
    for switch, most in (({"shuffle": True}, 0.03), ({"centred": True}, 0.002)):
        assert height(trained("two", 10, rate=0.05, **switch)["validation"]) < most


SPANS = [  # an axis from, to, with at most so many steps, the finest step; its marks
    (0.775, 1, 3, 0.01, [0.7, 0.8, 0.9, 1]),
    (0.5, 1, 3, 0.01, [0.4, 0.6, 0.8, 1]),
    (0.945, 1, 3, 0.01, [0.94, 0.96, 0.98, 1]),
    (0.981, 1, 3, 0.01, [0.98, 0.99, 1]),
    (0.998, 1, 3, 0.01, [0.99, 1]),
    (0, 0.728, 5, 0, [0, 0.2, 0.4, 0.6, 0.8]),
    (0, 0.12, 5, 0, [0, 0.05, 0.1, 0.15]),
    (0, 0.1, 5, 0, [0, 0.02, 0.04, 0.06, 0.08, 0.1]),
    (0, 2.42, 5, 0, [0, 0.5, 1, 1.5, 2, 2.5]),
    (0, 731, 5, 0, [0, 200, 400, 600, 800]),
    (0, 1.05e6, 5, 0, [0, 500000, 1000000, 1500000]),
]


def test_the_marks_of_the_trainers_axes_are_numbers_that_people_use(tmp_path, monkeypatch):
    source = tmp_path / "modules.js"
    source.write_text(page.modules(), encoding="utf-8")
    monkeypatch.setattr(browser, "PAD", source)
    marks = "(module, all) => all.map((span) => module.ticks(...span.slice(0, 4)))"
    found = browser.javascript(marks, SPANS, tmp_path)
    assert found == [wanted for *_, wanted in SPANS]
