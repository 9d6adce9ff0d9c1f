#!/usr/bin/env bash
# Builds the admin UI. The binary embeds admin/ui/dist when it is there, and says how to build it when it is not.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

UI=$ROOT/admin/ui
if [[ ! -e $UI/package.json ]]; then
    say "there is no UI yet: admin/ui comes with a later part of the work; nothing to build"
    exit 0
fi
have npm || die "npm is missing: run 'make setup'"
cd "$UI"
npm ci --no-fund --no-audit --loglevel=error
npm run build
