# Everything that is done with a checkout: `make` alone lists it. Needs git, make, python3 and python3-venv.
PYTHON ?= python3
# The tests wait for servers and guests most of the time: three on two processors save a quarter of it.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK := uv pip compile pyproject.toml --group build --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --quiet --custom-compile-command "make lock" $(LOCK_FLAGS)

# One recipe after the other, so that the demo has the terminal and the tests have the processors.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run test test-long packages lint types layers tests bench format lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/run.stamp ## start the demo; without a terminal (make run < /dev/null) it plays a tour
	@exec $(BIN)/shipboard demo

test: packages lint types layers tests ## check everything, in at most 8 minutes

test-long: packages $(VENV)/dev.stamp ## the tests that take longer: many kills, large random runs
	$(BIN)/pytest -m long -n $(WORKERS) --dist loadfile

packages: ## as root install the Debian packages that the tests need, else print the line that does
	@.ci/packages

lint: $(VENV)/dev.stamp ## rules and format (ruff)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev.stamp ## types (mypy --strict)
	$(BIN)/mypy

layers: $(VENV)/dev.stamp ## who may import what (import-linter)
	$(BIN)/lint-imports --no-logo

# A test file is one worker's own: its real servers and guests do not meet another's.
tests: $(VENV)/dev.stamp ## the tests that are not long, and the coverage gate
	rm -f .coverage .coverage.*
	$(BIN)/pytest -m "not long" -n $(WORKERS) --dist loadfile --cov --cov-report= --cov-report=json:.coverage.json --junit-xml=.coverage.xml
	$(BIN)/python -m tests.house.coverage_gate .coverage.json .coverage.xml

bench: $(VENV)/run.stamp ## measure speed and growth, in at most 10 minutes, on a machine that is quiet (docs/performance.md)
	$(BIN)/python -m bench $(BENCH_FLAGS)

format: $(VENV)/dev.stamp ## put the code into the one format, and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## pin what pyproject.toml asks for (LOCK_FLAGS=--upgrade: the newest); needs uv
	@command -v uv > /dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 2; }
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove all that make made; data/ is yours and stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find bot bench plugins tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("shipboard needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/run.stamp: $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing what requirements.lock pins"
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	@echo "Installing what requirements-dev.lock pins"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
