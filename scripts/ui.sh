#!/usr/bin/env bash
# Builds the admin UI into admin/ui/dist.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

UI=$ROOT/admin/ui
have npm || die "npm is missing: run 'make setup'"
cd "$UI"
npm ci --no-fund --no-audit --loglevel=error
npm run build
