"""The results in words: results.md, the table in the README and the bars."""

import statistics
from functools import partial
from operator import truediv

import matplotlib
import matplotlib.pyplot as plt

matplotlib.use("svg")
plt.rcParams.update({"svg.hashsalt": "", "svg.fonttype": "none", "font.size": 9})

OTHERS = ("PyTorch", "PyTorch, evaluated lazily", "JAX, one compiled loop")
DRAWN = ("single", "lambdas")
KERNELS = {"Haswell": "AVX2", "SkylakeX": "AVX-512"}  # by OpenBLAS's names
SUMMED = ("single", "lambdas", "seeds", "report", "loading")
TITLES = {
    "single": "Task 3: one softmax run of 50 epochs",
    "lambdas": "Tasks 3 and 4: the sweep over five lambdas",
    "seeds": "Task 2, shuffled, over 40 seeds",
    "float32": "Task 3 in float32",
    "report": "The whole report, executed, against the reference's runs of tasks 2 to 4",
    "growth": "Growth with the images, the epochs and the runs; memory over the arrays of the data",
    "loading": "Reading, verifying and pre-processing the data",
    "tricks": "Each trick alone: the run without it over the run with it",
}


def spread(values):
    """Return the least and the largest value, in words."""
    return f"{min(values):.2f} to {max(values):.2f}"


def ratio(rows, label):
    """Return the median over the rounds of the seconds of the first contestant over those of another."""
    first, *_ = rows.values()
    return statistics.median(map(truediv, first["seconds"], rows[label]["seconds"]))


def full(results):
    """Return results.md."""
    lines = ["# Results\n\nMade by `make bench`; not edited by hand.\n"]
    for architecture, found in results.items():
        name = KERNELS.get(architecture, architecture)
        lines.append(f"# By {name}, OpenBLAS's kernels for {architecture}\n")
        lines += [f"{key}: {value}  " for key, value in found["machine"].items()]
        for part_name, part in found["parts"].items():
            lines.append(f"\n## {part_name}: {TITLES[part_name]}.\n")
            lines.append(f"Load before: {part.get('load', 'not noted')}.\n")
            lines += race_table(part)
            lines += part.get("text", [])
        lines.append("")
    return "\n".join(lines) + "\n"


def race_table(part):
    """Return the lines of a race, if the part is one."""
    rows = part.get("contestants", {})
    lines = ["| | median | rounds, s | times as fast | agrees to | version |", "|---|---|---|---|---|---|"]
    for label, row in rows.items():
        figures = f"{in_words(row)} | {spread(row['seconds'])} | {ratio(rows, label):.2f}"
        lines.append(f"| {label} | {figures} | {row.get('agreement', '')} | {row.get('version', '')} |")
    lines += [f"\nLeft out: {label} ({why})." for label, why in part.get("left_out", {}).items()]
    return lines if rows else []


def summary(results):
    """Return the tables in the README: seconds of this project and of what one would pick instead."""
    lines = []
    for architecture, found in results.items():
        head = f"by {KERNELS.get(architecture, architecture)}", "this project", "reference", "ratio", *OTHERS
        parts = found["parts"]
        lines += [f"| {' | '.join(head)} |", f"|---|{6 * '---:|'}"]
        lines += [summary_row(name, parts[name]["contestants"]) for name in SUMMED if name in parts]
        lines.append("")
    return "\n".join(lines)


def summary_row(name, rows):
    """Return a part's line of the README's table."""
    ours = "this project" if "this project" in rows else "sweep()"
    cells = [TITLES[name], in_words(rows[ours]), in_words(rows["reference"]), f"{ratio(rows, ours):.2f}"]
    cells += [in_words(rows.get(label)) for label in OTHERS]
    return f"| {' | '.join(cells)} |"


def in_words(row):
    """Return the median, or a dash for a contestant that is not there."""
    return f"{statistics.median(row['seconds']):#.3g} s" if row else "–"


def draw(results, file):
    """Save two parts of the first machine as bars: times as fast as the reference."""
    parts = next(iter(results.values()))["parts"]
    drawn = {name: parts[name]["contestants"] for name in DRAWN}
    counts = [len(rows) for rows in drawn.values()]
    figure, panels = plt.subplots(
        len(drawn),
        figsize=(7, 0.33 * sum(counts) + 1),
        gridspec_kw=dict(height_ratios=counts, hspace=0.35),
    )
    for ax, (name, rows) in zip(panels, drawn.items(), strict=True):
        bars(ax, rows)
        ax.set_title(f"{TITLES[name]}: times as fast as the reference", loc="left", fontsize=10)
    figure.savefig(file, bbox_inches="tight", metadata=dict(Date=None))


def bars(ax, rows):
    """Draw a bar for each contestant, the slowest below; NumPy's are blue."""
    for label in sorted(rows, key=partial(ratio, rows)):
        length = ratio(rows, label)
        colour = "#0072B2" if rows[label]["version"].startswith("NumPy") else "0.6"
        words = f"{length:.1f}  ({statistics.median(rows[label]['seconds']):.1f} s)"
        ax.bar_label(ax.barh(label, length, color=colour), [words], padding=3, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.2)
