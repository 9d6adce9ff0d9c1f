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
exec scripts/test.sh "$@"
