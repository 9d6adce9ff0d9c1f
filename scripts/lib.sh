# shellcheck shell=bash
# What the other scripts share: where things are, and how to talk to the person who runs them.
# Sourced, never run. The caller has `set -euo pipefail` on.
# shellcheck disable=SC2034  # the variables are for the scripts that source this

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=$ROOT/.tools                              # ignored by git; deleting it costs only a new `make setup`
VENV=$TOOLS/venv
DEPLOY_VENV=$TOOLS/deploy
AWS_VENV=$TOOLS/aws
NODE_DIR=$ROOT/tests/sdk/node
UI_TESTS_DIR=$ROOT/tests/ui
AGENTS_DIR=$ROOT/tests/sdk/agents
DASHBOARD_TYPES_DIR=$ROOT/dashboards/tests/types
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
CARGO=${CARGO:-cargo}                           # a wrapper may be given, e.g. one that takes a lock
PATH=$TOOLS/cargo/bin:$PATH
export PATH

say() { printf '== %s\n' "$*"; }
warn() { printf '!! %s\n' "$*" >&2; }
die() { warn "$*"; exit 1; }
# Prints one line for a set of files: a changed line means that what was made from them is out of date.
stamp_of() { cat "$@" | sha256sum | cut -d' ' -f1; }
have() { command -v "$1" >/dev/null 2>&1; }
in_ci() { [[ ${CI:-} == true || ${CI:-} == 1 ]]; }

# A thing that tests want is not there. With CI=true that is a failure, because a skipped test proves nothing.
missing() {
    if in_ci; then die "missing: $1 (CI=true, so this is a failure)"; fi
    warn "skipped: $1"
}

# Debian keeps the server programs out of PATH, in a directory per major version: the newest that has initdb.
postgres_bin() {
    local dir newest=
    if have pg_config && [[ -x $(pg_config --bindir)/initdb ]]; then pg_config --bindir; return; fi
    for dir in /usr/lib/postgresql/*/bin; do
        if [[ -x $dir/initdb ]]; then newest=$(printf '%s\n%s\n' "$newest" "$dir" | sort -V | tail -1); fi
    done
    [[ -n $newest ]] && printf '%s\n' "$newest"
}

# LLVM's post-link optimizer; Debian puts its version behind the name.
llvm_bolt() {
    local dir
    if have llvm-bolt; then command -v llvm-bolt; return; fi
    dir=$(compgen -c llvm-bolt- | grep -E '^llvm-bolt-[0-9]+$' | sort -V | tail -1)
    [[ -n $dir ]] && command -v "$dir"
}

# The nginx binary lives in /usr/sbin, which is not in everybody's PATH.
has_nginx() { have nginx || [[ -x /usr/sbin/nginx ]]; }

# What measures, and the gateway that is measured unless BENCH_WEIR names one.
build_for_bench() {
    local bins=(--bin weir-bench)
    if [[ -z ${BENCH_WEIR:-} ]]; then bins+=(--bin weir); fi
    say "building (release profile: fat LTO, takes its time)"
    "$CARGO" build --release "${bins[@]}"
}
