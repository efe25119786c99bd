# `make demo` and `make test` each do everything that they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread a process: the tests share the cores by running side by side.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo bench test check types configs docs wheel lock clean

help: ## this list
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ To use it
demo: $(READY) ## the toy world end to end: corpus, text space, sign student, scores, report
	@$(BIN)/sonar-slt demo

bench: $(READY) ## speed on this machine, each fast way against a plain one
	@$(BIN)/sonar-slt bench

docs: $(READY) ## the docs as a site: open outputs/site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "The docs are in outputs/site/index.html"

##@ To change it
setup: $(READY) ## the environment in .venv, from the lock file; the others make it when they need it

check: $(READY) ## before a commit: lint, format, types and every config, in about a minute
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/python .ci/agreed.py
	@$(MAKE) --no-print-directory -j 2 types configs

types: $(READY)
	@$(BIN)/mypy

configs: $(READY)
	@$(TEST) -q -n 2 tests/config

test: $(READY) ## before a push: every test
	@$(TEST) -n 2 --dist loadfile

wheel: $(READY) ## a wheel in dist/
	@$(BIN)/python -m hatchling build --target wheel

lock: $(READY) ## compile requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade --quiet \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --output-file requirements.lock

clean: ## remove the environment and the caches; outputs/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	@find . -name __pycache__ -type d -not -path './outputs/*' -prune -exec rm -rf {} +

$(READY): requirements.lock requirements.uv.lock pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh .ci/setup
	@touch $@
