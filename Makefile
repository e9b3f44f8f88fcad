# Each target works alone on a fresh machine with python3 >= 3.11: it makes .venv, installs what it needs, and runs.
PYTHON ?= python3
BIN := .venv/bin
FRAMEWORKS := .venv-frameworks/bin
NATIVE := $(wildcard setup.py src/nissl/*/_*/*.c src/nissl/*/_*/*.h)

.PHONY: help demo test test-frameworks check web bench bench-quick docs paper package
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

demo: .venv/with-torch+plots+view ## train a small network while recording it; pictures go to results/
	$(BIN)/nissl demo

test: .venv/with-dev ## every test
	$(BIN)/pytest -n 2

test-frameworks: .venv-frameworks/ready ## the tests that need TensorFlow, JAX, ONNX, Lightning ... in 4 GB of their own
	$(FRAMEWORKS)/python -m tests.frameworks

check: .venv/with-dev ## style, types and the direction of imports; the page's own checks where Node is
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	web/check

web: ## build the page that `nissl view` shows, from web/ into the package; needs Node
	cd web && npm install --no-audit --no-fund && npm run build

bench: .venv/with-dev ## every figure anew, in some hours on a quiet machine: benchmarks/results/ and docs/figures.md
	$(BIN)/python -m benchmarks

bench-quick: .venv/with-dev ## a look at every benchmark within 5 minutes; nothing is kept
	$(BIN)/python -m benchmarks --quick

docs: .venv/with-dev ## the site, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

paper: .venv/with-paper ## the white paper as PDF and HTML, into site/paper/, its numbers from benchmarks/results/
	$(BIN)/python docs/paper/build.py

package: ## the sdist and the wheel, into dist/, each tried in an empty environment
	PYTHON=$(PYTHON) .ci/package

# One stamp for each set of extras (joined by +), made again when what it was made from changes.
.venv/with-%: pyproject.toml constraints.txt $(NATIVE)
	@echo "Installing nissl[$*] into .venv, once; this takes a minute or two."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$$(echo $* | tr + ,)]"
	@touch $@

.venv-frameworks/ready: pyproject.toml constraints.txt $(NATIVE)
	@echo "Installing every framework into .venv-frameworks, once; this takes some minutes and 4 GB."
	@test -x $(FRAMEWORKS)/python || $(PYTHON) -m venv .venv-frameworks
	@$(FRAMEWORKS)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[frameworks]"
	@touch $@
