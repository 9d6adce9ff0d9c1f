//! Configurations that LiteLLM was recorded with, and those of the deployment guide.

use super::{SERVED, load};
use crate::config::env::Env;
use crate::config::keys::{self, Table};
use crate::config::load::Config;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of shared references: `WEIR_SHARED`, or `shared` beside the checkout. Says so when there is none.
#[expect(clippy::disallowed_methods, reason = "where the references are is the machine's business")]
fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{part} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {part}; set WEIR_SHARED to the folder of shared references");
    None
}

fn environment() -> Env {
    Env::of([
        ("LITELLM_MASTER_KEY", "sk-master"),
        ("DATABASE_URL", "postgresql://u:p@h/d"),
        ("OPENAI_API_KEY", "sk-openai"),
    ])
}

#[test]
fn recorded_configurations_load_without_errors() {
    let Some(folder) = shared("compat/litellm-1.81/configs") else { return };
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let read = |path: &str| fs::read_to_string(path).map_err(|e| e.to_string());
        let (config, problems) = Config::load(path.to_str().unwrap(), &read, &environment(), SERVED);
        let config = config.unwrap_or_else(|| panic!("{problems}"));
        assert!(!config.models.is_empty(), "{}", path.display());
        let unknown = problems.iter().find(|p| p.message.contains("unknown"));
        assert_eq!(unknown, None, "every setting in it is in the tables");
        seen += 1;
    }
    assert!(seen >= 11, "{seen} configurations");
}

#[test]
fn the_guides_configurations_load_in_the_helm_form() {
    let Some(guide) = shared("guide/000_66640869ff6f7a96.txt") else { return };
    let text = fs::read_to_string(guide).unwrap();
    let blocks =
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let mut seen = 0;
    for block in
        blocks.filter(|block| block.contains("\nproxy_config:") || block.starts_with("proxy_config:"))
    {
        let (config, problems) =
            load(block, &[("LITELLM_MASTER_KEY", "sk-master"), ("DATABASE_URL", "postgres://x")]);
        let config = config.unwrap_or_else(|| panic!("{problems}\n{block}"));
        if block.contains("model_list:") {
            assert!(!config.models.is_empty(), "{block}");
        }
        if block.contains("- prometheus") {
            assert!(config.litellm.has_callback("prometheus"), "{block}");
        }
        seen += 1;
    }
    assert!(seen >= 4, "{seen} blocks");
}

/// The reference's own sections, in its own words, and the table that must have their names.
const SECTIONS: &[(&str, &Table)] = &[
    ("router_settings", &keys::ROUTER),
    ("general_settings", &keys::GENERAL),
    ("litellm_settings", &keys::LITELLM),
    ("litellm_params", &keys::PARAMS),
    ("model_info", &keys::INFO),
    ("model_list[]", &keys::MODEL),
];

#[test]
fn every_key_of_the_reference_is_known() {
    let Some(file) = shared("compat/litellm-1.81/config.md") else { return };
    let text = fs::read_to_string(file).unwrap();
    let mut names = named_sections(&text);
    names.extend(complete_lists(&text));
    names.extend(top_level(&text));
    names.extend(variables(&text).into_iter().map(|name| ("env".to_owned(), name)));
    let known = |section: &str, name: &str| match SECTIONS.iter().find(|(known, _)| *known == section) {
        Some((_, table)) => table.knows(name),
        None if section == "top" => keys::TOP.knows(name),
        None => keys::env_key(name).is_some(),
    };
    let missing: Vec<_> = names.iter().filter(|(section, name)| !known(section, name)).collect();
    assert_eq!(missing, Vec::<&(String, String)>::new());
    assert!(names.len() > 1000, "only {} names were found in the reference", names.len());
}

/// Rows `| section | key, key | …` of the first two parts.
fn named_sections(text: &str) -> Vec<(String, String)> {
    let parts = text.split("## 3.").next().unwrap();
    let rows = parts.lines().filter_map(|line| line.strip_prefix("| ")).map(|row| row.split(" | "));
    let mut names = Vec::new();
    for mut cells in rows {
        let (section, keys) = (cells.next().unwrap(), cells.next().unwrap_or_default());
        let section = if section.starts_with("env") { "env" } else { section };
        if section == "env" || SECTIONS.iter().any(|(known, _)| *known == section) {
            names.extend(listed(keys).into_iter().map(|name| (section.to_owned(), name)));
        }
    }
    names
}

/// Names in a cell, without what stands in brackets, ellipses, and tails like `_SECRET` of the name before.
fn listed(cell: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut depth = 0;
    for c in cell.chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let name = |part: &str| part.len() > 1 && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let tail = |part: &str| part.starts_with('_') || part == "max_time";
    let parts = plain.split([',', '/']).map(str::trim).filter(|part| name(part) && !tail(part));
    parts.map(str::to_owned).collect()
}

/// First column of the third part's tables.
fn complete_lists(text: &str) -> Vec<(String, String)> {
    let part = text.split("## 3.").nth(1).unwrap();
    let mut names = Vec::new();
    for list in part.split("\n### ").skip(1) {
        let section = list.split_whitespace().next().unwrap();
        let rows =
            list.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|row| row.split(" | ").next());
        names.extend(rows.filter(|key| *key != "key").map(|key| (section.to_owned(), key.to_owned())));
    }
    names
}

fn top_level(text: &str) -> Vec<(String, String)> {
    let row = text.lines().find_map(|line| line.strip_prefix("| top level keys | ")).unwrap();
    let keys = row.split('.').next().unwrap();
    keys.split(", ").map(|name| ("top".to_owned(), name.to_owned())).collect()
}

fn variables(text: &str) -> Vec<String> {
    let list = text.split("### Environment variables").nth(1).unwrap();
    let list = list.lines().nth(2).unwrap();
    list.split(", ").map(str::to_owned).collect()
}
