//! Who may import whom: ARCHITECTURE.md's table, held against the manifests; and maps, held against what they show.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates of the workspace, as their folders are called.
const CRATES: [&str; 6] = ["admin", "bench", "core", "gateway", "ledger", "plugins"];

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

#[test]
fn the_map_of_a_crate_names_all_of_its_modules() {
    for name in CRATES {
        let text = std::fs::read_to_string(root().join(name).join("src/lib.rs")).unwrap();
        let map: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        for module in text.lines().filter_map(module).filter(|module| *module != "testing") {
            let is_named = [format!("`{module}.rs`"), format!("`{module}/`")].iter().any(|n| map.contains(n));
            assert!(is_named, "{name}/src/lib.rs does not say what {module} is");
        }
    }
}

#[test]
fn documents_name_only_sources_that_exist() {
    let mut files = Vec::new();
    for name in CRATES {
        for folder in ["src", "tests"] {
            walk(&root().join(name).join(folder), &mut files);
        }
    }
    walk(&root().join("fuzz/src"), &mut files);
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let paths: Vec<&str> = text.split('`').skip(1).step_by(2).filter_map(source).collect();
        assert!(!paths.is_empty(), "{document} names no source");
        for path in paths {
            assert!(
                files.iter().any(|file| file.ends_with(path)),
                "{document} names {path}, which is not there"
            );
        }
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// `name` of `pub mod name;`.
fn module(line: &str) -> Option<&str> {
    line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
}

/// The file of `folder/file.rs::item`. Words with blanks are commands or code, `<name>` stands for many.
fn source(code: &str) -> Option<&str> {
    let path = code.split("::").next()?;
    (path.ends_with(".rs") && !path.contains([' ', '\n', '<'])).then_some(path)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
