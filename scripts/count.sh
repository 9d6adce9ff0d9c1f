#!/usr/bin/env bash
# Instructions per request of the release build, counted by valgrind: with nothing configured, with a key, with metrics, with
# every budget and limit that there is. They hardly depend on the machine, so that two builds can be compared.
#
#   scripts/count.sh [ARGUMENT of `weir-bench count`...]
#   scripts/count.sh --against PATH      beside an earlier build of weir
#
#   COUNT_OUT=FILE         of the table (default: a dated one under bench/out/)
#   BENCH_WEIR=FILE        the gateway that is counted (default: built here)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh" build count
cd "$ROOT"
build_for_bench
weir=${BENCH_WEIR:-$TARGET/release/weir}
out=${COUNT_OUT:-$ROOT/bench/out/$(date -u +%Y-%m-%d-%H%M)-count.md}
mkdir -p "$(dirname "$out")"
"$TARGET/release/weir-bench" count --weir "$weir" "$@" | tee "$out"
say "table: ${out#"$ROOT"/}"
