# Every target makes its own environment in .venv as needed; the only thing asked for is Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench calibrate example clean pins

demo: $(VENV)/run.stamp  ## the main job on the stand-in: what a retention policy is worth (a few minutes)
	@$(BIN)/octoload run experiments/retention.yaml --demo

test: check  ## all tests, two files at a time
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(VENV)/dev.stamp  ## formatting, lint, types
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy

bench: $(VENV)/dev.stamp  ## the load generator and the seeders against their peers, large uploads, a report on ten million samples
	@$(BIN)/python -m benchmarks.seeding
	@$(BIN)/python -m benchmarks.parsers
	@$(BIN)/python -m benchmarks.uploads
	@$(BIN)/python -m benchmarks.generator
	@$(BIN)/python -m benchmarks.report

calibrate: $(VENV)/dev.stamp  ## the long checks: clients of others, changed handlers, kills, soak, false alarms (two hours); PARTS="clients soak" for some
	@$(BIN)/python -m benchmarks.calibrate $(PARTS)

example: $(VENV)/dev.stamp  ## the example in README.md and its picture, from a run of the demonstration; RUN=FOLDER for one that has ended
	@$(BIN)/python -m benchmarks.example $(RUN)

clean:  ## all that the targets above made
	rm -rf $(VENV) runs standin-data .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/run.stamp: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing octoload into $(VENV) (once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what tests and checks need into $(VENV) (once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

pins:  ## write the pinned requirements anew from pyproject.toml (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --group build -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url pyproject.toml --group build --group dev -c requirements.txt -o requirements-dev.txt
