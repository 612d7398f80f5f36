# Works with GNU make 3.81 (macOS) and later. Only relative paths, so that the folder may have any name.
# The environment is .venv, made from requirements.txt at the first use; `make ... ENV=active` uses the
# `python` of the environment that is active (conda, for example) in its place. What only a developer needs is
# in tools/develop.mk.

PYTHON ?= python3
ENV ?= venv

export PYTHONUTF8 = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_USER = 0
export JUPYTER_PREFER_ENV_PATH = 1

ifeq ($(filter active venv,$(ENV)),)
$(error ENV=$(ENV): expected active, for the environment that is active, or venv)
endif
ifeq ($(ENV),active)
PY = python
READY = active-environment
else
PY = .venv/bin/python
READY = .venv/.requirements
endif

# In place of the shell, and with make's number: what make starts ends with it, however that is.
START = command -v "$(1)" >/dev/null || { echo "error: $(1): not found; $(ADVICE)" >&2; exit 1; }; \
	exec "$(1)" -m tools.processes $(MAKE_PID)
ADVICE = name a Python of 3.11 or later, for example: make pdf PYTHON=python3.12
MAKE_PID := $(shell echo $$PPID)
# In place of folders in HOME, which may not be there, or hold settings that would change a report.
OWN = IPYTHONDIR="$$PWD/build/ipython" JUPYTER_RUNTIME_DIR="$$PWD/build/jupyter" MPLCONFIGDIR="$$PWD/build/matplotlib"
# So would these, by which Python and others find more modules and settings, and pip another place for packages.
unexport JUPYTER_CONFIG_DIR JUPYTER_CONFIG_PATH JUPYTER_PATH MATPLOTLIBRC MPLBACKEND
unexport PIP_DRY_RUN PIP_PREFIX PIP_PYTHON PIP_ROOT PIP_TARGET
unexport PYTHONHOME PYTHONINSPECT PYTHONOPTIMIZE PYTHONPATH PYTHONSTARTUP PYTHONWARNINGS
# What runs computed is kept under build/kept (study/cache.py), so that a new value or figure trains nothing
# again; `make report`, and CI, compute everything.
BUILD = export ASSIGNMENT1_KEEP=$(1) $(OWN); $(call START,$(PY)) tools.$(or $(2),build)
# What the first page names: make pdf AUTHORS="Ada Lovelace, Alan Turing" GROUP=7 COURSE=TDT4265 DATE="1 March 2026"
# It reaches tools/build.py as it is given, in the environment: no shell and no make reads what is in it.
given = $(if $(filter command line,$(origin $(1))),$(value $(1)))
export REPORT_AUTHORS := $(call given,AUTHORS)
export REPORT_GROUP := $(call given,GROUP)
export REPORT_COURSE := $(call given,COURSE)
export REPORT_DATE := $(call given,DATE)
export REPORT_PDF := $(call given,PDF)
FIRST_PAGE = AUTHORS COURSE DATE GROUP
unexport $(FIRST_PAGE) PDF
KNOWN = $(FIRST_PAGE) ENV PDF PYTHON

.PHONY: help env pdf html verify report explore lab optima clean distclean active-environment always

help::
	@echo "make pdf        execute report.ipynb in a fresh kernel and write report.pdf"
	@echo "make html       the same as one page of HTML, report.html"
	@echo "make verify     say whether report.pdf, or PDF=theirs.pdf, is what is made here"
	@echo "make lab        open report.ipynb in JupyterLab"
	@echo "make report     execute report.ipynb again, in place"
	@echo "make explore    execute explore.ipynb again, in place, with stills where its widgets are"
	@echo "make optima     compute data/optima.npz and data/long_run.npz again (some ten minutes)"
	@echo "make env        only make the environment"
	@echo "make clean      remove build, what was made from it, and caches"
	@echo "make distclean  the same, and remove .venv"
	@echo "Options: PYTHON=python3.12 names the Python that makes .venv; ENV=active uses the active environment;"
	@echo "AUTHORS=, GROUP=, COURSE= and DATE= go on the first page."

env: $(READY)

# It stays as it is, and is not newer then, if nothing is wrong with it and it is of the Python that PYTHON names.
.venv/.requirements: always
	@$(call START,$(PYTHON)) bootstrap requirements.txt $(if $(call given,PYTHON),--named)

active-environment:
	@$(call START,python) bootstrap --active

# Each file is written whole, or not at all, and one build at a time works in this folder. The notebook is executed if
# anything that it is made of has changed: tools/build.py compares the contents.
pdf html verify: $(READY)
	@$(call BUILD,1) $@

report explore: $(READY)
	@$(call BUILD,0) $@

# JupyterLab shows SVG, the figures, only in a trusted notebook; and a kernel that has had workers ends by itself
# after two and a half seconds, if it is left to.
lab: $(READY)
	@$(PY) -m nbformat.sign report.ipynb explore.ipynb
	ASSIGNMENT1_KEEP=1 $(PY) -m jupyterlab --KernelManager.shutdown_wait_time=0.4 report.ipynb

optima: $(READY)
	$(PY) -m study.optima
	$(PY) -m study.task3d_overfitting

clean:
	rm -rf build mutants report.pdf report.html report-evidence.txt submission.zip *.new .pytest_cache .ruff_cache .mypy_cache .hypothesis .ipynb_checkpoints
	rm -rf nbtypst/build nbtypst/dist */.*_cache
	find . -name .venv -prune -o -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf .venv benchmarks/.venv

-include tools/develop.mk

UNKNOWN := $(filter-out $(KNOWN),$(foreach name,$(.VARIABLES),$(if $(filter command line,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
$(error $(UNKNOWN): no such setting; expected one of $(KNOWN))
endif

comma := ,
shown = $(strip $(subst ;,,$(subst $(comma),,$(call given,$(1)))))
EMPTY := $(strip $(foreach name,$(FIRST_PAGE),$(if $(call given,$(name)),$(if $(call shown,$(name)),,$(name)))))
ifneq ($(EMPTY),)
$(error $(EMPTY): nothing in it can be shown; expected words, as in AUTHORS="Ada Lovelace, Alan Turing")
endif

ifneq ($(if $(filter verify,$(MAKECMDGOALS)),,$(call given,PDF)),)
$(error PDF is what make verify compares, and nothing else reads it)
endif
