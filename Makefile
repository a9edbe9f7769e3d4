# Everything runs in .venv, which is made when it is missing or when pyproject.toml has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The core, whose every branch is covered, and the tests that cover it, which are quick; `make test` adds the others.
CORE := components/esc_oidc/*.py,components/esc_oidc/inputs/*,components/esc_oidc/verify/*
CORE_TESTS := $(wildcard tests/test_*.py) $(addprefix tests/,component deployments environment inputs stack verify)
PYTEST := $(BIN)/python -m pytest -q -n auto

.DEFAULT_GOAL := help
.PHONY: help try test check format docs bench clean

help:
	@echo "make try     deploy this stack to a sandbox on this machine and show who gets in"
	@echo "make test    every check and every test"
	@echo "make check   formatter, linter, types, coverage of the core"
	@echo "make format  format the code and fix what the linter can fix"
	@echo "make docs    generate the reference and the page of rules"
	@echo "make bench   measure how fast it is"

# `try` needs the command and the sandbox; the rest needs the tools as well.
$(VENV)/.try: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "esc-oidc needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.13 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cli,sandbox]'
	@touch $@

$(VENV)/.dev: $(VENV)/.try
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

try: $(VENV)/.try
	@$(BIN)/esc-oidc try

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST) --cov --cov-report= $(CORE_TESTS)
	$(BIN)/coverage report --skip-covered --show-missing --include='$(CORE)' --fail-under=100

test: check
	$(PYTEST) $(CORE_TESTS:%=--ignore=%)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The reference is made from the schema's snapshot, which tests/plugin/test_schema.py renews.
docs: $(VENV)/.dev
	RECORD=1 $(BIN)/python -m pytest -q tests/plugin/test_schema.py
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_rules.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.verify
	$(BIN)/python -m bench.component
	$(BIN)/python -m bench.doctor
	$(BIN)/python -m bench.engine

clean:
	rm -rf $(VENV) build dist components/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
