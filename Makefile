# Every target stands on `setup`, which is quick when there is nothing to do.

SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
DEMO := $(CURDIR)/.demo
# Tests wait more than they compute: one worker more than there are processors.
WORKERS := $(shell expr $$(nproc) + 1)
# A Python that somebody else's environment prepared would not see our .venv as it is.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: setup run test test-full lint bench bundle requirements texts lock help

setup: ## Make .venv from the lock, with compiled bytecode; quick when it is up to date
	@scripts/setup

run: setup ## Open the application on a demo of its own (2,000 customers, a pretend network)
	@scripts/run_demo "$(DEMO)"

test: setup lint ## Run everything that convinces: lint, then all tests
	$(BIN)/pytest -n $(WORKERS) $(PYTEST_ARGS)

test-full: setup ## Run the long proofs of tests/full (up to 45 minutes)
	$(BIN)/pytest -m full --timeout 1200 tests/full $(PYTEST_ARGS)

lint: setup ## Check style, types and the arrows between the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## Measure speed beside its floor on this machine
	$(BIN)/python -m bench

requirements: setup ## Count the requirements with a test (ARGS=--missing or --tested lists them)
	@$(BIN)/python -m scripts.requirements_report $(ARGS)

permissions: setup ## Write docs/permissions.md, the table of what every use case needs
	@$(BIN)/python -m scripts.permissions

texts: setup ## Gather every text and bring the catalogues of the languages up to date; names what is not translated
	@$(BIN)/python -m scripts.texts

bundle: setup ## Make the archive for hosts without a network: dist/omnicrm-<version>-debian12-x86_64.tar.gz
	@scripts/bundle dist

lock: ## Resolve the dependencies anew and pin them with hashes in requirements.lock
	@scripts/lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
