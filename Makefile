# make run: a working voice agent. make test: everything that must be green. make help: the rest.

PORT ?=
VENV := .venv
PEERS := .venv-peers
PYTHON := $(VENV)/bin/python
# Any of these will do; PYTHONS="/path/to/python3" names another.
PYTHONS ?= python3.12 python3.13 python3.11 python3 python
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.SHELLFLAGS := -euc
.DELETE_ON_ERROR:
.PHONY: help run app test test-long bench format lint unit models \
  peers-node peers-postgres peers-espeak peers-browser

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' \
	  | while IFS='|' read -r name what; do printf '%-18s %s\n' "$$name" "$$what"; done

run: $(VENV)/.core ## install what is missing, fetch the models, serve on PORT (else 8000)
	@($(call needs_node,the web app is not built: it)) && $(MAKE) -s app \
	  || echo "the API runs without the web app" >&2
	@$(VENV)/bin/voiceforge models pull
	@exec $(VENV)/bin/voiceforge serve $(if $(PORT),--port $(PORT))

app: $(patsubst %/package-lock.json,%/dist/index.html,$(wildcard playground/package-lock.json)) ## build the web app, for Node 20 and npm

test: lint unit ## format, lint, types, import rules, unit and integration tests

test-long: $(VENV)/.dev models peers-node peers-browser ## soaks and fuzzing
	$(PYTHON) -m pytest -m long $(PYTEST_ARGS)

bench: $(VENV)/.dev $(PEERS)/.installed models peers-node peers-browser ## the measurements, each against its peer
	$(PYTHON) -m bench

format: $(VENV)/.dev ## format, and fix what ruff can fix
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

lint: $(VENV)/.dev app
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	@cd playground && npm run -s lint && npm run -s test

# Conversations take their time and leave cores idle: all other tests run beside them, for what is
# left, but for some that must be in time. Theirs is shown when both have ended. What fails on either
# side may have had no core for a second: it is shown, and has to pass alone then.
SERVER_TESTS := $(wildcard tests/server/test_*.py)
PEER_TESTS := $(wildcard tests/peers/test_*.py)
CAN_WAIT := \
  $(foreach name,database fetched_voices knowledge languages speech_cli told usage voices_cli webhook%,\
    $(filter tests/server/test_$(name).py,$(SERVER_TESTS))) \
  $(foreach name,elevenlabs_% languages_% openai_speech openai_transcriptions schemathesis ssml_%,\
    $(filter tests/peers/test_$(name).py,$(PEER_TESTS)))
LIVE := $(filter-out $(CAN_WAIT),$(SERVER_TESTS) $(PEER_TESTS)) tests/actors/test_resting.py \
  $(wildcard tests/engine/test_pool*.py) \
  $(filter-out %__pycache__,$(patsubst %/,%,$(wildcard tests/server/*/)))
OTHERS := -o cache_dir=.pytest_cache/others tests $(LIVE:%=--ignore=%)
unit: $(VENV)/.dev models app peers-node peers-postgres peers-espeak peers-browser
	@others=$$(mktemp); trap 'kill $$beside 2>/dev/null || :; rm -f "$$others"' EXIT; \
	echo "pytest $(LIVE), and beside these all others, shown at the end"; \
	nice -n 10 $(PYTHON) -m pytest $(OTHERS) $(PYTEST_ARGS) >"$$others" 2>&1 & beside=$$!; \
	live=0; $(PYTHON) -m pytest $(LIVE) $(PYTEST_ARGS) || live=$$?; \
	rest=0; wait $$beside || rest=$$?; cat "$$others"; \
	if [ $$rest -eq 1 ]; then \
	  rest=0; $(PYTHON) -m pytest $(OTHERS) --last-failed $(PYTEST_ARGS) || rest=$$?; \
	fi; \
	if [ $$live -eq 1 ]; then \
	  live=0; $(PYTHON) -m pytest $(LIVE) --last-failed $(PYTEST_ARGS) || live=$$?; \
	fi; \
	for status in $$live $$rest; do \
	  [ $$status -eq 0 ] || { [ $$status -eq 5 ] && $(if $(PYTEST_ARGS),true,false); } || exit 1; \
	done

models: $(VENV)/.core
	@$(VENV)/bin/voiceforge models pull

# Fails where Node 20 or npm are missing, and says who needs them, $(1), and how to get them.
needs_node = for tool in node npm; do \
    command -v $$tool >/dev/null || { \
      echo "$(1) needs $$tool, which is not installed" \
        "(Debian 13: apt-get install nodejs npm; older: see nodejs.org)" >&2; exit 1; }; \
  done; \
  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || { \
    echo "$(1) needs Node 20 or later, and this is $$(node --version): see nodejs.org" >&2; exit 1; }

# The web app. Folders stand beside their files: they change when a file goes.
APP_SOURCES := $(wildcard playground/*.html playground/*.json playground/*.js playground/*.ts) \
  $(shell find playground/src playground/public 2>/dev/null)

playground/dist/index.html: playground/node_modules/.installed $(APP_SOURCES)
	@echo "building the web app"
	@rm -f $@ # what is built from other sources than these is not served
	@cd playground; said=$$(npm run build 2>&1) || { echo "$$said" >&2; exit 1; }
	@touch -c $@

playground/node_modules/.installed: playground/package-lock.json
	@$(call needs_node,the web app is not built: it)
	@echo "installing what the web app is built with"
	@cd playground; said=$$(npm ci --no-audit --no-fund 2>&1) || { echo "$$said" >&2; exit 1; }
	@touch $@

# The npm clients that tests/peers drives.
peers-node: $(patsubst %/package-lock.json,%/node_modules/.installed,$(wildcard tests/peers/package-lock.json))

tests/peers/node_modules/.installed: tests/peers/package-lock.json
	@$(call needs_node,make test drives npm clients: it)
	cd tests/peers && npm ci --no-audit --no-fund
	@touch $@

# The servers beside which tests/storage puts the embedded PostgreSQL.
peers-postgres:
	@missing=; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing="$$missing postgresql"; \
	command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing="$$missing pgbouncer"; \
	command -v openssl >/dev/null || missing="$$missing openssl"; \
	[ -z "$$missing" ] || { \
	  echo "make test needs what is not installed (Debian: apt-get install$$missing)" >&2; exit 1; }

# The program that speaks the languages for which no weights are here.
peers-espeak:
	@command -v espeak-ng >/dev/null || { \
	  echo "make test speaks with espeak-ng, which is not installed" \
	    "(Debian: apt-get install espeak-ng)" >&2; exit 1; }

# The browser, and the relay between it and the server.
peers-browser:
	@missing=; \
	command -v chromium >/dev/null || [ -n "$${CHROMIUM:-}" ] || missing="$$missing chromium"; \
	command -v turnserver >/dev/null || missing="$$missing coturn"; \
	[ -z "$$missing" ] || { \
	  echo "make test needs what is not installed (Debian: apt-get install$$missing);" \
	    "CHROMIUM=/path/to/chromium names another browser of its family" >&2; exit 1; }

# Stamps: nothing is installed, or asked of an index, unless what they depend on has changed.

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing the core dependencies into $(VENV)"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check \
	  --constraint constraints.txt --upgrade pip
	@$(PYTHON) -m pip install -qq --disable-pip-version-check \
	  --constraint constraints.txt --build-constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt $(VENV)/.core
	@echo "installing the development dependencies into $(VENV)"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check \
	  --constraint constraints.txt --build-constraint constraints.txt --editable '.[dev]'
	@touch $@

# What the measurements compare with has an environment of its own: it never meets our processes.
$(PEERS)/.installed: constraints-peers.txt | $(VENV)/.made
	@echo "installing the peers of the measurements into $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install -qq --disable-pip-version-check \
	  --no-deps --requirement constraints-peers.txt
	@touch $@

$(VENV)/.made:
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; then touch $@; exit 0; fi; \
	without_venv=; \
	for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "making $(VENV) with $$("$$python" --version)"; \
	    rm -rf $(VENV); "$$python" -m venv $(VENV); touch $@; exit 0; \
	  fi; \
	  without_venv=$$python; \
	done; \
	if [ -n "$$without_venv" ]; then \
	  echo "$$without_venv cannot make virtual environments: install its venv module" \
	    "(Debian: apt-get install python3-venv)" >&2; \
	else \
	  echo "VoiceForge needs Python 3.11 or later, and none of these is: $(PYTHONS)" \
	    "(Debian: apt-get install python3 python3-venv; or make PYTHONS=/path/to/python3)" >&2; \
	fi; \
	exit 1
