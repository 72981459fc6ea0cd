# SAR Land Cover (DINO). `make` alone lists the targets.

# The interpreter QGIS is bound to. Empty: as the last set-up had it, at first the system's own, whatever `python3` on
# PATH may be.
QGIS_PYTHON ?=
# WITHOUT_QGIS=1 sets up the backend and training alone (a GPU server, a machine QGIS can't be had on), and is
# remembered in .venv; WITHOUT_QGIS=0, or naming QGIS_PYTHON, takes it back.
WITHOUT_QGIS ?=
VENV := .venv
PYTHON := $(VENV)/bin/python
# A language to begin a translation into: make translations NEW=fr
NEW ?=
# Options for pytest, for example: make test ARGS="-k tiling -x"
ARGS ?=
# Processes that share the test files.
JOBS ?= 2
# Debian releases whose QGIS `make test-qgis-next` tests in.
RELEASES ?= trixie sid

export QT_QPA_PLATFORM ?= offscreen

.DEFAULT_GOAL := help
.PHONY: help setup setup-demo demo test bench test-qgis-next screenshots lint format translations package check-package clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## Install what is missing: QGIS (Debian, Ubuntu), .venv, PyTorch and the tools; fast when all is there
	@QGIS_PYTHON="$(QGIS_PYTHON)" python3 -m tools.setup --without-qgis "$(WITHOUT_QGIS)" --venv $(VENV)

setup-demo: ## Install what mapping and the demo need alone, without PyTorch
	@QGIS_PYTHON="$(QGIS_PYTHON)" python3 -m tools.setup --demo --without-qgis "$(WITHOUT_QGIS)" --venv $(VENV)

demo: setup-demo ## Map a simulated sample scene with both algorithms in QGIS; writes build/demo/demo.png
	$(PYTHON) -m tools.demo

test: setup ## Run the tests (under 12 minutes on 2 cores)
	$(PYTHON) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

bench: setup ## Measure speed and memory, against the bare model and against peers; writes build/bench/bench.json
	$(PYTHON) -m benchmarks.bench $(ARGS)

test-qgis-next: setup ## Run the plugin's tests in Debian trixie's and sid's QGIS; makes both in build/roots first (5 GB)
	$(PYTHON) -m tools.newer_qgis --release $(RELEASES) -- $(ARGS)

screenshots: setup ## Take the pictures of the user's guide again, in a QGIS desktop on a virtual screen; docs/images/
	$(PYTHON) -m tools.screenshots

lint: setup ## Check style, types and the import rules between rooms, change nothing
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports --no-cache

format: setup ## Rewrite the code in the house style
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

translations: setup ## Bring sardino_qgis/i18n/*.ts up to date with the code, and compile them; NEW="fr" begins one
	$(PYTHON) -m tools.translations $(NEW)

package: setup ## Build the plugin zip in dist/
	$(PYTHON) -m tools.package

check-package: setup ## Build the zip, and check it as the plugin repository does (metadata, contents, Bandit, secrets)
	$(PYTHON) -m tools.check_package

clean: ## Remove what was built, and the caches; keeps .venv and build/roots
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 -not -name roots -exec rm -rf {} +; fi
	rm -rf dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f sardino_qgis/i18n/*.qm
	find . \( -path './$(VENV)' -o -path ./build/roots \) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
