# What a contributor runs. `make check` is what CI runs.
PYTHON ?= python

.PHONY: check lint types test golden clean

check: lint types test

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy edgesdt hw_models docs benchmarks

test:
	$(PYTHON) -m pytest -n auto --dist loadfile

golden:  ## remake the golden traces (after a change of arithmetic that is meant)
	$(PYTHON) -m tests.golden.make

clean:  ## caches of Python beside the source, and compiled code in the user's cache folder
	$(PYTHON) -c "from hw_models.kernels.jit import clear; clear()"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
