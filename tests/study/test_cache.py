"""Results are found again if nothing has changed, and are computed anew if anything has."""

import importlib
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from assignment1 import LogisticRegression, SoftmaxRegression, load_mnist, training
from assignment1.mnist import Dataset, Split
from assignment1.progress import watched
from conftest import ROOT

pytestmark = pytest.mark.slow

kept = importlib.import_module("study.cache")


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """The calls that `run` really made: `calls.run(...)` is kept."""
    monkeypatch.setenv("ASSIGNMENT1_KEEP", "1")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "kept")

    class Calls:
        made = 0
        run: Any

    def counted(model, data, *, learning_rate, epochs=1, seed=0, watch=None, progress=False):
        Calls.made += 1
        with watched(watch or (lambda log: False)):
            return training.train(
                model,
                data,
                learning_rate=learning_rate,
                epochs=epochs,
                seed=seed,
                progress=progress,
                method="plain",
            )

    Calls.run = staticmethod(kept.kept(counted))
    return Calls


@pytest.fixture(scope="module")
def digits():
    return load_mnist().binary(2, 3)


def test_a_run_is_found_again_with_the_same_numbers(calls, digits):
    one, two = (calls.run(LogisticRegression(), digits, learning_rate=0.05) for _ in range(2))
    assert calls.made == 1 and (one.last.w == two.last.w).all() and one.settings == two.settings
    assert (one.history.validation_loss == two.history.validation_loss).all()
    calls.run(LogisticRegression(), digits, learning_rate=0.05, seed=0, progress=True)
    assert calls.made == 1  # a default that is said, a bar that is shown


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
    ]
    for made, (model, data, settings) in enumerate(variants, 1):
        calls.run(model, data, **settings)
        assert calls.made == made
    before = X[0, 0]
    X[0, 0] = before + 1  # in place
    calls.run(start, touched, **base)
    assert calls.made == len(variants) + 1


def test_what_is_interrupted_or_fails_or_is_watched_is_not_kept(calls, digits):
    for made in (1, 2):
        assert calls.run(LogisticRegression(), digits, learning_rate=0.05, watch=lambda log: True).interrupted
        assert calls.made == made
    for made in (3, 4):
        with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
            calls.run(LogisticRegression(10.0), digits, learning_rate=100.0, epochs=5)
        assert calls.made == made


def test_a_file_that_is_not_as_it_was_written_is_not_used(calls, digits, tried):
    """Nor a folder in its place, and the run is then made; nothing half-written is left."""
    run = partial(calls.run, LogisticRegression(), digits, learning_rate=0.05)
    right = run()
    (path,) = kept.FOLDER.glob("*/*")
    whole = path.read_bytes()
    flipped = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 997)]
    cut = [whole[:size] for size in (0, 1, 31, 32, 33, len(whole) - 1)]
    for made, damaged in enumerate([*flipped, *cut, whole + b"0"], 2):
        path.write_bytes(damaged)
        assert (run().last.w == right.last.w).all() and calls.made == made
        assert path.read_bytes() == whole and list(path.parent.iterdir()) == [path]
    path.unlink()
    path.mkdir()
    assert (run().last.w == right.last.w).all() and calls.made == made + 1
    assert list(path.parent.iterdir()) == [path]
    tried("A kept result of another byte, cut short or with a byte more", made - 1, "computed anew")


def test_a_result_that_cannot_be_pickled_is_given(calls):
    assert kept.kept(lambda n: lambda x: n + x)(3)(1) == 4
    assert not list(kept.FOLDER.glob("*/*"))


def test_a_disk_that_is_full_costs_no_result(calls, digits, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept.os, "replace", full)
    for made in (1, 2):
        assert calls.run(LogisticRegression(), digits, learning_rate=0.05).epoch == 1
        assert calls.made == made and not list(kept.FOLDER.glob("*/*"))


def test_a_model_whose_class_is_of_no_package_file_is_not_kept(calls, digits):
    """A class of a notebook is edited and has the same name again."""

    class Mine(LogisticRegression):
        pass

    for made in (1, 2):
        calls.run(Mine(), digits, learning_rate=0.05)
        assert calls.made == made
    with pytest.raises(TypeError, match="may change"):
        kept.token(Mine)


def test_off_unless_asked_for_and_off_in_ci(calls, digits, monkeypatch):
    calls.run(LogisticRegression(), digits, learning_rate=0.05)
    for name, value in (("CI", "true"), ("ASSIGNMENT1_KEEP", "0")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            before = calls.made
            calls.run(LogisticRegression(), digits, learning_rate=0.05)
            assert calls.made == before + 1


def test_off_once_a_file_of_the_package_was_edited(calls, digits, monkeypatch):
    calls.run(LogisticRegression(), digits, learning_rate=0.05)
    name, (when, size) = next(iter(kept.AT_START.items()))
    monkeypatch.setitem(kept.AT_START, name, (when - 1, size))
    calls.run(LogisticRegression(), digits, learning_rate=0.05)
    assert calls.made == 2


def test_the_folder_has_another_name_when_a_line_a_version_or_the_data_changes(tmp_path):
    package, data = tmp_path / "package", tmp_path / "data"
    for folder, name in ((package, "engine.py"), (package, "evidence/task2.py"), (data, "images.gz")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("one line\n", encoding="utf-8")
    versions = {"numpy": "2.5.0", "scipy": "1.18.0"}
    names = {kept.digest(package, data, versions)}
    assert kept.digest(package, data, dict(reversed(versions.items()))) in names
    names.add(kept.digest(package, data, versions | {"numpy": "2.5.1"}))
    for path in (package / "evidence/task2.py", package / "engine.py", data / "images.gz"):
        path.write_text("another line\n", encoding="utf-8")
        names.add(kept.digest(package, data, versions))
    (package / "new.py").touch()
    names.add(kept.digest(package, data, versions))
    assert len(names) == 6


def test_make_report_computes_everything_and_make_pdf_does_not():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = makefile.split("\n\n")
    said = {
        name: next(r for r in recipes if f"\n{name}: " in f"\n{r}")
        for name in ("report", "build/report.ipynb")
    }
    assert "ASSIGNMENT1_KEEP=$(1) $(PY)" in makefile
    assert "$(call BUILD,0) execute" in said["report"]
    assert "$(call BUILD,1) execute" in said["build/report.ipynb"]


def test_another_process_finds_what_is_kept(tmp_path):
    """And the digest of a process is that of the files it imported."""
    script = f"""
import importlib, pathlib
kept = importlib.import_module("study.cache")
kept.FOLDER = pathlib.Path({str(tmp_path)!r})
def slow(x):
    print("computed")
    return x + 1
slow.__module__ = "tests"
print(kept.kept(slow)(1))
"""
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {
        "ASSIGNMENT1_KEEP": "1"
    }
    said = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert said == [["computed", "2"], ["2"]]


def test_a_token_names_contents():
    assert kept.token(SoftmaxRegression) != kept.token(LogisticRegression)
    assert kept.token(1) != kept.token(1.0) != kept.token("1.0")
    assert kept.token(np.zeros(4)) != kept.token(np.zeros((2, 2)))
    assert kept.token(np.zeros((2, 3)).T) == kept.token(np.zeros((3, 2)))
    with pytest.raises(TypeError, match="cannot be named"):
        kept.token(lambda: 0)


def test_the_three_newest_folders_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    for when, name in enumerate("abcd"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (when, when))
    kept._of_this_process.cache_clear()
    own = kept._of_this_process()
    assert {folder.name for folder in tmp_path.iterdir()} == {"c", "d", own}
    kept._of_this_process.cache_clear()
