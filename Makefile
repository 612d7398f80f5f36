# Works with GNU make 3.81 (macOS) and later. Only relative paths, so that the folder may have any name.
# The environment is .venv, made from requirements.txt at the first use; `make ... ENV=active` uses the
# `python` of the environment that is active (conda, for example) in its place.

PYTHON ?= python3
ENV ?= venv

export PYTHONUTF8 = 1
export JUPYTER_PREFER_ENV_PATH = 1

ifeq ($(ENV),active)
PY = python
READY = active-environment
else
PY = .venv/bin/python
READY = .venv/.installed
endif

EXECUTE = TQDM_DISABLE=1 $(PY) -m nbconvert --to notebook --execute --output-dir build --output report.ipynb report.ipynb

.PHONY: help env pdf report test lint lab bench bench-peers lock clean distclean active-environment

help:
	@echo "make pdf        execute report.ipynb in a fresh kernel and write report.pdf"
	@echo "make test       run the tests"
	@echo "make report     execute report.ipynb again, in place"
	@echo "make lint       check style (ruff) and types (mypy)"
	@echo "make lab        open report.ipynb in JupyterLab"
	@echo "make bench      run the benchmark (PARTS=\"single lambdas\" runs those alone)"
	@echo "make bench-peers  make benchmarks/.venv with PyTorch, JAX and scikit-learn, for the benchmark"
	@echo "make env        only make the environment"
	@echo "make lock       make requirements.txt again from pyproject.toml (needs uv)"
	@echo "make clean      remove build, report.pdf and caches"
	@echo "make distclean  the same, and remove .venv"
	@echo "Options: PYTHON=python3.12 names the Python that makes .venv; ENV=active uses the active environment."

env: $(READY)

.venv/.installed: requirements.txt pyproject.toml
	@$(PYTHON) bootstrap.py

active-environment:
	@python bootstrap.py --active

pdf: $(READY)
	@rm -rf build && mkdir build
	$(EXECUTE)
	$(PY) -m nbconvert --to report_pdf --output-dir build --output report-new build/report.ipynb
	@mv build/report-new.pdf report.pdf
	@echo "Wrote report.pdf"

report: $(READY)
	@rm -rf build && mkdir build
	$(EXECUTE)
	@mv build/report.ipynb report.ipynb
	@echo "Wrote report.ipynb"

test: $(READY)
	$(PY) -m pytest

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

lab: $(READY)
	$(PY) -m jupyterlab report.ipynb

bench: $(READY)
	$(PY) benchmarks/run.py $(PARTS)

bench-peers:
	$(PYTHON) -m venv --clear benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt

lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate -o requirements.txt

clean:
	rm -rf build report.pdf .pytest_cache .ruff_cache .mypy_cache .ipynb_checkpoints
	find . -name .venv -prune -o -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf .venv benchmarks/.venv
