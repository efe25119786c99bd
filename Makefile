# `make demo` and `make test` each do everything that they need; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One thread a process: the tests share the cores by running side by side.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the environment in .venv, from the lock file

demo: $(READY) ## the toy world end to end: corpus, text space, sign student, scores, report
	@$(BIN)/sonar-slt demo

test: $(READY) ## every test
	@$(TEST) -n 2 --dist loadfile

bench: $(READY) ## speed on this machine, each fast way against a plain one
	@$(BIN)/sonar-slt bench

check: $(READY) ## lint, format, types, and every config
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(TEST) -q -m conf

lock: $(READY) ## compile requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade --quiet \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --output-file requirements.lock

clean: ## remove the environment and the caches; outputs/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist
	@find . -name __pycache__ -type d -not -path './outputs/*' -prune -exec rm -rf {} +

$(READY): requirements.lock requirements.uv.lock pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh .ci/setup
	@touch $@
