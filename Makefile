# Everything installs itself into .venv, and only when something changed. timm and Composer
# (mosaicml) are read by tests and never run, and fastai trains without torchvision and spaCy, so
# what they need is left out.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo check test lint bench clean

# The main job: which schedule is best for scikit-learn's breast-cancer data?
demo: .venv/.has-lab
	$(BIN)/lrlab compare breast-cancer

# While you work, in two minutes: lint, types, layers, names, and the fast tests with few examples.
check: lint
	HYPOTHESIS_PROFILE=quick $(BIN)/pytest --quiet --numprocesses 2 --dist worksteal -m 'not slow and not integration'

# All that CI runs. Tests that start processes or trainers would disturb each other: one at a time.
test: lint
	$(BIN)/pytest --numprocesses 2 --dist worksteal -m 'not integration'
	$(BIN)/pytest -m integration tests

lint: .venv/.has-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_names.py

# Every figure of the README and of docs; needs the ionosphere file (see CONTRIBUTING.md).
bench: .venv/.has-bench
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/stepping.py
	$(BIN)/python benchmarks/tutorial.py
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/ensemble.py
	$(BIN)/python benchmarks/floor.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/scaling.py

.venv/.has-%: pyproject.toml constraints.txt
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[$*]'
	$(if $(filter test,$*),$(INSTALL) --no-deps fastai mosaicml timm)
	touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
