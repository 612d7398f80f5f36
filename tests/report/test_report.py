"""The committed notebook is a fresh run's, reads well in its source, and what it says is true."""

import ast
import builtins
import copy
import re
from collections import Counter
from contextlib import chdir
from itertools import chain, islice

import nbformat
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_notebook

from conftest import ELSEWHERE, ROOT, nbconvert
from nbtypst import ReportPDFExporter
from nbtypst.authoring import parts, templates
from nbtypst.authoring.refill import refill
from nbtypst.check import evidence
from nbtypst.problems import ExportError
from study.notation import QUESTIONS
from tools import build

pytestmark = pytest.mark.slow

BEGUN = re.compile("^.* = begin.*$", re.M)  # what later tasks need
POWER = re.compile(r"([\d.]+) \\times 10\^\{(-?\d+)\}")
NUMBER = re.compile(r"([-−]?\d[\d,]*(?:\.(\d+))?(?:e([-+]?\d+))?)")
# The numbers that the text may state as they are: settings, sizes, names, never an unchecked result.
PLAIN = """
0 1 2 3 4 5 6 7 8 9 10 11 12 13 15 20 28 31 33 40 45 50 75 80 95 100 124 127.5 128 200
255 256 600 785 2024 4,000 5,000 7,850 10,000 20,000 40,000
0.00001 0.001 0.01 0.05 0.1 0.2 0.5 5.2 7.1 7.8
"""
GIVEN = set(PLAIN.split())
PARTS = {name: part for name, part in parts.read(ROOT / parts.FOLDER).items() if name[:7] != "explore"}
DIGITS = ("positive", "negative")  # of task 2: values that are no results
CITED = re.compile(r"(?<=\s)\[(\d+(?:, \d+)*)(?:, section.*?)?\]")
MOST = 4  # values of a paragraph
TYPED = re.compile(r"(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?(?:e-?\d+)?")


CHANGES = {
    "a run of one step": ("epochs=500, batch_size=128", "epochs=1, batch_size=4005"),
    "learning rate": ("learning_rate=0.05, epochs=500", "learning_rate=1, epochs=500"),
    "another pair of digits": ("positive, negative = 2, 3", "positive, negative = 2, 7"),
    "another seed": ("seed=0", "seed=1"),
}


def run(folder, cells, metadata):
    """Return cells as a fresh kernel executes them in a folder, in another time zone and locale."""
    nbformat.write(new_notebook(metadata=metadata, cells=cells), folder / "changed.ipynb")
    done = nbconvert(
        folder, "--to", "notebook", "--execute", "--output", "executed", "changed.ipynb", **ELSEWHERE
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(folder / "executed.ipynb", as_version=4)


@pytest.fixture(scope="module")
def fresh(committed, unpacked):
    """Return the notebook from a fresh kernel: of `make pdf` where that has just been, else of the zip."""
    with chdir(ROOT):
        notebook = copy.deepcopy(committed)
        if build.recall(build.digest(notebook), notebook):
            return notebook
    return run(unpacked, copy.deepcopy(committed.cells), committed.metadata)


@pytest.fixture(scope="module")
def executed(committed, unpacked):
    """Return the cells up to task 2e with a setting changed, for each of CHANGES; one kernel runs all."""
    (end,) = [i for i, cell in enumerate(committed.cells) if "### Task 2e" in cell.source]
    parts = {}
    for change, (old, new) in CHANGES.items():
        parts[change] = copy.deepcopy(committed.cells[: end + 2])
        for cell in parts[change]:
            cell.source = BEGUN.sub("", cell.source.replace(old, new))
            cell.id = f"{len(parts)}-{cell.id}"
    done = run(unpacked, list(chain.from_iterable(parts.values())), committed.metadata)
    cells = iter(done.cells)
    return {
        name: new_notebook(metadata=done.metadata, cells=list(islice(cells, len(part))))
        for name, part in parts.items()
    }


def names_in(source):
    """Return the names that code binds, but in comprehensions, and those that it or its text reads."""
    found = list(ast.walk(ast.parse(source)))
    inner = [name for node in found if isinstance(node, ast.comprehension) for name in ast.walk(node.target)]
    names = [node for node in found if isinstance(node, ast.Name) and node not in inner]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    text = "\n".join(PARTS.get(name, "") for name in shown(source))
    said = " ".join(templates.VALUE.findall(text) + re.findall("check: (.*)", text))
    return bound, {node.id for node in names} | set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", said))


def test_a_cell_that_is_run_again_after_all_others_reads_what_it_read_before(committed):
    """What a cell reads and does not bind itself, no more than one cell binds."""
    cells = [names_in(cell.source) for cell in code_cells(committed)]
    binders = Counter(name for bound, _ in cells for name in bound)
    for cell, (bound, read) in zip(code_cells(committed), cells, strict=True):
        assert {name for name in read - bound if binders[name] > 1} == set(), cell.source


HOLDS = """
from nbtypst.authoring.ledger import ledger
checks = [check for told in ledger.told.values() for check in told]
assert checks and all(check.holds for check in checks), checks
"""


def test_run_again_as_jupyterlab_runs_it_nothing_is_struck(committed):
    """With the ids of cells, which nbconvert does not send: the ledger tells the cells apart by them."""
    cells = code_cells(committed)
    told = next(number for number, cell in enumerate(cells) if "say(" in cell.source)
    manager, client = start_new_kernel(cwd=str(ROOT))
    try:
        for cell in cells[: told + 1] * 2:
            content = {"code": BEGUN.sub("", cell.source), "silent": False}
            message = client.session.msg("execute_request", content, metadata={"cellId": cell.id})
            client.shell_channel.send(message)
            assert client.get_shell_msg(timeout=120)["content"]["status"] == "ok", cell.source
        found = client.execute(HOLDS, reply=True, timeout=60)["content"]
        assert found["status"] == "ok", found
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_its_own_text_put_into_the_report_again_changes_nothing(committed):
    """It is what `make pdf` does with an edited part: each has its outputs, and nothing is lost."""
    again = copy.deepcopy(committed)
    assert refill(again, PARTS)
    assert again == committed


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(source):
    """Return the names of the parts that a cell shows: of text, of captions, and of alternative texts."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called not in ("say", "show", "table", "give"):
            continue
        name = ast.literal_eval(node.args[-1])
        names += [name, f"{name}.alt"] if called == "show" else [name]
    return names


def texts(notebook):
    """Yield the Markdown and alternative text of every output but the one that names versions."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = data.get("text/markdown", data.get("text/plain", ""))
            if not text.startswith("Computed with "):
                yield text


def test_executed_in_order_without_errors_warnings_or_bars(committed):
    code = code_cells(committed)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert "version" not in committed.metadata.language_info  # the page names what computed it
    for output in (output for cell in code for output in cell.outputs):
        assert output.output_type in ("display_data", "execute_result"), output
    assert "epoch/s" not in nbformat.writes(committed)


def test_the_notebook_holds_code_and_the_text_stands_once_in_markdown_files(committed):
    code = code_cells(committed)
    lines = [cell.source.splitlines() for cell in code]
    assert len(code) <= 70, f"{len(code)} cells of code of 70: join two, or move work to study/"
    total = sum(map(len, lines))
    assert total <= 300, f"{total} lines of code of 300: move work to study/"
    for one in lines:
        assert len(one) <= 6, f"a cell has {len(one)} lines of 6: split it, or move work to study/: {one}"
        assert max(map(len, one)) <= 120, f"a line has more than 120 characters: {one}"
        assert "check:" not in "".join(one), f"a check stands in code: move it to text/: {one}"
    named = [name for cell in code for name in shown(cell.source)]
    assert sorted(named) == sorted(PARTS)  # each once, and none that is not shown
    assert (ROOT / "report.ipynb").stat().st_size < 3_000_000


def test_templates_read_names_that_the_cells_before_them_bind(committed):
    known = set(dir(builtins))
    for cell in code_cells(committed):
        tree = ast.parse(cell.source)
        known |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        known |= {(n.asname or n.name).partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.alias)}
        for name in shown(cell.source):
            for passage in templates.passages(PARTS[name]):
                assert passage.names() <= known, name


def test_the_table_of_answers_names_the_tasks_headings(committed):
    headings = [
        line.strip("# ")
        for cell in committed.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("### Task ")
    ]
    assert headings == list(QUESTIONS.values())
    (table,) = [t for t in texts(committed) if t.startswith("| Task | Answer |")]
    assert len(table.splitlines()) == 2 + len(QUESTIONS) and "…" not in table


def test_every_sentence_with_a_check_is_true_and_in_the_evidence(committed):
    checks = [
        check
        for cell in code_cells(committed)
        for output in cell.outputs
        for check in output.metadata.get("checks", ())
    ]
    assert len(checks) > 200 and all(check.holds for check in checks)
    listed = evidence(committed)
    assert listed.startswith(f"The {len(checks)} checks of this report")
    assert all(" ".join(check.sentence.split()) in listed for check in checks)
    for number, cell in enumerate(committed.cells, 1):
        for output in cell.get("outputs", ()):
            if "id" in output.metadata:
                label = output.metadata.caption.split("**")[1].rstrip(".")
                (line,) = re.findall(rf"^{label}: cell {number}, (.*)", listed, re.M)
                assert line in cell.source and f'"{label}"' in line


def numbers(text):
    """Return a text without its numbers, the numbers, and a unit of the last digit of each, 0 for counts."""
    plain = POWER.sub(r"\1e\2", text)
    values = []
    units = []
    for number, decimals, exponent in NUMBER.findall(plain):
        values.append(float(number.replace(",", "").replace("−", "-")))
        last = int(exponent or 0) - len(decimals)
        units.append(10.0**last if decimals or exponent else 0)
    return NUMBER.sub("#", plain), np.array(values), np.array(units)


def test_a_fresh_run_gives_the_committed_results(committed, fresh):
    pairs = list(zip(texts(committed), texts(fresh), strict=True))
    assert len(pairs) > 80
    for one, other in pairs:
        words, old, units = numbers(one)
        again, new, _ = numbers(other)
        assert words == again
        rounding = (np.abs(old) < 1e-9) & (np.abs(new) < 1e-9)  # the gradient checks' and optima's
        relative = 1e-3 * np.abs(old) * (units > 0)  # float32 on other machines
        near = np.abs(old - new) <= 1.01 * units + relative
        assert (near | rounding).all(), (one, other)


def elements(notebook):
    """Return the shapes and words of every figure: coordinates may differ in their last digits."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    svgs = [output.data["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]
    return [re.findall(r"<(?:g|text|path|use|image)\b|>[^<>\s][^<>]*<", svg) for svg in svgs]


def test_a_fresh_run_gives_the_committed_figures(committed, fresh):
    old = elements(committed)
    new = elements(fresh)
    assert old == new and len(new) > 7


def test_no_result_is_typed(committed):
    texts = [cell.source for cell in committed.cells if cell.cell_type == "markdown"]
    texts = [text.partition("### References")[0] for text in texts]
    texts += [re.sub(r"\{\{.*?\}\}", "", part, flags=re.DOTALL) for part in PARTS.values()]
    for text in texts:
        lines = [line for line in text.splitlines() if not line.strip().startswith("check:")]
        typed = sorted(set(TYPED.findall(CITED.sub("", "\n".join(lines)))) - GIVEN)
        advice = "write {{...}}, or add it to PLAIN if no run produced it"
        assert typed == [], f"{advice}; it stands in {text.strip()[:80]!r}"


def test_what_is_cited_is_listed_and_what_is_listed_is_cited(committed):
    texts = [cell.source for cell in committed.cells if cell.cell_type == "markdown"]
    (listed,) = [text.partition("### References")[2] for text in texts if "### References" in text]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", listed, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    texts = [text.partition("### References")[0] for text in texts]
    texts += [templates.VALUE.sub("", re.sub("check: .*", "", part)) for part in PARTS.values()]
    cited = {int(n) for text in texts for found in CITED.findall(text) for n in found.split(", ")}
    assert cited - set(numbers) == set(), "cited, but not in the list of references"
    assert set(numbers) - cited == set(), "in the list of references, but not cited"


def test_no_paragraph_is_a_list_of_numbers():
    for name, part in PARTS.items():
        if name.partition(".")[0] in ("answers",) or name.endswith(".alt"):
            continue
        lines = [line for line in part.splitlines() if not line.strip().startswith("check:")]
        for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
            values = [value for value in templates.VALUE.findall(paragraph) if value not in DIGITS]
            found = f"a paragraph of {name!r} has {len(values)} values of {MOST}"
            assert len(values) <= MOST, f"{found}: make it a table, or two paragraphs: {paragraph}"


def rows(text):
    """Return the checks of each answer in a part of the table of answers, by its question."""
    found = {}
    for passage in templates.passages(text):
        *_, last = passage.text.splitlines()
        found[last.partition(":")[0]] = set(passage.checks)
    return found


def test_an_answer_in_the_table_has_no_check_that_its_section_has_not():
    answers = rows(PARTS["answers.2-and-3"]) | rows(PARTS["answers.4"])
    assert sum(map(bool, answers.values())) == 13
    for question, checks in answers.items():
        section = templates.passages(PARTS.get(f"{question}.answer", ""))
        assert checks <= {check for passage in section for check in passage.checks}, question


@pytest.mark.parametrize("change", CHANGES)
def test_the_table_and_a_line_at_the_top_follow_the_sections(executed, change):
    run = executed[change]
    struck = {
        name.partition(".")[0]
        for cell in code_cells(run)
        for name, output in zip(shown(cell.source), cell.outputs, strict=False)
        if name.endswith(".answer") and "No longer true" in output.data["text/markdown"]
    }
    (table,) = [text for text in texts(run) if text.startswith("| Task | Answer |")]
    assert {row[3:5] for row in table.splitlines() if "No longer true" in row} == struck
    lines = [text for text in texts(run) if re.match(r"\*\*No longer true: \d+ sentences?\*\*, in ", text)]
    named = re.findall(r"(\w+)\.answer", "".join(lines))
    assert len(lines) == bool(struck) and set(named) == struck


@pytest.mark.parametrize("change", CHANGES)
def test_another_setting_runs_on_and_no_build_takes_what_is_no_longer_true(executed, change):
    run = executed[change]
    if change == "another seed":  # of a random model for the gradient's check, and of the shuffled run
        assert not [text for text in texts(run) if "No longer true" in text]
        return
    marked = [text for text in texts(run) if "**No longer true** (" in text]
    sentences = [part for text in marked for part in re.findall(r"No longer true.*?~~", text)]
    assert marked and not [sentence for sentence in sentences if "\n" in sentence]
    with pytest.raises(ExportError) as refused:
        ReportPDFExporter().from_notebook_node(run)
    untrue = [line for line in str(refused.value).splitlines() if "not true" in line]
    assert len(untrue) >= len(marked) > 1


def test_every_figure_and_table_is_mentioned_in_the_text(committed):
    outputs = [output for cell in code_cells(committed) for output in cell.outputs]
    labels = [
        re.match(r"\*\*(\w+ \w+)\.\*\*", o.metadata["caption"]) for o in outputs if "caption" in o.metadata
    ]
    text = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")
    text += "\n".join(o.data.get("text/markdown", "") for o in outputs if "checks" in o.metadata)
    plain = re.sub(r"\s+", " ", re.sub(r"\*\*(Figure|Table) \w+\.\*\*", "", text))
    plain = re.sub(r"(Figure|Table)s (\w+) and (\w+)", r"\1 \2, \1 \3", plain)
    own = {"Table 1", "Table 2"}  # the answers and the notation, which open the report and its first section
    named = {label[1] for label in labels if label}
    assert len(named) > 20
    assert {label for label in named - own if not re.search(rf"\b{label}\b", plain)} == set()
