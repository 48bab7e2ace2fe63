# Every target is one or two commands. `make help` lists them: it reads the comments behind the names.

PYTHON ?= python3
BIN := .venv/bin
FORCE ?=
SEED ?= 7
ROUND ?=
SETUP := $(PYTHON) services/bootstrap.py $(if $(FORCE),--force)
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder --cov --cov-report=term
COMPOSE_TESTS := tests/acceptance tests/browser/test_dashboard.py tests/notebooks/test_notebooks.py
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --quiet \
	$(if $(UPGRADE),--upgrade) --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo lab up down test test-all lint format bench bench-control bench-pressure chaos screenshot compose compose-test lock clean

help: ## show this list
	@echo "VidLab: a real distributed video pipeline. The two to begin with are make demo and make test."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Without Docker, without root. What is fetched goes into .venv and the user's cache."

setup: ## set up .venv and the servers; FORCE=1: all over again; PYTHON=...: with that Python
	@$(SETUP)

setup-dev:
	@$(SETUP) --dev

demo: setup ## take a real video through the whole pipeline, from upload to a playlist that plays
	@$(BIN)/vidlab demo

lab: ## open JupyterLab on the first notebook
	@$(SETUP) --lab
	@$(BIN)/vidlab lab

up: setup ## start the lab
	@$(BIN)/vidlab up

down: ## stop the lab and keep its data
	@if [ -x $(BIN)/vidlab ]; then $(BIN)/vidlab down; fi

test: lint ## lint, then run the tests and print the coverage; ARGS=...: more words for pytest
	$(PYTEST) -m "not slow" $(ARGS)

test-all: lint ## the same with those tests that take long
	$(PYTEST) $(ARGS)

lint: setup-dev ## ruff, mypy, the order of imports; known holes in what the locks name, when an index can be asked
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python services/audit.py

format: setup-dev ## write the code as ruff wants it
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## measure finalize to completed over the same FFmpeg commands started bare
	@$(BIN)/vidlab up
	@$(BIN)/vidlab bench

bench-control: setup ## measure videos a second without scanner and encoder; ARGS="--videos 100": shorter
	@$(BIN)/vidlab bench-control $(ARGS)

bench-pressure: setup ## send 500 videos in a minute, and measure what that does to the API, memory, scratch and order
	@$(BIN)/vidlab up
	@$(BIN)/vidlab bench-pressure $(ARGS)

chaos: setup ## kill anything while videos come in, and judge what became of them; SEED=7 ROUND=3: one round again
	@$(BIN)/vidlab --state .vidlab-chaos chaos --seed $(SEED) $(if $(ROUND),--round $(ROUND))

screenshot: setup-dev ## make data/dashboard.png, the README's picture, anew
	@$(BIN)/python -m tests.browser.screenshot

compose: setup ## write docker-compose.yml anew from the table of profiles and services/compose
	@$(BIN)/python -m vidlab.lab.compose.rendered

compose-test: setup-dev ## build the images, and test videos, faults, the dashboard and notebooks in containers; ARGS=... as above
	docker compose --env-file .env.example build
	VIDLAB_LAB=compose $(BIN)/pytest $(COMPOSE_TESTS) $(ARGS)

lock: setup-dev ## write the locks anew from pyproject.toml, package.json and jgo.toml; UPGRADE=1: newest versions
	$(LOCK) pyproject.toml --extra local --group build --output-file services/requirements.txt
	$(LOCK) pyproject.toml --extra local --extra lab --group build --group dev \
		--constraint services/requirements.txt --output-file services/requirements-dev.txt
	$(LOCK) pyproject.toml --extra local --extra lab --group build \
		--constraint services/requirements-dev.txt --output-file services/requirements-lab.txt
	$(LOCK) pyproject.toml --extra ffmpeg --group build \
		--constraint services/requirements-dev.txt --output-file services/requirements-image.txt
	$(LOCK) pyproject.toml --extra ffmpeg --extra lab --group build \
		--constraint services/requirements-dev.txt --output-file services/requirements-jupyter.txt
	$(LOCK) --group build --constraint services/requirements-dev.txt --output-file services/requirements-build.txt
	$(LOCK) --group uv --constraint services/requirements-dev.txt --output-file services/requirements-uv.txt
	$(LOCK) --group clips --no-deps --output-file services/requirements-clips.txt
	$(BIN)/npm install --prefix services/azurite --package-lock-only --ignore-scripts --no-audit --no-fund
	$(BIN)/npm install --prefix services/widgets --package-lock-only --ignore-scripts --no-audit --no-fund
	$(BIN)/python services/without_addresses.py services/*/package-lock.json
	cd services/kafka && ../../$(BIN)/jgo --resolver python --repo-cache ../../.venv/maven --quiet lock
	sed -i.draft '/^generated = /d' services/kafka/jgo.lock.toml && rm services/kafka/jgo.lock.toml.draft

clean: down ## remove .venv and what the tools left; the lab's data stays (vidlab reset forgets it)
	rm -rf .venv .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
