"""The page of faults says what the tests say, and lets none pass that says otherwise."""

import pytest

import faults

TEST = "tests/test_faults.py::test_a_row_is_read_as_it_was_written"


def row(fault="A fault", cases=12, outcome="an error", by="", test=TEST):
    return faults.make_row(test, fault, cases, outcome, by)


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "PAGE", tmp_path / "page.md")
    return faults.PAGE


def test_a_row_is_read_as_it_was_written(page):
    assert faults.read() == []
    rows = [row(), row("Another", 1200, by="KILLS=1200")]
    page.write_text(faults.markdown(rows), encoding="utf-8")
    assert faults.read() == rows
    assert rows[0].cases == "12" and rows[1].longer == "1,200 by `KILLS=1200`"
    with pytest.raises(ValueError, match="expected a fault, cases and an outcome"):
        row(cases=0)


def test_a_run_replaces_what_its_own_tests_said_and_keeps_the_rest():
    gone, other = row(test="tests/test_gone.py::test_it"), row(test=TEST.replace("a_row", "another"))
    longer = row(cases=1200, by="KILLS=1200")
    old = [row(cases=3), row("No longer tried"), gone, other]
    assert faults.merge(old, [row()], [TEST]) == [row()]  # a test of that name there is not
    both = faults.merge([row()], [longer], [TEST])
    assert [(one.cases, one.longer) for one in both] == [("12", "1,200 by `KILLS=1200`")]
    assert faults.merge(both, [row(cases=13)], [TEST])[0].longer == "1,200 by `KILLS=1200`"
    assert faults.merge([row()], [], []) == [row()]
    other = row("Another", 99, by="KILLS=99")
    assert faults.merge([row()], [other], [TEST]) == [row(), other]
    assert faults.merge([row(), other], [row(cases=13)], [TEST]) == [row(cases=13), other]


def test_the_page_is_one_that_the_tests_write():
    rows = faults.read()
    assert rows and faults.markdown(rows) == faults.PAGE.read_text(encoding="utf-8")
    assert [one.test for one in rows if not faults.test_exists(one.test)] == []


def test_a_test_fails_if_the_page_says_otherwise(tried, page, request, monkeypatch):
    monkeypatch.delenv("WRITE_FAULTS", raising=False)
    page.write_text(faults.markdown([row(test=request.node.nodeid)]), encoding="utf-8")
    tried("A fault", 12, "an error")
    tried("A fault", 99, "an error", by="KILLS=99")
    for otherwise in [("A fault", 13, "an error"), ("A fault", 12, "none"), ("Another", 12, "an error")]:
        with pytest.raises(AssertionError, match=r"page\.md does not say: "):
            tried(*otherwise)
    request.node.user_properties.clear()  # what is said here is not for the page
