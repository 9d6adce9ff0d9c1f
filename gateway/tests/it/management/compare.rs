//! Two answers that should mean the same. What is random or a time is a name: theirs stands for ours from then on.

use serde_json::Value;
use std::collections::BTreeSet;

/// Members that are random, or a time.
static VOLATILE: &[&str] = &[
    "key",
    "keys",
    "key_name",
    "token",
    "token_id",
    "team_id",
    "user_id",
    "organization_id",
    "budget_id",
    "object_permission_id",
    "id",
    "model_id",
    "expires",
    "created_at",
    "updated_at",
    "budget_reset_at",
    "last_refreshed_at",
    "startTime",
    "endTime",
    "request_id",
    "session_id",
];

/// What LiteLLM called it, and what it is here.
#[derive(Default)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// A recorded text with our names in it. The longest first: one may hold another.
    pub fn ours(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    fn learn(&mut self, theirs: &str, ours: &str) {
        if theirs != ours && is_random(theirs) && !self.0.iter().any(|(known, _)| known == theirs) {
            self.0.push((theirs.to_owned(), ours.to_owned()));
            self.0.sort_by_key(|(theirs, _)| std::cmp::Reverse(theirs.len()));
        }
    }
}

/// Ids and keys that were made up, and times; not those that somebody chose.
fn is_random(text: &str) -> bool {
    let hex = |text: &str| text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let time = text.len() > 18 && text.starts_with("20") && text.contains('T');
    hex(text)
        || time
        || text.starts_with("sk-")
        || text.rsplit_once("-budget-").is_some_and(|(_, id)| hex(id))
}

/// Where `ours` differs: types, members, lengths, and values but for the volatile ones.
pub fn differences(theirs: &Value, ours: &Value, names: &mut Names) -> Vec<String> {
    learn(theirs, ours, false, names);
    let renamed = serde_json::from_str(&names.ours(&theirs.to_string())).unwrap();
    let mut found = Vec::new();
    differ(&renamed, ours, "", true, &mut found);
    found
}

/// Objects whose members are named by data: one is as good as another.
static BY_DATA: &[&str] = &[
    "users",
    "models",
    "model_groups",
    "providers",
    "endpoints",
    "api_keys",
    "entities",
    "api_key_breakdown",
];

/// Where `ours` has other fields or types: of lists, and of objects that are named by data, the first item stands for all.
pub fn shapes(theirs: &Value, ours: &Value, names: &mut Names) -> Vec<String> {
    learn(theirs, ours, false, names);
    let mut found = Vec::new();
    shape(theirs, ours, "", &mut found);
    found
}

fn shape(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) if by_data(at) => {
            if let (Some((_, a)), Some((_, b))) = (a.iter().next(), b.iter().next()) {
                shape(a, b, &format!("{at}.*"), found);
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys()).filter(|name| name.len() < 60).collect::<BTreeSet<_>>() {
                let here = format!("{at}.{name}");
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => shape(a, b, &here, found),
                    (None, _) => found.push(format!("{here} is ours only")),
                    (_, None) => found.push(format!("{here} is missing")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if let (Some(a), Some(b)) = (a.first(), b.first()) {
                shape(a, b, &format!("{at}[0]"), found);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ if type_of(theirs) != type_of(ours) => {
            found.push(format!("{at} is {}, ours {}", short(theirs), short(ours)))
        }
        _ => {}
    }
}

fn by_data(at: &str) -> bool {
    BY_DATA.contains(&at.rsplit('.').next().unwrap_or_default())
}

fn learn(theirs: &Value, ours: &Value, volatile: bool, names: &mut Names) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                if let Some(own) = b.get(name) {
                    learn(value, own, VOLATILE.contains(&name.as_str()), names);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).for_each(|(a, b)| learn(a, b, volatile, names));
        }
        (Value::String(a), Value::String(b)) if volatile => names.learn(a, b),
        _ => {}
    }
}

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

fn differ(theirs: &Value, ours: &Value, at: &str, values: bool, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let here = format!("{at}.{name}");
                let values = values && !VOLATILE.contains(&name.as_str());
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => differ(a, b, &here, values, found),
                    (None, _) => found.push(format!("{here} is ours only")),
                    (_, None) => found.push(format!("{here} is missing")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b).enumerate();
            items.for_each(|(i, (a, b))| differ(a, b, &format!("{at}[{i}]"), values, found));
        }
        _ if type_of(theirs) != type_of(ours) || values && !same(theirs, ours) => {
            found.push(format!("{at} is {}, ours {}", short(theirs), short(ours)));
        }
        _ => {}
    }
}

fn same(theirs: &Value, ours: &Value) -> bool {
    match (theirs.as_f64(), ours.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-12,
        _ => theirs == ours,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(300).collect()
}
