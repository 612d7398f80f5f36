"""Templates and what `say`, `table` and `show` display: values, checks, captions, files of figures."""

import io
import os
import subprocess
import sys
from base64 import b64decode
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from nbtypst.authoring import templates, writing
from nbtypst.authoring.templates import Check, fill

NAMES = {"n": 1039, "loss": np.float64(0.0657719), "curve": np.array([0.5, 0.2]), "words": {"a": "b"}}


EXPECTED = "expected true or false, or an array of them that is not empty"
NO_CHECKS = {  # what would be true of anything, or of nothing
    "n": "1039",
    "[loss > 1]": "[np.False_]",
    "(loss > 1, n)": "(np.False_, 1039)",
    "'loss'": "loss",
    "curve[:0] > 1": "[]",
    "curve": "0.2 to 0.5",
    "None": "None",
    "n.bit_length() or words": "11",
}


@pytest.fixture
def shown(monkeypatch):
    """Return a list of what is displayed, data and metadata."""
    found: list[tuple[Any, dict[str, Any]]] = []

    def display(data, *, raw=False, metadata=None):
        found.append((data if raw else data.data, metadata or {}))

    monkeypatch.setattr(writing, "display", display)
    return found


@pytest.mark.parametrize(
    "template, text",
    [
        ("After {{n:,}} updates {{loss:.4f}}.", "After 1,039 updates 0.0658."),
        (r"$\frac{{{n}}}{2}$ and $x^{{{n}}}$", r"$\frac{{1039}}{2}$ and $x^{{1039}}$"),
        ("{{words['a']}} {{words[\"a\"]}} {{curve[0:1].sum():.1f}}", "b b 0.5"),
        ("{{', '.join(f'{c:.1f}' for c in curve)}} {{max(curve, key=lambda c: -c)}}", "0.5, 0.2 0.2"),
        ("{{loss:.{n - 1036}f}}", "0.066"),
        ("    one\n    two\n\n    three", "one\ntwo\n\nthree"),
        ("- one\n- {{n}}\n  - deeper", "- one\n- 1039\n  - deeper"),
    ],
)
def test_values_stand_in_double_braces(template, text):
    if "frac" in template:
        template = template.replace("{{{n}}}", "{ {{n}} }")
        text = text.replace("{{1039}}", "{ 1039 }")
    assert fill(template, NAMES)[:2] == (text, [])


def test_a_check_belongs_to_the_text_before_it():
    text, checks, _ = fill(
        """
        It falls. It is
        small.
            check: curve[1] < curve[0]
            check: n == 1039 and 0 < loss < 1
        This is not checked.

        A new paragraph.
            check: all(
                c > 0 for c in curve)

        And on.
        """,
        NAMES,
    )
    assert text == "It falls. It is\nsmall.\nThis is not checked.\n\nA new paragraph.\n\nAnd on."
    assert checks == [
        Check("It falls. It is small.", "curve[1] < curve[0]", "0.2 < 0.5", True),
        Check(
            "It falls. It is small.", "n == 1039 and 0 < loss < 1", "1039 == 1039 and 0 < 0.0657719 < 1", True
        ),
        Check("This is not checked. A new paragraph.", "all( c > 0 for c in curve)", "true", True),
    ]


@pytest.mark.parametrize(
    "source, values",
    [
        ("n < 5", "1039 < 5"),
        ("0.3 < curve", "0.3 < 0.2 to 0.5"),
        ("0 < curve < 0.4", "0 < 0.2 to 0.5 < 0.4"),
        ("n > 5 and n > 2000", "1039 > 5 and 1039 > 2000"),
        ("float('nan') < 5", "nan < 5"),
        ("'c' in words", "c in {'a': 'b'}"),
        ("not n", "false"),
        ("n < 5 or loss > 1", "false"),
        ("curve < 0.4", "0.2 to 0.5 < 0.4"),
        ("np.nothing > 2", "cannot be computed, NameError: name 'np' is not defined"),
        ("curve[:0].mean() < 1", "cannot be computed, RuntimeWarning: Mean of empty slice"),
        ("1 / 0 > 2", "cannot be computed, ZeroDivisionError: division by zero"),
        *(
            (source, f"cannot be computed, TypeError: {values} is no check; {EXPECTED}")
            for source, values in NO_CHECKS.items()
        ),
    ],
)
def test_what_is_false_is_said_and_the_rest_goes_on(source, values):
    text, checks, _ = fill(f"It holds.\n  check: {source}\n\nNext.", NAMES)
    assert text == f"**No longer true** (`{source}`: {values}): ~~It holds.~~\n\nNext."
    assert checks == [Check("It holds.", source, values, False)]


@pytest.mark.parametrize("source", ["(c > 1 for c in curve)", "curve.all", "len"])
def test_a_check_that_is_made_of_nothing_is_refused(source):
    _, (check,), _ = fill(f"It holds.\n  check: {source}", NAMES)
    assert EXPECTED in check.values and not check.holds and check.sentence == "It holds."


def test_a_value_may_have_spaces_inside_its_braces():
    assert fill("Of {{ n }} and {{ n:, }}.", NAMES)[0] == "Of 1039 and 1,039."


def test_a_value_that_cannot_be_computed_is_a_false_sentence():
    text, (check,), _ = fill("Of {{n}} and {{none:.2f}}.", NAMES)
    assert text.endswith("~~Of 1039 and ….~~") and not check.holds
    assert check.values == "cannot be computed, NameError: name 'none' is not defined"


@pytest.mark.parametrize(
    "template, message",
    [
        ("check: n > 1", "no text stands before the check"),
        ("A.\ncheck: n >", "'n >' is not a Python expression"),
        ("A {{n +}}.", "is not a Python expression with a format"),
    ],
)
def test_what_is_no_template_is_refused(template, message):
    with pytest.raises(ValueError, match=message):
        fill(template, NAMES)


def test_names_that_a_template_reads():
    template = "{{run.steps:,}} {{[a for a in b]}}\n check: (lambda x: x + c)(d) > 1"
    (passage,) = templates.passages(template)
    assert passage.names() == {"run", "b", "c", "d"}


def test_say_sees_the_names_of_its_caller(shown):
    def here():
        local = 3  # noqa: F841
        writing.say("{{local}} of {{NAMES['n']}}.\n check: local < NAMES['n']")

    here()
    ((text, about),) = shown
    assert text == "3 of 1039."
    assert about == {
        "checks": [
            {
                "sentence": "3 of 1039.",
                "check": "local < NAMES['n']",
                "values": "3 < 1039",
                "holds": True,
                "stale": "",
            }
        ]
    }


def test_a_table_has_its_caption_and_its_numbers_to_the_right(shown):
    n = 2  # noqa: F841
    writing.table(
        ("name", "size | x"), [("a", 1), ("b", "2.5"), ("c", "–")], "Table A1", "Of {{n}}.\ncheck: n > 1"
    )
    (caption, role), (text, about) = shown
    assert caption == "**Table A1.** Of 2." and role == {"role": "caption"}
    assert text.splitlines() == [
        "| name | size \\| x |",
        "| ----- | ----: |",
        "| a | 1 |",
        "| b | 2.5 |",
        "| c | – |",
    ]
    assert about["id"] == "tbl-a1" and about["caption"] == caption and about["checks"][0]["holds"]


def test_labels_and_rows_are_checked(shown):
    for label in ("Figure 2", "Table 2b", "Table", "2"):
        with pytest.raises(ValueError, match="expected one like 'Table 3'"):
            writing.table(("a",), [(1,)], label, "")
    with pytest.raises(ValueError, match=r"has 2 columns, a row has 1: \['1'\]"):
        writing.table(("a", "b"), [(1,)], "Table 1", "")


def test_a_figure_has_a_picture_for_every_viewer_and_its_alternative_text(shown):
    before = plt.get_fignums()
    last = 0.25  # noqa: F841
    figure, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, 1])
    writing.show(
        figure, "Figure 3", "**It falls.**\ncheck: last < 1", "A line to\n{{last:.1f}}.\ncheck: last > 0"
    )
    (data, about), (caption, role) = shown
    assert caption == about["caption"] == "**Figure 3.** **It falls.**" and role == {"role": "caption"}
    assert about["alt"] == "A line to 0.2." and about["id"] == "fig-3"
    assert [check["check"] for check in about["checks"]] == ["last < 1", "last > 0"]
    assert "New Computer Modern" in data["image/svg+xml"] or "<text" in data["image/svg+xml"]
    picture = Image.open(io.BytesIO(b64decode(data["image/png"])))
    assert picture.mode == "P" and picture.size == (330, 220) and len(data["image/png"]) < 20_000
    assert b64decode(data["application/pdf"]).startswith(b"%PDF")
    assert plt.get_fignums() == before


@pytest.mark.parametrize("family", ["sans", writing.OWN])
@pytest.mark.parametrize("label", ["a", "$a$"])
def test_words_are_text_unless_formulas_of_another_type_are_among_them(shown, family, label):
    figure, ax = plt.subplots()
    ax.set_xlabel(label, family=family)
    writing.show(figure, "Figure 3", "**A plane.**", "A plane.")
    drawn = label == "$a$" and family == "sans"
    assert ("<text" not in shown[0][0]["image/svg+xml"]) == drawn


@pytest.mark.slow
def test_figures_do_not_depend_on_folder_time_zone_and_locale(tmp_path):
    script = """
import matplotlib.pyplot as plt
from nbtypst import writing
writing.display = lambda *data, **about: print(data, about)
figure, ax = plt.subplots(figsize=(3, 2))
ax.plot([0.5, 1000], [1, 2], "o", label="one half")
ax.set(xlabel=r"$\\lambda$", title="ø")
writing.show(figure, "Figure 2", "**A line.**", "A line.")
"""
    places = [{"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"}, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}]
    (tmp_path / "elsewhere").mkdir()
    first, second = (
        subprocess.run(
            [sys.executable, "-X", "utf8", "-c", script],
            cwd=folder,
            env=os.environ | place,
            capture_output=True,
        )
        for folder, place in zip((tmp_path, tmp_path / "elsewhere"), places, strict=True)
    )
    assert first.stdout == second.stdout and b"application/pdf" in first.stdout, first.stderr


def test_small_numbers_are_written_as_formulas():
    assert writing.sci(3.62e-7) == r"$3.6 \times 10^{-7}$"
