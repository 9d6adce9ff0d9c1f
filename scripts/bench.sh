#!/usr/bin/env bash
# The standard cases, release build, all targets interleaved in one run.
#
#   scripts/bench.sh [ARGUMENT of `weir-bench run`...]
#
#   BENCH_OUT=FOLDER       of the report (default: a dated one under bench/out/)
#   BENCH_MINUTES=180      after which the run is stopped
#   BENCH_WEIR=FILE        the gateway that is measured (default: built here; `make bolt` leaves one that is quicker)
#
# Cases over a database get a PostgreSQL of their own, or the one that WEIR_TEST_POSTGRES_URL names.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/services.sh
source "$ROOT/scripts/services.sh"

"$ROOT/scripts/setup.sh" system
cd "$ROOT"
build_for_bench
weir=${BENCH_WEIR:-$TARGET/release/weir}
out=${BENCH_OUT:-$ROOT/bench/out/$(date -u +%Y-%m-%d-%H%M)}
mkdir -p "$out"

database=()
if [[ " $* " =~ [\ ,=](all|p01-latency|p15-overshoot)[\ ,] ]]; then
    trap services_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    services_start
    if [[ -n ${WEIR_TEST_POSTGRES_URL:-} ]]; then database=(--postgres "$WEIR_TEST_POSTGRES_URL"); fi
fi
# Named from here: the report tells the command. In the foreground: it ends what it has started when it is told to stop.
timeout --foreground "${BENCH_MINUTES:-180}m" \
    "$TARGET/release/weir-bench" run --weir "${weir#"$ROOT"/}" --out "${out#"$ROOT"/}" "${database[@]}" "$@"
say "report: ${out#"$ROOT"/}"
