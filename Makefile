# tunematrix: `make` lists what there is. Each target sets up the environment by itself when there is none.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The lock names everything, so nothing is resolved; what is never imported is never compiled: 41 s of a core, not 110.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile
DB ?= tunematrix.db
SUITE ?= pocket

.DEFAULT_GOAL := help
.PHONY: help setup matrix matrix-real report board snapshot check test test-all lint bench bench-analysis bench-board bench-gate gpu-matrix gpu-pocket gpu-peers pocket-bases clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the environment in .venv, with the versions of requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) (a few minutes the first time)"
	@$(PIP) -r requirements.lock
	@$(PIP) --editable .
	@touch $@

matrix: $(READY) ## train, measure and score every method on the embedded suite, then print the tables
	$(BIN)/tunematrix run pocket --db $(DB)

matrix-real: $(READY) ## the same on a real pretrained model and real data, from ../shared
	$(BIN)/tunematrix run stories --db $(DB)

report: $(READY) ## print the tables of what has run, and write them to report/
	$(BIN)/tunematrix report --db $(DB) --out report

snapshot: $(READY) ## run a suite, publish it as results/NAME, verify that (NAME=... SUITE=pocket)
	@test -n "$(NAME)" || { echo "which name? make snapshot NAME=pocket-2026"; exit 2; }
	$(BIN)/tunematrix run $(SUITE) --db $(DB) || test $$? -eq 1  # a cell that failed is a result
	$(BIN)/tunematrix publish $(NAME) $(SUITE) --db $(DB)
	$(BIN)/tunematrix verify results/$(NAME)

check: $(READY) ## run the reference cells and hold them against BASELINE (on another machine: CHECK_ARGS="--allow memory")
	$(BIN)/tunematrix check --baseline $(or $(BASELINE),$(error BASELINE=results/NAME is missing)) --run \
	  --allow speed,matrix-speed $(CHECK_ARGS)  # speed takes both sides in turn: --ab

# A third of a test's time is waiting, for a browser or for a process that it started: so three files for two cores.
FILES = $(shell cores=$$(env -u OMP_NUM_THREADS nproc 2> /dev/null || sysctl -n hw.logicalcpu); echo $$(( cores < 6 ? cores * 3 / 2 : 8 )))
TEST = $(BIN)/python -m pytest -n $(FILES) --dist loadfile --no-loadscope-reorder

test: $(READY) ## the tests, a few files at once
	$(TEST) -m "not extended"

test-all: $(READY) ## these, and those that show the same on more shapes and pages
	$(TEST)

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy harness methods suites leaderboard tunematrix scripts

gpu-matrix: $(READY) ## measure models of real sizes on a GPU for BUDGET_S seconds; the same command goes on
	$(BIN)/python -m scripts.gpu_matrix --db $(or $(GPU_DB),gpu.db) --budget $(or $(BUDGET_S),540) $(GPU_ARGS)

gpu-pocket: $(READY) ## pretrain larger pocket bases on a GPU, then every method on them, for BUDGET_S seconds
	$(BIN)/python -m scripts.gpu_pocket --db $(or $(GPU_DB),gpu.db) --budget $(or $(BUDGET_S),540) $(GPU_ARGS)

gpu-peers: $(READY) ## the harness' training beside TRL's, Transformers' and others', for BUDGET_S seconds: writes peers.json
	$(BIN)/python -m scripts.gpu_peers --budget $(or $(BUDGET_S),540) $(GPU_ARGS)

bench: $(READY) ## the harness against the stock way: writes bench.json
	$(BIN)/python -m benchmarks.bench

bench-analysis: $(READY) ## report, compare and check over 10,000 runs: seconds and memory, against their bounds
	$(BIN)/python -m benchmarks.analysis

bench-gate: $(READY) ## what the gate finds, and where it keeps still: an hour, writes bench-gate.json
	$(BIN)/python -m benchmarks.gate.bench_gate

bench-board: $(READY) ## the board over 100,000 runs: first page, answers and memory, against their bounds
	$(BIN)/python -m benchmarks.board

pocket-bases: $(READY) ## pretrain the embedded base models again (under an hour on two cores, resumable)
	$(BIN)/python -m suites.pocket.pretrain

board: $(READY) ## the leaderboard, in a browser: the results file and the snapshots at hand
	$(BIN)/tunematrix board $(if $(filter-out tunematrix.db,$(DB)),$(DB) $(dir $(wildcard results/*/manifest.json)))

clean: ## remove the environment and caches; results, and the weights in .tunematrix, stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
