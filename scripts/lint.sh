#!/usr/bin/env bash
# Everything that can be found wrong without running: formatting, clippy, dependencies, shell scripts.
# All of it runs before the verdict, so that one pass shows all there is to mend.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

failed=()
check() { # NAME COMMAND...
    local name=$1
    shift
    say "$name"
    "$@" || failed+=("$name")
}

# The advisory check is absent on purpose: it wants a database from the network at lint time.
deny() {
    if ! have cargo-deny; then
        missing "cargo-deny is not installed ('make setup-lint'), so licences, bans and sources were not checked"
        return
    fi
    "$CARGO" deny --all-features check licenses bans sources
}

scripts() {
    if ! have shellcheck; then
        missing "shellcheck is not installed ('make setup-lint'), so the shell scripts were not checked"
        return
    fi
    shellcheck -x scripts/*.sh deploy/docker/*.sh deploy/compose/postgres/*.sh examples/*.sh .ci/run
}

"$ROOT/scripts/setup.sh" build
check "formatting" "$CARGO" fmt --all --check
check "formatting of the fuzz targets" "$CARGO" fmt --manifest-path fuzz/Cargo.toml --check
check "clippy" "$CARGO" clippy --workspace --all-targets -- -D warnings
check "clippy of the fuzz targets" "$CARGO" clippy --manifest-path fuzz/Cargo.toml -- -D warnings
check "dependencies" deny
check "shell scripts" scripts
if ((${#failed[@]} > 0)); then die "lint: ${failed[*]}"; fi
say "lint: nothing to complain about"
