# The commands of this repository. `make demo` and `make test` need Python 3.11+, make and bubblewrap, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= .windlass
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= windlass:$(VERSION)
ENGINE ?= $(if $(shell command -v docker),docker,podman)
# Byte code of what is imported; that of the clients nobody imports would be a third of the installation.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x 'kubernetes/aio|/pip/|/setuptools/' $(VENV)/lib || true
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-cluster test-monitoring lint types layers check generate image bench clean machine

help:  ## show the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: machine $(VENV)/.run  ## make .venv, with the windlass command in it

demo: machine $(VENV)/.run  ## run the sales-report example on a development cluster of its own
	@$(BIN)/python examples/sales-report/demo.py --state $(STATE)/demo

test: machine $(VENV)/.test  ## the tests that need nothing but Python
	@$(BIN)/python -m pytest

test-cluster: $(VENV)/.test  ## the tests on the cluster that KUBECONFIG points at
	@$(BIN)/python -m pytest -m cluster tests/cluster

test-monitoring: machine $(VENV)/.test  ## rules and dashboards, judged by Prometheus's promtool, which Go builds once
	@tools/promtool/promtool --version >/dev/null && $(BIN)/python -m pytest tests/monitoring

check: lint types layers  ## ruff, mypy, import-linter, and the drift of generated files

lint: $(VENV)/.lint  ## ruff, hadolint: style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/hadolint Dockerfile

types: $(VENV)/.lint  ## mypy, strict
	@$(BIN)/mypy

layers: $(VENV)/.lint  ## import-linter: each layer imports only those below it
	@$(BIN)/lint-imports

generate: $(VENV)/.run  ## write crds/ and the generated pages of docs/ again
	@$(BIN)/python -m windlass.models.generate && $(BIN)/python -m windlass.cli.docs && $(BIN)/python helm/document.py && $(BIN)/python helm/dashboards

image:  ## build the image IMAGE (windlass:VERSION) with docker or podman
	@$(ENGINE) info >/dev/null 2>&1 || { \
		echo "docker or podman is needed, and running: $(ENGINE) info fails. Set ENGINE=..., or: apt-get install podman" >&2; exit 2; }
	$(ENGINE) build --tag $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION="$$(git rev-parse HEAD)" \
		--build-arg CREATED="$$(git log -1 --format=%cI)" .

clean:  ## remove what these commands made
	rm -rf $(VENV) $(STATE) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

machine:  # what can't be had from a package registry is named, with the command that installs it
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is older. Set PYTHON=..., or: apt-get install python3" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 2; }
	@command -v git >/dev/null || { echo "git is missing: apt-get install git" >&2; exit 2; }
	@command -v bwrap >/dev/null || { echo "bubblewrap is missing: apt-get install bubblewrap" >&2; exit 2; }

$(VENV)/.made:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing the dependencies"
	@$(PIP) install --no-compile --constraint constraints.txt --editable '.[examples]'
	@$(COMPILE)
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@$(PIP) install --constraint constraints.txt --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(PIP) install --constraint constraints.txt --group lint
	@touch $@
