# Everything that is done to Marquee. `make` alone lists it.
#
# Settings go through the environment: make run PORT=9000 MARQUEE_DATA=/srv/marquee
# Paths here are relative to this folder, so that its own path may hold spaces.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile \
		| awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

# ------------------------------------------------------------------------------ to use it

run: $(VENV)/.run ## start all of it (HOST, PORT, MARQUEE_DATA, DATABASE_URL, …); Ctrl-C stops it
	@exec $(RUN) -m marquee up

demo: $(VENV)/.run ## load the demo catalogue, or ARGS='--titles 1000000' for a synthetic one
	@exec $(RUN) -m marquee demo $(ARGS)

# ------------------------------------------------------------------------------ to change it

# All of them in a process for each processor and one more, as some tests wait for servers of their own; at most 4. A
# class or a module is never in two at once.
PROCESSES := import os; print(min(4, 1 + (os.cpu_count() or 1)))
PARALLEL = -n $(shell $(VENV)/bin/python -c '$(PROCESSES)') --dist loadscope --no-loadscope-reorder

test: $(VENV)/.dev ## run all tests, or some of them in one process (ARGS='-k ratings -x')
	@exec $(RUN) -m pytest $(or $(ARGS),$(PARALLEL))

check: $(VENV)/.dev ## lint, types, layers, the contract's rules
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports
	$(RUN) -m tools.contract lint

contract: $(VENV)/.dev ## bundle the contract and write its table of operations
	$(RUN) -m tools.contract bundle

contract-test: $(VENV)/.dev ## let Schemathesis loose on a running server; fails on any finding
	@exec $(RUN) -m tools.contract_test $(ARGS)

fuzz: $(VENV)/.dev ## the same for longer, with a new seed (ARGS='--seed 7' for an old one)
	@exec $(RUN) -m tools.contract_test --long $(ARGS)

bench: $(VENV)/.dev ## measure against FastAPI, Fastify and stock Connexion (ARGS='--part catalogue': a million titles)
	@exec $(RUN) -m tools.bench $(ARGS)

contract-lint: $(VENV)/.dev ## lint it by Redocly's, Spectral's and OWASP's rules too (needs Node)
	@exec $(RUN) -m tools.contract lint --external

eval: $(VENV)/.dev ## measure recommendations on public ratings (ARGS=--small for one seed)
	@exec $(RUN) -m tools.eval $(ARGS)

contract-diff: $(VENV)/.dev ## look for unannounced breaking changes since the last release, or ARGS=REVISION
	@exec $(RUN) -m tools.contract diff $(ARGS)

sdk: $(VENV)/.sdk ## generate the Python and TypeScript clients into build/sdk (needs Java and Node)
	@exec $(RUN) -m tools.sdk

sdk-test: sdk ## drive both clients against a running server
	@exec $(RUN) -m pytest tests/sdk $(ARGS)

explorer-test: $(VENV)/.dev ## drive the explorer in a headless Chromium (needs Node)
	@exec $(RUN) -m pytest tests/explorer $(ARGS)

where: $(VENV)/.dev ## show contract, handler and tests of URL='GET /api/v1/movies/42'
	@exec $(RUN) -m tools.where "$$URL"

scaffold: $(VENV)/.dev ## write an operation of a model: OPERATION=list_genres METHOD=get URL=/genres DOMAIN=catalogue TAG=genres
	@exec $(RUN) -m tools.scaffold

migration: $(VENV)/.dev ## write a migration from what the models changed: m='what it does'
	@test -n "$$m" || { echo "Say what it does: make migration m='add lists'"; exit 1; }
	@exec $(RUN) -m marquee migration -m "$$m"

clean: ## remove what was built and installed; the data stay
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis \
		.schemathesis
	find src tests tools -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help run demo test check eval contract contract-test contract-lint contract-diff fuzz bench sdk \
	sdk-test explorer-test where scaffold migration clean

# ------------------------------------------------------------------------------ the environment

# URL and m may hold any sign: handed over as variables, no shell reads them a second time.
export URL m OPERATION METHOD DOMAIN TAG MODEL

# An environment knows its own path: after this folder was moved it must be made again.
ifneq ($(shell cat $(VENV)/.path 2>/dev/null),$(shell pwd))
$(VENV)/.path: moved
.PHONY: moved
endif

$(VENV)/.path:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON): set PYTHON."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Marquee needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1 | head -n 1): set PYTHON."; \
		exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments: install its venv module (python3-venv)."; exit 1; }
	@echo "Making $(VENV) …"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@pwd > $@

$(VENV)/.run: $(VENV)/.path pyproject.toml constraints.txt
	@echo "Installing …"
	@$(call install,-e .)

$(VENV)/.dev: $(VENV)/.path pyproject.toml constraints.txt
	@echo "Installing, with what development needs …"
	@$(call install,-e '.[dev]')
	@touch $(VENV)/.run

$(VENV)/.sdk: $(VENV)/.dev
	@echo "Installing, with the clients' generator …"
	@$(call install,-e '.[sdk]')

# Pip speaks only if it fails.
define install
$(RUN) -m pip install --disable-pip-version-check -c constraints.txt $(1) > $(VENV)/pip.log 2>&1 \
	|| { cat $(VENV)/pip.log; exit 1; }; touch $@
endef
