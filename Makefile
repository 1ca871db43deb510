# The one command surface of Regisseur: README, CI, Jenkins and pre-commit call these targets.
# Every target brings what it needs by itself and does nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.synced
MEMBERS := contract operator serving training devcluster

# Tests and DVC stages find the programs of the venv first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode is compiled once when the venv is made; a process that may not write it still reads it.
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help
help: ## Show the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environment -----------------------------------------------------------------------------

.PHONY: venv
venv: $(VENV_STAMP) ## Make the virtual environment from the hashed locks.

$(VENV_STAMP): locks/all.txt locks/uv.txt $(MEMBERS:%=%/pyproject.toml)
	@tools/make-venv $(PYTHON) $(VENV) $(MEMBERS)
	@touch $@

.PHONY: lock
lock: $(VENV_STAMP) ## Resolve every dependency again into locks/.
	@tools/make-locks $(BIN)/uv

.PHONY: clean
clean: ## Remove what builds leave in the checkout.
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
