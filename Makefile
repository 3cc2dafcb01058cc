# Nothing but Python (3.11 or later), make and git is needed: every target sets up what it uses, once, in .venv.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --quiet --quiet --disable-pip-version-check

.PHONY: demo test lint bench mutate clean

demo: .venv/installed  ## a complete return from two exports
	@.venv/bin/lotlaw demo

test: lint  ## everything that must hold before a change goes in
	@.venv/bin/python -m pytest -q -n auto

lint: .venv/tools  ## style and types
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --check --quiet . || { echo "run: .venv/bin/ruff format ."; exit 1; }
	@.venv/bin/mypy --no-error-summary

mutate: .venv/tools  ## changes the law one thing at a time, and says what no example notices (two minutes)
	@.venv/bin/lotlaw rules coverage
	@.venv/bin/lotlaw rules mutate --prove
	@.venv/bin/python tests/mutate_lots.py

bench: .venv/tools .venv/peers  ## measures the goals, and other programs beside, and writes docs/benchmarks.md (half an hour; ONLY=word: a part)
	@.venv/bin/python tests/benchmarks/run.py --only "$(ONLY)"

clean:  ## forgets everything that was set up or built
	@rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find engine tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "lotlaw needs Python 3.11 or later; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	@echo "setting up .venv (once)" >&2
	@$(PIP) install --editable .
	@touch $@

.venv/peers: | .venv/bin/python
	@echo "setting up other programs to compare with in .venv/peers (once)" >&2
	@$(PYTHON) -m venv $@
	@$@/bin/python -m pip --quiet --disable-pip-version-check install coinbasis beancount rp2

.venv/tools: pyproject.toml | .venv/installed
	@echo "setting up the tools of the tests in .venv (once)" >&2
	@$(PIP) install --editable '.[test]'
	@touch $@
