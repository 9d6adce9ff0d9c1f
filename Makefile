# `make` lists the targets. Each one is a line or two here and a script under scripts/ when it is more.

CARGO ?= cargo
# Not `?=`: some shells export a HOST of their own. `make run PORT=4001 HOST=0.0.0.0` works all the same.
CONFIG = examples/quickstart.yaml
HOST = 127.0.0.1
PORT = 4000
# `make run` uses the dev profile: the first build takes minutes, with the release profile (fat LTO, one codegen
# unit) a quarter of an hour. For measuring or serving: `make run PROFILE=release`.
PROFILE = dev
SCALE ?= 1
DURATION = 60
export CARGO
# Never `-p weir-gateway`: cargo would choose other features for the shared dependencies than the tests do, and build
# half of them again at every change between the two.

target_dir = $(or $(CARGO_TARGET_DIR),target)
out_dir = $(target_dir)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

.DEFAULT_GOAL := help
.PHONY: help run build bolt test prove lint fmt bench count fuzz bless dashboards ui setup setup-lint clean-services

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## build and start on http://127.0.0.1:4000 (PORT= HOST= CONFIG= PROFILE=), data in ./data
	@scripts/setup.sh build
	$(CARGO) build --profile $(PROFILE) --bin weir
	@exec env WEIR_DATA_DIR="$${WEIR_DATA_DIR:-data}" $(out_dir)/weir serve --welcome --config $(CONFIG) --host $(HOST) --port $(PORT)

build: ## the release binary, target/release/weir
	@scripts/setup.sh build
	$(CARGO) build --release --bin weir

bolt: ## the release binary with its code laid out along the ways of requests: a quarter less CPU
	@scripts/bolt.sh

test: ## all tests in at most 40 minutes on two cores (SCALE=1)
	@SCALE=$(SCALE) scripts/test.sh

prove: ## all tests at full size, or PARTS= of them, report under bench/reports/; hours
	@scripts/prove.sh $(PARTS)

lint: ## formatting, clippy, licences and bans, shell scripts
	@scripts/lint.sh

fmt: ## format the Rust code
	$(CARGO) fmt --all
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

bench: ## the standard cases against nginx and a bare Pingora, report under bench/out/
	@scripts/bench.sh

count: ## instructions of a request, counted by valgrind, report under bench/out/
	@scripts/count.sh

fuzz: ## fuzz all readers, DURATION=60 seconds for each target; TARGETS= some of them
	@scripts/fuzz.sh $(DURATION) $(TARGETS)

bless: ## rewrite the goldens from what the code does now; read the diff before committing it
	@BLESS=1 scripts/test.sh rust -- -E 'test(/golden/) | test(the_catalogue_is_what_the_import_makes) | binary(conformance) | test(the_document_is)'
	@BLESS=1 scripts/test.sh deploy

dashboards: ## write dashboards/*.json from dashboards/build
	@python3 dashboards/build/build.py

ui: ## build the admin UI into admin/ui/dist
	@scripts/ui.sh

setup: ## install what is missing: Debian packages, Python and Node clients, cargo-nextest
	@scripts/setup.sh

setup-lint: ## install cargo-deny and shellcheck; cargo-deny takes minutes to build
	@scripts/setup.sh lint

clean-services: ## stop databases that a killed test run has left behind
	@scripts/with-services.sh --clean
