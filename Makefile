# make up and make test do all set-up; the rest is below, a target for each task.
# ENV chooses values/<ENV>.yaml; SET='section.key=value …' overrides values for one command.

# What commands take from make's command line. Because of the first assignment, variables of the
# shell that have these names have no effect; because of the second, make never expands a value,
# not even to export it, so that $(shell …) in it is text.
ARGUMENTS := ENV SET FROM INTO TO DELETE KEEP APPLY YES NAME ARGS DAG LIVE A B BASE REPORT COLD PRICES DAYS ON VALUES
GIVEN := $(filter command,$(origin ENV))
$(foreach variable,$(ARGUMENTS),$(eval $(variable) :=)$(eval override $(variable) := $$(value $(variable))))
UNKNOWN := $(strip $(foreach variable,$(filter-out $(ARGUMENTS) GIVEN_CLUSTER,$(.VARIABLES)),\
	$(if $(filter command,$(origin $(variable))),$(variable))))
$(if $(UNKNOWN),$(error no variable $(UNKNOWN): there are $(ARGUMENTS)))

# Without ENV on the command line: the environment that a target is for.
DEFAULT := sandbox
ENVIRONMENT = $(if $(GIVEN),$(ENV),$(DEFAULT))
OPTIONS :=
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Without bytecode every import is compiled again: three times the time of a render.
unexport PYTHONDONTWRITEBYTECODE

define newline


endef
# A variable's value as it was given, as one word of bash; make would end a command at a newline.
quote = '$(subst $(newline),'$$'\n'',$(subst ','\'',$($1)))'
argument = $(if $($1),$(call quote,$1))
option = $(if $($2),$1=$(call quote,$2))
flag = $(if $($2),$(if $(filter 1,$($2)),$1,$(error $2=$($2): write $2=1, or leave it out)))

# ON=kind: the sandbox's values on a kind cluster, with the images that they have stand-ins for.
KIND := images.registry=localhost:5001 images.builder.name=airflow-kind \
	images.pythonBaseImage=python:{python}-slim-{base} images.airflow.base=buster \
	database.cluster.image=mysql:8.4 broker.cluster.image=redis:7.2 engine=kubectl
ifeq ($(ON),kind)
ifneq ($(ENVIRONMENT),sandbox)
$(error ON=kind is for the environment sandbox: leave ENV out)
endif
override SET := $(strip $(KIND) $(SET))
GIVEN_CLUSTER := kind
else ifneq ($(ON),)
$(error ON=$(ON): write ON=kind, or leave it out for the embedded cluster)
endif

CACHE := $(or $(value XDG_CACHE_HOME),$(value HOME)/.cache)/airflow-kubernetes
# Make's rules and the shell would take these characters of a path for their own.
hash := \#
UNUSABLE := $(foreach character,$(hash) $$ ; : % & | * ? < > ( ) ' " ` \,$(findstring $(character),$(CACHE)))
$(if $(strip $(UNUSABLE))$(filter-out 1,$(words $(CACHE))),$(error \
	XDG_CACHE_HOME: no cache in $(CACHE), because of a space or one of $(strip $(UNUSABLE)) in the path))
PACKAGES := $(shell cat requirements.txt | sha256sum | cut -c1-16)
# Where .venv is a folder and no link, `pulumi install` or a user made it: it gets the packages.
FOLDER := $(shell test -L .venv || test ! -d .venv || echo .venv)
VENV := $(or $(FOLDER),$(CACHE)/venv-$(PACKAGES))
COMPLETE := $(VENV)/.complete$(if $(FOLDER),-$(PACKAGES))
PYTHON := .venv/bin/python

# The sandbox brings its own kubectl, kubeconfig and certificates; elsewhere they are the user's.
# With GIVEN_CLUSTER its values are for an existing cluster: see tests/cluster/conftest.py.
EMBEDDED = $(if $(value GIVEN_CLUSTER),,$(filter sandbox,$(ENVIRONMENT)))
IN_ENV = $(if $(EMBEDDED),eval "$$($(PYTHON) -m sandbox env)";)
PROGRAM := PATH="$$PWD/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes
RUN = $(IN_ENV) $(if $(ON),MAKE_ON=$(ON)) $(PROGRAM)

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /' | sort

.venv: $(COMPLETE)
	@$(if $(FOLDER),,ln -sfn $(call quote,VENV) .venv)

# Named by the content of requirements.txt, so its date does not matter: a fresh clone's is new.
# Locked, so that of two makes at a time one installs and the other waits.
$(COMPLETE):
	@cache=$(call quote,CACHE); venv=$(call quote,VENV); complete=$(call quote,COMPLETE); \
	mkdir -p "$$cache"; exec 9>"$$cache/venv.lock"; flock 9; test ! -e "$$complete" || exit 0; \
	echo "Python packages: installing into $$venv" >&2; \
	start=$$SECONDS; $(if $(FOLDER),,rm -rf "$$venv";) \
	test -x "$$venv/bin/pip" || python3 -m venv "$$venv"; \
	"$$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements.txt; \
	touch "$$complete"; echo "Python packages: done after $$((SECONDS - start)) s" >&2

.PHONY: up
up: .venv  ## build, deploy and wait; prints the address; ON=kind: on a kind cluster
	@$(if $(EMBEDDED),$(PYTHON) -m sandbox up)
	@$(if $(ON),.github/kind/up.sh)
	@$(RUN) up $(call quote,ENVIRONMENT) $(call option,--set,SET)
	@$(if $(filter sandbox,$(ENVIRONMENT)),$(RUN) smoke $(call quote,ENVIRONMENT) --once $(call option,--set,SET))

# Commands on one environment.
COMMANDS := dags down preview status render images password smoke backup backups restore upgrade \
	adopt drift policies capacity usage promote prune task local-up check-dags test-dag
.PHONY: $(COMMANDS)
$(COMMANDS): .venv
	@$(RUN) $@ $(call argument,ENVIRONMENT) $(OPTIONS) $(call option,--set,SET)

dags:  ## deploy changed DAGs alone, in seconds
down:  ## remove what runs; keep data and passwords; YES=1: without a question
down: OPTIONS = $(call flag,--yes,YES)
preview:  ## what make up would change; BASE=<commit> [REPORT=<folder>]: a report, without a cluster
preview: OPTIONS = $(call option,--base,BASE) $(call option,--report,REPORT) $(call flag,--live,LIVE)
status:  ## what runs, and the address
render:  ## every Kubernetes object as YAML; needs no cluster
images:  ## build and push the images, write the lock
password:  ## the first user's password
smoke:  ## run the smoke DAG through the REST API
upgrade:  ## to another Airflow release: stop, back up, migrate, start
backup:  ## dump the metadata database to the volume of backups
backups:  ## list the backups; DELETE='<backup> …': delete these
backups: OPTIONS = $(call option,--delete,DELETE)
restore:  ## FROM=<backup> [INTO=<empty database>]: load a backup; Airflow must be stopped
restore: OPTIONS = $(call option,--from,FROM) $(call option,--into,INTO)
adopt:  ## move an environment of the kubectl engine under Pulumi; no object changes
drift:  ## how the cluster differs from the program; fails if it does
policies:  ## rules over every object of every environment, or of ENV
capacity:  ## [PRICES=prices.yaml]: what fits the cluster's nodes, what waits, what the peak costs
capacity: OPTIONS = $(call option,--prices,PRICES)
usage:  ## [DAYS=7]: how tasks used slots and requests, how long they waited, which requests to correct
usage: OPTIONS = $(call option,--days,DAYS)
promote:  ## TO=prod [ENV=dev]: copy the lock's images into another environment's registry
promote: OPTIONS = $(call option,--to,TO)
prune:  ## [KEEP=90] [APPLY=1]: delete images that no lock of the last KEEP days names
prune: OPTIONS = $(call option,--keep,KEEP) $(call flag,--apply,APPLY)
task:  ## NAME=<image> [ARGS='…']: run a task image with Docker or Podman, print its XCom
task: OPTIONS = $(call quote,NAME) $(call option,--args,ARGS)
check-dags:  ## read all DAGs in their image, without a cluster; say what is wrong, by file and line
test-dag:  ## DAG=smoke: run one DAG in its image, without a cluster; print its log
test-dag: OPTIONS = $(call quote,DAG)
local-up:  ## run all of Airflow on this machine with Docker Compose, with ./dags as edited

# Not the sandbox.
policies $(if $(BASE),preview): DEFAULT :=
promote task local-up: DEFAULT := dev

.PHONY: local-down parity from-chart env
local-down: .venv  ## stop local-up's containers; keep data and passwords
	@$(PROGRAM) local-down
parity: .venv  ## [A=dev B=prod]: what differs between environments, and which setting explains it
	@$(PROGRAM) parity $(call argument,A) $(call argument,B)
from-chart: .venv  ## VALUES=values.yaml: the values of the official Airflow chart as this program's
	@$(PROGRAM) from-chart $(call quote,VALUES)
env: .venv  ## NAME=staging FROM=prod: a new environment, at first the same as FROM
	@$(PROGRAM) env $(call quote,NAME) $(call option,--from,FROM)

.PHONY: sandbox-up sandbox-status sandbox-down sandbox-delete sandbox-env
sandbox-up sandbox-status sandbox-down sandbox-delete sandbox-env: .venv
	@$(PYTHON) -m sandbox $(@:sandbox-%=%)

sandbox-up:  ## start the embedded Kubernetes cluster
sandbox-status:  ## its processes, node and addresses
sandbox-down:  ## stop it; keep its data
sandbox-delete:  ## delete its data, after sandbox-down
sandbox-env:  ## shell variables to use it: eval "$$(make -s sandbox-env)"

.PHONY: check test test-quick test-all bench lock values-doc
check: .venv  ## lint, types; values, policies and parity of every environment
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy infra/airflow_kubernetes sandbox tests tools benchmarks .github/scripts && .venv/bin/mypy infra/__main__.py && .venv/bin/mypy infra/policy-pack/__main__.py
	@PYTHONPATH=infra .venv/bin/lint-imports --no-logo --no-cache
	@find images sandbox -name Dockerfile -exec .venv/bin/hadolint {} +
	@tools=$$($(PYTHON) -m sandbox toolchain actionlint); PATH="$$tools:$$PWD/.venv/bin:$$PATH" actionlint
	@.venv/bin/zizmor --offline --quiet --no-progress --persona pedantic .github
	@tools=$$($(PYTHON) -m sandbox toolchain vale); PATH="$$tools:$$PATH" $(PYTHON) tools/prose
	@PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes check && PYTHONPATH=infra $(PYTHON) -m airflow_kubernetes policies

# Modules that share an Airflow or a machine run one after the other; pods mostly wait.
PARALLEL := --numprocesses 2 --dist loadscope --no-loadscope-reorder --durations 10
test: check  ## all but the long tests, on a real cluster of its own
	@.venv/bin/pytest $(PARALLEL) -m "not long"

test-quick: check  ## the tests that need no cluster
	@.venv/bin/pytest tests/unit tests/program tests/github

test-all: check  ## the long tests too: every executor, release changes, emulation (an hour)
	@.venv/bin/pytest $(PARALLEL)

lock: .venv  ## update requirements.txt and the images' locks
	@PATH="$$PWD/.venv/bin:$$PATH" uv pip compile requirements.in --quiet --no-header \
		--no-emit-index-url --python-version 3.11 --generate-hashes --output-file requirements.txt
	@PATH="$$PWD/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) images/lock.py
	@PATH="$$PWD/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) images/lock_options.py
	@PATH="$$PWD/.venv/bin:$$PATH" PYTHONPATH=infra $(PYTHON) images/lock_tasks.py

values-doc: .venv  ## write docs/values.md, the page of all settings, from the schema
	@PYTHONPATH=infra:. $(PYTHON) -m tools.values

bench: .venv  ## measure each step, warm; COLD=1 also with empty caches (half an hour)
	@PYTHONPATH=infra:. $(PYTHON) -m benchmarks $(call flag,--cold,COLD)
