#!/usr/bin/env bash
# The release binary, laid out for the ways it takes under load (profile-guided optimisation): a build that notes them, some
# load, and a build that knows.
#
#   scripts/pgo.sh              target/release/weir and target/release/weir-bench
#   PGO_SECONDS=2               of each case of the load
#   PGO_PROFILE=FILE            what an earlier run has noted (target/pgo/weir.profdata): no load, one build
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/llvm.sh
source "$ROOT/scripts/llvm.sh"

"$ROOT/scripts/setup.sh" build
cd "$ROOT"
profile=${PGO_PROFILE:-$TARGET/pgo/weir.profdata}

learn() {
    local noted=$TARGET/pgo/noted
    "$ROOT/scripts/setup.sh" pgo
    say "building a weir that notes which ways it takes"
    # Without link-time optimisation, which comes after what is noted and would only take time.
    CARGO_PROFILE_RELEASE_LTO=off RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-generate=$noted" \
        "$CARGO" build --release --target-dir "$TARGET/pgo" --bin weir
    say "building the load"
    "$CARGO" build --release --bin weir-bench
    rm -rf "$noted"
    "$TARGET/release/weir-bench" train --weir "$TARGET/pgo/release/weir" --seconds "${PGO_SECONDS:-2}" --out "$noted"
    "$(llvm_profdata)" merge -o "$profile" "$noted"
}

if [[ -z ${PGO_PROFILE:-} ]]; then learn; fi
say "building weir with what was noted"
RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-use=$(realpath "$profile")" \
    "$CARGO" build --release --target-dir "$TARGET/pgo/used" --bin weir
install -m 0755 "$TARGET/pgo/used/release/weir" "$TARGET/release/weir"
say "target/release/weir is laid out for its load"
