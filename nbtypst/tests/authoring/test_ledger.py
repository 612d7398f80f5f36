"""Values left behind: in a session whose cells run out of order."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nbtypst.authoring import ledger, writing
from nbtypst.authoring.ledger import read_and_bound

CELLS = {
    "import": "from nbtypst.authoring.writing import say",
    "setting": "n = 5",
    "run": "run = n * 2",
    "told": "say('The run has {{run}}, of {{n}}.\\n  check: run == 2 * n')",
    "again": "n = 7",
    "last": "say('In the end {{n}}.')",
}


@pytest.fixture
def kernel(monkeypatch):
    """Yield a function that runs cells by name, some with other sources, and returns what they say."""
    config = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(config=config)
    fresh = ledger.Ledger()
    monkeypatch.setattr(ledger, "ledger", fresh)
    monkeypatch.setattr(writing, "ledger", fresh)
    found: list[str] = []
    monkeypatch.setattr(writing, "display", lambda text, metadata: found.append(text.data))
    ledger.watch()

    def run(*names: str, **changed: str) -> list[str]:
        found.clear()
        for name in names:
            shell.run_cell((CELLS | changed)[name], store_history=True, cell_id=name).raise_error()
        return list(found)

    run(*CELLS)
    yield run
    shell.events.unregister("pre_run_cell", fresh.before)
    shell.events.unregister("post_run_cell", fresh.after)
    InteractiveShell.clear_instance()


def test_in_order_nothing_is_left_behind(kernel):
    # n is bound again further down, and what was made of the first n is as it should be
    assert kernel(*CELLS) == ["The run has 10, of 5.", "In the end 7."]


def test_what_a_cell_binds_and_tells_is_not_left_behind_when_all_run_again(kernel):
    both = {"run": "run = n * 2\nsay('It has {{run}}.')"}
    for n in (5, 6):
        texts = kernel("setting", "run", setting=f"n = {n}", **both)
        assert texts == [f"It has {2 * n}."]


def test_a_changed_setting_makes_what_came_of_it_old(kernel):
    kernel(*CELLS)
    (text,) = kernel("setting", "told", setting="n = 6")
    assert text.startswith("**Run the cells above again** (run is from In [")
    assert text.endswith("before a cell above it ran again): ~~The run has 10, of 6.~~")
    assert kernel("run", "told") == ["The run has 12, of 6."]


def test_a_value_from_a_cell_below_is_not_blamed_on_the_sentence(kernel):
    kernel(*CELLS)
    (text,) = kernel("told")
    assert text.startswith("**Run the cells above again** (n is from a cell below, In [")


def test_a_new_cell_stands_below_the_one_that_ran_before_it(kernel):
    assert kernel("setting", "new", "run", "told", new="n = 6") == ["The run has 12, of 6."]
    assert kernel("new", "run", "told", new="n = 8") == ["The run has 16, of 8."]


def test_a_cell_that_was_inserted_or_moved_has_its_place_once_all_run_again(kernel):
    kernel("new", new="n = 6")  # run after the last one, wherever it stands
    for _ in range(2):
        texts = kernel("import", "setting", "new", "run", "told", "again", "last", new="n = 6")
        assert texts == ["The run has 12, of 6.", "In the end 7."]
    for _ in range(2):
        assert kernel("import", "again", "setting", "new", "run", "told", "last", new="n = 6") == [
            "The run has 12, of 6.",
            "In the end 6.",
        ]


def test_cells_keep_their_places_when_only_some_run_again(kernel):
    kernel("setting")
    assert kernel("import", "told", "run", "told")[1] == "The run has 10, of 5."
    (text,) = kernel("again", "told")
    assert "(n is from a cell below, In [" in text


def test_what_was_told_is_older_until_it_is_told_again_of_what_is_new(kernel):
    assert ledger.ledger.older() == []
    for cells, older in (
        (["setting"], ["told", "last"]),
        (["run"], ["told", "last"]),
        (["told"], ["last"]),
        (["again"], ["last"]),
        (["last"], []),
    ):
        kernel(*cells)
        assert [cell for cell, _ in ledger.ledger.older()] == older


def test_what_a_cell_tells_of_what_it_binds_is_older_with_that_and_nothing_else_is(kernel):
    kernel("setting", "run", run="run = n * 2\nsay('It has {{run}}.')\nsay('It has.')\nsay('{{say}}.')")
    kernel("setting")
    assert ("run", "It has {{run}}.") in ledger.ledger.older()
    assert {part for cell, part in ledger.ledger.older() if cell == "run"} == {"It has {{run}}."}


def test_a_false_sentence_in_order_is_blamed(kernel):
    text, _ = kernel(*CELLS, run="run = n * 3")
    assert text.startswith("**No longer true** (`run == 2 * n`: 15 == 10): ~~")


@pytest.mark.parametrize(
    "source, read, bound",
    [
        ("a, b = c\nd += 1", "cd", "abd"),
        ("for i in x:\n    y = i", "xi", "iy"),
        ("def f(a):\n    b = a + g\n", "g", "f"),
        ("w = [k for k in m]\nawait n", "mn", "w"),
        ("import u.v as w, s.t", "", "ws"),
        ("[k for k in m]", "m", ""),
        ("%matplotlib inline\nz = 1\n!ls", "", "z"),
        ("not a python", "", ""),
    ],
)
def test_what_a_cell_reads_and_binds(source, read, bound):
    assert read_and_bound(source) == (set(read), set(bound))
