# What a contributor runs. `make check` is what CI runs.
PYTHON ?= python
KERNELS = tests/golden tests/property/test_bounds.py tests/property/test_kernels.py tests/property/test_pulsing.py
# in the order of their folders, so that the long files of system/ do not come last; a file stays in one worker
SPREAD = -n auto --dist loadfile --no-loadscope-reorder --durations=25

.PHONY: check lint types test test-slow ahead warm bounds golden clean

check: lint types test

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy edgesdt hw_models docs benchmarks

test: ahead  ## all but what is marked slow
	$(PYTHON) -m pytest -m "not slow" $(SPREAD)

test-slow:  ## what `test` leaves out
	$(PYTHON) -m pytest -m slow $(SPREAD)

# Most of the time of a fresh checkout goes into compiling: once for all workers, beside the kernels with bounds checks.
ahead:
	$(MAKE) -j2 warm bounds

warm:  ## compile what the tests would else compile in every worker at once
	$(PYTHON) -m edgesdt warm

# Numba's own cache does not depend on NUMBA_BOUNDSCHECK: these kernels are compiled in a folder of their own, without
# optimisation, which takes half the time (and what is not optimised is not cached, which numba says)
bounds:  ## the tests of the kernels, an index out of range being an error
	cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NUMBA_BOUNDSCHECK=1 NUMBA_OPT=0 NUMBA_CACHE_DIR="$$cache" $(PYTHON) -m pytest -q -n 0 -m "not slow" \
	  --durations=10 -W "ignore:Cannot cache:numba.core.errors.NumbaWarning" $(KERNELS)

golden:  ## remake the golden traces (after a change of arithmetic that is meant)
	$(PYTHON) -m tests.golden.make

clean:  ## caches of Python beside the source, and compiled code in the user's cache folder
	$(PYTHON) -c "from hw_models.kernels.jit import clear; clear()"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
