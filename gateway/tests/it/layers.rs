//! Who may import whom: ARCHITECTURE.md's table, held against the manifests.

use serde_json::Value;
use std::process::Command;

/// (crate, what it must not depend on). Test dependencies are free.
static FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "weir-core",
        &[
            "tokio",
            "pingora",
            "axum",
            "sqlx",
            "redis",
            "reqwest",
            "hyper",
            "weir-ledger",
            "weir-plugins",
            "weir-admin",
        ],
    ),
    ("weir-ledger", &["pingora", "axum", "weir-plugins", "weir-admin", "weir-gateway"]),
    (
        "weir-plugins",
        &[
            "pingora",
            "pingora-core",
            "pingora-proxy",
            "axum",
            "sqlx",
            "redis",
            "weir-ledger",
            "weir-admin",
            "weir-gateway",
        ],
    ),
    ("weir-admin", &["pingora", "sqlx", "weir-ledger", "weir-plugins", "weir-gateway"]),
    ("weir-bench", &["weir-ledger", "weir-plugins", "weir-admin", "weir-gateway"]),
];

#[test]
fn no_crate_looks_up() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"]);
    let out = command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).output().unwrap();
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    for (name, forbidden) in FORBIDDEN {
        let package =
            packages.iter().find(|p| p["name"] == *name).unwrap_or_else(|| panic!("no crate {name}"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let normal = dependency["kind"].is_null();
            let wanted = dependency["name"].as_str().unwrap();
            assert!(!normal || !forbidden.contains(&wanted), "{name} must not depend on {wanted}");
        }
    }
}
