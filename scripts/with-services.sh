#!/usr/bin/env bash
# Runs a command beside an ephemeral PostgreSQL and Redis, and stops them when it ends, however it ends.
#
#   scripts/with-services.sh cargo nextest run -p weir-ledger
#   scripts/with-services.sh --clean          stops what a killed run has left behind
#
# The command finds WEIR_TEST_POSTGRES_URL and WEIR_TEST_REDIS_URL. What is not installed is skipped with a
# reason; with CI=true that is a failure.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/services.sh
source "$ROOT/scripts/services.sh"

if [[ ${1:-} == --clean ]]; then services_clean; exit; fi
(($# > 0)) || die "usage: with-services.sh COMMAND [ARGUMENT...]"

trap services_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
services_start
"$@"
