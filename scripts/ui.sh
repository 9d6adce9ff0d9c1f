#!/usr/bin/env bash
# Builds the admin UI into admin/ui/dist.
# `npm run build` checks types, fails when the first page would load too much, and leaves hashed names.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

have npm || die "npm is missing: run 'make setup'"
cd "$ROOT/admin/ui"
npm ci --no-fund --no-audit --loglevel=error
npm run lint
npm run build
# Without dist cargo has nothing to watch, so it is told that there is something now.
touch "$ROOT/admin/build.rs"
