#!/usr/bin/env bash
# The release binary with its code laid out along the ways that requests take (BOLT): what is run together stands together, and
# the processor finds it in its caches. A request of 1 KiB takes a quarter less CPU. Linux on x86-64 and arm64.
#
#   scripts/bolt.sh             target/release/weir and target/release/weir-bench
#   BOLT_SECONDS=2              of each case of the load that it learns from
#
# One build, a copy that counts its branches under the cases of weir-bench, and a rewritten program, without symbols. The
# program of the linker is kept as target/release/weir-linked.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/scripts/setup.sh" build bolt
cd "$ROOT"
bolt=$(llvm_bolt)
out=$TARGET/release
counted=$TARGET/bolt
linked=$out/weir-linked

say "building (release profile: fat LTO, takes its time)"
WEIR_RELOCATIONS=1 "$CARGO" build --release --bin weir --bin weir-bench
rm -rf "$counted"
mkdir -p "$counted"
cp "$out/weir" "$linked"

say "learning which ways requests take"
# Waits: the file is written at its end, and at its end only.
"$bolt" "$linked" -instrument -o "$counted/weir" \
    --instrumentation-file="$counted/branches" --instrumentation-file-append-pid >"$counted/instrument.log"
"$out/weir-bench" train --weir "$counted/weir" --seconds "${BOLT_SECONDS:-2}"
"merge-fdata${bolt##*llvm-bolt}" "$counted"/branches.*.fdata >"$counted/branches.fdata" 2>"$counted/merge.log"

say "laying the code out"
"$bolt" "$linked" -o "$counted/weir-laid-out" -data="$counted/branches.fdata" \
    -reorder-blocks=ext-tsp -reorder-functions=cdsort -split-functions -split-all-cold -split-eh -icf=1 \
    --lite-threshold-pct=50 -use-gnu-stack -dyno-stats >"$counted/layout.log"
sed -nE 's/.*: (taken branches.*)/\1/p' "$counted/layout.log" | tail -1
# What has moved is there twice, so its symbols go: an image may take 60 MB.
strip -o "$out/weir" "$counted/weir-laid-out"
say "$out/weir: $(stat -c %s "$out/weir") bytes, linked $(stat -c %s "$linked")"
