#!/usr/bin/env bash
# Builds the release binary with the admin UI in it, so that the same source and the same compilers give the same bytes, wherever
# it lies.
#
#   deploy/docker/build.sh [SOURCE]       this repository by default; leaves SOURCE/target/release/weir
#
# Only paths differ between two folders: in Rust's panic messages, and in C's __FILE__. They are replaced by fixed ones.
set -euo pipefail

SOURCE=$(cd "${1:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
cd "$SOURCE"

# Beats RUSTFLAGS, where somebody has set it.
unset CARGO_ENCODED_RUSTFLAGS WEIR_RELOCATIONS
export SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0 LC_ALL=C TZ=UTC
export RUSTFLAGS="--remap-path-prefix=$SOURCE=. --remap-path-prefix=$CARGO_HOME=cargo"
export CFLAGS="-ffile-prefix-map=$SOURCE=. -ffile-prefix-map=$CARGO_HOME=cargo"
export CXXFLAGS=$CFLAGS

# In the Dockerfile another stage has built it.
if command -v npm >/dev/null; then
    scripts/ui.sh
elif [[ ! -e admin/ui/dist/index.html ]]; then
    echo "without the admin UI: there is no npm" >&2
fi
"${CARGO:-cargo}" build --quiet --release --locked --bin weir --target-dir "$SOURCE/target"
# An image may take 60 MB; names of functions are a tenth of that. A panic tells file and line all the same.
strip "$SOURCE/target/release/weir"
