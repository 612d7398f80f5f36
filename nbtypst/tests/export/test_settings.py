"""The settings of a page have one source: the options and SETTINGS.md say the same as settings.py."""

from dataclasses import fields
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook

from nbtypst import ReportHTMLExporter, ReportPDFExporter
from nbtypst.reading.document import collect
from nbtypst.settings import Settings, settings

TABLE = [
    [part.strip() for part in line.split("|")[1:4]]
    for line in (Path(__file__).parents[2] / "SETTINGS.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
]


def test_settings_md_has_every_setting_and_every_option():
    listed = [(name.strip("`"), words) for name, _, words in TABLE]
    assert listed[: len(fields(Settings))] == [(one.name, one.metadata["help"]) for one in fields(Settings)]
    assert [name for name, _ in listed[len(fields(Settings)) :]] == ["folder", "font_paths", "system_fonts"]


def test_settings_md_has_the_defaults():
    said = {name.strip("`"): default for name, default, _ in TABLE}
    for one in fields(Settings):
        if one.default not in ("", ()):
            default = f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
            wanted = default.lower() if isinstance(one.default, bool) else default
            assert said[one.name].rpartition("else ")[2] == wanted


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
@pytest.mark.parametrize("exporter", [ReportHTMLExporter, ReportPDFExporter])
def test_every_setting_is_an_option_that_goes_before_the_metadata(exporter, name):
    default = getattr(Settings(), name)
    other = {bool: not default, float: 9.5}.get(type(default), "us-letter" if name == "paper" else "nb")
    about = {"nbtypst": {name: default}} if default else {}
    found = exporter(**{name: other}).settings(new_notebook(metadata=about))
    assert getattr(found, name) == (("nb",) if name == "authors" else other)


@pytest.mark.parametrize(
    "own",
    [
        {"font_size": 99},
        {"font_size": "large"},
        {"contents": "perhaps"},
        {"language": "Norwegian bokmål"},
        {"paper": "napkin"},
        {"authors": 55},
    ],
)
def test_a_value_that_a_setting_cannot_have_is_left_out_with_a_warning(own):
    nb = new_notebook(metadata={"nbtypst": own})
    assert settings(nb, {}) == Settings()
    (problem,) = collect(nb).problems.warnings
    ((name, value),) = own.items()
    assert str(problem) == f"the settings: {name} cannot be {value!r}; its default is taken"


@pytest.mark.parametrize(
    "key, advice", [("strct", "perhaps 'strict' is meant"), ("x", "SETTINGS.md has all")]
)
def test_a_key_that_is_no_setting_is_a_warning(key, advice):
    (problem,) = collect(new_notebook(metadata={"nbtypst": {key: True}})).problems.warnings
    assert str(problem) == f"the settings: {key!r} is no setting; {advice}"


@pytest.mark.parametrize("own", [{"title": None}, "no settings"])
def test_no_value_is_the_default(own):
    found = settings(new_notebook(metadata={"nbtypst": own}), {})
    assert found == Settings() and not found.ignored
