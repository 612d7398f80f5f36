"""Run the benchmark: `python benchmarks/run.py [PART ...]`; the parts are in PARTS, all by default.

Each contestant works in its own process, warmed up, and the contestants take turns, round after round, so
that what else the machine does falls on all alike. The ratios are the medians of the rounds' ratios. A
contestant that is not installed is left out and named. benchmarks/.venv/bin/python is used where it exists.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from assignment1 import load_mnist

matplotlib.use("svg")
plt.rcParams.update({"svg.hashsalt": "", "svg.fonttype": "none", "font.size": 9})

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
README = HERE.parent / "README.md"
MARK = "<!-- written by make bench -->"  # before and after the README's table
HISTORY = ("train_loss", "step", "validation_loss", "validation_accuracy", "train_accuracy")

CONTESTANTS = {
    "reference": ("contestants", "reference"),
    "this project": ("contestants", "ours_single"),
    "sweep()": ("contestants", "ours_sweep"),
    "sweep(), one worker": ("contestants", "ours_sweep_one_worker"),
    "floor": ("contestants", "floor"),
    "PyTorch": ("peer_torch", "eager"),
    "PyTorch, evaluated lazily": ("peer_torch", "lazy"),
    "JAX, one compiled loop": ("peer_jax", "compiled"),
    "scikit-learn, newton-cg": ("peer_sklearn", "fit"),
}
TASK_3 = dict(learning_rate=0.01, epochs=50, batch_size=128, patience=10)
TASK_2 = dict(learning_rate=0.05, epochs=500, batch_size=128, patience=10)
LAMBDAS = (0.0, 1.0, 0.1, 0.01, 0.001)


class Worker:
    """A contestant's process."""

    def __init__(self, label, arrays, runs, settings):
        module, function = CONTESTANTS[label]
        own = HERE / ".venv/bin/python"
        python = own if own.exists() and module.startswith("peer_") else sys.executable
        self.process = subprocess.Popen(
            [python, HERE / "worker.py", module, function, arrays],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.about = self.ask(runs, settings)

    def ask(self, runs, settings, keep=None):
        try:
            print(
                json.dumps(dict(runs=runs, settings=settings, keep=keep)), file=self.process.stdin, flush=True
            )
            return json.loads(self.process.stdout.readline())
        except (OSError, json.JSONDecodeError):
            raise RuntimeError(self.process.communicate()[1].strip().splitlines()[-1]) from None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def race(labels, arrays, runs, settings, rounds, tolerance=1e-8):
    """Seconds of each contestant in each round; the histories of the first round must agree."""
    workers, left_out = {}, {}
    for label in labels:
        try:
            workers[label] = Worker(label, arrays, runs, settings)
        except RuntimeError as error:
            left_out[label] = str(error)
            print(f"  left out: {label} ({error})", flush=True)
    answers = {label: [] for label in workers}
    with tempfile.TemporaryDirectory() as folder:
        kept = {label: f"{folder}/{i}.npz" for i, label in enumerate(workers)}
        for turn in range(rounds):
            for label, worker in workers.items():
                answers[label].append(worker.ask(runs, settings, None if turn else kept[label]))
                print(f"  {label}: {answers[label][-1]['seconds']:.2f} s", flush=True)
        agreement = compare(kept, labels[0], tolerance)
    for worker in workers.values():
        worker.close()
    first = np.array([a["seconds"] for a in answers[labels[0]]])
    rows = {
        label: dict(
            seconds=[round(a["seconds"], 4) for a in given],
            processor=[round(a["processor"], 4) for a in given],
            ratio=round(float(np.median(first / [a["seconds"] for a in given])), 3),
            peak=max(a["peak"] for a in given),
            peak_before=workers[label].about["peak"],
            version=workers[label].about["version"],
            agreement=agreement.get(label, ""),
        )
        for label, given in answers.items()
    }
    return dict(settings=settings, runs=len(runs), contestants=rows, left_out=left_out)


def compare(kept, against, tolerance):
    """How far each contestant's histories are from those of `against`; ValueError when too far."""
    reference, found = np.load(kept[against]), {}
    for label, file in kept.items():
        theirs = np.load(file)
        if not theirs.files or label == against:
            continue
        if "0 train_loss" not in theirs.files:
            ours = reference["0 validation_loss"].min()
            found[label] = f"validation loss {theirs['0 validation_loss'][0]:.4f}, lowest here {ours:.4f}"
            continue
        worst = 0.0
        for name in reference.files:
            a, b = reference[name], theirs[name]
            if a.shape != b.shape or (name.endswith(("step", "steps")) and (a != b).any()):
                raise ValueError(f"{label} disagrees with {against} in {name}: {b} for {a}")
            worst = max(worst, float(np.max(np.abs(a - b) / np.maximum(np.abs(a), 1e-300))))
        if worst > tolerance:
            raise ValueError(f"{label} differs from {against} by a relative {worst}")
        found[label] = f"{worst:.0e}"
    return found


def save(folder, name, data, count=None, dtype=np.float64):
    (X, Y), (X_val, Y_val) = data.train, data.validation
    arrays = dict(X=X[:count], Y=Y[:count], X_val=X_val, Y_val=Y_val)
    np.savez(f"{folder}/{name}.npz", **{key: value.astype(dtype) for key, value in arrays.items()})
    return f"{folder}/{name}.npz"


def single(folder):
    """Task 3: one softmax run of 50 epochs."""
    arrays = save(folder, "softmax", load_mnist().softmax())
    labels = ("reference", "this project", "floor", "PyTorch, evaluated lazily", "PyTorch")
    labels += ("JAX, one compiled loop", "scikit-learn, newton-cg")
    return race(labels, arrays, [dict(lam=0.0, seed=0)], TASK_3, rounds=3)


def lambdas(folder):
    """Tasks 3 and 4: the sweep over five lambdas."""
    arrays = save(folder, "softmax", load_mnist().softmax())
    labels = ("reference", "sweep()", "PyTorch, evaluated lazily", "JAX, one compiled loop")
    return race(labels, arrays, [dict(lam=lam, seed=0) for lam in LAMBDAS], TASK_3, rounds=3)


def seeds(folder):
    """Task 2, shuffled, over 40 seeds."""
    arrays = save(folder, "binary", load_mnist().binary(2, 3))
    labels = ("reference", "sweep()", "sweep(), one worker")
    return race(labels, arrays, [dict(lam=0.0, seed=seed) for seed in range(40)], TASK_2, rounds=3)


def single_precision(folder):
    """Task 3 in float32."""
    arrays = save(folder, "single", load_mnist().softmax(np.float32), dtype=np.float32)
    labels = ("this project", "PyTorch, evaluated lazily", "JAX, one compiled loop")
    settings = TASK_3 | dict(patience=10**6)  # a stop is decided by less than float32 resolves
    return race(labels, arrays, [dict(lam=0.0, seed=0)], settings, rounds=3, tolerance=1e-2)


def growth(folder):
    """Growth with the images, the epochs and the runs; memory over the arrays of the data."""
    asked = dict(images=(2000, 6000, 20_000, 60_000), epochs=(1, 2, 4, 8, 16), runs=(1, 2, 5, 10))
    found = [script("growth.py", what, str(n)) for what, counts in asked.items() for n in counts]
    rows = ["| | s | s for each 1,000 images, epoch or run | peak memory / arrays |", "|---|---|---|---|"]
    for row in found:
        each = row["seconds"] / (row["count"] / 1000 if row["what"] == "images" else row["count"])
        name = f"{row['count']:,} {row['what']}"
        rows.append(f"| {name} | {row['seconds']:.3f} | {each:.4f} | {row['memory']:.2f} |")
    return dict(found=found, text=rows)


def loading(folder):
    """Reading, verifying and pre-processing the data."""
    found = script("loading.py")
    last = list(found.values())[-1]
    rows = ["| | s | times this project's |", "|---|---|---|"]
    return dict(found=found, text=rows + [f"| {k} | {v:.3f} | {v / last:.2f} |" for k, v in found.items()])


def report(folder):
    """The whole report, executed, against the reference's runs of tasks 2 to 4."""
    found = {name: [] for name in ("reference", "report")}
    for _ in range(3):
        for name in found:
            found[name].append(script("report.py", name))
            print(f"  {name}: {found[name][-1]:.2f} s", flush=True)
    ratios = np.array(found["reference"]) / found["report"]
    rows = ["| | median, s | rounds, s | times as fast |", "|---|---|---|---|"]
    for name, seconds in found.items():
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        ratio = np.median(ratios) if name == "report" else 1
        rows.append(f"| {name} | {statistics.median(seconds):.2f} | {spread} | {ratio:.2f} |")
    return dict(found=found, text=rows)


def tricks(folder):
    """Each trick alone: the run without it over the run with it (a trick not used: with it over without)."""
    found = script("tricks.py")
    rows = ["| | predicted | measured: median | spread |", "|---|---|---|---|"]
    for name, row in found.items():
        ratios, predicted = row["ratios"], f"{1 + row['predicted'] / 100:.2f}"
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        rows.append(f"| {name} | {predicted} | {statistics.median(ratios):.2f} | {spread} |")
    return dict(found=found, text=rows)


def script(*arguments):
    """What a script of this folder finds, in a process of its own."""
    command = [sys.executable, HERE / arguments[0], *arguments[1:]]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


PARTS = dict(single=single, lambdas=lambdas, seeds=seeds, float32=single_precision)
PARTS |= dict(report=report, growth=growth, loading=loading, tricks=tricks)


def machine():
    """The machine's description."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return dict(
        processor=names[0] if names else platform.processor(),
        cores=os.cpu_count(),
        memory=f"{memory[0]:.0f} GiB" if memory else "",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        numpy=f"{np.__version__}, {blas['name']} {blas['version']}",
        threads=os.environ.get("OPENBLAS_NUM_THREADS", "as many as cores"),
        load=[round(load, 1) for load in os.getloadavg()],
    )


def _lines(path):
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def table(results):
    """The results as Markdown."""
    about = results["machine"]
    text = ["# Results", "", "Made by `make bench`; not edited by hand.", ""]
    text += [f"{key}: {value}  " for key, value in about.items()]
    for name, part in results["parts"].items():
        text += ["", f"## {name}: {PARTS[name].__doc__}", ""]
        text += part["text"] if "text" in part else race_table(part)
    return "\n".join(text) + "\n"


def race_table(part):
    text = ["| | median, s | rounds, s | times as fast | agrees to | version |", "|---|---|---|---|---|---|"]
    for label, row in part["contestants"].items():
        median, spread = (
            statistics.median(row["seconds"]),
            f"{min(row['seconds']):.2f} to {max(row['seconds']):.2f}",
        )
        cells = (label, f"{median:.2f}", spread, f"{row['ratio']:.2f}", row["agreement"], row["version"])
        text.append("| " + " | ".join(cells) + " |")
    return text + [f"\nLeft out: {label} ({why})." for label, why in part["left_out"].items()]


def summary(results):
    """The table in the README: seconds of this project and of what one would pick instead."""
    others = ("PyTorch", "PyTorch, evaluated lazily", "JAX, one compiled loop")
    rows, parts = [], results["parts"]
    for name in ("single", "lambdas", "seeds"):
        found = {label: row["seconds"] for label, row in parts[name]["contestants"].items()}
        ours = found.get("this project") or found["sweep()"]
        rows.append((name, ours, found["reference"], *(found.get(other) for other in others)))
    found = parts["report"]["found"]
    rows.append(("report", found["report"], found["reference"], None, None, None))
    _, plain, ours = parts["loading"]["found"].values()
    rows.append(("loading", [ours], [plain], None, None, None))
    text = [f"| | this project | reference | ratio | {' | '.join(others)} |", "|---|" + 6 * "---:|"]
    for name, ours, theirs, *rest in rows:
        ratio = np.median(np.array(theirs) / ours)
        seconds = [f"{statistics.median(t):#.3g} s" if t else "–" for t in (ours, theirs, *rest)]
        cells = (PARTS[name].__doc__.rstrip("."), *seconds[:2], f"{ratio:.2f}", *seconds[2:])
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def drawing(results):
    """The first two parts as bars: times as fast as the reference."""
    parts = [(name, results["parts"][name]) for name in ("single", "lambdas") if name in results["parts"]]
    titles = dict(single="One run of task 3", lambdas="Tasks 3 and 4: five lambdas")
    counts = [len(part["contestants"]) for _, part in parts]
    shape = dict(height_ratios=counts, hspace=0.35)
    figure, panels = plt.subplots(
        len(parts), figsize=(7, 0.33 * sum(counts) + 1), gridspec_kw=shape, squeeze=False
    )
    for ax, (name, part) in zip(panels[:, 0], parts, strict=True):
        rows = dict(sorted(part["contestants"].items(), key=lambda item: item[1]["ratio"]))
        colours = ["#0072B2" if row["version"].startswith("NumPy") else "0.6" for row in rows.values()]
        bars = ax.barh(list(rows), [row["ratio"] for row in rows.values()], color=colours)
        medians = [statistics.median(row["seconds"]) for row in rows.values()]
        labels = [f"{row['ratio']:.1f}  ({t:.1f} s)" for row, t in zip(rows.values(), medians, strict=True)]
        ax.bar_label(bars, labels, padding=3, fontsize=8)
        ax.set_title(f"{titles[name]}: times as fast as the reference", loc="left", fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.2)
    figure.savefig(HERE / "results.svg", bbox_inches="tight", metadata=dict(Date=None))


def main(chosen):
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"parts": {}}
    results["machine"] = machine()
    if unknown := set(chosen) - set(PARTS):
        raise SystemExit(f"no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    for name in chosen or PARTS:
        started = time.perf_counter()
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            results["parts"][name] = PARTS[name](folder)
        print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(table(results))
    if set(results["parts"]) >= {"single", "lambdas", "seeds", "loading", "report"}:
        before, _, after = README.read_text("utf-8").split(MARK)
        README.write_text(f"{before}{MARK}\n\n{summary(results)}\n{MARK}{after}", "utf-8")
    drawing(results)


if __name__ == "__main__":
    main(sys.argv[1:])
