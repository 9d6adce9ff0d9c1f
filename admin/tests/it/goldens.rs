//! What was recorded of LiteLLM, replayed: status, fields, their types, and the values that are not random or
//! a time.

use crate::rig::{MASTER, Rig, entry};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::operation::Operation;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// Cases that differ on purpose: what differs, and why.
static DIFFERENCES: &[(&str, &str, &str)] = &[
    ("generate_full", "status", "P31: no licence is asked for tags"),
    ("generate_premium_tags", "status", "P31: no licence is asked"),
    ("generate_premium_guardrails", "status", "P31: no licence is asked"),
    ("generate_model_max_budget", "status", "P31: no licence is asked"),
    ("generate_custom_key_dup", ".key_alias", "the stored key is told as it is, not as it was asked for"),
    ("generate_custom_key_no_sk", ".error.message", "P35: what may be a secret is masked"),
    ("generate_negative_budget", ".error.message", "amounts are decimal text: -1, not -1.0"),
    ("generate_malformed", ".detail[0].ctx.error", "our parser's words"),
];

/// Random, or a time: only the type is compared.
static VOLATILE: &[&str] = &["key", "key_name", "token", "token_id", "expires", "created_at", "updated_at"];

static SERVED: &[&str] = &["/key/generate", "/key/info", "/key/delete"];

/// The recordings; says so when there are none.
#[expect(clippy::disallowed_methods, reason = "where the references are is the machine's business")]
fn golden(file: &str) -> Option<Vec<Value>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from);
    let path = root.join("compat/litellm-1.81/goldens").join(file);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return serde_json::from_str(&text).ok();
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "{file} is needed: set WEIR_SHARED to the folder of shared references");
    println!("SKIPPED: no {file}; set WEIR_SHARED to the folder of shared references");
    None
}

// --- comparing ---

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Where `ours` differs from `theirs`: types, members, lengths, and values except the volatile ones.
fn differences(theirs: &Value, ours: &Value, at: &str, values: bool) -> Vec<String> {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let member = |name: &String| {
                let here = format!("{at}.{name}");
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => {
                        differences(a, b, &here, values && !VOLATILE.contains(&name.as_str()))
                    }
                    (None, _) => vec![format!("{here} is ours only")],
                    (_, None) => vec![format!("{here} is missing")],
                }
            };
            names.into_iter().flat_map(member).collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b).enumerate();
            items.flat_map(|(i, (a, b))| differences(a, b, &format!("{at}[{i}]"), values)).collect()
        }
        _ if type_of(theirs) != type_of(ours) => vec![format!("{at} is {theirs}, ours {ours}")],
        _ if values && theirs.as_f64() != ours.as_f64() => vec![format!("{at} is {theirs}, ours {ours}")],
        (Value::Array(_) | Value::String(_) | Value::Bool(_), _) if values && theirs != ours => {
            vec![format!("{at} is {theirs}, ours {ours}")]
        }
        _ => Vec::new(),
    }
}

// --- keys ---

/// Sends what was recorded. Recorded keys, and their hashes, stand for the ones made here.
async fn replay(rig: &Rig, case: &Value, made: &mut Vec<(String, String)>) -> Vec<String> {
    let renamed =
        |text: &str| made.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
    let request = &case["request"];
    let key = request["headers"]["Authorization"].as_str().unwrap_or_default().trim_start_matches("Bearer ");
    let body = match &request["body"] {
        Value::Null => String::new(),
        body => body["__raw__"].as_str().map_or_else(|| renamed(&body.to_string()), str::to_owned),
    };
    let (method, path) = (request["method"].as_str().unwrap(), renamed(request["path"].as_str().unwrap()));
    let answer = rig.call(method, &path, &renamed(key), &body).await;
    let theirs = &case["response"];
    if theirs["status"] != json!(answer.status) {
        return vec![format!("status is {}, ours {}: {}", theirs["status"], answer.status, answer.text)];
    }
    let body: Value = serde_json::from_str(&renamed(&theirs["body"].to_string())).unwrap();
    if let (Some(theirs), Some(ours)) = (theirs["body"]["token"].as_str(), answer.json()["token"].as_str()) {
        made.push((theirs.to_owned(), ours.to_owned()));
        let keys = [&case["response"]["body"], &answer.json()].map(|b| b["key"].as_str().map(str::to_owned));
        if let [Some(theirs), Some(ours)] = keys {
            made.push((theirs, ours));
        }
    }
    differences(&body, &answer.json(), "", true)
}

/// Walks the cases of a file; every listed difference must be met, or it is listed in vain.
async fn walk(file: &str, listed: &[(&str, &str, &str)]) {
    let Some(cases) = golden(file) else { return };
    let (rig, mut made, mut walked, mut wrong) = (Rig::new(), Vec::new(), 0, Vec::new());
    let mut met = BTreeSet::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let path = case["request"]["path"].as_str().unwrap();
        if !SERVED.contains(&path.split('?').next().unwrap()) {
            continue;
        }
        walked += 1;
        for what in replay(&rig, case, &mut made).await {
            match listed.iter().position(|(c, w, _)| *c == name && what.starts_with(w)) {
                Some(row) => drop(met.insert(row)),
                None => wrong.push(format!("{name}: {what}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let vain: Vec<_> = listed.iter().enumerate().filter(|(row, _)| !met.contains(row)).collect();
    assert!(vain.is_empty(), "these do not differ: {vain:?}");
    assert!(walked > 1, "{file} holds no case of ours");
    println!("{file}: {walked} cases");
}

#[tokio::test]
async fn recorded_calls_for_keys_agree() {
    walk("db_keys.json", DIFFERENCES).await;
}

#[tokio::test]
async fn the_guides_calls_for_keys_agree() {
    walk("db_guide_curls.json", &[]).await;
}

// --- spend ---

/// Members that hold something else than LiteLLM's, or more.
static ROW_DIFFERENCES: &[(&str, &str)] = &[
    (".metadata.weir", "what explains an entry"),
    (".metadata.model_map_information", "the price record is not repeated in every row"),
    (".metadata.litellm_overhead_time_ms", "not booked"),
    (".metadata.user_api_key_team_alias", "the entry of this test is of no named team"),
    (".metadata.cost_breakdown.input_cost", "only the total is booked"),
    (".metadata.cost_breakdown.output_cost", "only the total is booked"),
];

fn failed() -> Entry {
    Entry {
        status: Status::Failure,
        http_status: 400,
        error: "BadRequestError".to_owned(),
        error_message: "bad".to_owned(),
        usage: Usage::default(),
        usage_source: UsageSource::None,
        ..entry(Micros(1), 0)
    }
}

#[tokio::test]
async fn rows_have_the_fields_of_recorded_rows() {
    let Some(cases) = golden("db_spend_global.json") else { return };
    let listings = cases
        .iter()
        .filter(|case| case["request"]["path"].as_str().unwrap().starts_with("/spend/logs?api_key"));
    let rows: Vec<&Value> = listings.flat_map(|case| case["response"]["body"].as_array().unwrap()).collect();
    let embedding = Entry { operation: Operation::Embeddings, ..entry(Micros(1), 160) };
    let mut met = BTreeSet::new();
    for (ours, call_type, status) in [
        (entry(Micros(1), 97_500), "acompletion", "success"),
        (embedding, "aembedding", "success"),
        (failed(), "", "failure"),
    ] {
        let rig = Rig::new();
        rig.memory.book(ours);
        let ours = rig.get("/spend/logs").await.json()[0].clone();
        let theirs = rows.iter().find(|row| row["call_type"] == call_type && row["status"] == status);
        for what in differences(theirs.unwrap(), &ours, "", false) {
            let row = ROW_DIFFERENCES.iter().position(|(member, _)| what.starts_with(member));
            met.insert(row.unwrap_or_else(|| panic!("{call_type} {status}: {what}")));
        }
    }
    let vain: Vec<_> = ROW_DIFFERENCES.iter().enumerate().filter(|(row, _)| !met.contains(row)).collect();
    assert!(vain.is_empty(), "these do not differ: {vain:?}");
}

#[tokio::test]
async fn sums_have_the_fields_of_recorded_sums() {
    let Some(cases) = golden("db_spend_global.json") else { return };
    let of = |path: &str| {
        let case = cases.iter().find(|case| case["request"]["path"] == path);
        case.unwrap_or_else(|| panic!("no case {path}"))["response"]["body"].clone()
    };
    let rig = Rig::new();
    rig.memory
        .book(Entry { key_hash: Some(KeyHash::of(MASTER)), ..entry(Micros(1_795_392_000_000_000), 97_500) });
    let global = rig.get("/global/spend").await.json();
    assert_eq!(differences(&of("/global/spend"), &global, "", false), Vec::<String>::new());
    let path = "/spend/logs?start_date=2026-11-23&end_date=2026-11-24";
    let (theirs, ours) = (of(&format!("{path}&user_id=spend-user")), rig.get(path).await.json());
    let names = |day: &Value| -> BTreeSet<String> {
        day.as_object()
            .unwrap()
            .keys()
            .map(|key| if key.len() == 64 { "hash".to_owned() } else { key.clone() })
            .collect()
    };
    let days = |days: &Value| -> Vec<(Value, BTreeSet<String>)> {
        days.as_array().unwrap().iter().map(|day| (day["startTime"].clone(), names(day))).collect()
    };
    assert_eq!(days(&theirs), days(&ours));
}
