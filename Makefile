# The commands of this project. Every one sets up what it needs first (quick when nothing is missing).

CARGO ?= cargo

.PHONY: help setup demo test lint doc bench bench-peers accuracy clean

help:
	@printf '%s\n' 'make demo   budget the fixtures for two models, and cut a photograph into tiles' \
	  'make test   format check, clippy, every test' 'make lint   format check and clippy' \
	  'make doc    the documentation of every crate' 'make bench  the benchmarks, beside their peers' \
	  'make bench-peers  the same written into docs/benchmarks.md, and the whole job (QUICK=1: one round)' \
	  'make accuracy     our counts and other estimators beside recorded ones, into docs/accuracy.md'

setup:
	@scripts/setup.sh

demo: setup
	@$(CARGO) build -q --profile quick -p mediaprep-cli --locked
	target/quick/mediaprep budget fixtures --requests each \
	  --model gemini-3.5-flash --compare gemini-2.5-flash
	target/quick/mediaprep prepare fixtures/images/photo-landscape-12mp.jpg \
	  --images tiles --model gemini-2.5-pro --service vertex --out target/demo

lint: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy -p mediaprep-cli --no-default-features --locked -- -D warnings
	$(CARGO) clippy -p mediaprep --locked -- -D warnings

test: lint
	$(CARGO) test --workspace --locked
	$(CARGO) test --workspace --exclude mediaprep-benches --no-default-features \
	  --features mediaprep-image/pixels --lib --test 'pixels_*' --test errors --test 'prepare*' --locked
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked -q

doc: setup
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

bench: setup
	@scripts/setup.sh bench
	$(CARGO) bench --profile quick -p mediaprep-benches --locked
	$(CARGO) bench --profile quick -p mediaprep-bench-send --locked

bench-peers: setup
	@scripts/setup.sh bench
	target/peers/bin/python -B scripts/bench-peers $(if $(QUICK),--quick)

accuracy: setup
	@scripts/setup.sh accuracy
	@$(CARGO) build -q --profile quick -p mediaprep-cli --locked
	python3 -B benches/accuracy target/quick/mediaprep

clean:
	$(CARGO) clean
