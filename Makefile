# Thin faces on `tip ...` and the usual tools. Needs Python 3.11-3.13, git and make; README has PowerShell twins.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
export DAGSTER_DISABLE_TELEMETRY := 1
# Where packages come from is the machine's business: pip's own configuration, or UV_DEFAULT_INDEX.
UV := $(BIN)/uv
SYNC := $(UV) pip install --quiet --python $(VENV) --require-hashes

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo up docs test test-slow test-faults test-all check format lock clean

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	$(PYTHON) -c "import sys; sys.exit(0 if (3,11) <= sys.version_info[:2] <= (3,13) else 'tip needs Python 3.11 to 3.13, found %d.%d: make PYTHON=python3.12 ...' % sys.version_info[:2])"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: requirements/base.txt pyproject.toml | $(UV)
	$(SYNC) -r requirements/base.txt
	$(UV) pip install --quiet --python $(VENV) --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	$(SYNC) -r requirements/dev.txt
	@touch $@

.env:
	cp .env.example .env

install: $(VENV)/.installed .env ## Make .venv and install tip

install-dev: $(VENV)/.installed-dev .env ## Also install what tests and checks need

demo: install ## Make 50 calls end to end (demo-output/)
	$(BIN)/tip demo

up: install ## Database, code server, daemon and web UI; Ctrl-C stops all
	$(BIN)/tip up

test: install-dev ## Run the tests (some 8 minutes)
	$(BIN)/python -m pytest -q -m "not slow"

test-slow: install-dev
	$(BIN)/python -m pytest -q -m "slow and not every_moment"

test-faults: install-dev ## Every fault at every moment of making a set (some 30 minutes); writes the table in docs/reliability.md
	$(BIN)/python -m pytest -v tests/faults --write-table

test-all: test test-slow test-faults ## Also the slow ones: real daemons, kill -9, browser

check: install-dev ## Lint, format check, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: install ## Write the generated parts of docs/ anew (settings, commands, columns)
	$(BIN)/python -m tip_assets.pages

format: install-dev ## Put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK := $(UV) pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url
lock: | $(UV) ## Pin dependencies anew in requirements/
	$(LOCK) --upgrade -o requirements/base.txt
	$(LOCK) --extra dev -c requirements/base.txt -o requirements/dev.txt
	$(LOCK) --extra k8s --extra media --extra semantic --extra presidio --extra llama --extra s3 -c requirements/base.txt -o requirements/extras.txt

clean: ## Remove what was built; keeps .tip/ (your data)
	rm -rf $(VENV) dist build demo-output .pytest_cache .ruff_cache
