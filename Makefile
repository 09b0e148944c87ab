# Everything runs in .venv, with the versions in constraints.txt. `make demo` is the place to begin.
PYTHON ?= python3
BIN := .venv/bin
# pip misses the usual build of TensorFlow, see tools/requirements.py
INSTALL := $(BIN)/python -m pip install --quiet --no-warn-conflicts --constraint constraints.txt
# one stamp for each group of packages: the demo needs no test tools, the tests no peers
PACKAGE := .venv/.package-installed
TOOLS := .venv/.tools-installed
DOCS := .venv/.docs-installed
PEERS := .venv/.peers-installed

# what the package needs, and its extras that are named
define install
	$(BIN)/python tools/requirements.py $(1) > .venv/requirements.txt
	$(INSTALL) --requirement .venv/requirements.txt
endef

.PHONY: demo test test-slow test-all doctest coverage lint types contracts format docs serve-docs bench notebooks clean

demo: $(PACKAGE)
	$(BIN)/lstm-strategy demo

test: $(TOOLS)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: $(TOOLS)
	$(BIN)/python -m pytest -m slow

test-all: test doctest test-slow

# the examples in the docstrings
doctest: $(TOOLS)
	$(BIN)/python -m pytest --doctest-modules lstm_strategy

# the quick tests again, with the lines and branches that they never reach
coverage: $(TOOLS)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" --cov --cov-report term

lint: $(TOOLS) types contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TOOLS)
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini

contracts: $(TOOLS)
	$(BIN)/lint-imports

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# the site, into site/: a link or a name that leads nowhere is an error
docs: $(DOCS)
	$(BIN)/mkdocs build --strict

serve-docs: $(DOCS)
	$(BIN)/mkdocs serve

bench: $(PEERS)
	$(BIN)/python -m benchmarks $(ARGS)

notebooks: $(TOOLS)
	$(BIN)/python tests/notebook_runs.py $(ARGS)

$(PACKAGE): setup.cfg constraints.txt tools/requirements.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(call install)
	$(INSTALL) --no-deps --editable .
	touch $(PACKAGE)

$(TOOLS): $(PACKAGE)
	$(call install,test dev)
	touch $(TOOLS)

$(DOCS): $(PACKAGE)
	$(call install,docs)
	touch $(DOCS)

# what the benchmarks compare with: never needed by the package or its tests. PyBroker wants an Optuna
# older than the package's, for a part of it that isn't used here, so it comes without its needs.
$(PEERS): $(TOOLS)
	$(call install,bench)
	$(INSTALL) --no-deps lib-pybroker
	touch $(PEERS)

clean:
	rm -rf .venv build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
