# What a contributor runs. `make check` is what CI runs.
PYTHON ?= python
KERNELS = tests/golden tests/property/test_bounds.py tests/property/test_kernels.py tests/property/test_pulsing.py \
	tests/property/test_mvm.py

.PHONY: check lint types test bounds golden clean

check: lint types test

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy edgesdt hw_models docs benchmarks

test: bounds
	$(PYTHON) -m pytest -n auto --dist loadfile

# numba's cache does not depend on NUMBA_BOUNDSCHECK: these kernels are compiled in a folder of their own
bounds:  ## the tests of the kernels, an index out of range being an error
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR="$$cache" $(PYTHON) -m pytest -q -n auto --dist loadfile $(KERNELS)

golden:  ## remake the golden traces (after a change of arithmetic that is meant)
	$(PYTHON) -m tests.golden.make

clean:  ## caches of Python beside the source, and compiled code in the user's cache folder
	$(PYTHON) -c "from hw_models.kernels.jit import clear; clear()"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
