#!/usr/bin/env bash
# Fuzzes everything that reads what strangers send, with libFuzzer and the stable compiler.
#
#   scripts/fuzz.sh SECONDS [TARGET...]   so long for each target (default: all), as many at once as there are processors
#   scripts/fuzz.sh once TARGET FILE...   runs single inputs, such as a finding, and shows what happens
#   scripts/fuzz.sh list                  the names of the targets
#
# Begins with fuzz/corpus/TARGET and with the recordings in WEIR_SHARED (or ../shared), where there are some. What it
# grows stays in the target folder: corpus/ for the next run, findings/ for inputs that broke something.
#
#   FUZZ_SEED=1  the same inputs in the same order at every run, with nothing of earlier runs: what fails here is new
#                code. SECONDS then counts runs, of which a slow machine makes as many as a quick one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WORK=$TARGET/fuzz
RSS_MB=1024       # the process, counters and corpus included; each input is bounded by its size in fuzz/src/main.rs
SLOWEST=20        # seconds for one input
LONGEST=32768     # bytes of one input
JOBS=$(getconf _NPROCESSORS_ONLN)
SEED=${FUZZ_SEED:-0} # 0: another one at every run
RUNS_PER_SECOND=400 # of a seeded run; what the slowest targets reach on one processor
FIXED=()
if ((SEED > 0)) && setarch -R true 2>/dev/null; then FIXED=(setarch -R); fi # where things lie in memory counts too
LONGER=6            # times SECONDS, after which a seeded run ends though its runs are not done

build() {
    local host out
    "$ROOT/scripts/setup.sh" fuzz
    say "building the fuzz targets, with coverage counters in every dependency: minutes at the first time"
    host=$(rustc -vV | sed -n 's/^host: //p')
    # In the folder, because that is where the compiler's options stand.
    out=$(cd "$ROOT/fuzz" && "$CARGO" build --target-dir "$TARGET" --target "$host" 2>&1) || die "$out"
    BIN=$TARGET/$host/debug/fuzz
}

targets() { WEIR_FUZZ_TARGET='' "$BIN" 2>/dev/null; }

# Inputs out of the recordings, for this run only.
recorded() {
    local shared=${WEIR_SHARED:-$ROOT/../shared}
    rm -rf "$WORK/recorded"
    mkdir -p "$WORK/recorded"
    if [[ ! -d $shared/recordings ]]; then
        missing "there are no recordings in $shared (WEIR_SHARED), so fuzzing begins with hand-written inputs only"
        return
    fi
    python3 "$ROOT/fuzz/seeds.py" recorded "$shared" "$WORK/recorded"
}

# Words that stand in the seeds of a target, for changed texts and names of members.
words() { # TARGET
    grep -rahoE '"[A-Za-z][A-Za-z0-9_.:/-]{1,40}"' "$ROOT/fuzz/corpus/$1" "$WORK/recorded/$1" | tr -d '"' |
        LC_ALL=C sort | uniq -c | LC_ALL=C sort -rn | awk 'NR <= 400 { print $2 }' >"$WORK/words/$1" || true
}

# One target. Its verdict is a line as a Rust test writes it.
fuzz_one() { # TARGET SECONDS
    local name=$1 log=$WORK/logs/$1 rc=0 how
    mkdir -p "$WORK/corpus/$name" "$WORK/recorded/$name"
    words "$name"
    if ((SEED > 0)); then mapfile -t how < <(seeded "$@"); else mapfile -t how < <(free "$@"); fi
    WEIR_FUZZ_TARGET=$name WEIR_FUZZ_WORDS=$WORK/words/$name "${FIXED[@]}" "$BIN" \
        -rss_limit_mb="$RSS_MB" -timeout="$SLOWEST" -max_len="$LONGEST" -reload=0 \
        -artifact_prefix="$WORK/findings/$name-" -print_final_stats=1 "${how[@]}" >"$log" 2>&1 || rc=$?
    verdict "$name" "$log" "$rc"
}

free() { # TARGET SECONDS
    printf '%s\n' "-max_total_time=$2" "$WORK/corpus/$1" "$ROOT/fuzz/corpus/$1" "$WORK/recorded/$1"
}

# As a list, because the order in which a folder is read differs between machines, and so would all that follows.
seeded() { # TARGET SECONDS
    local list=$WORK/seeds-$1
    rm -rf "$WORK/seeded/$1"
    mkdir -p "$WORK/seeded/$1"
    find "$ROOT/fuzz/corpus/$1" "$WORK/recorded/$1" -type f | LC_ALL=C sort | paste -sd, | tr -d '\n' >"$list"
    printf '%s\n' "-seed=$SEED" "-runs=$(($2 * RUNS_PER_SECOND))" "-max_total_time=$(($2 * LONGER))" \
        "-seed_inputs=@$list" "$WORK/seeded/$1"
}

# A run without coverage would find nothing and look well.
verdict() { # TARGET LOG STATUS
    local runs edges kept
    runs=$(sed -nE 's/^stat::number_of_executed_units: +//p' "$2")
    edges=$(sed -nE 's/.* cov: ([0-9]+) .*/\1/p' "$2" | tail -1)
    kept=$(sed -nE 's|.* corp: ([0-9]+)/.*|\1|p' "$2" | tail -1)
    if (($3 == 0 && ${runs:-0} > 0 && ${edges:-0} > 0)); then
        printf '   %s: %s runs, %s edges seen, %s inputs kept\ntest fuzz %s ... ok\n' "$1" "$runs" "$edges" "$kept" "$1"
        return
    fi
    printf 'test fuzz %s ... FAILED\n' "$1"
    grep -aE -A3 "panicked at|ERROR: libFuzzer|Test unit written" "$2" || tail -20 "$2"
    printf '   repeat: scripts/fuzz.sh once %s FILE\n' "$1"
    return 1
}

fuzz() { # SECONDS TARGET...
    local seconds=$1 failed=0
    shift
    mkdir -p "$WORK"/{words,logs,findings}
    recorded
    say "fuzzing $# targets for $seconds s each, $JOBS at once"
    for name in "$@"; do
        while (($(jobs -rp | wc -l) >= JOBS)); do wait -n || failed=$((failed + 1)); done
        fuzz_one "$name" "$seconds" &
    done
    while (($(jobs -p | wc -l) > 0)); do wait -n || failed=$((failed + 1)); done
    if ((failed > 0)); then die "$failed targets found something; the inputs are in $WORK/findings"; fi
}

case ${1:-} in
    list)
        build
        targets
        ;;
    once)
        build
        WEIR_FUZZ_TARGET=$2 exec "$BIN" -rss_limit_mb="$RSS_MB" -timeout="$SLOWEST" "${@:3}"
        ;;
    *[!0-9]* | '') die "usage: scripts/fuzz.sh SECONDS [TARGET...] | once TARGET FILE... | list" ;;
    *)
        build
        seconds=$1
        shift
        if (($# == 0)); then mapfile -t all < <(targets) && set -- "${all[@]}"; fi
        fuzz "$seconds" "$@"
        ;;
esac
