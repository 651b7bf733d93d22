# `make demo` and `make test` are all a newcomer needs; both set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
CODE := agent tools heads tokenizers data graphs evals
export LANGSMITH_TRACING = false
export LANGGRAPH_CLI_NO_ANALYTICS = 1
export LANGGRAPH_NO_VERSION_CHECK = true
export HF_HUB_OFFLINE ?= 1

.PHONY: demo test check fix bench docs clean help
help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all]' --group test --group lint --group peers
	$(BIN)/python -m pip install --quiet --no-deps --group reference
	@touch $@

.typing-view/.ready: Makefile
	@mkdir -p .typing-view/tool_use_om
	@for d in $(CODE); do ln -sfn ../../$$d .typing-view/tool_use_om/$$d; done
	@touch $@

demo: .venv/.ready ## the main job, offline, on the embedded sample
	$(BIN)/tuom demo

test: .venv/.ready ## every test, slow ones included
	$(BIN)/python -m pytest -q -n auto

check: .venv/.ready .typing-view/.ready ## ruff, strict mypy, layering
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p tool_use_om
	$(BIN)/python -m pytest -q tests/test_layering.py tests/test_layout.py

fix: .venv/.ready ## format and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.ready ## the figures in docs/benchmarks.md (minutes; not a test)
	$(BIN)/tuom bench

docs: .venv/.ready ## write the generated tables and figures of README.md and docs/ again
	$(BIN)/tuom docs

clean:
	rm -rf .venv .typing-view .mypy_cache .ruff_cache .pytest_cache build *.egg-info
