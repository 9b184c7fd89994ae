# The front door. `make setup` needs Python >= 3.11 alone; everything else runs from .venv.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := local mcp privacy rag server a2a otel channels cluster cel dev
# Half as many again as there are cores: every second test waits for a process, a disk or a clock.
JOBS ?= $(shell $(PYTHON) -c 'import os; n = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1; print(n + (n + 1) // 2)')
TASK ?= How many requests in logs/access.log were answered with status 502?

.PHONY: setup setup-bench run test check bench bench-record bench-security bench-slm bench-knowledge bench-server example-ops example-notes example-gates example-rag example-contracts example-clinic lock clean

setup: .venv/.done

.venv/.done: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python >= 3.11 is needed; name one: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --only-binary=:all: -r requirements.lock
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

run: setup
	$(BIN)/ringfence run --manifest examples/ops/ringfence.yaml "$(TASK)"

# Compiled once: the suite starts thousands of processes, and some of them may not write what they compile. The core is
# covered by its own tests alone; to trace all others as well costs a third of their time.
test: check
	$(BIN)/python -m compileall -q src tests
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests/core --cov=ringfence.core -q
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --ignore=tests/core -n $(JOBS) -m "not slow" --durations=15

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python bench/runtime.py
	$(BIN)/python bench/journal.py
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/busy.py

bench-record: setup
	$(BIN)/python bench/record.py

setup-bench: setup
	$(BIN)/python -m pip install --quiet "deepdiff>=8.6.1" "docstring-parser>=0.15" "email-validator>=2"
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --only-binary=:all: -r bench/agentdojo/requirements.txt

bench-security: setup-bench
	$(BIN)/python bench/agentdojo/run.py --adaptive
	$(BIN)/python bench/heldout/run.py
	$(BIN)/python bench/sandbox.py

bench-slm: setup
	$(BIN)/python bench/router.py
	$(BIN)/python bench/dialects.py
	$(BIN)/python -m bench.slm.lies --mode run
	mkdir -p .ringfence
	$(BIN)/ringfence eval bench/slm/tasks.yaml --json .ringfence/bench-slm.json --markdown .ringfence/bench-slm.md

bench-knowledge: setup
	$(BIN)/python bench/knowledge/indexing.py
	$(BIN)/python bench/knowledge/refresh.py
	$(BIN)/python bench/knowledge/search.py
	$(BIN)/python bench/knowledge/rights.py
	$(BIN)/python bench/knowledge/quality.py
	$(BIN)/python bench/knowledge/postgres.py
	$(BIN)/python bench/knowledge/hostile.py --full
	$(BIN)/python bench/big.py
	$(BIN)/python bench/knowledge/answers.py

example-ops: setup
	$(BIN)/ringfence eval examples/ops/eval.yaml

example-notes: setup
	$(BIN)/ringfence eval examples/notes/eval.yaml

example-gates: setup
	$(BIN)/ringfence eval examples/ops/gates.yaml

bench-server: setup
	test -x .venv-rivals/bin/python || $(BIN)/python -m venv .venv-rivals
	.venv-rivals/bin/python -m pip install --quiet --only-binary=:all: -r bench/server/requirements.txt
	$(BIN)/python bench/server/run.py --python .venv-rivals/bin/python
	$(BIN)/python bench/server/page.py
	$(BIN)/python bench/server/soak.py --runs 100000

example-rag: setup
	$(BIN)/ringfence eval examples/rag/eval.yaml
	$(BIN)/ringfence eval examples/rag/board-eval.yaml

example-contracts: setup
	$(BIN)/ringfence eval examples/contracts/eval.yaml

example-clinic: setup
	$(BIN)/ringfence eval examples/clinic/eval.yaml

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 $(patsubst %,--extra %,$(EXTRAS)) --generate-hashes --no-emit-index-url --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf .venv
