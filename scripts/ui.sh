#!/usr/bin/env bash
# Builds the admin UI into admin/ui/dist; does nothing where that is what its sources make.
# `npm run build` checks types, fails when the first page would load too much, and leaves hashed names.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

have npm || die "npm is missing: run 'make setup'"
cd "$ROOT/admin/ui"

# Everything that the build reads, by name and content; what it makes itself is left out.
sources() {
    find . ../openapi.json \( -name node_modules -o -name dist -o -name schema.d.ts \) -prune -o -type f -print0 |
        sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

modules=$(stamp_of package-lock.json)
if [[ $(cat node_modules/.stamp 2>/dev/null) != "$modules" ]]; then
    npm ci --no-fund --no-audit --loglevel=error
    printf '%s\n' "$modules" >node_modules/.stamp
fi
built=$(sources)
if [[ $(cat dist/.stamp 2>/dev/null) == "$built" ]]; then exit; fi
npm run lint
npm run build
printf '%s\n' "$built" >dist/.stamp
# Without dist cargo has nothing to watch, so it is told that there is something now.
touch "$ROOT/admin/build.rs"
