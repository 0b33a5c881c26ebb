# `make demo` and `make test` work on a fresh clone with nothing but Python >= 3.11.

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
export OMP_NUM_THREADS ?= 1

.PHONY: demo test check lint soak bench clean

.venv/test.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test,plot]'
	touch $@

.venv/bench.stamp: .venv/test.stamp
	$(BIN)/python -m pip install --quiet --editable '.[test,plot,bench]'
	touch $@

demo: .venv/test.stamp
	$(BIN)/python examples/demo.py

test: .venv/test.stamp
	$(BIN)/python -m pytest -n $(WORKERS) -m "not deep and not soak" $(PYTEST_ARGS)

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: .venv/bench.stamp lint
	CHAINRULE_REQUIRE_PEERS=1 $(MAKE) test
	CHAINRULE_REQUIRE_PEERS=1 HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -n $(WORKERS) -m deep

soak: .venv/bench.stamp
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -n $(WORKERS) -m soak

bench: .venv/bench.stamp
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/derivatives.py

clean:
	rm -rf .venv runs
