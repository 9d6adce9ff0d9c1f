#!/usr/bin/env bash
# Every test: Rust, documentation, the official SDKs and coding agents against a running gateway, the UI in a browser,
# dashboards and alerts, chart and image, fuzzing; load.
#
#   scripts/test.sh [PART...] [-- NEXTEST-ARGUMENT...]      PART: rust doc python aws node ui agents dashboards deploy fuzz
#                                                           (default: these), example, bench (default at full size)
#   scripts/test.sh rust -- -p weir-ledger spend
#
#   SCALE=1      sizes that fit a coffee break (default); SCALE=full: the sizes that the guarantees name
#   CI=true      a missing service is a failure instead of a skip
#   FUZZ_MINUTES=600  of all targets together at full size
#
# The last line printed is the total: "N passed, N failed".
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/services.sh
source "$ROOT/scripts/services.sh"

RESULTS=$TARGET/test-results
SCALE=${SCALE:-1}
case $SCALE in
    1) profile=default bench_sizes=() sdk_minutes=12 fuzz_seconds=20 fuzz_minutes=6 fuzz_seed=1 ;;
    full)
        profile=prove sdk_minutes=30 fuzz_seconds=600 fuzz_minutes=${FUZZ_MINUTES:-600} fuzz_seed=0
        bench_sizes=(--mixed 1000000 --keys 10000) ;; # P4
    *) die "SCALE is '$SCALE'; it may be 1 or full" ;;
esac

parts=()
while (($# > 0)) && [[ $1 != -- ]]; do
    parts+=("$1")
    shift
done
if (($# > 0)); then shift; fi
nextest_arguments=("$@")
if ((${#parts[@]} == 0)); then
    parts=(rust doc python aws node ui agents dashboards deploy fuzz)
    if [[ $SCALE == full ]]; then parts+=(example bench); fi # they build all dependencies again
fi
ALL=(rust doc example python aws node ui agents dashboards deploy fuzz bench)

wants() { [[ " ${parts[*]} " == *" $1 "* ]]; }

# --- the parts: each leaves one file in $RESULTS ---

run_rust() {
    if ! have cargo-nextest; then run_rust_plainly; return; fi
    local junit=$TARGET/nextest/$profile/junit.xml rc=0
    rm -f "$junit" # an old one would be counted when the build fails
    (cd "$ROOT" && "$CARGO" nextest run --workspace --profile "$profile" "${nextest_arguments[@]}") || rc=$?
    if [[ -e $junit ]]; then cp "$junit" "$RESULTS/rust.xml"; fi
    return "$rc"
}

# Without nextest: no time limit per test, the tests of one crate share a process.
run_rust_plainly() {
    (cd "$ROOT" && "$CARGO" test --workspace --lib --bins --tests --no-fail-fast -- --show-output) |
        tee "$RESULTS/rust.log"
}

run_doc() {
    (cd "$ROOT" && "$CARGO" test --workspace --doc --no-fail-fast -- --show-output) | tee "$RESULTS/doc.log"
}

# The plugin of the author's guide, as a crate that only depends on Weir's.
run_example() {
    (cd "$ROOT" && "$CARGO" test --manifest-path examples/plugin/Cargo.toml --target-dir "$TARGET") |
        tee "$RESULTS/example.log"
}

run_python() {
    timeout --foreground "${sdk_minutes}m" "$VENV/bin/python" -m pytest "$ROOT/tests/sdk/python" \
        --junitxml="$RESULTS/python.xml"
}

# Callbacks of AWS against moto's server.
run_aws() {
    if [[ ! -e $AWS_VENV/.stamp ]]; then return 0; fi # not installed; said so above
    timeout --foreground "${sdk_minutes}m" "$AWS_VENV/bin/python" -m pytest "$ROOT/tests/sdk/aws" \
        --junitxml="$RESULTS/aws.xml"
}

run_node() {
    timeout --foreground "${sdk_minutes}m" "$VENV/bin/python" "$ROOT/tests/sdk/rig.py" -- \
        node --test --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=junit --test-reporter-destination="$RESULTS/node.xml" "$NODE_DIR"/*.test.mjs
}

# A browser walks through the UI that is inside the program.
run_ui() {
    if ! ui_is_installed; then return 0; fi # said so above
    if [[ $ui_built != yes ]]; then return 1; fi
    timeout --foreground "${sdk_minutes}m" node --test --test-concurrency=2 \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=junit --test-reporter-destination="$RESULTS/ui.xml" "$UI_TESTS_DIR"/*.test.mjs
}

run_agents() {
    timeout --foreground "${sdk_minutes}m" "$VENV/bin/python" -m pytest "$ROOT/tests/sdk/agents" \
        --junitxml="$RESULTS/agents.xml"
}

run_dashboards() {
    timeout --foreground "${sdk_minutes}m" "$VENV/bin/python" -m pytest "$ROOT/dashboards/tests" \
        --junitxml="$RESULTS/dashboards.xml"
}

run_deploy() {
    if [[ ! -e $DEPLOY_VENV/.stamp ]]; then return 0; fi # not installed; said so above
    timeout --foreground "${sdk_minutes}m" "$DEPLOY_VENV/bin/python" -m pytest "$ROOT/deploy/tests" \
        --junitxml="$RESULTS/deploy.xml"
}

# Each target as long as it should be, or as all of them together may take.
run_fuzz() {
    local targets jobs share
    targets=$(grep -c '^    target("' "$ROOT/fuzz/src/targets.rs")
    jobs=$(getconf _NPROCESSORS_ONLN)
    share=$((fuzz_minutes * 60 * jobs / targets))
    FUZZ_SEED=$fuzz_seed "$ROOT/scripts/fuzz.sh" $((share < fuzz_seconds ? share : fuzz_seconds)) | tee "$RESULTS/fuzz.log"
}

# Load, and what a request costs: the release build beside nginx and a bare Pingora. A figure beyond its limit is a failure.
run_bench() {
    local out=$TARGET/bench-results rc=0 name
    rm -rf "$out"
    BENCH_OUT=$out "$ROOT/scripts/bench.sh" --case all --strict "${bench_sizes[@]}" || rc=$?
    if [[ -e $out/report.json ]]; then cp "$out/report.json" "$RESULTS/bench.json"; fi
    if [[ -z ${REPORT:-} ]]; then return "$rc"; fi
    for name in md html; do
        if [[ -e $out/report.$name ]]; then cp "$out/report.$name" "${REPORT%.md}-load.$name"; fi
    done
    COUNT_OUT=${REPORT%.md}-count.md "$ROOT/scripts/count.sh" || rc=$?
    return "$rc"
}

# --- order ---

prepare() {
    "$ROOT/scripts/setup.sh" build
    # Someone without root may still run what needs no server; services_start says what is skipped.
    "$ROOT/scripts/setup.sh" services || missing "some services could not be installed"
    "$ROOT/scripts/setup.sh" python # also for Node and agents: the rig and the summary are Python
    if wants node; then "$ROOT/scripts/setup.sh" node; fi
    if wants aws; then "$ROOT/scripts/setup.sh" aws || missing "what stands in for AWS could not be installed"; fi
    if wants ui; then "$ROOT/scripts/setup.sh" ui || missing "the browser that walks the UI could not be installed"; fi
    if wants agents; then "$ROOT/scripts/setup.sh" agents || missing "the coding agents could not be installed"; fi
    if wants dashboards; then
        "$ROOT/scripts/setup.sh" dashboards || missing "what tests the dashboards could not be installed"
    fi
    if wants deploy; then
        "$ROOT/scripts/setup.sh" deploy || missing "what tests the chart and the image could not be installed"
    fi
    if wants rust; then "$ROOT/scripts/setup.sh" nextest; fi
    if wants fuzz; then "$ROOT/scripts/setup.sh" fuzz; fi
}

ui_is_installed() { [[ -e $UI_TESTS_DIR/node_modules/.stamp ]]; }

ui_built=no
build() {
    # Before the program, which holds it. A UI that does not build fails its own part, and no other.
    if wants ui && ui_is_installed && "$ROOT/scripts/ui.sh"; then ui_built=yes; fi
    say "building (dev profile)"
    (cd "$ROOT" && "$CARGO" build --workspace --bins) || die "the build failed, so no test ran"
}

steps=()
run_part() {
    local rc=0 started=$SECONDS
    say "tests: $1 (SCALE=$SCALE)"
    "run_$1" || rc=$?
    steps+=("--step" "$1=$rc:$((SECONDS - started))")
}

finish() {
    local rc=$?
    services_stop
    # Stopped before the tests were added up, or before one ran.
    if ((rc != 0)) && [[ ! -e $RESULTS/total ]]; then printf '0 passed, 1 failed\n' | tee "$RESULTS/total"; fi
}
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for part in "${parts[@]}"; do
    [[ " ${ALL[*]} " == *" $part "* ]] || die "unknown part '$part'; the parts are: ${ALL[*]}"
done
prepare
if [[ ${parts[*]} != bench ]]; then build; fi # load has a build of its own
export WEIR_BIN=$TARGET/debug/weir WEIR_BENCH_BIN=$TARGET/debug/weir-bench WEIR_SCALE=$SCALE
if wants rust || wants ui || wants dashboards || wants deploy; then services_start; fi
for part in "${ALL[@]}"; do
    if wants "$part"; then run_part "$part"; else steps+=("--not-run" "$part"); fi
done
"$VENV/bin/python" "$ROOT/scripts/results.py" "$RESULTS" "${steps[@]}" --scale "$SCALE" ${REPORT:+--report "$REPORT"}
