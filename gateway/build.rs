//! Links `weir` with its relocations where `WEIR_RELOCATIONS` is set: `scripts/bolt.sh` lays its code out anew.

#[expect(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]
fn main() {
    println!("cargo::rerun-if-env-changed=WEIR_RELOCATIONS");
    if std::env::var_os("WEIR_RELOCATIONS").is_some() {
        println!("cargo::rustc-link-arg-bin=weir=-Wl,--emit-relocs");
    }
}
