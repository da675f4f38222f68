# Everything from a fresh clone with Python 3.11 or newer: `make demo`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: venv demo test lint docs lock chromium clean

venv: $(READY)

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@# Compiled now, so that every start is fast even where Python may not write byte-code.
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: venv
	$(BIN)/hustings demo

test: venv chromium
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4
	$(MAKE) lint

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: venv
	$(BIN)/python scripts/reference.py

# Needs uv. Newest versions that pyproject.toml allows; `make lock UPGRADE=--upgrade` moves all of them.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --custom-compile-command "make lock" $(UPGRADE) --output-file constraints.txt

# The pages are tested in a real browser; without one those tests are skipped.
chromium:
	@if [ -x /usr/bin/chromium ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  { apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null 2>&1 || \
	    echo "Chromium could not be installed (apt-get failed): the tests in a browser are skipped."; \
	else \
	  echo "There is no /usr/bin/chromium, and this user cannot install it: the tests in a browser are skipped."; \
	fi

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
