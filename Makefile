# Everything runs in .venv, with the versions in constraints.txt. `make demo` is the place to begin.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PEERS := .venv/.peers-installed

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

bench: $(PEERS)
	$(BIN)/python -m benchmarks $(ARGS)

notebooks: $(INSTALLED)
	$(BIN)/python tests/notebook_runs.py $(ARGS)

$(INSTALLED): setup.cfg constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,dev]"
	touch $(INSTALLED)

# what the benchmarks compare with: never needed by the package or its tests. PyBroker wants an Optuna
# older than the package's, for a part of it that isn't used here, so it comes without its needs.
$(PEERS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[bench]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps lib-pybroker
	touch $(PEERS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
