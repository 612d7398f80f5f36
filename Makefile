# Works with GNU make 3.81 (macOS) and later. Only relative paths, so that the folder may have any name.
# The environment is .venv, made from requirements.txt at the first use; `make ... ENV=active` uses the
# `python` of the environment that is active (conda, for example) in its place.

PYTHON ?= python3
ENV ?= venv

export PYTHONUTF8 = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_USER = 0
export JUPYTER_PREFER_ENV_PATH = 1

ifeq ($(ENV),active)
PY = python
READY = active-environment
else
PY = .venv/bin/python
READY = .venv/.installed
endif

# In place of the shell, and with make's number: what make starts ends with it, however that is.
START = exec "$(1)" -m tools.processes $(MAKE_PID)
MAKE_PID := $(shell echo $$PPID)
# In place of folders in HOME, which may not be there, or hold settings that would change a report.
OWN = IPYTHONDIR="$$PWD/build/ipython" JUPYTER_RUNTIME_DIR="$$PWD/build/jupyter" MPLCONFIGDIR="$$PWD/build/matplotlib"
# What runs computed is kept under build/kept (study/cache.py), so that a change of text alone trains nothing
# again; `make report`, and CI, compute everything.
BUILD = export ASSIGNMENT1_KEEP=$(1) $(OWN); $(call START,$(PY)) tools.build
# What the first page names: make pdf AUTHORS="Ada Lovelace, Alan Turing" GROUP=7 COURSE=TDT4265 DATE="1 March 2026"
# It reaches tools/build.py as it is given, in the environment: no shell and no make reads what is in it.
given = $(if $(filter command line,$(origin $(1))),$(value $(1)))
export REPORT_AUTHORS := $(call given,AUTHORS)
export REPORT_GROUP := $(call given,GROUP)
export REPORT_COURSE := $(call given,COURSE)
export REPORT_DATE := $(call given,DATE)
unexport AUTHORS GROUP COURSE DATE
KNOWN = AUTHORS COURSE DATE ENV GROUP PARTS PYTHON
UNKNOWN := $(filter-out $(KNOWN),$(foreach name,$(.VARIABLES),$(if $(filter command line,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
$(error $(UNKNOWN): no such setting; expected one of $(KNOWN))
endif
# All that can change the report.
FOLDERS = assignment1 study explore nbtypst/src/nbtypst
FILES = $(filter-out %.pyc,$(wildcard $(addsuffix /*.*,$(FOLDERS)) $(addsuffix /*/*.*,$(FOLDERS))))
SOURCES = report.ipynb $(FILES) $(wildcard data/*.npz text/*.md) tools/build.py tools/kernel.py

.PHONY: help env explore pdf html submission pictures report test quick coverage mutants lint lab optima bench bench-peers lock clean distclean active-environment always

help:
	@echo "make pdf        execute report.ipynb in a fresh kernel and write report.pdf"
	@echo "make html       the same as one page of HTML, report.html"
	@echo "make submission the zip that is handed in, submission.zip: PDF, notebook and code"
	@echo "make pictures   the pictures of pages that README.md shows, in docs"
	@echo "make test       run the tests"
	@echo "make quick      run those of them that take 20 seconds together"
	@echo "make coverage   all tests, in parallel, with the branches that no test takes"
	@echo "make mutants    change the code in a thousand ways, and see whether a test fails (half an hour)"
	@echo "make report     execute report.ipynb again, in place"
	@echo "make explore    execute explore.ipynb again, in place, with stills where its widgets are"
	@echo "make lint       check style (ruff; oxlint for JavaScript) and types (mypy)"
	@echo "make lab        open report.ipynb in JupyterLab"
	@echo "make bench      run the benchmark (PARTS=\"single lambdas\" runs those alone)"
	@echo "make bench-peers  make benchmarks/.venv with PyTorch, JAX and scikit-learn, for the benchmark"
	@echo "make env        only make the environment"
	@echo "make optima     compute data/optima.npz and data/long_run.npz again (some ten minutes)"
	@echo "make lock       make requirements.txt again from both pyproject.toml (needs uv)"
	@echo "make clean      remove build, what was made from it, and caches"
	@echo "make distclean  the same, and remove .venv"
	@echo "Options: PYTHON=python3.12 names the Python that makes .venv; ENV=active uses the active environment;"
	@echo "AUTHORS=, GROUP=, COURSE= and DATE= go on the first page."

env: $(READY)

# It stays as it is, and is not newer then, if nothing is wrong with it.
.venv/.installed: always
	@$(call START,$(PYTHON)) bootstrap

active-environment:
	@$(call START,python) bootstrap --active

# What is there is whole, also when make is interrupted.
.PRECIOUS: build/report.ipynb

# Each file is written whole, or not at all, and one build at a time works in this folder: see tools/build.py and tools/files.py.
build/report.ipynb: $(SOURCES) $(READY)
	@$(call BUILD,1) execute report.ipynb $@

pdf: build/report.ipynb
	@$(call BUILD,1) report_pdf build/report.ipynb report.pdf report-evidence.txt

html: build/report.ipynb
	@$(call BUILD,1) report_html build/report.ipynb report.html

submission: pdf
	$(PY) -m tools.submission build/report.ipynb report.pdf submission.zip

pictures: pdf
	$(PY) -m tools.pictures report.pdf docs

report: $(READY)
	@$(call BUILD,0) execute report.ipynb report.ipynb build/report.ipynb

explore: $(READY)
	@$(call BUILD,0) stills explore.ipynb explore.ipynb

# Each shows the percentage done, and at the end the tests that took longest. Two workers share the files of tests,
# each with one thread for its products: two cores are busy then, and a file's own runs are made once.
test: export OPENBLAS_NUM_THREADS = 1
test: $(READY)
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=5

quick: $(READY)
	$(PY) -m pytest -m "not slow" --durations=5

coverage: $(READY)
	OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n auto --cov --cov-report=term-missing

# mutmut forks, imports pytest once, and runs for each mutant the tests that call what it changes; pyproject.toml
# says which modules and tests. docs/mutants.md judges those that survive.
MUTMUT = 3.8.1
mutants: $(READY)
	$(PY) -m pip install --quiet --target build/mutmut mutmut==$(MUTMUT)
	PYTHONPATH=build/mutmut OPENBLAS_NUM_THREADS=1 $(PY) -m mutmut run
	PYTHONPATH=build/mutmut $(PY) -m mutmut results

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY:python=oxlint) --deny correctness --deny suspicious --deny perf --quiet explore

# JupyterLab shows SVG, the figures, only in a trusted notebook.
lab: $(READY)
	@$(PY) -m nbformat.sign report.ipynb explore.ipynb
	ASSIGNMENT1_KEEP=1 $(PY) -m jupyterlab report.ipynb

optima: $(READY)
	$(PY) -m study.optima
	$(PY) -m study.task3d_overfitting

bench: $(READY)
	$(PY) benchmarks/run.py $(PARTS)

bench-peers:
	"$(PYTHON)" -m venv --clear benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt

lock:
	uv pip compile pyproject.toml nbtypst/pyproject.toml --extra test --extra writing --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate -o requirements.txt

clean:
	rm -rf build mutants report.pdf report.html report-evidence.txt submission.zip *.new .pytest_cache .ruff_cache .mypy_cache .ipynb_checkpoints
	rm -rf nbtypst/build nbtypst/dist nbtypst/.*_cache
	find . -name .venv -prune -o -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf .venv benchmarks/.venv
