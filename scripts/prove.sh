#!/usr/bin/env bash
# Every test at the sizes that the guarantees name, and a dated report under bench/reports/ to be committed. It is written on
# failure too: it then says what failed. It names the parts that ran, and those that did not.
#
#   scripts/prove.sh [PART...] [-- NEXTEST-ARGUMENT...]      as scripts/test.sh; make prove PARTS="rust bench"
#
# Takes hours, and ends: Rust tests within 12 hours (.config/nextest.toml), fuzzing within 10 (FUZZ_MINUTES), load within 3
# (BENCH_MINUTES), each other part within half an hour beside what it builds. On two cores all of it is a night.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$ROOT/bench/reports"
WEIR_STARTED=$(date +%s)
REPORT=$ROOT/bench/reports/$(date -u +%Y-%m-%d-%H%M)-prove.md
export WEIR_STARTED REPORT SCALE=full
cd "$ROOT"
exec scripts/test.sh "$@"
