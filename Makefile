# The one command surface of Regisseur: README, CI, Jenkins and pre-commit call these targets.
# Every target brings what it needs by itself and does nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VENV_STAMP := $(VENV)/.synced
MEMBERS := contract operator serving training devcluster bench

# Tests and DVC stages find the programs of the venv first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode is compiled once when the venv is made; a process that may not write it still reads it.
export PYTHONDONTWRITEBYTECODE := 1

$(shell mkdir -p build)

# Only what is said on the command line counts: an exported KUBECONFIG or VERSION is somebody
# else's business.
given = $(if $(filter command,$(origin $(1))),$(2) '$($(1))')

.PHONY: help
help: ## Show the targets.
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- environment -----------------------------------------------------------------------------

.PHONY: venv
venv: $(VENV_STAMP) ## Make the virtual environment from the hashed locks.

$(VENV_STAMP): locks/all.txt locks/uv.txt $(MEMBERS:%=%/pyproject.toml)
	@tools/make-venv $(PYTHON) $(VENV) $(MEMBERS)
	@touch $@

.PHONY: lock
lock: $(VENV_STAMP) ## Resolve every dependency again into locks/.
	@tools/make-locks $(BIN)/uv

# ---- checks ----------------------------------------------------------------------------------

SOURCES := $(MEMBERS:%=%/src) tests tools/run-tiers tools/draw-rollout

.PHONY: check
check: $(VENV_STAMP) ## Lint, types, layers, generated files, Dockerfiles, chart.
	@ruff check $(SOURCES)
	@ruff format --check --quiet $(SOURCES) || { echo "error: run 'make format'" >&2; exit 1; }
	@mypy
	@lint-imports --no-cache >build/lint-imports.log 2>&1 || { cat build/lint-imports.log; exit 1; }
	@python -m regisseur_operator.api.generate --check
	@hadolint Dockerfile.operator Dockerfile.serving devcluster/images/Dockerfile.*
	@"$$(python -m regisseur_devcluster tool helm)" lint --quiet --strict charts/regisseur --values charts/regisseur/ci/full-values.yaml
	@echo "check: all good"

.PHONY: format
format: $(VENV_STAMP) ## Format the sources and sort their imports.
	@ruff check --quiet --fix $(SOURCES) || true
	@ruff format $(SOURCES)

.PHONY: generate
generate: $(VENV_STAMP) ## Write the CRD and docs/conditions.md from the operator's models.
	@python -m regisseur_operator.api.generate --write

# ---- the development cluster and the demo ----------------------------------------------------

.PHONY: demo
demo: $(VENV_STAMP) ## Show a rollout on a real cluster: [KUBECONFIG= IMAGE_REGISTRY= for your own].
	@python -m regisseur_devcluster.demo up \
	  $(call given,KUBECONFIG,--kubeconfig) $(call given,IMAGE_REGISTRY,--image-registry)

.PHONY: demo-down
demo-down: $(VENV_STAMP) ## Remove the demo and its cluster, or the demo from yours: [KUBECONFIG=].
	@python -m regisseur_devcluster.demo down $(call given,KUBECONFIG,--kubeconfig)

.PHONY: cluster-up
cluster-up: $(VENV_STAMP) ## Bring up a real single-node Kubernetes.
	@python -m regisseur_devcluster up

.PHONY: cluster-down
cluster-down: $(VENV_STAMP) ## Remove it and everything it brought to the machine.
	@python -m regisseur_devcluster down

.PHONY: images
images: $(VENV_STAMP) ## Build the images; load them into the cluster if it is up.
	@python -m regisseur_devcluster images

# ---- benchmarks ------------------------------------------------------------------------------

.PHONY: bench-serving bench-operator
bench-serving: $(VENV_STAMP) ## Measure the model server beside its peers (40 min): [ROUNDS= SECONDS=].
	@tools/bring-packages wrk
	@serving=$$(tools/make-apart $(BIN)/uv serving-onnx); \
	  mlserver=$$(tools/make-apart $(BIN)/uv mlserver); \
	  kserve=$$(tools/make-apart $(BIN)/uv kserve); \
	  python -m regisseur_bench.serving --report docs/benchmarks.md \
	  --serving "$$serving" --mlserver "$$mlserver" --kserve "$$kserve" \
	  $(call given,ROUNDS,--rounds) $(call given,SECONDS,--seconds)

bench-operator: $(VENV_STAMP) ## Measure the operator beside a raw client: [RESOURCES= MOVES= REST=].
	@python -m regisseur_bench.operator --report docs/benchmarks-operator.md \
	  $(call given,RESOURCES,--resources) $(call given,MOVES,--moves) \
	  $(call given,REST,--rest-seconds)

# ---- pipeline --------------------------------------------------------------------------------

.PHONY: train
train: $(VENV_STAMP) ## Run the DVC pipeline: prepare, train, evaluate, register.
	@python -m regisseur_training.stages.preflight
	@dvc repro

.PHONY: promote
promote: $(VENV_STAMP) ## Move a version to Production: [MODEL= VERSION= THRESHOLD= STAGE= DRY_RUN=1].
	@python -m regisseur_training.promote $(call given,MODEL,--model) \
	  $(call given,VERSION,--version) $(call given,THRESHOLD,--threshold) \
	  $(call given,STAGE,--stage) $(if $(call given,DRY_RUN,x),--dry-run)

# ---- tests -----------------------------------------------------------------------------------

TIERS := unit adapters cluster chart pipeline repo e2e

.PHONY: test test-deep $(TIERS:%=test-%)
test: check test-parts ## Run check and every test tier.
	@tools/run-tiers $(TIERS)

test-deep: check test-parts ## Run every tier with its long cases.
	@tools/run-tiers --deep $(TIERS)

.PHONY: test-tools test-parts clients
test-tools: $(VENV_STAMP)
	@for tool in kube-apiserver etcd helm; do python -m regisseur_devcluster tool $$tool >/dev/null; done

clients: $(VENV_STAMP) ## Bring the clients that tests drive the model server with.
	@tools/bring-packages curl chromium
	@tools/make-apart $(BIN)/uv kserve >/dev/null

test-parts: test-tools clients
	@python -m regisseur_devcluster tool metrics-server >/dev/null
	@python -m regisseur_devcluster images >/dev/null
	@python -m regisseur_devcluster images onnx-serving >/dev/null

$(TIERS:%=test-%): test-%: $(VENV_STAMP)
	@tools/run-tiers $*

# What a tier needs is brought before it: a test's time limit is for the test.
test-adapters test-cluster test-chart: test-tools
test-adapters: clients
test-e2e: test-parts

.PHONY: clean
clean: ## Remove what builds leave in the checkout.
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
