# Set-up is `make demo` (the main job) or `make test`; each makes .venv and installs what it needs.

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: demo test test-all check bench clean

demo: .venv/installed
	$(BIN)/ganbench demo

test: .venv/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: .venv/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --hypothesis-profile=default

check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed
	$(BIN)/python benchmarks/rounds.py
	$(BIN)/python benchmarks/images.py
	$(BIN)/python benchmarks/workers.py
	$(BIN)/python benchmarks/stacked.py
	$(BIN)/python benchmarks/feeding.py 4
	$(BIN)/python benchmarks/distributed.py

clean:
	rm -rf .venv build dist src/*.egg-info demo

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@ .venv/installed
