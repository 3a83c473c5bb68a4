# One command file: `make` alone lists the targets. Runs on GNU Make 3.81 and newer.

PYTHON ?= python3
PORT ?= 8000
ENGINES ?= embedded
BIN := .venv/bin
# One more than there are cores, since many tests wait for servers.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# What the tests use of the optional dependencies; the servers are a group of their own.
EXTRAS := db mariadb firebird redis memcached peers schedule aws amqp auth jwt ldap oidc limiter
BENCH ?= $(basename $(notdir $(wildcard benchmarks/*.py)))
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check proof bench docs dist lock services-up services-down clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: .venv/ready ## make the environment in .venv (PYTHON=python3.12 to choose the interpreter)

# An environment whose interpreter was upgraded away is made anew.
BROKEN := $(if $(shell (exec $(BIN)/python -c 'print(1)') 2>/dev/null),,FORCE)

.venv/ready: tools/setup requirements/uv.txt requirements/dev.txt pyproject.toml $(wildcard apps/*/pyproject.toml) $(BROKEN)
	@PYTHON='$(PYTHON)' tools/setup

FORCE:

demo: setup ## serve examples/piste on PORT until Ctrl-C (CHECK=1: ask and stop; ENGINES=real: on real servers)
	@$(BIN)/python -m tools.demo --port $(PORT) --engines $(ENGINES) $(if $(CHECK),--check)

test: setup ## run the tests (WORKERS=0 for one process)
	@$(BIN)/python -m tools.services run $(BIN)/python -m pytest -n $(WORKERS)

check: setup ## ruff, mypy --strict and the house rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/rules

proof: setup ## run the long proofs: kills, soaks, thousands of cases
	@$(BIN)/python -m tools.services run $(BIN)/python -m pytest -m proof --timeout=1800

bench: .venv/bench/ready ## measure against peers (BENCH=http: that file of benchmarks/ alone)
	@for name in $(BENCH); do echo "== $$name"; .venv/bench/bin/python -m "benchmarks.$$name" || exit; done

.venv/bench/ready: benchmarks/setup requirements/bench.txt .venv/ready
	@benchmarks/setup

docs: setup ## write the generated tables of docs/
	$(BIN)/python -m tools.reference

dist: setup ## build every wheel, install them into an empty environment and try them there
	$(BIN)/python -m tools.dist

lock: setup ## lock the dependencies with hashes in requirements/ (UPGRADE=1 to take newer releases)
	$(LOCK) pyproject.toml $(EXTRAS:%=--extra %) --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/core.txt
	$(LOCK) pyproject.toml $(EXTRAS:%=--extra %) --group bench -c requirements/dev.txt -o requirements/bench.txt
	$(LOCK) requirements/uv.in -c requirements/dev.txt -o requirements/uv.txt

services-up: setup ## start private servers for the tests that need one
	@$(BIN)/python -m tools.services up

services-down: setup ## stop them and remove every trace
	@$(BIN)/python -m tools.services down

clean: ## remove the environment and everything built
	rm -rf .venv dist build benchmarks/results .mypy_cache .pytest_cache .ruff_cache .hypothesis
