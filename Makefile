# make up and make test do all set-up; the rest is below, one target a task.
# ENV chooses values/<ENV>.yaml; SET="section.key=value …" overrides values for one command.

ENV ?= $(if $(filter promote,$(MAKECMDGOALS)),dev,sandbox)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export ENV SET FROM INTO TO KEEP APPLY NAME ARGS LIVE A B BASE REPORT
# Without bytecode every import is compiled again: three times the time of a render.
unexport PYTHONDONTWRITEBYTECODE

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/airflow-kubernetes
VENV := $(CACHE)/venv-$(shell cat requirements.txt | sha256sum | cut -c1-16)
PYTHON := .venv/bin/python

# The sandbox brings its own kubectl, kubeconfig and certificates; elsewhere they are the user's.
# With GIVEN_CLUSTER its values are for a cluster that is there already: see tests/cluster/conftest.py.
EMBEDDED := $(if $(GIVEN_CLUSTER),,$(filter sandbox,$(ENV)))
# A preview of commits looks at no cluster, unless it is to be live.
IN_ENV := $(if $(if $(BASE),$(LIVE),$(EMBEDDED)),$(if $(EMBEDDED),eval "$$($(PYTHON) -m sandbox env)";))
PROGRAM := $(IN_ENV) PATH="$(CURDIR)/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /' | sort

.venv: $(VENV)/.complete
	@if [ -d .venv ] && [ ! -L .venv ]; then \
		echo "error: .venv is a folder that make did not make; remove it" >&2; exit 1; fi
	@ln -sfn $(VENV) .venv

# Named by the content of requirements.txt, so its date does not matter: a fresh clone's is new.
$(VENV)/.complete:
	@echo "Python packages: installing into $(VENV)" >&2
	@start=$$SECONDS; rm -rf $(VENV); python3 -m venv $(VENV); \
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt; \
	touch $@; echo "Python packages: done after $$((SECONDS - start)) s" >&2

.PHONY: up down preview status render images password smoke backup backups restore upgrade
up: .venv  ## build, deploy and wait; prints the address
	@$(if $(EMBEDDED),$(PYTHON) -m sandbox up)
	@$(PROGRAM) up $(ENV)
	@$(if $(filter sandbox,$(ENV)),$(PROGRAM) smoke-once $(ENV))

down preview status render images password smoke backup backups restore upgrade: .venv
	@$(PROGRAM) $@ $(ENV)

# A report is about every environment, or the one that is given.
ifneq ($(BASE),)
preview: ENV := $(if $(filter file,$(origin ENV)),,$(ENV))
endif

down:  ## remove what runs; keep data and passwords
preview:  ## what make up would change; BASE=<commit> [REPORT=<folder>]: a report, without a cluster
status:  ## what runs, and the address
render:  ## every Kubernetes object as YAML; needs no cluster
images:  ## build and push the images, write the lock
password:  ## the first user's password
smoke:  ## run the smoke DAG through the REST API
upgrade:  ## to another Airflow release: stop, back up, migrate, start
backup:  ## dump the metadata database to the volume of backups
backups:  ## list them
restore:  ## FROM=<backup> [INTO=<empty database>]: load one; Airflow must be stopped

.PHONY: policies
policies: .venv  ## rules over every object of every environment, or of ENV
	@PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes policies $(if $(filter file,$(origin ENV)),,$(ENV))

.PHONY: drift
drift: .venv  ## what of the cluster is not as the program wants it; fails if something is
	@$(PROGRAM) drift $(ENV)

.PHONY: promote prune
promote prune: .venv
	@$(PROGRAM) $@ $(ENV)

promote:  ## TO=prod [ENV=dev]: copy the lock's images into another environment's registry
prune:  ## [KEEP=90] [APPLY=1]: delete images that no lock of the last KEEP days names

# An author's machine has no sandbox.
.PHONY: task local-up local-down
task local-up local-down: ENV := $(if $(filter file,$(origin ENV)),dev,$(ENV))
task local-up local-down: .venv
	@$(PROGRAM) $@ $(ENV)

task:  ## NAME=<image> [ARGS='…']: run a task image with Docker or Podman, show its XCom
local-up:  ## run all of Airflow on this machine with Docker Compose; LIVE=1: with ./dags as edited
local-down:  ## stop that; keep its data and passwords

.PHONY: parity env
parity env: .venv
	@PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes $@

parity:  ## [A=dev B=prod]: what differs between environments, and which setting explains it
env:  ## NAME=staging FROM=prod: a new environment that begins as another one is

.PHONY: sandbox-up sandbox-status sandbox-down sandbox-delete sandbox-env
sandbox-up sandbox-status sandbox-down sandbox-delete sandbox-env: .venv
	@$(PYTHON) -m sandbox $(@:sandbox-%=%)

sandbox-up:  ## start the embedded Kubernetes
sandbox-status:  ## what of it runs
sandbox-down:  ## stop it; keep its data
sandbox-delete:  ## delete its data, after sandbox-down
sandbox-env:  ## shell variables to use it: eval "$$(make -s sandbox-env)"

.PHONY: check test test-quick test-matrix bench lock
check: .venv  ## lint, types; values, policies and parity of every environment
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy infra/airflow_kubernetes sandbox tests benchmarks .github/scripts && .venv/bin/mypy infra/__main__.py && .venv/bin/mypy infra/policy-pack/__main__.py
	@find images sandbox -name Dockerfile -exec .venv/bin/hadolint {} +
	@tools=$$($(PYTHON) -m sandbox toolchain actionlint); PATH="$$tools:$(CURDIR)/.venv/bin:$$PATH" actionlint
	@.venv/bin/zizmor --offline --quiet --no-progress --persona pedantic .github
	@PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes check && PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes policies

test: check  ## everything but the matrix, on a real cluster of its own
	@.venv/bin/pytest -m "not matrix"

test-quick: check  ## the tests that need no cluster
	@.venv/bin/pytest tests/unit tests/program tests/github

test-matrix: .venv  ## every executor on both releases (half an hour)
	@.venv/bin/pytest -m matrix

lock: .venv  ## write requirements.txt and the images' locks anew
	@PATH="$(CURDIR)/.venv/bin:$$PATH" uv pip compile requirements.in --quiet --no-header \
		--no-emit-index-url --python-version 3.11 --generate-hashes --output-file requirements.txt
	@PATH="$(CURDIR)/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) images/lock.py
	@PATH="$(CURDIR)/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) images/lock_tasks.py

bench: .venv  ## measure each step, warm; COLD=1 also with empty caches (half an hour)
	@PYTHONPATH=infra:. $(PYTHON) -m benchmarks $(if $(COLD),--cold)
