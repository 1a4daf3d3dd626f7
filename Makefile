# `make help` lists what there is. Every command here is what CI runs too.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CACHE ?= $(or $(LOCI_CACHE),$(HOME)/.cache/loci)
UV_VERSION := $(shell sed -n 's/^uv = "\(.*\)"/\1/p' dev/loci_dev/versions.toml)
UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
PYTHON := .venv/bin/python

.PHONY: help setup tools demo test chaos faults fuzz check generate bench load cluster cluster-down drill-pods docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@echo "setup: installing uv $(UV_VERSION) into $(CACHE) (once)"
	@python3 -m venv $(CACHE)/uv-$(UV_VERSION)
	@$(CACHE)/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.complete: pyproject.toml uv.lock | $(UV)
	@echo "setup: filling .venv from uv.lock (about a minute the first time)"
	@$(UV) sync --quiet --frozen --all-extras
	@touch $@

setup: .venv/.complete ## fill .venv with every extra and all development tools

tools: setup ## get the pinned tools (Kubernetes, etcd, Helm, Redis, ...) that tests and the local cluster use
	@$(PYTHON) -m loci_dev.tools

demo: setup ## see it work: two tenants, memories, search, limits, in one process
	@$(PYTHON) -m loci_dev.demo

test: tools ## all tests, with every real part they need
	@.venv/bin/pytest -n 2 --dist loadfile

chaos: tools ## kill a pod 1,000 times under writers (KILLS=n for another number) and report
	@LOCI_CHAOS_KILLS=$(or $(KILLS),1000) .venv/bin/pytest -s tests/chaos

fuzz: tools ## 100,000 requests made from the OpenAPI document (REQUESTS=n for another number)
	@LOCI_FUZZ_REQUESTS=$(or $(REQUESTS),100000) .venv/bin/pytest -s tests/integration/standalone/test_fuzz_openapi.py

faults: tools ## take each store of a pod away while it is used; writes the table in docs/reliability.md
	@$(PYTHON) -m loci_dev.store_faults

check: setup ## formatting, lint, types, imports, dependencies, invariants, generated files, chart, docs
	@$(PYTHON) -m loci_dev.tools helm
	@echo "check: format and lint";   .venv/bin/ruff format --check --quiet && .venv/bin/ruff check --quiet
	@echo "check: types";             .venv/bin/mypy --no-error-summary && .venv/bin/mypy --no-error-summary tests bench
	@echo "check: import contracts";  mkdir -p build && .venv/bin/lint-imports --no-logo > build/imports.log || (cat build/imports.log; false)
	@echo "check: dependencies";      .venv/bin/deptry foundation operator dataplane standalone > build/deptry.log 2>&1 || (cat build/deptry.log; false)
	@echo "check: invariants";        $(PYTHON) -m loci_dev.invariants
	@echo "check: generated files";   $(PYTHON) -m loci_dev.generate --check
	@echo "check: chart";             $$($(PYTHON) -m loci_dev.tools.which helm) lint --strict --quiet charts/loci
	@echo "check: docs";              NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

generate: setup ## write the generated files: CRDs, tiers, the schema of chart values
	@$(PYTHON) -m loci_dev.generate

bench: $(addprefix bench-,$(notdir $(basename $(wildcard bench/*.py)))) ## every benchmark; `make bench-ingress` and so on for one of them
bench-operator: tools ## what a tenant costs the operator: LOCI_BENCH_TENANTS of them, 1,000 by default
	@$(PYTHON) bench/tenants.py
bench-%: tools
	@$(PYTHON) bench/$*.py

load: tools ## a mix of requests over 100 tenants (LOCI_LOAD_TENANTS, _SECONDS, _RATE, _CONNECTIONS), and docs/load.md
	@$(PYTHON) -m loci_dev.load

cluster: tools ## a local Kubernetes with real pods, and Loci installed from its chart
	@$(PYTHON) -m loci_dev.cluster up

drill-pods: tools ## disrupt every part of the local cluster under load, and print a table of failed requests
	@$(PYTHON) -m loci_dev.disruptions

cluster-down: setup ## remove the local cluster, also after a crash
	@$(PYTHON) -m loci_dev.cluster down

docs: setup ## build the documentation site into site/
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

clean: ## remove what this checkout built (not the tool cache)
	@rm -rf .venv build dist site
