#!/usr/bin/env bash
# Builds the release binary twice, in two folders, and compares: same source, same compiler, same bytes.
#
#   deploy/docker/reproduce.sh [COMMIT]      HEAD by default; takes two release builds
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
COMMIT=$(git -C "$ROOT" rev-parse "${1:-HEAD}")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

export SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0 LC_ALL=C TZ=UTC
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}

# Paths are all that differs between two folders: in Rust's panic messages, and in C's __FILE__.
build() { # NAME
    local source=$WORK/$1
    git clone --quiet --no-hardlinks "$ROOT" "$source"
    git -C "$source" checkout --quiet --detach "$COMMIT"
    (
        cd "$source"
        export RUSTFLAGS="--remap-path-prefix=$source=. --remap-path-prefix=$CARGO_HOME=cargo"
        export CFLAGS="-ffile-prefix-map=$source=. -ffile-prefix-map=$CARGO_HOME=cargo"
        export CXXFLAGS=$CFLAGS
        "${CARGO:-cargo}" build --quiet --release --locked --bin weir --target-dir "$source/target"
    )
    sha256sum "$source/target/release/weir" | cut -d' ' -f1
}

rustc --version
first=$(build first)
second=$(build second)
printf '%s  first\n%s  second\n' "$first" "$second"
[[ $first == "$second" ]] || { echo "the two builds differ"; exit 1; }
echo "the two builds of $COMMIT are the same"
