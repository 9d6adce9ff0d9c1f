#!/usr/bin/env bash
# The standard cases, release build, all targets interleaved in one run.
#
#   scripts/bench.sh [ARGUMENT of `weir-bench run`...]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh" system
cd "$ROOT"
say "building (release profile: fat LTO, takes its time)"
"$CARGO" build --release --bin weir --bin weir-bench
out=$ROOT/bench/out/$(date -u +%Y-%m-%d-%H%M)
mkdir -p "$out"
"$TARGET/release/weir-bench" run --weir "$TARGET/release/weir" --out "$out" "$@"
say "report: ${out#"$ROOT"/}"
