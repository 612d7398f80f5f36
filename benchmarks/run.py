"""Run the benchmark: `python benchmarks/run.py [PART ...]`; the parts are in PARTS, all by default.

Each contestant works in its own process, warmed up, and the contestants take turns, round after round, so
that what else the machine does falls on all alike. The ratios are the medians of the rounds' ratios. A
contestant that is not installed, here or in benchmarks/.venv, is left out and named.
"""

import json
import os
import platform
import re
import statistics
import sys
from functools import partial
from pathlib import Path
from time import perf_counter

import kernels

import growth as growing
import loading
import numpy as np
import psutil
import tricks as tricked
from race import HERE, LAMBDAS, ROUNDS, TASK_2, TASK_3, process, race
from tables import TITLES, draw, full, spread, summary

import report as reported

RESULTS = HERE / "results.json"
README = HERE.parent / "README.md"
MARK = "<!-- written by make bench -->"  # before and after the README's table

SHOWN = 0.1  # seconds of a section of the report, at least


def growth():
    """Measure time and memory for more and more images, epochs and runs."""
    asked = dict(images=(2_000, 6_000, 20_000, 60_000), epochs=(1, 2, 4, 8, 16), runs=(1, 2, 5, 10))
    found = [apart(growing.measure, what, count) for what, counts in asked.items() for count in counts]
    text = ["| | s | s for each 1,000 images, epoch or run | peak memory / arrays |", "|---|---|---|---|"]
    for row in found:
        unit = 1000 if row["what"] == "images" else 1
        name = f"{row['count']:,} {row['what']}"
        each = row["seconds"] / row["count"] * unit
        text.append(f"| {name} | {row['seconds']:.3f} | {each:.4f} | {row['memory']:.2f} |")
    return dict(found=found, text=text)


def report():
    """Measure the report's execution and the reference's runs, in turns."""
    rows = {name: dict(seconds=[]) for name in reported.CONTESTANTS}
    for _ in range(ROUNDS):
        for name, contest in reported.CONTESTANTS.items():
            sections = apart(contest)
            seconds = sum(sections.values())
            rows[name]["seconds"].append(seconds)
            print(f"  {name}: {seconds:.2f} s", flush=True)
    text = ["", "| section of the report, last round | s |", "|---|---|"]
    text += [f"| {name} | {seconds:.1f} |" for name, seconds in sections.items() if seconds >= SHOWN]
    return dict(contestants=rows, text=text)


def tricks():
    """Measure what each trick of the training buys."""
    found = apart(tricked.compare_all)
    text = ["| | predicted | measured: median | spread |", "|---|---|---|---|"]
    for name, row in found.items():
        median = statistics.median(row["ratios"])
        text.append(f"| {name} | {row['predicted']:.2f} | {median:.2f} | {spread(row['ratios'])} |")
    return dict(found=found, text=text)


def apart(function, *arguments):
    """Return what a function returns in a process of its own."""
    with process() as worker:
        return worker.submit(function, *arguments).result()


ONE_RUN = [dict(lam=0.0, seed=0)]
PARTS = {
    "single": partial(
        race,
        [
            "reference",
            "this project",
            "floor",
            "PyTorch, evaluated lazily",
            "PyTorch",
            "JAX, one compiled loop",
        ],
        ("softmax",),
        ONE_RUN,
        TASK_3,
    ),
    "lambdas": partial(
        race,
        ["reference", "sweep()", "PyTorch, evaluated lazily", "JAX, one compiled loop"],
        ("softmax",),
        [dict(lam=lam, seed=0) for lam in LAMBDAS],
        TASK_3,
    ),
    "seeds": partial(
        race,
        ["reference", "sweep()", "sweep(), one worker"],
        ("binary", 2, 3),
        [dict(lam=0.0, seed=seed) for seed in range(40)],
        TASK_2,
    ),
    "float32": partial(
        race,
        ["this project", "PyTorch, evaluated lazily", "JAX, one compiled loop"],
        ("softmax", np.float32),
        ONE_RUN,
        TASK_3 | dict(patience=10**6),  # a stop is decided by less than float32 resolves
        tolerance=1e-2,
    ),
    "report": report,
    "growth": growth,
    "loading": partial(apart, loading.measure),
    "tricks": tricks,
}


def machine():
    """Return the machine's description."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return dict(
        processor=processor(),
        cores=os.cpu_count(),
        memory=f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        numpy=f"{np.__version__}, {blas['name']} {blas['version']}",
        kernels=kernels.architectures(),
        threads=os.environ.get("OPENBLAS_NUM_THREADS", "as many as cores"),
    )


def processor():
    """Return the processor's name."""
    file = Path("/proc/cpuinfo")
    text = file.read_text() if file.exists() else ""
    found = re.search(r"model name\s*: (.*)", text)
    return found[1] if found else platform.processor()


def write(results):
    """Write results.md, the bars, and the README's tables."""
    (HERE / "results.md").write_text(full(results), "utf-8")
    draw(results, HERE / "results.svg")
    before, _, after = README.read_text("utf-8").split(MARK)
    README.write_text(f"{before}{MARK}\n\n{summary(results)}\n{MARK}{after}", "utf-8")


def main(chosen):
    """Measure some parts, or all, and write the results of each as it ends."""
    load = round(os.getloadavg()[0], 1)  # before anything is measured
    results = json.loads(RESULTS.read_text())
    mine = results.setdefault(kernels.architectures(), {"parts": {}})
    mine["machine"] = machine()
    if unknown := set(chosen) - set(PARTS):
        raise SystemExit(f"no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    for name in chosen or PARTS:
        started = perf_counter()
        print(f"{name}: {TITLES[name]}.", flush=True)
        mine["parts"][name] = PARTS[name]() | {"load": load}
        print(f"  ({perf_counter() - started:.0f} s)", flush=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        write(results)


if __name__ == "__main__":
    main(sys.argv[1:])
