"""Prose in Markdown files: what names a part, what a part holds, and what is refused."""

from unittest.mock import Mock

import matplotlib.pyplot as plt
import pytest

from nbtypst.authoring import answers, parts, writing

FILE = """# Task 2, for the author

## 2b.answer

The loss falls to {{loss:.2f}}.
<!-- check: loss < 1 -->
It fell in
{{steps}} steps.
<!--
check: steps > 1
check: steps == 3
-->

## 2b.loss

**It falls.**

## 2b.loss.alt

A line that falls.

## answers.all

2b: the loss falls to {{loss:.2f}}
<!-- check: loss < 1 -->
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "task2.md").write_text(FILE, encoding="utf-8")
    return tmp_path / "text"


@pytest.fixture
def shown(monkeypatch):
    found = []

    def display(data, *, raw=False, metadata=None, display_id=None):
        found.append((data if raw else data.data, metadata or {}))

    monkeypatch.setattr(writing, "display", display)
    return found


def test_a_part_is_shown_with_its_values_and_checks(folder, shown):
    loss, steps = 0.5, 3
    writing.say("2b.answer")
    ((text, about),) = shown
    assert text == "The loss falls to 0.50.\nIt fell in\n3 steps."
    assert [check["check"] for check in about["checks"]] == ["loss < 1", "steps > 1", "steps == 3"]
    assert all(check["holds"] for check in about["checks"]) and (loss, steps) == (0.5, 3)


def test_an_edit_of_the_file_shows_when_the_cell_runs_again(folder, shown):
    loss, steps = 0.5, 3
    (folder / "task2.md").write_text(FILE.replace("falls to", "sinks to"), encoding="utf-8")
    writing.say("2b.answer")
    assert "sinks to 0.50" in shown[0][0] and (loss, steps) == (0.5, 3)


def test_a_figure_takes_its_alternative_text_from_the_part_beside_its_caption(folder, shown):
    figure, _ = plt.subplots()
    writing.show(figure, "Figure 1", "2b.loss")
    picture, caption = shown
    assert picture[1]["alt"] == "A line that falls." and caption[0] == "**Figure 1.** **It falls.**"


def test_answers_take_a_part(folder, monkeypatch):
    monkeypatch.setattr(answers, "display", Mock())
    loss = 0.5
    table = answers.Answers("Table 1", "The answers.", {"2b": "Task 2b: Training"})
    table.give("answers.all")
    assert table.given == {"2b": f"the loss falls to {loss:.2f}"}


@pytest.mark.parametrize("text", ["Done.", "Two words", "**bold**", "{{3}}", "1 < 2", ""])
def test_what_is_no_single_word_is_the_text_itself(folder, text):
    assert parts.template(text) == text


@pytest.mark.parametrize("name", ["2b.answr", "conclusion", "9z.answer"])
def test_a_name_without_a_part_is_refused_and_the_names_near_it_are_listed(folder, name):
    said = (
        f"no file of the folder text has a part '{name}'; expected one of .*2b.*; write '## {name}' in it, or"
    )
    with pytest.raises(ValueError, match=said):
        parts.template(name)


def test_a_word_where_no_folder_of_parts_is_there_is_told_from_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"'Hello'; it has none, or is not there; .* end a sentence in a full"
    ):
        parts.template("Hello")


@pytest.mark.parametrize(
    "comment", ["<!-- chek: x < 1 -->", "<!-- chek x < 1 -->", "<!--\ncheck: x < 1\nchekc: x > 0\n-->"]
)
def test_a_misspelt_check_is_refused(folder, comment):
    (folder / "task3.md").write_text(f"## 3b.answer\n\nIt falls.\n{comment}\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"task3\.md: a comment of '3b\.answer' has 'chek.{0,2}'; expected 'check:'"
    ):
        parts.read(folder)


@pytest.mark.parametrize("more", ["", "\nIt fell.\n<!-- check: y < 1 -->"])
def test_a_comment_that_is_not_closed_is_refused(folder, more):
    (folder / "task3.md").write_text(
        f"## 3b.answer\n\nIt falls.\n<!-- check: x < 1{more}\n", encoding="utf-8"
    )
    with pytest.raises(
        ValueError, match=r"task3\.md: a comment of '3b\.answer' is not closed; expected '-->'"
    ):
        parts.read(folder)


@pytest.mark.parametrize("words", ["for the author", "todo: a figure", "note: look at the check"])
def test_a_comment_in_words_is_left_as_it_is(folder, words):
    (folder / "task3.md").write_text(f"## 3b.answer\n\nIt falls. <!-- {words} -->\n", encoding="utf-8")
    assert parts.read(folder)["3b.answer"] == f"It falls. <!-- {words} -->"


def test_a_name_given_twice_is_refused(folder):
    (folder / "task3.md").write_text("## 2b.answer\n\nAgain.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"task3\.md has a second part '2b\.answer'"):
        parts.read(folder)


def test_a_figure_without_an_alternative_text_is_refused():
    figure, _ = plt.subplots()
    with pytest.raises(ValueError, match="Figure 1 has no alternative text"):
        writing.show(figure, "Figure 1", "**A caption** of many words.")
