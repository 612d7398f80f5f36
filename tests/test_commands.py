"""Every block of commands in the project's pages is run, here or by .ci/run, or is marked with a reason."""

import re
import subprocess
from typing import Any

import pytest

from conftest import ROOT

PAGES = [
    "CONTRIBUTING.md",
    "README.md",
    "benchmarks/README.md",
    "data/README.md",
    "docs/submission.md",
    "nbtypst/README.md",
    "nbtypst/SETTINGS.md",
]
CI = (ROOT / ".ci/run").read_text(encoding="utf-8")
# What the lines of a block begin with, and who runs them: "ci", "here", a test, or nobody, for a reason.
RUN_BY = {
    r"make (pdf|test|html|submission|verify)( |$)": "ci",
    r"py -m venv|\.venv\\Scripts\\python": "ci",
    r"for f in \*\.gz": "here",
    r"from assignment1 import|images = load|runs(\[0\.1, 3\]| = sweep\(SoftmaxRegression, images)": "here",
    r"pip install '?\./nbtypst|jupyter nbconvert|cp nbtypst/docs": "nbtypst/tests",
    r"git clone": "the way here",
    r"git checkout": "it would undo what is being worked on",
    r"make lab": "it opens a browser; tests/report/test_report_browser.py visits JupyterLab",
    r"conda |make pdf ENV=active": "conda is on no machine of ours; tests build with ENV=active",
    r"make bench": "a quarter of an hour, on a machine that does nothing else",
    r"NBTYPST_FUZZ": "minutes; the test runs with fewer notebooks",
    r"with distributed|with joblib|ray\.|cluster|runs(\.failed)?": "a scheduler of one's own",
}


def blocks(page):
    """Return the blocks of commands of a page, each as its lines."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"(?:^|\n\n)((?: {4}.*(?:\n|$)|\n(?= {4}))+)", text)
    found += re.findall(r"```(?:bash|sh|console)\n(.*?)```", text, re.DOTALL)
    return [[line.strip() for line in block.splitlines() if line.strip()] for block in found]


def kind(line):
    return next((by for start, by in RUN_BY.items() if re.match(start, line)), None)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_has_someone_who_runs_it(page):
    for block in blocks(page):
        if kind(block[0]) is None:  # text, settings or code in a form that is shown
            assert not re.match(r"(\$ )?(make|pip|python|py|git|jupyter|conda|uv|npm|sudo)\b", block[0]), (
                block
            )
            continue
        for line in block:
            by = kind(line)
            assert by or line.startswith(("runs = sweep(...)", "cluster.scale")), (page, line)
            if by == "ci" and line.startswith("make"):
                assert re.search(rf"\b{line.split()[1]}\b", CI), line


def test_the_checksums_of_the_data_are_those_that_the_command_gives():
    (command,) = [block[0] for block in blocks("data/README.md") if kind(block[0]) == "here"]
    portable = command.replace("shasum -a 256", "sha256sum")
    done = subprocess.run(
        ["sh", "-c", portable], cwd=ROOT / "data", capture_output=True, text=True, check=True
    )
    sums = re.findall(r"^(\w{64})", done.stdout, re.MULTILINE)
    page = (ROOT / "data/README.md").read_text(encoding="utf-8")
    assert len(sums) == 4 and all(one in page for one in sums)


@pytest.mark.slow
def test_the_readmes_example_runs():
    (example,) = [block for block in blocks("README.md") if block[0].startswith("from assignment1")]
    *lines, last = example
    quick = "\n".join(lines).replace("epochs=50", "epochs=1")
    names: dict[str, Any] = {}
    exec(f"{quick}\naccuracy = {last}", names)
    assert len(names["runs"]) == 20 and 0.8 < names["accuracy"] < 1
