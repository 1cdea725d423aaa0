# Executable documentation. `make run` and `make test` need Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test fuzz chaos bench check format clean

help:  ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(READY)  ## The whole service with simulators, and a phone to try it with
	@$(BIN)/python -m sandbox

test: $(READY)  ## Every test
	@$(BIN)/python -m pytest -n 4

chaos: $(READY)  ## The proof: processes killed, Twilio failing, nothing lost, doubled or out of order
	@$(BIN)/python -m chaos

fuzz: $(READY)  ## Any bytes at every endpoint, 20,000 times
	@$(BIN)/python -m tests.fuzz_endpoints 20000

bench: $(READY)  ## Measure, side by side with others, and write benchmarks/results.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --upgrade --target $(VENV)/peers -r requirements-bench.txt </dev/null >&2
	@$(BIN)/python -m benchmarks

check: $(READY)  ## Format, lint, types, security lint, consistent packages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/bandit -q -c pyproject.toml -r pipeline web.py worker.py
	@$(BIN)/python -m pip check

format: $(READY)  ## Put code into the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean:  ## Remove the environment and what `make run` kept
	rm -rf $(VENV) .run

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements-dev.txt </dev/null >&2
	@touch $(READY)
