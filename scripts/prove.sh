#!/usr/bin/env bash
# Every test at the sizes that the guarantees name, and a dated report under bench/reports/ to be committed.
# Takes hours. The report is written on failure too: it then says what failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$ROOT/bench/reports"
WEIR_STARTED=$(date +%s)
REPORT=$ROOT/bench/reports/$(date -u +%Y-%m-%d-%H%M)-prove.md
export WEIR_STARTED REPORT SCALE=full
cd "$ROOT"
status=0
scripts/test.sh "$@" || status=$?
# Load, and what a request costs: the release build against nginx and a bare Pingora.
scripts/bench.sh --case all || status=$?
latest=$(find bench/out -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | head -1 | cut -d' ' -f2-)
cp "$latest/report.md" "${REPORT%.md}-load.md"
exit "$status"
