# `make demo` and `make test` are all that a new user needs; both install first what is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help install sandbox demo test test-slow check lint types layers lock bench bench-class clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'

install: $(STAMP) sandbox ## make .venv with the locked packages, and bubblewrap where it may

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed. Received: " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

# Student code runs in bubblewrap. Installing it needs root; without, the one command to run is said and the rest goes on.
sandbox:
	@command -v bwrap >/dev/null 2>&1 && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing bubblewrap, the sandbox for student code ..."; \
		(apt-get install -y -qq bubblewrap libseccomp2 || (apt-get update -qq && apt-get install -y -qq bubblewrap libseccomp2)) >/dev/null 2>&1; \
	fi; \
	command -v bwrap >/dev/null 2>&1 || echo "bubblewrap is missing; student code cannot be sandboxed. Run: sudo apt-get install bubblewrap libseccomp2"

demo: install ## grade a course of generated students, from release to feedback pages
	$(BIN)/autograder demo

test: install ## everything that CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: install ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

check: lint types layers ## all that is not a test
lint: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
types: install
	$(BIN)/mypy
layers: install
	$(BIN)/lint-imports --no-cache

lock: ## resolve the versions anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements.lock

bench: install ## what a submission costs, side by side with papermill and nbgrader, a class from stored runs, the gradebook, a regrade (about an hour)
	$(BIN)/python -m benchmarks.kernel_start
	$(BIN)/python -m benchmarks.gradebook
	$(BIN)/python -m benchmarks.class_size
	$(BIN)/python -m benchmarks.rejudging

bench-class: install ## a class of 24 with every tool, side by side (over an hour; OTTER=PYTHON adds otter)
	$(BIN)/python -m benchmarks.throughput $(if $(OTTER),--otter $(OTTER))

clean: ## remove what was generated
	rm -rf demo-course .pytest_cache .mypy_cache .ruff_cache
