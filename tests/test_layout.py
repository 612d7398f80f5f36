"""The rooms of the project: what stands where, how long it is, and that no room leans on the wrong one."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import SLOW

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = ("mnist", "models", "training", "gradcheck")


def tracked(*patterns):
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not done.stdout:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def imported(path):
    """The modules that a file imports anywhere, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def test_the_assignment_can_be_read_in_a_quarter_of_an_hour():
    lines = [len((ROOT / f"assignment1/{name}.py").read_text().splitlines()) for name in ASSIGNMENT]
    assert sum(lines) <= 500, lines


def test_no_file_and_no_line_is_long():
    for path in tracked("*.py", "*.typ", "*.js", "*.css"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= (400 if path.suffix == ".js" else 350), path
        if path.suffix == ".py":
            assert max(map(len, lines), default=0) <= 110, path


def test_what_make_quick_leaves_out_is_there():
    texts = {path.name: path.read_text(encoding="utf-8") for path in tracked("*/test_*.py")}
    for name, _, test in (one.partition("::") for one in SLOW.split()):
        assert f"def {test}" in texts.get(name, ""), name


def test_the_page_setter_needs_nothing_of_the_assignment():
    for path in tracked("nbtypst/src/*.py"):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & {"assignment1", "scipy", "sympy", "isal", "sklearn", "joblib"}, path


def test_the_assignment_needs_nothing_of_the_report_and_the_plain_way_nothing_of_the_fast():
    for name in ASSIGNMENT:
        found = imported(ROOT / f"assignment1/{name}.py")
        assert not {"evidence", "figures", "sweep", "evaluation"} & {
            part.rpartition(".")[2] for part in found
        }
        assert "nbtypst" not in {part.partition(".")[0] for part in found}
    plain = ast.parse((ROOT / "assignment1/training.py").read_text())
    first = next(node for node in plain.body if isinstance(node, ast.FunctionDef))
    assert first.name == "gradient_descent" and len(ast.unparse(first).splitlines()) <= 40
    assert not {"engine", "CompactInputs"} & {n.id for n in ast.walk(first) if isinstance(n, ast.Name)}


def test_the_ladder_of_the_engine_has_the_measured_gains():
    ladder = ast.get_docstring(ast.parse((ROOT / "assignment1/fast/engine.py").read_text())) or ""
    steps = {name: gain for gain, name in re.findall(r"^ +(\d+\.\d\d)  (.+?):", ladder, re.MULTILINE)}
    results = json.loads((ROOT / "benchmarks/results.json").read_text())["parts"]["tricks"]["found"]
    measured = {name: sorted(row["ratios"])[len(row["ratios"]) // 2] for name, row in results.items()}
    assert steps == {name: f"{gain:.2f}" for name, gain in measured.items()}
