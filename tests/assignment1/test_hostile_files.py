"""The files of data/, damaged in every way that Hypothesis finds: refused in one line, or the same numbers.

DATA_CASES=10000 in the environment tries as many cases, drawn anew, in place of 200 that are always the same.
"""

import gzip
import io
import os
import shutil
from collections import Counter
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assignment1 import load_mnist, mnist
from assignment1.mnist import DATA, FILES, LARGEST, read_idx
from study import stored

pytestmark = pytest.mark.slow

RESTORE = "restore it with `git checkout -- data`, unpack the zip again, or do as data/README.md says"
CASES = int(os.environ.get("DATA_CASES", "200"))
ZIPPED = [f"{name}.gz" for name in FILES]
# the small ones more often: the training images take a third of a second to inflate
OFTEN = [*ZIPPED[1:], *ZIPPED[1:], *ZIPPED[3:], ZIPPED[0], *stored.KEPT, *stored.KEPT]
GOOD = {name: (DATA / name).read_bytes() for name in [*ZIPPED, *stored.KEPT]}
TRIED = settings(
    max_examples=CASES,
    derandomize="DATA_CASES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def truncated(good, draw):
    return good[: draw(st.integers(0, len(good) - 1))]


def flipped(good, draw):
    changed = bytearray(good)
    for place in draw(st.lists(st.integers(0, len(good) - 1), min_size=1, max_size=4, unique=True)):
        changed[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def cut(good, draw):
    start = draw(st.integers(0, len(good) - 1))
    return good[:start] + good[start + draw(st.integers(1, 1000)) :]


def inserted(good, draw):
    place = draw(st.integers(0, len(good)))
    return good[:place] + draw(st.binary(min_size=1, max_size=20)) + good[place:]


def appended(good, draw):
    return good + draw(st.binary(min_size=1, max_size=200))


def filled(good, draw):
    return bytes([draw(st.sampled_from([0, 255]))]) * len(good)


def overwritten(good, draw):
    start = draw(st.integers(0, len(good) - 1))
    return good[:start] + bytes(len(good) - start)


def anything(good, draw):
    return draw(st.binary(max_size=300))


def swapped(good, draw):
    return draw(st.sampled_from([other for other in GOOD.values() if other != good]))


@cache
def zeros():
    """Return a gzip member that inflates to as many bytes as a file may have."""
    return gzip.compress(bytes(LARGEST), 1)


def compressed_otherwise(good, draw):
    """Return a whole gzip or .npz file of other contents."""
    if not good.startswith(b"\x1f\x8b"):
        with np.load(io.BytesIO(good)) as arrays:
            changed = {name: array.copy() for name, array in arrays.items()}
        array = changed[draw(st.sampled_from(sorted(changed)))].reshape(-1)
        array[draw(st.integers(0, array.size - 1))] += draw(st.sampled_from([1, 2]))
        file = io.BytesIO()
        np.savez(file, **changed)
        return file.getvalue()
    raw = bytearray(gzip.GzipFile(fileobj=io.BytesIO(good)).read(100_000))
    raw[draw(st.integers(0, 15))] ^= 1 << draw(st.integers(0, 7))  # the magic number and the shape
    return gzip.compress(bytes(raw), 1) + draw(st.integers(0, 1)) * zeros()


BYTES = [
    truncated,
    flipped,
    cut,
    inserted,
    appended,
    filled,
    overwritten,
    anything,
    swapped,
    compressed_otherwise,
]


def directory(path):
    path.mkdir()


def fifo(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def missing(path):
    pass


def loop(path):
    path.symlink_to(path.name)


def dangling(path):
    path.symlink_to("nowhere")


def unreadable(path):
    if os.geteuid() == 0:  # who may read any file of a disk
        path.symlink_to("/proc/self/mem")
    else:
        shutil.copy(DATA / path.name, path)
        path.chmod(0)


def empty(path):
    path.touch()


def huge(path):
    with path.open("wb") as file:
        file.truncate(2**40)


ODDITIES = [directory, fifo, device, missing, loop, dangling, unreadable, empty, huge]


def remove(path):
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def read(path):
    """Return the arrays that a user reads of the file, or of its folder."""
    if path.name in stored.KEPT:
        return stored.read(path)
    files = load_mnist(path.parent)
    names = ("train_images", "train_labels", "test_images", "test_labels")
    return {name: getattr(files, name) for name in names}


def outcome(path, expected, lost=False):
    """Return how the file is refused, or "the same numbers"."""
    try:
        found = read(path)
    except (FileNotFoundError, ValueError) as error:
        assert type(error) in (FileNotFoundError, ValueError), type(error)
        assert (type(error) is FileNotFoundError) == lost
        message = str(error)
        assert path.name in message and "git checkout -- data" in message and "\n" not in message, message
        assert len(message.replace(str(path), "")) < 700
        return "refused"
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    return "the same numbers"


@pytest.fixture(scope="module")
def expected():
    arrays = {name: stored.read(DATA / name) for name in stored.KEPT}
    return arrays | dict.fromkeys(ZIPPED, read(DATA / ZIPPED[0]))


def test_a_damaged_file_is_refused_or_holds_the_same_numbers(tmp_path_factory, expected, tried):
    folder, counts = tmp_path_factory.mktemp("data"), Counter[tuple[str, str]]()
    for name in GOOD:
        (folder / name).symlink_to(DATA / name)

    @TRIED
    @given(st.sampled_from(OFTEN), st.sampled_from([*BYTES, *BYTES, *ODDITIES]), st.data())
    def damage(name, how, data):
        path = folder / name
        remove(path)
        if how in BYTES:
            path.write_bytes(how(GOOD[name], data.draw))
        else:
            how(path)
        try:
            counts[outcome(path, expected[name], how in (missing, dangling)), how.__name__] += 1
        finally:
            remove(path)
            path.symlink_to(DATA / name)

    damage()
    refused = sum(count for (said, _), count in counts.items() if said == "refused")
    # the rest differs in a gzip header or trailer alone, or not at all; its contents are verified
    assert refused > 0.95 * sum(counts.values())
    by = f"DATA_CASES={CASES}" if "DATA_CASES" in os.environ else ""
    fault = "A file of data/ is damaged, swapped, missing or no file"
    tried(fault, sum(counts.values()), "refused in one line, or the same numbers", by)


def test_the_same_contents_compressed_otherwise_are_accepted(tmp_path, expected):
    for name in GOOD:
        (tmp_path / name).symlink_to(DATA / name)
    for name in ZIPPED[1:]:
        (tmp_path / name).unlink()
        (tmp_path / name).write_bytes(GOOD[name] + bytes(8))
    assert outcome(tmp_path / ZIPPED[1], expected[ZIPPED[1]]) == "the same numbers"


def test_a_folder_that_cannot_be_searched_is_named(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ValueError, match=r"train-images.* cannot be read \(Permission denied\); restore it"):
        load_mnist(tmp_path)
    monkeypatch.undo()
    for folder in ("a\0b", "x" * 5000, DATA / "README.md"):
        with pytest.raises(ValueError, match="cannot be read"):
            load_mnist(folder)


def test_a_gzip_file_that_inflates_without_end_costs_no_memory(tmp_path):
    once = gzip.compress(bytes(LARGEST), 9)
    (tmp_path / ZIPPED[0]).write_bytes(once * 400)  # 40 GB
    with pytest.raises(ValueError, match="has 100,000,000 bytes of SHA-256"):
        load_mnist(tmp_path)


class Pickled:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_stored_arrays_are_never_unpickled_and_what_is_wrong_is_told(tmp_path, monkeypatch):
    path, made = tmp_path / "optima.npz", tmp_path / "made"
    np.savez(path, w=np.array([Pickled(made)], dtype=object))
    digest = sha256(path.read_bytes()).hexdigest()
    remade = "if `make optima` has made it again, its digest belongs into study.stored.KEPT"
    with pytest.raises(ValueError) as error:
        stored.read(path)
    expected = stored.KEPT["optima.npz"]
    assert str(error.value) == f"{path} has SHA-256 {digest}, expected {expected}; {RESTORE}; {remade}"
    monkeypatch.setitem(stored.KEPT, "optima.npz", digest)  # as if somebody believed it
    with pytest.raises(ValueError, match="allow_pickle=False"):
        stored.read(path)
    assert not made.exists()


def test_what_is_wrong_with_a_file_of_mnist_is_told_in_these_words(tmp_path):
    name = "train-labels-idx1-ubyte"
    path = tmp_path / name
    path.write_bytes(b"eight of")
    with pytest.raises(ValueError) as error:
        read_idx(tmp_path, name)
    words = f"has 8 bytes of SHA-256 {sha256(b'eight of').hexdigest()}, expected those of 65a50cbb"
    assert str(error.value).startswith(f"{path} {words}") and str(error.value).endswith(f"; {RESTORE}")
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError) as error:
        read_idx(tmp_path, name)
    assert str(error.value) == f"{path} is not a regular file; {RESTORE}"
    path.rmdir()
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)  # a sparse file
    with pytest.raises(ValueError) as error:
        read_idx(tmp_path, name)
    assert str(error.value) == f"{path} has 100,000,001 bytes, expected at most 100,000,000; {RESTORE}"
    with path.open("wb") as file:
        file.truncate(LARGEST)
    with pytest.raises(ValueError, match="has 100,000,000 bytes of SHA-256"):
        read_idx(tmp_path, name)
    with pytest.raises(ValueError, match=r"cannot be read \(.*null.*\); restore it"):
        mnist.read(Path("a\0b"))
