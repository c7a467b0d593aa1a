# What people and continuous integration both run.
.PHONY: demo test test-long bench fmt lint check

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Builds and starts everything: Countersign, a sample API, nginx in front of it. Ctrl-C stops all of it.
demo:
	@scripts/demo

# Installs what the tests need and runs every one of them. About 35 minutes on two cores from nothing.
test: export COUNTERSIGN_TEST_SECONDS = 20
test:
	@scripts/timed "debian packages" scripts/install-debian-packages
	@scripts/timed "gateways" scripts/install-gateways
	@scripts/timed "lint" $(MAKE) --no-print-directory lint
	@scripts/timed "build" cargo build --locked --workspace --all-targets
	@scripts/timed "rust tests" cargo test --locked --workspace
	@scripts/timed "console" scripts/console-test
	@scripts/timed "api conformance" scripts/api-conformance 90
	@scripts/timed "webhooks" scripts/webhook-conformance
	@scripts/timed "fuzz" scripts/fuzz 10
	@echo "make test: all suites passed"

# The same with full counts, ten minutes of fuzzing for each target, and the dependency rules by cargo-deny.
test-long: export COUNTERSIGN_TEST_FULL = 1
test-long:
	@scripts/timed "debian packages" scripts/install-debian-packages
	@scripts/timed "gateways" scripts/install-gateways
	@scripts/timed "lint" $(MAKE) --no-print-directory lint
	@scripts/timed "rust tests, full counts" cargo test --locked --workspace --profile long
	@scripts/timed "console" scripts/console-test
	@scripts/timed "api conformance" scripts/api-conformance 900
	@scripts/timed "webhooks" scripts/webhook-conformance
	@scripts/timed "dependency rules" scripts/dependency-rules
	@scripts/timed "bill of materials" scripts/sbom
	@scripts/timed "reproducible build" scripts/reproducible-build
	@scripts/timed "fuzz" scripts/fuzz 600
	@echo "make test-long: all suites passed"

# Compares the cost of a check with everything else a user could pick and writes docs/book/performance.md: an hour and
# 25 GB of disk. QUICK=1 leaves ten million tokens out: a quarter of an hour, the page in target/bench/.
bench:
	@scripts/bench

fmt:
	cargo fmt --all

lint:
	cargo fmt --all -- --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

check:
	cargo check --locked --workspace --all-targets
