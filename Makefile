# Everything runs in .venv, with the versions in constraints.txt. `make demo` is the place to begin.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test test-slow test-all lint format bench notebooks clean

demo: $(INSTALLED)
	$(BIN)/lstm-strategy demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

test-all: test test-slow

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

notebooks: $(INSTALLED)
	$(BIN)/python -m pytest tests/test_notebooks.py -m ""

$(INSTALLED): setup.cfg constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,dev]"
	touch $(INSTALLED)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
