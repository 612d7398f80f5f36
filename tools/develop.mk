# What only a developer of the project needs; the Makefile includes it where it is.

KNOWN += PARTS UPGRADE
ifeq ($(ENV),active)
EQUIPPED = active-environment
else
EQUIPPED = .venv/.requirements-test
endif

.PHONY: submission pictures test quick coverage mutants lint bench bench-peers lock

help::
	@echo "make submission the zip that is handed in, submission.zip: PDF, notebook, code and data"
	@echo "make test       run the tests"
	@echo "make quick      run those of them that take 20 seconds together"
	@echo "make lint       check style (ruff; oxlint for JavaScript) and types (mypy)"
	@echo "make coverage   all tests, in parallel, with the branches that no test takes"
	@echo "make mutants    change the code in 2,900 ways, and see whether a test fails (three quarters of an hour)"
	@echo "make pictures   what README.md shows of the committed report: docs/report.pdf and pictures of pages"
	@echo "make bench      run the benchmark (PARTS=\"single lambdas\" runs those alone)"
	@echo "make bench-peers  make benchmarks/.venv with PyTorch and JAX, for the benchmark"
	@echo "make lock       make both locks again from both pyproject.toml (needs uv; UPGRADE=\"ruff tqdm\" takes newer ones)"

.venv/.requirements-test: .venv/.requirements always
	@$(call START,$(PYTHON)) bootstrap requirements-test.txt $(if $(call given,PYTHON),--named)

submission: $(READY)
	@$(call BUILD,1,submission)

pictures: $(EQUIPPED)
	$(PY) -m tools.pictures

# Each shows the percentage done, and at the end the tests that took longest. A worker for each core takes file after
# file of tests, so that a file's own runs are made once, with one thread for its products.
test: export OPENBLAS_NUM_THREADS = 1
test: $(EQUIPPED)
	$(PY) -m pytest -n logical --dist loadfile --no-loadscope-reorder --durations=5

quick: $(EQUIPPED)
	$(PY) -m pytest -m "not slow" --durations=5

coverage: $(EQUIPPED)
	OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n auto --cov --cov-report=term-missing

# mutmut forks, imports pytest once, and runs for each mutant the tests that call what it changes; pyproject.toml
# says which modules and tests. docs/mutants.md judges those that survive.
MUTMUT = 3.8.1
mutants: $(EQUIPPED)
	$(PY) -m pip install --quiet --target build/mutmut mutmut==$(MUTMUT)
	PYTHONPATH=build/mutmut OPENBLAS_NUM_THREADS=1 $(PY) -m mutmut run
	PYTHONPATH=build/mutmut $(PY) -m mutmut results

lint: $(EQUIPPED)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY:python=oxlint) --deny correctness --deny suspicious --deny perf --quiet explore

bench: $(READY)
	$(PY) benchmarks/run.py $(PARTS)

bench-peers:
	"$(PYTHON)" -m venv --clear benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt

# One for the report, and one with what the tests need beside it. Versions stay, but for those of UPGRADE="name ...".
LOCK = uv pip compile pyproject.toml nbtypst/pyproject.toml --extra writing --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-emit-package nbtypst
NEWER = $(foreach name,$(call given,UPGRADE),--upgrade-package "$(name)")
lock:
	@command -v uv >/dev/null || { echo "error: uv: not found; install it, for example: pip install uv" >&2; exit 1; }
	@mkdir -p build
	$(LOCK) $(NEWER) -o requirements.txt
	cat requirements.txt requirements-test.txt >build/all.txt
	$(LOCK) $(NEWER) --group dev --constraint requirements.txt -o build/all.txt
	awk 'NR == FNR { known[$$0]; next } !($$0 in known)' requirements.txt build/all.txt >requirements-test.txt
