# Troth: every target does all of its own set-up. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
TESTS ?= tests
# Many tests wait for processes of their own: one more worker than there are processors.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Where the demo is served.
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset check test cover lint soak mutations clauses bench lock services

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.demo  ## Bring up the example company at http://localhost:8000, or elsewhere with PORT=8010
	@$(BIN)/troth demo --port $(PORT)

demo-reset: $(VENV)/.demo  ## Forget the example company and start over
	@$(BIN)/troth demo --reset --port $(PORT)

check:  ## Everything that continuous integration runs: `lint` and `test`, beside each other
	@$(MAKE) --no-print-directory --jobs 2 lint test

test: $(VENV)/.dev services  ## The tests, in ten minutes at most on two processors
	$(BIN)/pytest $(TESTS) -n $(WORKERS) --dist worksteal

cover: $(VENV)/.dev services  ## The same tests, with the branches that none of them takes
	$(BIN)/pytest $(TESTS) -n $(WORKERS) --dist worksteal --cov --cov-report=term

lint: $(VENV)/.dev  ## Style, types and the layers of the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/measure_code.py

soak: $(VENV)/.dev services  ## The full crash and load numbers
	TROTH_TESTS=full $(BIN)/pytest tests -m "soak or scaled" --timeout 7200

mutations: $(VENV)/.dev services  ## Plant every breach into the example company, and list what its promises notice
	$(BIN)/python tools/rehearsal.py

clauses: $(VENV)/.dev  ## Say in the docs what states, shows and tries each clause
	$(BIN)/python tools/clauses.py

bench: $(VENV)/.dev services  ## The benchmarks, as ratios to the floor measured beside them
	$(BIN)/python -m benchmarks

services: $(VENV)/.dev
	@$(BIN)/python tools/services.py

# Without its extras in the lock, a package that asks for one gets no further than the day a newer release is out.
lock: $(VENV)/.dev  ## Resolve the packages anew
	@$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --extra service --group build pyproject.toml -o requirements/demo.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --all-extras --group dev --group build pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes -c requirements/dev.txt --extra service --extra postgresql --extra mariadb --extra policy --extra s3 --extra age --group build pyproject.toml -o requirements/production.txt

# Without Debian's python3-venv the first of these leaves a Python without pip; the pip of outside then brings one in.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Troth needs Python 3.11 or later; say which with: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $@ --disable-pip-version-check --quiet install pip; } \
	|| { rm -rf $(VENV); echo "$(VENV) could not be made: $(PYTHON) needs the venv module, or pip 22.3 or later with a way to PyPI; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(BIN)/python
	@echo "Installing Troth into $(VENV) ..."
	@$(PIP) install -r requirements/demo.txt && $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing Troth and its tests into $(VENV) ..."
	@$(PIP) install -r requirements/dev.txt && $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
