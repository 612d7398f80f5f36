"""What changed, at the top of a notebook and in its last cell: beside saved values, and after an error."""

import json
from types import SimpleNamespace

import pytest
from jupyter_client.manager import start_new_kernel

from nbtypst.authoring import changes
from nbtypst.authoring.ledger import Ledger

pytestmark = pytest.mark.slow

TOP = """
from nbtypst.answers import Changes
from nbtypst.writing import say
changes = Changes('a.ipynb')
"""
GOOD = "say('It is {{n}}.\\n  check: n > 3')"
CELLS = {
    "top": TOP,
    "set": "n = 5",
    "say": "say('''It is {{n}}.\n  check: n > 3\n  check: [n]''')",
    "end": "changes.report()",
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Yield a function that sends cells all at once, as Run All does: it returns what is shown, by cell.

    A cell that is changed to nothing is not run.
    """
    folder = tmp_path_factory.mktemp("notebook")
    saved = {"metadata": {"checks": [{"check": "n > 3", "values": "4 > 3", "holds": True}]}}
    (folder / "a.ipynb").write_text(json.dumps({"cells": [{"outputs": [saved]}]}), encoding="utf-8")
    cells = [{"id": name, "outputs": [saved]} for name in ("say", "below")]
    (folder / "longer.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    manager, client = start_new_kernel(cwd=str(folder))

    def run(**changed):
        asked = {}
        for name, code in {**CELLS, **changed}.items():
            if not code:
                continue
            content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
            message = client.session.msg("execute_request", content, metadata={"cellId": name})
            client.shell_channel.send(message)
            asked[message["header"]["msg_id"]] = name
        shown = dict.fromkeys(asked.values(), "")
        top = ""
        waiting = set(asked)
        while waiting:
            message = client.get_iopub_msg(timeout=60)
            cell = asked.get(message["parent_header"].get("msg_id"))
            text = message["content"].get("data", {}).get("text/markdown", "")
            if cell and message["msg_type"] == "display_data":
                shown[cell] += text
            if cell and message["msg_type"] == "update_display_data":
                top = text
            if cell and message["content"].get("execution_state") == "idle":
                waiting.discard(message["parent_header"]["msg_id"])
        return top, shown

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_what_no_longer_holds_is_counted_linked_and_listed_with_its_values_before(kernel):
    _, shown = kernel(say=GOOD)
    assert shown["end"] == "All 1 checks of this notebook hold."
    top, shown = kernel(set="n = 2", say=GOOD)
    link = r"[It is {{n}}. check: n > 3](a.ipynb#cell-id=say)"
    assert top == f"**No longer true: 1 sentence**, in {link}."
    assert shown["end"] == f"{top}\n\n- {link}: It is 2. `n > 3`: `4 > 3` before, `2 > 3` now."
    top, _ = kernel(say=GOOD)
    assert top == ""


def test_checks_that_were_not_made_are_not_said_to_hold(kernel):
    _, shown = kernel(top=TOP.replace("a.ipynb", "longer.ipynb"), say=GOOD)
    assert shown["end"] == "All 1 checks so far hold. Cells with checks that have not run: 1."


def test_what_was_told_of_an_older_run_is_not_said_to_hold(kernel):
    kernel(say=GOOD)
    top, shown = kernel(set="n = 6", top="", say="")
    link = "[It is {{n}}. check: n > 3](a.ipynb#cell-id=say)"
    assert top == shown["end"] == f"**Of an older run: 1 cell**, from {link} on."
    top, shown = kernel(set="", top="", say=GOOD)
    assert top == "" and shown["end"] == "All 1 checks of this notebook hold."


def test_a_value_left_behind_makes_no_sentence_false(kernel):
    above = f"{TOP}m = 5"
    kernel(top=above, set="n = m", say=GOOD)
    top, shown = kernel(top=above, set="", say=GOOD)  # as where its cell is deleted
    assert shown["say"].startswith("**Run the cells above again** (n is from In [")
    link = "[It is {{n}}. check: n > 3](a.ipynb#cell-id=say)"
    assert top == shown["end"] == f"**Of an older run: 1 cell**, from {link} on."


def test_all_run_again_in_the_same_kernel_and_nothing_is_left_behind(kernel):
    cells = dict(top=f"{TOP}m = 3", set="n = m + 2", say="both = n + m\nsay('It is {{m}}, {{n}}, {{both}}.')")
    for _ in range(3):
        top, shown = kernel(**cells)
        assert shown["say"] == "It is 3, 5, 8." and top == ""


def test_a_long_sentence_is_cut_in_no_formula_code_or_bold_type(kernel):
    words = "**Of $a$** and `b` it is said that " + "so " * 20
    for rest, start in (("$x + y$ z", "…"), ("`x + y` z", "…"), ("**x + y** z", "**x …**")):
        text = f"{words}{rest} and more."
        _, shown = kernel(say=f"say({text!r} + '\\n  check: n > 9')")
        assert f"): {words}{start} `n > 9`: " in shown["end"]


def test_an_interrupt_has_no_words_of_its_own(kernel):
    top, _ = kernel(set="raise KeyboardInterrupt", say=GOOD)
    assert "ended in an error, KeyboardInterrupt](a.ipynb#cell-id=set).**" in top
    kernel(say=GOOD)


def test_the_end_names_the_cell_that_stopped_a_run_of_all(kernel):
    kernel(say=GOOD)
    top, shown = kernel(set="raise ValueError('n is [wrong]')")
    assert top.startswith(r"**[In \[") and shown["end"] == top and shown["say"] == ""
    assert top.endswith(r"ended in an error, ValueError: n is \[wrong\]](a.ipynb#cell-id=set).**")
    top, _ = kernel(say=GOOD)
    assert top == ""


def test_a_check_that_is_none_is_said_with_its_sentence(kernel):
    _, shown = kernel()
    assert "It is 5. `[n]`: `not known` before, `cannot be computed, TypeError: [5] is no" in shown["end"]


def test_in_a_copy_the_links_and_the_values_before_are_the_copys(tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "ledger", Ledger())
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "a copy.ipynb"
    for session, file in ((copy, "a.ipynb"), (copy, "a%20copy.ipynb"), (tmp_path / "console-1", "a.ipynb")):
        monkeypatch.setenv("JPY_SESSION_NAME", str(session))
        made = changes.Changes("a.ipynb")
        assert made._link("here", "c1") == f"[here]({file}#cell-id=c1)"
        assert set(made.before) == ({"c1"} if "copy" in file else set())
        saved = {"metadata": {"checks": [{"check": "n > 3", "values": "4 > 3", "holds": True}]}}
        copy.write_text(json.dumps({"cells": [{"id": "c1", "outputs": [saved]}]}), encoding="utf-8")


def test_another_kernel_is_left_as_it_is_and_the_line_is_shown_all_the_same(monkeypatch, capsys):
    other = SimpleNamespace()  # without ipykernel's own names
    monkeypatch.setattr(changes, "kernel", lambda: other)
    monkeypatch.setattr(changes, "ledger", Ledger())
    changes.Changes("a.ipynb").report()
    assert vars(other) == {} and "Markdown" in capsys.readouterr().out
