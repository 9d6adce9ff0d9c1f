# shellcheck shell=bash
# LLVM's tools of the version that the compiler is built on: they read what its builds note. Sourced, never run.

llvm_major() { rustc --version --verbose | sed -nE 's/^LLVM version: ([0-9]+).*/\1/p'; }

# Prints the path of llvm-profdata: rustup's (component llvm-tools), or Debian's.
llvm_profdata() {
    local own
    own=$(rustc --print target-libdir)/../bin/llvm-profdata
    if [[ -x $own ]]; then printf '%s\n' "$own"; return; fi
    command -v "llvm-profdata-$(llvm_major)"
}
