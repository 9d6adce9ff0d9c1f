#!/usr/bin/env bash
# Builds the admin UI into admin/ui/dist.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

UI=$ROOT/admin/ui
have npm || die "npm is missing: run 'make setup'"
cd "$UI"
# Not `npm ci`: it wants optional packages of other systems that a lock file without addresses does not name.
npm install --no-save --no-fund --no-audit --loglevel=error
npm run build
