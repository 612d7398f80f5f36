"""Results are found again if nothing has changed, and are computed anew if anything has."""

import json
import os
import subprocess
import sys
import traceback
from dataclasses import replace
from functools import partial
from io import BytesIO
from threading import Event
from typing import Any

import numpy as np
import pytest

import study
from assignment1 import LogisticRegression, Runs, SoftmaxRegression, load_mnist, training
from assignment1.mnist import Dataset, Split
from assignment1.run import Settings
from conftest import ROOT
from study import cache as kept
from study import task2e_spikes
from study.statistics import Estimate, interval

pytestmark = pytest.mark.slow


def files():
    return sorted(kept.FOLDER.iterdir()) if kept.FOLDER.is_dir() else []


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Return the calls that `run` really made: `calls.run(...)` is kept."""
    monkeypatch.setenv("ASSIGNMENT1_KEEP", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")

    class Calls:
        made = 0
        run: Any

    def counted(model, data, *, learning_rate, epochs=1, seed=0, interrupt=False, progress=False):
        Calls.made += 1
        stop = Event()
        if interrupt:
            stop.set()
        settings = Settings(learning_rate, epochs, seed=seed)
        return training.gradient_descent(model, data, settings, stop=stop)

    Calls.run = staticmethod(kept.kept(counted))
    return Calls


@pytest.fixture(scope="module")
def digits():
    """Return a few images: what is kept, and under which name, does not depend on how many."""
    whole = load_mnist().binary(2, 3)
    parts = [Split(*(a[:300] for a in part)) for part in (whole.train, whole.validation)]
    return Dataset(parts[0], parts[1], whole.make_test)


def test_a_run_is_found_again_with_the_same_numbers(calls, digits):
    one, two = (calls.run(LogisticRegression(), digits, learning_rate=0.05) for _ in range(2))
    assert calls.made == 1 and (one.last.w == two.last.w).all() and one.settings == two.settings
    assert (one.history.validation_loss == two.history.validation_loss).all()
    assert repr(one) == repr(two) and type(one.last) is type(two.last)
    calls.run(LogisticRegression(), digits, progress=True, learning_rate=0.05)
    assert calls.made == 1  # a bar is shown, the arguments stand in another order


def test_a_changed_argument_misses(calls, digits):
    base = {"learning_rate": 0.05}
    start = LogisticRegression()
    X = digits.train.X.copy()
    X[0, 0] += 1e-9
    touched = Dataset(Split(X, digits.train.Y), digits.validation, digits.make_test)
    variants = [
        (start, digits, base),
        (start, digits, base | {"learning_rate": 0.06}),
        (start, digits, base | {"seed": 1}),
        (LogisticRegression(0.1), digits, base),
        (start.copy(start.w + 1e-9), digits, base),
        (start, touched, base),
        (start, replace(digits, validation=digits.train), base),
        (start, digits, {"epochs": 1, "seed": 0, "learning_rate": 0.05}),
        (start, digits, {"seed": 0, "epochs": 1, "learning_rate": 0.05}),  # a sweep's keys are in this order
    ]
    for made, (model, data, settings) in enumerate(variants, 1):
        calls.run(model, data, **settings)
        assert calls.made == made
    before = X[0, 0]
    X[0, 0] = before + 1  # in place
    calls.run(start, touched, **base)
    assert calls.made == len(variants) + 1


def test_what_is_interrupted_or_fails_is_not_kept(calls, digits):
    for made in (1, 2):
        assert calls.run(LogisticRegression(), digits, learning_rate=0.05, interrupt=True).interrupted
        assert calls.made == made
    for made in (3, 4):
        with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
            calls.run(LogisticRegression(10.0), digits, learning_rate=1000.0, epochs=50)
        assert calls.made == made


def test_an_interrupted_run_is_not_kept_wherever_it_stands_in_a_result(calls, digits):
    run = calls.run(LogisticRegression(), digits, learning_rate=0.05)
    before = files()
    for result in (replace(run, interrupted=True), {"a": [replace(run, interrupted=True)]}):
        kept.kept(lambda name, result=result: result)("a")
    assert files() == before
    failed = Runs({1: run, 2: ValueError("diverged")})
    assert kept.kept(lambda name: failed)("a") is failed and files() == before


def test_a_file_that_is_not_as_it_was_written_is_not_used(calls, digits, tried):
    """Nor is another result's file, or what is in a file's place; nothing half-written is left."""
    run = partial(calls.run, LogisticRegression(), digits, learning_rate=0.05)
    right = run()
    (path,) = files()
    whole = path.read_bytes()
    run(seed=1)
    (other,) = set(files()) - {path}
    flipped = [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), len(whole) // 19)
    ]
    cut = [whole[:size] for size in (0, 1, 31, 32, 33, len(whole) - 1)]
    for made, damaged in enumerate([*flipped, *cut, whole + b"0", other.read_bytes()], 3):
        path.write_bytes(damaged)
        assert (run().last.w == right.last.w).all() and calls.made == made
        assert (run().last.w == right.last.w).all() and calls.made == made  # it is whole again
        assert files() == sorted([path, other])
    tried(
        "A kept result of another byte, cut short or with a byte more",
        len(flipped + cut) + 1,
        "computed anew",
    )


@pytest.mark.parametrize("place", ["folder", "pipe", "link"])
def test_what_stands_in_the_place_of_a_file_stays(calls, digits, tmp_path, place):
    run = partial(calls.run, LogisticRegression(), digits, learning_rate=0.05)
    run()
    (path,) = files()
    target = tmp_path / "target"
    path.rename(target)
    whole = target.read_bytes()
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(target)}[place]()
    kind = path.lstat().st_mode
    for made in (2, 3) if place != "pipe" else (2,):
        assert run().epoch == 1 and calls.made == made
    assert target.read_bytes() == whole and files() == [path]
    assert place == "pipe" or path.lstat().st_mode == kind


def test_a_link_or_a_file_in_the_place_of_the_folder_stays(calls, digits, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    kept.FOLDER.symlink_to(target)
    assert calls.run(LogisticRegression(), digits, learning_rate=0.05).epoch == 1
    assert not list(target.iterdir()) and kept.FOLDER.is_symlink()
    kept.FOLDER.unlink()
    kept.FOLDER.write_text("mine")
    assert calls.run(LogisticRegression(), digits, learning_rate=0.05).epoch == 1
    assert kept.FOLDER.read_text() == "mine"


def test_a_result_that_has_no_contents_is_given(calls, digits):
    assert kept.kept(lambda n: lambda x: n + x)(3)(1) == 4
    assert kept.kept(lambda n: {n})(3) == {3}
    assert kept.kept(lambda n: np.array([None, n]))(3)[1] == 3
    for _ in range(2):  # a data set without its test set is none
        assert isinstance(kept.kept(lambda n: [digits])(3)[0], Dataset)
    assert not files()


@pytest.mark.parametrize("step", ["mkdir", "write_bytes", "replace", "iterdir", "glob"])
def test_a_disk_that_is_full_costs_no_result(calls, digits, monkeypatch, step):
    def full(*arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.Path, step, full)
    assert calls.run(LogisticRegression(), digits, learning_rate=0.05).epoch == 1
    monkeypatch.undo()


def test_a_half_written_file_is_removed(calls, digits, monkeypatch):
    def half(path, content):
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.Path, "write_bytes", half)
    for made in (1, 2):
        assert calls.run(LogisticRegression(), digits, learning_rate=0.05).epoch == 1
        assert calls.made == made and not files()


def test_a_forged_file_runs_no_code(calls, tmp_path):
    content = BytesIO()
    tree = {"os:system": [[f"touch {tmp_path}/run"], []]}
    np.savez(content, json.dumps(tree))
    path = tmp_path / "forged"
    path.write_bytes(kept.digest(path, content.getvalue()) + content.getvalue())
    with pytest.raises(TypeError, match="os:system"):
        kept.read(path)
    assert not (tmp_path / "run").exists()


def test_a_model_whose_class_is_of_no_package_file_is_not_kept(calls, digits):
    """A class of a notebook is edited and has the same name again."""

    class Mine(LogisticRegression):
        pass

    for made in (1, 2):
        calls.run(Mine(), digits, learning_rate=0.05)
        assert calls.made == made


def test_off_unless_asked_for_and_off_in_ci(calls, digits, monkeypatch):
    calls.run(LogisticRegression(), digits, learning_rate=0.05)
    for name, value in (("CI", "true"), ("ASSIGNMENT1_KEEP", "0")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            before = calls.made
            calls.run(LogisticRegression(), digits, learning_rate=0.05)
            assert calls.made == before + 1


def swapped(old):
    def new(X):
        return old(X) + 1

    return new


def test_a_changed_function_class_or_constant_of_our_packages_misses(calls, digits, monkeypatch):
    run = partial(calls.run, LogisticRegression(), digits, learning_rate=0.05)
    run()
    changes: list[tuple[Any, str, Any]] = [
        (task2e_spikes, "slant", lambda X: X),
        (task2e_spikes, "slant", swapped(task2e_spikes.slant)),
        (task2e_spikes, "slant", swapped(task2e_spikes.run_lengths)),
        (task2e_spikes, "TEN", 11),
        (LogisticRegression, "correct", staticmethod(lambda z, Y: z > 0)),
        (task2e_spikes.Course, "rise", property(lambda self: self.loss)),
        (kept, "COMPUTING", ("numpy",)),
    ]
    for made, change in enumerate(changes, 2):
        with monkeypatch.context() as patch:
            patch.setattr(*change)
            run()
            assert calls.made == made
            run()
            assert calls.made == made
    run()
    assert calls.made == made


def function(source):
    names: dict[str, Any] = {}
    exec(source, names)
    return names["f"]


def test_the_code_of_a_function_is_what_it_does_and_not_where_it_stands():
    base = "def f(x, y=1):\n    return [x + y + c for c in x if c in {'a', 'b'}]"
    assert kept.code(function(base)) == kept.code(function(f"\n\n# moved\n{base}"))
    edits = [
        ("+ c", "- c"),
        ("=1", "=2"),
        ("'a'", "'c'"),
        ("x + y", "x.y"),
        ("+ y", "+ z"),
        ("    ", "    'd'; "),
    ]
    sources = [base, *(base.replace(*edit) for edit in edits)]
    assert len({repr(kept.code(function(source))) for source in sources}) == len(sources)


@pytest.mark.parametrize("signature", ["a, *b", "a, /, b", "a, *, b", "b, a"])
def test_the_code_of_a_function_has_its_signature(signature):
    other = "a - b" if signature != "b, a" else "b - a"  # the same instructions
    base = function("def f(a, b): return a - b")
    assert kept.code(function(f"def f({signature}): return {other}")) != kept.code(base)


def test_the_code_of_an_array_is_every_element():
    array = np.zeros(2000)
    before = repr(kept.code(array))
    for other in (array.astype(np.float32), array[1:], array.reshape(2, -1)):
        assert repr(kept.code(other)) != before
    array[1000] = 1e-12
    assert repr(kept.code(array)) != before


def test_a_wrong_argument_gives_the_functions_own_error(calls, digits):
    with pytest.raises(TypeError, match="unexpected keyword argument 'rate'") as error:
        study.train(LogisticRegression(), digits, rate=0.05)  # type: ignore[call-arg]
    assert len(traceback.extract_tb(error.tb)) == 2 and error.value.__context__ is None


def test_make_report_computes_everything_and_make_pdf_does_not():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "ASSIGNMENT1_KEEP=$(1)" in makefile
    assert "report explore: $(READY)\n\t@$(call BUILD,0) $@" in makefile
    assert "pdf html verify: $(READY)\n\t@$(call BUILD,1) $@" in makefile


def test_another_process_finds_what_is_kept(tmp_path):
    script = f"""
import pathlib
from study import cache as kept
kept.FOLDER = pathlib.Path({str(tmp_path)!r})
def slow(x):
    print("computed")
    return x + 1
slow.__module__ = "tests"
print(kept.kept(slow)(1))
"""
    said = []
    for seed in ("1", "2"):
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        environment |= {"ASSIGNMENT1_KEEP": "1", "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(done.stdout.split())
    assert said == [["computed", "2"], ["2"]]


def identity(value):
    return value


def named(value):
    return kept.key(identity, (value,), {})


def test_a_key_names_contents():
    values = [1, True, 1.0, "1.0", None, [1], (1,), {1: 1}, np.float64(1), np.zeros(4), np.zeros((2, 2))]
    values += [
        np.zeros(1, "M8[s]"),
        np.zeros(4, np.float32),
        range(1),
        SoftmaxRegression,
        LogisticRegression,
        LogisticRegression(),
    ]
    assert len({named(value) for value in values}) == len(values)
    assert named(np.zeros((2, 3)).T) == named(np.zeros((3, 2)))
    objects = np.array([[1], None], object)
    for value in (objects, lambda: 0, {1}, b"1", 1j, np.random.default_rng(0), np.ma.masked_array([1])):
        with pytest.raises(TypeError, match="no contents to name"):
            named(value)


def test_results_come_back_as_they_were(calls):
    result = {
        "a": [None, True, 3, 0.1, float("inf"), "ä\n", (1, (2,))],
        (1, "b"): Estimate(*map(float, range(3))),
        3: (interval([1, 2, 4]), np.arange(6.0, dtype=np.float32).reshape(2, 3).T),
        4: SoftmaxRegression(0.1).copy(np.ones((785, 10), np.float32)),
    }

    def made(name):
        calls.made += 1
        return result

    first, second = (kept.kept(made)("a") for _ in range(2))
    assert calls.made == 1 and first is result and repr(second) == repr(result)
    assert second[3][1].dtype == np.float32 and type(second[3][0]) is type(result[3][0])
    model = second[4]
    assert type(model) is SoftmaxRegression and model.lam == 0.1 and model.w.dtype == np.float32


def test_the_newest_files_stay_and_what_is_not_ours(calls, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "NEWEST", 3)
    kept.FOLDER.mkdir()
    (kept.FOLDER / "notes.kept").touch()
    (kept.FOLDER / f"{'a' * 64}.kept").mkdir()
    (kept.FOLDER / f"{'b' * 64}.kept").symlink_to(tmp_path / "nowhere")
    foreign = files()
    for path in foreign:
        os.utime(path, (0, 0), follow_symlinks=False)
    f = kept.kept(identity)
    for when in range(5):
        f(when)
        for path in set(files()) - set(foreign):
            if path.stat().st_mtime > 1e6:
                os.utime(path, (when, when))
    own = set(files()) - set(foreign)
    assert set(foreign) <= set(files()) and sorted(path.stat().st_mtime for path in own) == [2, 3, 4]
