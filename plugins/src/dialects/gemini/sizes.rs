//! What a request says of the size of its answer, looked up before it is read. Google takes its names in either spelling,
//! and which of two it heeds is its business.

use serde_json::Value;
use weir_core::body::{Edits, JsonBody};
use weir_core::chat::Object;

static CONFIG: [&str; 2] = ["generationConfig", "generation_config"];
static LIMIT: [&str; 2] = ["maxOutputTokens", "max_output_tokens"];
static CANDIDATES: [&str; 2] = ["candidateCount", "candidate_count"];

/// How long an answer may be, as often as that is said; `None`: this one cannot be read.
pub(crate) fn limits(body: &JsonBody) -> Vec<Option<u64>> {
    numbers(body, LIMIT)
}

/// How many answers there shall be, as often as that is said; `None`: this one cannot be read.
pub(crate) fn candidates(body: &JsonBody) -> Vec<Option<u64>> {
    numbers(body, CANDIDATES)
}

/// Limits a request of this dialect, and takes a shorter limit of its own for it. Of both spellings one is left.
pub(crate) fn set_limit(body: &JsonBody, limit: u64, edits: &mut Edits) {
    let shortest = limits(body).into_iter().flatten().fold(limit, u64::min);
    let mut config: Object = configs(body).flatten().collect();
    config.retain(|name, _| !is_limit(name));
    let ([place, other], [name, _]) = (CONFIG, LIMIT);
    config.insert(name.to_owned(), shortest.into());
    edits.remove(other);
    edits.set(place, Value::Object(config).to_string());
}

/// Takes the limits out of what a client of another dialect says beside its own.
pub(crate) fn forget_limits(extra: &mut Object) {
    for place in CONFIG {
        if let Some(Value::Object(config)) = extra.get_mut(place) {
            config.retain(|name, _| !is_limit(name));
        }
    }
}

fn is_limit(name: &str) -> bool {
    LIMIT.contains(&name)
}

fn configs(body: &JsonBody) -> impl Iterator<Item = Object> {
    CONFIG.iter().filter_map(move |place| serde_json::from_str::<Object>(body.raw(place)?).ok())
}

fn numbers(body: &JsonBody, names: [&str; 2]) -> Vec<Option<u64>> {
    let of = |config: Object| names.map(|name| config.get(name).filter(|n| !n.is_null()).map(Value::as_u64));
    configs(body).flat_map(of).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::json;

    #[test]
    fn p15_what_geminis_clients_say_is_made_shorter_in_either_spelling() {
        let usual = |limit: u64| json!({"generationConfig": {"topP": 0.5, "maxOutputTokens": limit}});
        let both =
            json!({"generation_config": {"max_output_tokens": 100}, "generationConfig": {"topP": 0.5}});
        for (said, sent) in [
            (json!({"generationConfig": {"topP": 0.5, "maxOutputTokens": 100}}), usual(9)),
            (json!({"generationConfig": {"topP": 0.5, "max_output_tokens": 100}}), usual(9)),
            (json!({"generation_config": {"topP": 0.5, "maxOutputTokens": 100}}), usual(9)),
            (json!({"generation_config": {"topP": 0.5, "max_output_tokens": 100}}), usual(9)),
            (json!({"generation_config": {"topP": 0.5, "max_output_tokens": 3}}), usual(3)),
            (both, usual(9)),
            (json!({"generation_config": null}), json!({"generationConfig": {"maxOutputTokens": 9}})),
            (json!({"contents": []}), json!({"contents": [], "generationConfig": {"maxOutputTokens": 9}})),
        ] {
            let body = JsonBody::parse(Bytes::from(said.to_string())).unwrap();
            let mut edits = Edits::default();
            set_limit(&body, 9, &mut edits);
            let went: Value = serde_json::from_slice(&edits.apply(&body).concat()).unwrap();
            assert_eq!(went, sent, "{said}");
        }
    }
}
