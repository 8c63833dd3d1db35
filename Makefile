# Everything a newcomer or CI types. Needs Python 3.11 or newer and make (GNU 3.81 is enough).

VENV := .venv
BIN := $(VENV)/bin
# Only a finished install leaves this behind, so one that was broken off starts again.
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

# Some machines forbid compiled files: then each process that a test starts compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

# The first interpreter that is new enough and can make a virtual environment.
FIND_PYTHON = for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$candidate -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
		>/dev/null 2>&1; then echo $$candidate; break; fi; done

.PHONY: help install serve test check bench docs lock
.DEFAULT_GOAL := help

help:
	@echo "make serve    the service with a demo mall on its own PostgreSQL"
	@echo "make test     the whole test suite"
	@echo "make check    format, lint, types, import contracts, tests: what CI runs"
	@echo "make bench    the benchmarks (NAMES=\"store_vs_insert ...\" for some of them)"
	@echo "make docs     event catalogue, settings and map of requirements, anew"
	@echo "make install  .venv with everything, locked"
	@echo "make lock     requirements.lock anew from pyproject.toml"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@python=$$($(FIND_PYTHON)); \
	if test -z "$$python"; then \
		echo "Tallypost needs Python 3.11 or newer with its venv and ensurepip modules" \
			"(on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; fi; \
	test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| $$python -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -e .
	@touch $(STAMP)

serve: $(STAMP)
	@$(BIN)/tallypost serve


# Slow tests follow one after another, because they measure or want the machine to themselves.
# Browser tests have a process of their own: Playwright's event loop stays in the thread it is used in.
# pytest's status 5 means that a mark selects no test, which is no failure.
test: $(STAMP)
	$(PYTEST) -n $(WORKERS) -m "not slow and not nightly and not browser" || test $$? -eq 5
	$(PYTEST) -m "slow and not nightly and not browser" || test $$? -eq 5
	$(PYTEST) -m "browser and not nightly" || test $$? -eq 5

check: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.catalogue_of_events --check
	$(MAKE) test

docs: $(STAMP)
	$(BIN)/python -m tests.catalogue_of_events
	$(BIN)/python -m tests.list_of_settings
	$(BIN)/python -m tests.map_of_requirements

bench: $(STAMP)
	@$(BIN)/tallypost bench $(NAMES)

# Universal: one lock for every platform and Python version, with no index address in it.
lock: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		-o requirements.lock
