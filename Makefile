# `make help` explains every target. The work itself is in scripts/; here are only the names.

# The selection of `make test`, so that neither builds again what the other has built.
DEBUG_BUILD = mkdir -p crates/titan-api/dashboard/dist && cargo build --locked --workspace --features titan-api/dashboard
RELEASE_BUILD = cargo build --locked --release -p titan-api -p titan-worker -p titan-sandbox -p titan-ops --features titan-api/dashboard
DEBUG = $${CARGO_TARGET_DIR:-target}/debug
RELEASE = $${CARGO_TARGET_DIR:-target}/release

.DEFAULT_GOAL := help
.PHONY: help start dev build test lint fmt e2e generate migrate bench faults check-tasks clean

help: ## explain the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: ## build Titan, run it with its own Postgres, say when it is ready; Ctrl-C stops all of it
	@scripts/start.sh

dev: ## the same from debug builds, with the dashboard's dev server, which reloads on each change
	@scripts/start.sh --dev

build: ## build the dashboard and both daemons for release, into target/release
	@node scripts/dashboard.mjs
	@$(RELEASE_BUILD)

test: ## set the machine up and run everything that must hold; STAGES="clippy rust" runs only those
	@scripts/test.sh $(STAGES)

lint: ## the quick checks: formatting, clippy, docs, licences, task file, variables
	@scripts/test.sh tasks env fmt licences clippy doc

fmt: ## format the Rust and the dashboard sources
	@cargo fmt --all
	@node scripts/dashboard.mjs install
	@npm --prefix crates/titan-api/dashboard run --silent fix

e2e: ## only the browser tests; screenshots go to target/e2e-screenshots
	@scripts/test.sh build dashboard e2e

generate: ## write docs/openapi.json from the code, and the dashboard's client from that
	@$(DEBUG_BUILD)
	@"$(DEBUG)/titan-api" openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	@node scripts/dashboard.mjs install
	@npm --prefix crates/titan-api/dashboard run --silent generate

migrate: ## bring the database of DATABASE_URL, or the one under data/, to this version's schema
	@$(DEBUG_BUILD)
	@scripts/with-postgres.sh data "$(DEBUG)/titan-api" migrate

bench: ## measure how fast all of it is and write docs/BENCHMARKS.md; ROWS=Q1,Q4 only those, QUICK=1 only tries them
	@ROWS="$(ROWS)" QUICK="$(QUICK)" PEERS="$(PEERS)" scripts/bench.sh

faults: ## harm Titan in every way there is and look whether anything is lost; SEEDS=20, ROWS=kill-worker,partition only those
	@ROWS="$(ROWS)" SEEDS="$(SEEDS)" QUICK="$(QUICK)" scripts/faults.sh

check-tasks: ## check the form of TASKS.md and INBOX.md
	@node scripts/check-tasks.mjs

clean: ## remove what was built; the data under data/ stays
	@cargo clean
	@rm -rf crates/titan-api/dashboard/dist crates/titan-api/dashboard/node_modules crates/titan-testkit/forge/node_modules
