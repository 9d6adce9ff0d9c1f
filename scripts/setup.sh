#!/usr/bin/env bash
# Installs what is missing and says so; silent and quick when everything is there.
#
#   scripts/setup.sh [PART...]      PART: build services python aws node ui dashboards deploy nextest fuzz lint system all
#
#   build     cmake, a C compiler, pkg-config: needed to compile Weir at all
#   services  PostgreSQL, Redis, nginx, curl, jq: needed by tests and benchmarks, started by our scripts, not by the system
#   system    build + services
#   python    .tools/venv with the versions of tests/sdk/python/requirements.txt
#   aws       .tools/aws with moto, which stands in for AWS (tests/sdk/aws/requirements.txt)
#   node      tests/sdk/node/node_modules from package-lock.json
#   ui        Chromium, and tests/ui/node_modules with what drives it; scripts/ui.sh installs what builds the UI
#   agents    tests/sdk/agents/node_modules likewise: Claude Code and Codex, 800 MB; not part of "all", `make test` asks for it
#   dashboards  Prometheus, and Grafana's types in dashboards/tests/types/node_modules
#   deploy    .tools/deploy with Helm's engine, Kubernetes' schemas and SOPS (deploy/tests/requirements.txt); buildah, busybox, systemd
#   nextest   cargo-nextest; without it the tests run under `cargo test`
#   fuzz      a C++ compiler and Python: scripts/fuzz.sh builds libFuzzer, which comes as source with its crate
#   count     valgrind, for scripts/count.sh; not part of "all"
#   bolt      LLVM's BOLT, for scripts/bolt.sh; not part of "all"
#   lint      cargo-deny and shellcheck, for `make lint`; not part of "all", cargo-deny takes minutes to build
#   all       system python aws node ui dashboards deploy nextest fuzz (the default)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NEXTEST_VERSION=0.9.143
DENY_VERSION=0.20.2

# --- Debian packages ---

needed=() # packages found missing; installed together, because one apt-get call is quicker than five
updated=no

has_venv() { have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }

want() { # PACKAGE COMMAND...: the package is missing when the command fails
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || needed+=("$package")
}

want_build() {
    want cmake have cmake
    want build-essential have cc
    want pkg-config have pkg-config
}

want_services() {
    want postgresql postgres_bin
    want redis-server have redis-server
    want nginx-light has_nginx
    want jq have jq
    want curl have curl
}

want_dashboards() {
    want prometheus have prometheus
    want nodejs have node
    want npm have npm
}

want_deploy() {
    want python3-venv has_venv
    want buildah have buildah
    want busybox-static have busybox
    want systemd have systemd-analyze
}

want_fuzz() {
    want_build
    want g++ have c++
    want python3 have python3
}

# Debian has a package for each version of LLVM, the newest of which is wanted.
newest_bolt() {
    if ! have apt-cache; then printf 'bolt\n'; return; fi
    { apt-cache --names-only search '^bolt-[0-9]+$' | cut -d' ' -f1; } | sort -V | tail -1
}

as_root() {
    if ((EUID == 0)); then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif have sudo; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        warn "not root, and there is no sudo"
        return 1
    fi
}

apt_update() {
    if [[ $updated == yes ]]; then return; fi
    as_root apt-get update -qq && updated=yes
}

# Debian starts a freshly installed server on its default port. Policy 101 forbids that for this one call: the
# tests start their own, and a machine should not gain a database because somebody ran a test.
apt_install() {
    local policy=/usr/sbin/policy-rc.d ours=no rc=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 0755 "$policy" && ours=yes
    fi
    as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null || rc=$?
    if [[ $ours == yes ]]; then as_root rm -f "$policy"; fi
    return "$rc"
}

install_needed() {
    if ((${#needed[@]} == 0)); then return; fi
    have apt-get || die "please install: ${needed[*]} (there is no apt-get here, so this script cannot)"
    say "installing Debian packages: ${needed[*]}"
    apt_update || warn "apt-get update failed; trying with the package lists that are here"
    apt_install "${needed[@]}" || die "could not install: ${needed[*]}"
    needed=()
}

# --- clients for the SDK tests ---

python_venv() { # FOLDER PINS WHAT: what the file of pins says
    local stamp
    stamp=$(stamp_of "$2")
    if [[ -x $1/bin/python && $(cat "$1/.stamp" 2>/dev/null) == "$stamp" ]]; then return; fi
    want python3-venv has_venv
    install_needed
    say "installing $3 into ${1#"$ROOT"/}"
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$2"
    printf '%s\n' "$stamp" >"$1/.stamp"
}

setup_python() { python_venv "$VENV" "$ROOT/tests/sdk/python/requirements.txt" "the Python clients"; }

setup_aws() { python_venv "$AWS_VENV" "$ROOT/tests/sdk/aws/requirements.txt" "what stands in for AWS"; }

setup_deploy() {
    want_deploy
    install_needed
    python_venv "$DEPLOY_VENV" "$ROOT/deploy/tests/requirements.txt" "Helm's engine and Kubernetes' schemas"
}

node_modules() { # FOLDER WHAT: what the lock file of the folder says
    local modules=$1/node_modules stamp
    stamp=$(stamp_of "$1/package-lock.json")
    if [[ $(cat "$modules/.stamp" 2>/dev/null) == "$stamp" ]] && have node; then return; fi
    want nodejs have node
    want npm have npm
    install_needed
    say "installing $2 into ${modules#"$ROOT"/}"
    (cd "$1" && npm ci --no-fund --no-audit --loglevel=error)
    printf '%s\n' "$stamp" >"$modules/.stamp"
}

setup_node() { node_modules "$NODE_DIR" "the Node clients"; }

has_chromium() { [[ -x ${CHROMIUM:-/usr/bin/chromium} ]]; }

setup_ui() {
    want chromium has_chromium
    install_needed
    node_modules "$UI_TESTS_DIR" "what drives the browser"
}

setup_dashboards() {
    want_dashboards
    install_needed
    node_modules "$DASHBOARD_TYPES_DIR" "Grafana's types"
}

# Their programs come inside packages, one per platform, as optional dependencies: npm passes over those that do not fit.
setup_agents() {
    node_modules "$AGENTS_DIR" "the coding agents"
    "$AGENTS_DIR/node_modules/.bin/claude" --version >/dev/null || die "Claude Code does not start here"
    "$AGENTS_DIR/node_modules/.bin/codex" --version >/dev/null || die "Codex does not start here"
}

# --- cargo tools ---

# Built without optimisation: that halves the build, and what these tools do is wait for others.
cargo_tool() { # NAME VERSION
    say "building $1 $2 into ${TOOLS#"$ROOT"/}/cargo: some minutes, once"
    "$CARGO" install --quiet --locked --debug --root "$TOOLS/cargo" "$1@$2"
}

setup_nextest() {
    if have cargo-nextest; then return; fi
    cargo_tool cargo-nextest "$NEXTEST_VERSION" ||
        warn "cargo-nextest could not be installed; the tests will run under plain 'cargo test'"
}

setup_lint() {
    want shellcheck have shellcheck
    install_needed
    if ! have cargo-deny; then cargo_tool cargo-deny "$DENY_VERSION"; fi
}

# --- parts ---

# One statement per line and no `&&`: inside a chain `set -e` is off, and a failed install would go on to write its stamp.
setup() {
    case $1 in
        build) want_build ;;
        services) want_services ;;
        system)
            want_build
            want_services
            ;;
        python) setup_python ;;
        aws) setup_aws ;;
        node) setup_node ;;
        ui) setup_ui ;;
        dashboards) setup_dashboards ;;
        deploy) setup_deploy ;;
        agents) setup_agents ;;
        nextest) setup_nextest ;;
        fuzz) want_fuzz ;;
        count) want valgrind have valgrind ;;
        bolt) want "$(newest_bolt)" llvm_bolt ;;
        lint) setup_lint ;;
        all) setup_all ;;
        *) die "unknown part '$1'; the parts are: build services system python aws node ui dashboards deploy agents nextest fuzz count bolt lint all" ;;
    esac
    install_needed
}

setup_all() {
    want_fuzz
    want_services
    want_dashboards
    want_deploy
    want chromium has_chromium
    install_needed
    setup_python
    setup_aws
    setup_node
    setup_ui
    setup_dashboards
    setup_deploy
    setup_nextest
}

have "$CARGO" || die "cargo is missing: install Rust with rustup (stable, 1.95 or newer)"
if (($# == 0)); then set -- all; fi
for part in "$@"; do setup "$part"; done
