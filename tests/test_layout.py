"""The houses of the project: every import leads down, and what every file keeps to."""

import ast
import json
import re
import subprocess
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sizes

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("assignment1", "benchmarks", "explore", "nbtypst/src", "study", "tools")
ASSIGNMENT = ("mnist", "models", "training", "gradcheck")
PACKAGES = ("assignment1/", "explore/", "nbtypst/", "study/")
HIDDEN = {"ContextVar", "__setattr__", "cloudpickle", "dill", "global", "pickle"}
ELSEWHERE = {"scipy", "sympy", "isal", "sklearn", "joblib"}  # what nbtypst does without
NO_VERBS = """
A All An And Any As Both But By Does Each Every Everything For From Has How If In Is It Its Many No
Not Nothing Of On Once One Only Or Other Out So Some Such That The Their There These They This Those
To Two Was What When Where Whether Which While Who Whose Why With Without
"""


def tracked():
    """Return the paths of all Python files, from the root, whether they are committed yet or not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not done.stdout:
        pytest.skip("this is no git checkout")
    return sorted({name for name in done.stdout.splitlines() if (ROOT / name).exists()})


@pytest.fixture(scope="module")
def files():
    """Return the syntax tree of every Python file, by its path; that of nbtypst's package without `src`."""
    trees = {}
    for path in tracked():
        source = (ROOT / path).read_text(encoding="utf-8")
        trees[path.replace("nbtypst/src/nbtypst/", "nbtypst/")] = ast.parse(source)
    return trees


# The floors


def read_floors(text):
    """Return the towers, lists of houses, and the floors of each house, lists of rooms: patterns of paths."""
    towers: list[Any] = [[]]
    floors: dict[Any, Any] = {}
    for line in text.splitlines():
        words = line.partition("#")[0]
        if not words.strip():
            towers.append([])
        elif words.startswith(" "):
            floors[towers[-1][-1]].append([room.split() for room in words.split("|")])
        else:
            house = tuple(words.split())
            towers[-1].append(house)
            floors.setdefault(house, [])
    return towers, floors


def longest(path, patterns):
    """Return the longest pattern of a path or of a folder above it, or ""."""
    fitting = [one for one in patterns if fnmatch(path, f"{one}*" if one.endswith("/") else one)]
    return max(fitting, key=len, default="")


def place(path, floors):
    """Return the house of a file, and its floor and room there; None if the file stands nowhere."""
    for house, levels in floors.items():
        base = longest(path, house)
        if base and not levels:
            return house, 0, 0
        if base:
            return place_within(house, path.removeprefix(base), levels)
    return None


def place_within(house, path, levels):
    """Return the same for a path from its house on."""
    found: dict[str, Any] = {}
    for floor, rooms in enumerate(levels):
        for number, room in enumerate(rooms):
            found |= dict.fromkeys(room, (house, floor, number))
    return found.get(longest(path, found))


def leads_down(start, end, towers):
    """Tell whether an import from one place to another leads down, or stays in its room."""
    house, floor, room = start
    other, lower, beside = end
    if house == other:
        return floor < lower or (floor, room) == (lower, beside)
    both = [tower for tower in towers if house in tower and other in tower]
    return any(tower.index(house) < tower.index(other) for tower in both)


def imported(path, tree, files):
    """Return the files that a file imports, wherever in it the import stands."""
    folder = path.rpartition("/")[0]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {find(folder, [alias.name], files) for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            module = absolute(folder, node)
            found |= {find(folder, [f"{module}.{alias.name}", module], files) for alias in node.names}
    return found - {path, None}


def absolute(folder, node):
    """Return the module that a `from` import names, without leading dots."""
    if not node.level:
        return node.module
    parts = folder.split("/")
    above = parts[: len(parts) + 1 - node.level]
    return ".".join([*above, node.module] if node.module else above)


def find(folder, names, files):
    """Return the file of the first of these modules that is ours: scripts find those beside them, too."""
    for name in names:
        inner = name.replace(".", "/")
        beside = [] if f"{folder}/__init__.py" in files else [f"{folder}/{inner}.py"]
        for path in (f"{inner}.py", f"{inner}/__init__.py", *beside):
            if path in files:
                return path
    return None


@pytest.fixture(scope="module")
def imports(files):
    return {path: imported(path, tree, files) for path, tree in files.items()}


@pytest.fixture(scope="module")
def readme():
    """Return the towers and floors of README's list."""
    (text,) = re.findall(r"```floors\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return read_floors(text)


def test_every_file_stands_on_a_floor(files, readme):
    homeless = [path for path in files if not place(path, readme[1])]
    assert homeless == [], "write each into README's list of floors, at the height of what it imports"


def test_every_import_leads_down(imports, readme):
    towers, floors = readme
    places = {path: place(path, floors) for path in imports}
    wrong = []
    for path, others in imports.items():
        for other in others:
            if places[path] and places[other] and not leads_down(places[path], places[other], towers):
                wrong.append(f"{path} imports {other}")
    assert sorted(wrong) == []


def test_no_imports_make_a_circle(imports):
    TopologicalSorter(imports).prepare()


SMALL = """
top/            # of two houses
    a.py | b.py
    deep/
low/  alone.py

third/
low/  alone.py
"""


@pytest.mark.parametrize(
    "source, target, right",
    [
        ("top/a.py", "top/deep/c.py", True),
        ("top/deep/c.py", "top/deep/d.py", True),
        ("top/a.py", "low/e.py", True),
        ("third/f.py", "alone.py", True),
        ("low/e.py", "alone.py", True),
        ("top/deep/c.py", "top/a.py", False),
        ("top/a.py", "top/b.py", False),
        ("low/e.py", "top/a.py", False),
        ("third/f.py", "top/a.py", False),
    ],
)
def test_an_import_that_leads_up_or_aside_is_found(source, target, right):
    towers, floors = read_floors(SMALL)
    assert leads_down(place(source, floors), place(target, floors), towers) == right
    assert place("top/else.py", floors) is None and place("else/a.py", floors) is None


@pytest.mark.parametrize(
    "source",
    [
        "import top.b",
        "from top import b",
        "from top.b import name",
        "from . import b",
        "from .b import name",
        "from ..top.b import name",
        "def f():\n    import top.b as c",
        "if TYPE_CHECKING:\n    from top.b import Name",
    ],
)
def test_imports_of_every_form_are_read(source):
    names = ["top/a.py", "top/b.py", "top/__init__.py"]
    assert "top/b.py" in imported("top/a.py", ast.parse(source), dict.fromkeys(names))


# What every file keeps to


def names(tree):
    """Return all names that a file reads, binds or imports, and "global" if it has that statement."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= set((node.module or "").split("."))
        if isinstance(node, ast.alias):
            found |= set(node.name.split("."))
        if isinstance(node, ast.Name):
            found.add(node.id)
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        if isinstance(node, ast.Global):
            found.add("global")
    return found


@pytest.fixture(scope="module")
def used(files):
    """Return the names in every file of the packages."""
    inner = [path for path in files if path.startswith(PACKAGES) and not path.startswith("nbtypst/tests/")]
    return {path: names(files[path]) for path in inner}


def test_the_page_setters_door_alone_imports_by_name(used):
    assert [path for path, found in used.items() if "import_module" in found] == ["nbtypst/__init__.py"]


def test_the_page_setter_needs_no_science(used):
    wrong = {path: found & ELSEWHERE for path, found in used.items() if path.startswith("nbtypst/")}
    assert [path for path, names in wrong.items() if names] == []


def test_no_hidden_channel_and_no_pickle(used):
    wrong = {path: found & HIDDEN for path, found in used.items() if not path.startswith("nbtypst/")}
    assert {path: names for path, names in wrong.items() if names} == {}


def is_property(node):
    """Return whether a function is read as an attribute, which a noun describes."""
    return any(ast.unparse(decorator).endswith("property") for decorator in node.decorator_list)


def test_a_docstring_of_a_function_begins_with_a_verb(files):
    """Ruff's D401 knows more words, but no property, and not what is a noun as well."""
    wrong = []
    for path, tree in files.items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("test_")
                and not is_property(node)
            ):
                first = (ast.get_docstring(node) or "Return").split()[0].strip(",.:;")
                if first in NO_VERBS.split():
                    wrong.append(f"{path}:{node.lineno} {first}")
    assert wrong == []


# The assignment


MEND = "take something out, or raise the limit in the same commit with a reason"


def sizes_in(folder):
    """Return the tokens and the statements of each Python file in a folder, by its path from the root."""
    paths = [path for path in (ROOT / folder).rglob("*.py") if ".venv" not in path.parts]
    return {path.relative_to(ROOT).as_posix(): sizes.measured(path) for path in paths}


def test_the_assignment_can_be_read_in_a_quarter_of_an_hour():
    found = {name: sizes.measured(ROOT / f"assignment1/{name}.py")[0] for name in ASSIGNMENT}
    total = sum(found.values())
    assert total <= 4200, f"the four modules have {total:,} tokens of 4,200, {found}; {MEND}"


def test_the_helper_package_is_thin():
    found = {path: tokens for path, (tokens, _) in sizes_in("assignment1").items()}
    total = sum(found.values())
    assert total <= 14_000, f"assignment1 has {total:,} tokens of 14,000, {found}; {MEND}"


@pytest.mark.parametrize("house", HOUSES)
def test_one_thing_stands_on_a_line(house):
    """The limit is of a house as a whole, so that one dense file may stand among others."""
    found = sizes_in(house)
    tokens, statements = np.sum(list(found.values()), axis=0).tolist()
    each = {path: round(many / max(few, 1), 1) for path, (many, few) in found.items()}
    densest = sorted(each.items(), key=lambda one: -one[1])[:5]
    said = f"{house} has {tokens / statements:.2f} tokens a statement of 11.5, most in {dict(densest)}"
    assert tokens <= 11.5 * statements, f"{said}: say one thing a line"


def test_the_plain_algorithm_opens_its_file(files):
    functions = [node for node in files["assignment1/training.py"].body if isinstance(node, ast.FunctionDef)]
    lines = len(ast.unparse(functions[0]).splitlines())
    assert functions[0].name == "gradient_descent"
    assert lines <= 40, f"gradient_descent has {lines} lines of 40, as ast.unparse counts them; {MEND}"


def test_the_ladder_of_the_engine_has_the_measured_gains():
    ladder = ast.get_docstring(ast.parse((ROOT / "assignment1/fast/engine.py").read_text())) or ""
    steps = {name: gain for gain, name in re.findall(r"^ +(\d+\.\d\d)  (.+?):", ladder, re.MULTILINE)}
    first, *_ = json.loads((ROOT / "benchmarks/results.json").read_text()).values()
    results = first["parts"]["tricks"]["found"]
    measured = {name: sorted(row["ratios"])[len(row["ratios"]) // 2] for name, row in results.items()}
    assert steps == {name: f"{gain:.2f}" for name, gain in measured.items()}
