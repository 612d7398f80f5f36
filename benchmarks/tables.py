"""The results in words: results.md, the table in the README and the bars."""

import statistics

import matplotlib
import matplotlib.pyplot as plt
from race import median_ratio

matplotlib.use("svg")
plt.rcParams.update({"svg.hashsalt": "", "svg.fonttype": "none", "font.size": 9})

OTHERS = ("PyTorch", "PyTorch, evaluated lazily", "JAX, one compiled loop")
KERNELS = {"Haswell": "AVX2", "SkylakeX": "AVX-512"}  # by OpenBLAS's names
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


def full(results):
    """Return results.md."""
    lines = ["# Results", "", "Made by `make bench`; not edited by hand.", ""]
    for architecture, found in results.items():
        name = KERNELS.get(architecture, architecture)
        lines += [f"# By {name}, OpenBLAS's kernels for {architecture}", ""]
        lines += [f"{key}: {value}  " for key, value in found["machine"].items()]
        for part_name, part in found["parts"].items():
            lines += ["", f"## {part_name}: {TITLES[part_name]}.", ""]
            lines += part["text"] if "text" in part else race_table(part)
        lines.append("")
    return "\n".join(lines) + "\n"


def race_table(part):
    """Return the lines of a race."""
    lines = ["| | median, s | rounds, s | times as fast | agrees to | version |", "|---|---|---|---|---|---|"]
    for label, row in part["contestants"].items():
        seconds = row["seconds"]
        figures = f"{statistics.median(seconds):.2f} | {spread(seconds)} | {row['ratio']:.2f}"
        lines.append(f"| {label} | {figures} | {row['agreement']} | {row['version']} |")
    lines += [f"\nLeft out: {label} ({why})." for label, why in part["left_out"].items()]
    return lines


def summary(results):
    """Return the tables in the README: seconds of this project and of what one would pick instead."""
    lines = []
    for architecture, found in results.items():
        head = f"by {KERNELS.get(architecture, architecture)}", "this project", "reference", "ratio", *OTHERS
        lines += [f"| {' | '.join(head)} |"]
        lines += [f"|---|{6 * '---:|'}", *rows(found["parts"]), ""]
    return "\n".join(lines)


def rows(parts):
    """Return the lines of a table in the README, of those parts that there are."""
    lines = []
    for name in ("single", "lambdas", "seeds"):
        if name in parts:
            found = {label: row["seconds"] for label, row in parts[name]["contestants"].items()}
            ours = found["this project" if name == "single" else "sweep()"]
            lines.append(summary_row(name, ours, found["reference"], found))
    if "report" in parts:
        found = parts["report"]["found"]
        lines.append(summary_row("report", found["report"], found["reference"], {}))
    if "loading" in parts:
        _, plain, ours = parts["loading"]["found"].values()
        lines.append(summary_row("loading", [ours], [plain], {}))
    return lines


def summary_row(name, ours, reference, found):
    """Return a part's line of the README's table."""
    cells = [TITLES[name], in_words(ours), in_words(reference), f"{median_ratio(reference, ours):.2f}"]
    cells += [in_words(found.get(label)) for label in OTHERS]
    return f"| {' | '.join(cells)} |"


def in_words(seconds):
    """Return the median, or a dash for a contestant that is not there."""
    return f"{statistics.median(seconds):#.3g} s" if seconds else "–"


def draw(results, file):
    """Save two parts of the first machine as bars: times as fast as the reference."""
    parts = next(iter(results.values()))["parts"]
    drawn = {name: parts[name]["contestants"] for name in ("single", "lambdas") if name in parts}
    counts = [len(rows) for rows in drawn.values()]
    figure, panels = plt.subplots(
        len(drawn),
        figsize=(7, 0.33 * sum(counts) + 1),
        gridspec_kw=dict(height_ratios=counts, hspace=0.35),
        squeeze=False,
    )
    for ax, (name, rows) in zip(panels[:, 0], drawn.items(), strict=True):
        bars(ax, rows)
        ax.set_title(f"{TITLES[name]}: times as fast as the reference", loc="left", fontsize=10)
    figure.savefig(file, bbox_inches="tight", metadata=dict(Date=None))


def bars(ax, rows):
    """Draw a bar for each contestant, the slowest below; NumPy's are blue."""
    labels = sorted(rows, key=lambda label: rows[label]["ratio"])
    ratios = []
    colours = []
    words = []
    for label in labels:
        row = rows[label]
        ratios.append(row["ratio"])
        colours.append("#0072B2" if row["version"].startswith("NumPy") else "0.6")
        words.append(f"{row['ratio']:.1f}  ({statistics.median(row['seconds']):.1f} s)")
    drawn = ax.barh(labels, ratios, color=colours)
    ax.bar_label(drawn, words, padding=3, fontsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.2)
