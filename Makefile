# `make up` and `make test` need nothing but Python 3.11 or newer: they set up the rest themselves.

PYTHON ?= python3
BIN := .venv/bin
SIDE_BY_SIDE := -n 4 --dist loadfile

# Each process of the tests would compile all code again, which takes it five seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test test-all chaos bench lint format clean

up: .venv/app
	@$(BIN)/pintag up $(ARGS)

test: .venv/dev lint
	$(BIN)/pytest -m "not slow" $(SIDE_BY_SIDE)

test-all: .venv/dev lint
	$(BIN)/pytest $(SIDE_BY_SIDE)

chaos: .venv/dev
	$(BIN)/python -m tests.chaos $(ARGS)

bench: .venv/dev
	$(BIN)/python -m benchmarks --docs docs $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pintag needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

.venv/app: .venv/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/dev: .venv/app tests/tools/install.py
	$(BIN)/python -m pip install --quiet --group dev
	@$(BIN)/python -m tests.tools.install
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
